/* pulse: what is death, what is silence, and what is only the moment between two workers. */
#include "vrrpd/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TIMEOUT_MS 1000

enum what { LOOK, CONNECT, LOSE, ANSWER, END };

/* At at_ms something happens; afterwards data is well or not. */
struct row {
	int64_t at_ms;
	enum what what;
	bool is_well;
};

static struct mono at(int64_t ms)
{
	return mono_add_ms((struct mono){1}, ms);
}

static void run(const struct row *rows)
{
	struct pulse p;
	const char *why;

	pulse_init(&p, at(0));
	for (; rows->what != END; rows++) {
		if (rows->what == CONNECT)
			pulse_connected(&p);
		else if (rows->what == LOSE)
			pulse_lost(&p, at(rows->at_ms));
		else if (rows->what == ANSWER)
			pulse_answered(&p, at(rows->at_ms));
		assert_int_equal(
			pulse_is_well(&p, TIMEOUT_MS, at(rows->at_ms), &why), rows->is_well);
	}
}

static void waits_for_the_first_answer(void **state)
{
	static const struct row rows[] = {{0, LOOK, true}, {500, CONNECT, true}, {999, LOOK, true},
		{1000, LOOK, false}, {1500, ANSWER, true}, {0, END, false}};

	(void)state;
	run(rows);
}

static void is_dead_60_ms_after_the_last_worker(void **state)
{
	static const struct row rows[] = {{0, CONNECT, true}, {1, CONNECT, true}, {2, ANSWER, true},
		{100, LOSE, true}, {300, LOOK, true}, {300, LOSE, true}, {359, LOOK, true},
		{360, LOOK, false}, {0, END, false}};

	(void)state;
	run(rows);
}

static void a_replaced_worker_is_not_death(void **state)
{
	static const struct row rows[] = {{0, CONNECT, true}, {1, ANSWER, true}, {100, LOSE, true},
		{150, CONNECT, true}, {161, LOOK, true}, {170, ANSWER, true}, {0, END, false}};

	(void)state;
	run(rows);
}

/* A connection proves nothing: the kernel makes it. */
static void the_dead_come_back_by_answering(void **state)
{
	static const struct row rows[] = {{0, CONNECT, true}, {1, ANSWER, true}, {100, LOSE, true},
		{200, LOOK, false}, {210, CONNECT, false}, {220, ANSWER, true}, {0, END, false}};

	(void)state;
	run(rows);
}

static void silence_is_death_after_the_timeout(void **state)
{
	static const struct row rows[] = {{0, CONNECT, true}, {1, ANSWER, true}, {1000, LOOK, true},
		{1001, LOOK, false}, {1500, ANSWER, true}, {0, END, false}};

	(void)state;
	run(rows);
}

static void tells_when_to_look_again(void **state)
{
	const char *why;
	struct pulse p;

	(void)state;
	pulse_init(&p, at(0));
	assert_true(pulse_deadline(&p, TIMEOUT_MS, at(0)).ns == at(1000).ns);
	assert_true(mono_is_never(pulse_deadline(&p, TIMEOUT_MS, at(1000))));
	pulse_connected(&p);
	pulse_answered(&p, at(10));
	assert_true(pulse_deadline(&p, TIMEOUT_MS, at(20)).ns == at(1010).ns);
	pulse_lost(&p, at(30));
	assert_true(pulse_deadline(&p, TIMEOUT_MS, at(40)).ns == at(90).ns);
	assert_false(pulse_is_well(&p, TIMEOUT_MS, at(90), &why));
	assert_true(mono_is_never(pulse_deadline(&p, TIMEOUT_MS, at(95))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_the_first_answer),
		cmocka_unit_test(is_dead_60_ms_after_the_last_worker),
		cmocka_unit_test(a_replaced_worker_is_not_death),
		cmocka_unit_test(the_dead_come_back_by_answering),
		cmocka_unit_test(silence_is_death_after_the_timeout),
		cmocka_unit_test(tells_when_to_look_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
