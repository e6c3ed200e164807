/* schedule: order, removal, beats that are kept, and first checks that are spread. */
#include "healthd/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS(n) ((struct mono){(n)*INT64_C(1000000)})

static void pops_in_order_whatever_is_added_and_removed(void **state)
{
	static struct schedule_entry entries[1000];
	struct schedule s = {0};
	struct rand_state r;
	struct mono last = {0};
	size_t popped = 0;

	(void)state;
	rand_seed(&r, 7);
	assert_true(mono_is_never(schedule_deadline(&s)));
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(
			schedule_add(&s, &entries[i], MS((int64_t)rand_below(&r, 500))), 0);
		schedule_check(&s);
	}
	for (size_t i = 0; i < 1000; i += 3)
		schedule_remove(&s, &entries[i]);
	schedule_remove(&s, &entries[0]);
	schedule_check(&s);
	assert_null(schedule_pop(&s, (struct mono){-1}));
	for (struct schedule_entry *e; (e = schedule_pop(&s, MS(500))); popped++) {
		assert_false(mono_before(e->due, last));
		assert_int_equal(e->place, 0);
		last = e->due;
		schedule_check(&s);
	}
	assert_int_equal(popped, 666);
	schedule_fini(&s);
}

static void keeps_the_beat(void **state)
{
	static const struct {
		int64_t due, interval, now, next;
	} rows[] = {
		{1000, 100, 1005, 1100}, {1000, 100, 1099, 1100},
		{1000, 100, 1100,
			1200}, /* the check lasted a whole interval: its beat is skipped */
		{1000, 100, 1250, 1300},
		{1000, 100, 999, 1100}, /* early, as after a time-out that was excused */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
			schedule_next(MS(rows[i].due), rows[i].interval, MS(rows[i].now)).ns,
			MS(rows[i].next).ns);
}

static void spreads_first_checks(void **state)
{
	struct rand_state r;
	int early = 0;

	(void)state;
	rand_seed(&r, 1);
	for (int i = 0; i < 1000; i++) {
		struct mono first = schedule_first(&r, 60000, MS(5000));

		assert_true(mono_reached(MS(5000), first) && mono_before(first, MS(6000)));
		early += mono_before(first, MS(5500));
		assert_true(mono_before(schedule_first(&r, 10, MS(0)), MS(10)));
	}
	assert_in_range(early, 400, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pops_in_order_whatever_is_added_and_removed),
		cmocka_unit_test(keeps_the_beat),
		cmocka_unit_test(spreads_first_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
