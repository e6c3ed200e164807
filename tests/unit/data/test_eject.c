/* eject: when failures eject a server, for how long, and how many at once. */
#include "data/eject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct conf_passive passive = {
	.errors = 5, .window_ms = 10000, .eject_ms = 30000, .maximum_ejected_percent = 50};

struct moment {
	int64_t now_ms;
	uint64_t errors; /* total */
	bool may_eject, is_out;
};

#define MOMENTS 8

static const struct {
	const char *what;
	struct moment moments[MOMENTS];
} rows[] = {
	{"errors from before it was watched do not count",
		{{0, 100, true, false}, {100, 104, true, false}}},
	{"five within the window",
		{{0, 0, true, false}, {100, 4, true, false}, {9000, 5, true, true}}},
	{"five, too slowly", {{0, 0, true, false}, {100, 4, true, false}, {10200, 5, true, false}}},
	{"a burst", {{0, 0, true, false}, {100, 500, true, true}}},
	{"no room for one more; then there is",
		{{0, 0, true, false}, {100, 9, false, false}, {200, 9, true, true}}},
	{"back after its time, with a clean slate",
		{{0, 0, true, false}, {100, 5, true, true}, {30099, 50, true, true},
			{30100, 50, true, false}, {30200, 54, true, false}}},
	{"the second time lasts twice as long",
		{{0, 0, true, false}, {100, 5, true, true}, {30100, 5, true, false},
			{30200, 10, true, true}, {90199, 10, true, true},
			{90200, 10, true, false}}},
	{"forgiven after as long without",
		{{0, 0, true, false}, {100, 5, true, true}, {30100, 5, true, false},
			{60100, 5, true, false}, {60200, 10, true, true}, {90199, 10, true, true},
			{90200, 10, true, false}}},
};

static void follows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct eject e = {0};
		bool was_out = false;

		for (const struct moment *m = rows[i].moments;
			m < rows[i].moments + MOMENTS && (m->now_ms || m == rows[i].moments); m++) {
			bool changed = eject_step(&e, &passive, m->errors, m->may_eject, m->now_ms);

			if (eject_is_out(&e) != m->is_out || changed != (was_out != m->is_out))
				fail_msg("%s: at %lld ms: out %d", rows[i].what,
					(long long)m->now_ms, eject_is_out(&e));
			was_out = m->is_out;
		}
	}
}

/* However often it comes back to fail: ten times as long, not longer. */
static void terms_are_limited(void **state)
{
	struct eject e = {0};
	int64_t now_ms = 0;
	uint64_t errors = 0;

	(void)state;
	eject_step(&e, &passive, errors, true, now_ms);
	for (int i = 1; i <= 20; i++) {
		now_ms += 100;
		errors += 5;
		assert_true(eject_step(&e, &passive, errors, true, now_ms));
		assert_int_equal(e.until_ms - now_ms, (i < 10 ? i : 10) * passive.eject_ms);
		now_ms = e.until_ms;
		assert_true(eject_step(&e, &passive, errors, true, now_ms));
	}
}

/* A window that a generation makes shorter or longer begins anew; nothing is read out of bounds. */
static void a_window_may_change(void **state)
{
	struct conf_passive other = passive;
	struct eject e = {0};

	(void)state;
	eject_step(&e, &passive, 0, true, 1000000);
	eject_step(&e, &passive, 4, true, 1000100);
	other.window_ms = 3600000;
	assert_false(eject_step(&e, &other, 8, true, 1000200));
	other.window_ms = 100;
	assert_false(eject_step(&e, &other, 9, true, 1000300));
	assert_true(eject_step(&e, &other, 15, true, 1000310));
}

static void says_why(void **state)
{
	struct eject e = {0};
	char why[EJECT_WHY_SIZE];

	(void)state;
	eject_step(&e, &passive, 0, true, 0);
	eject_step(&e, &passive, 7, true, 100);
	eject_print(&e, &passive, why);
	assert_string_equal(why, "ejected for 30s: 7 errors within 10s");
	e.times = 3;
	eject_print(&e, &passive, why);
	assert_string_equal(why, "ejected for 90s: 7 errors within 10s (3 times in a row)");
}

static void room_is_a_share(void **state)
{
	static const struct {
		unsigned percent, servers, room;
	} shares[] = {{50, 1, 0}, {50, 2, 1}, {50, 3, 1}, {50, 4, 2}, {100, 3, 3}, {0, 9, 0},
		{10, 10, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		struct conf_passive c = {.maximum_ejected_percent = shares[i].percent};

		assert_int_equal(eject_room(&c, shares[i].servers), shares[i].room);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows),
		cmocka_unit_test(terms_are_limited),
		cmocka_unit_test(a_window_may_change),
		cmocka_unit_test(says_why),
		cmocka_unit_test(room_is_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
