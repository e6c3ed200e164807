/* A generation that is to be confirmed, as one node counts: event by event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/confirmation.h"

#define NOTHING CONFIRMATION_NOTHING
#define BEGAN CONFIRMATION_BEGAN
#define LAPSED CONFIRMATION_LAPSED
#define ENDED CONFIRMATION_ENDED

struct look {
	int64_t at_ms;
	uint64_t generation;
	int64_t within_ms; /* 0: confirmed, or it need not be */
	const char *boot;
	enum confirmation_news expected;
	bool is_lapsed;
	int64_t left_ms;
};

struct story {
	const char *name;
	struct look looks[6];
	size_t count;
};

// clang-format off
static const struct story stories[] = {
	{"nothing to confirm", {{0, 1, 0, "a", NOTHING, false, 0}, {9, 2, 0, "a", NOTHING, false, 0}}, 2},
	{"confirmed in time", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{1299, 5, 300, "a", NOTHING, false, 1},
		{1299, 5, 0, "a", ENDED, false, 0},
		{9999, 5, 0, "a", NOTHING, false, 0}}, 4},
	{"not confirmed, and later after all", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{1300, 5, 300, "a", LAPSED, true, 0},
		{1301, 5, 300, "a", NOTHING, true, 0},
		{9999, 5, 0, "a", ENDED, false, 0}}, 4},
	{"rebooted", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{10, 5, 300, "b", LAPSED, true, 0},
		{20, 5, 300, "b", NOTHING, true, 0}}, 3},
	{"confirmed while it was down", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{10, 5, 0, "b", ENDED, false, 0}}, 2},
	{"another one, after it lapsed", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{2000, 5, 300, "a", LAPSED, true, 0},
		{3000, 6, 500, "a", BEGAN, false, 500},
		{3500, 6, 500, "a", LAPSED, true, 0}}, 4},
	{"another one that need not be", {
		{1000, 5, 300, "a", BEGAN, false, 300},
		{2000, 5, 300, "a", LAPSED, true, 0},
		{3000, 6, 0, "a", ENDED, false, 0}}, 3},
};
// clang-format on

/* Also through the file, after every look: a restarted control goes on counting. */
static void counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct confirmation c = {0};

		for (size_t j = 0; j < stories[i].count; j++) {
			const struct look *l = &stories[i].looks[j];
			struct mono now = {l->at_ms * 1000000};
			enum confirmation_news news =
				confirmation_step(&c, l->generation, l->within_ms, l->boot, now);

			if (news != l->expected || c.is_lapsed != l->is_lapsed ||
				confirmation_left_ms(&c, now) != (c.generation ? l->left_ms : 0))
				fail_msg("%s, look %d: news %d, left %d", stories[i].name, (int)j,
					(int)news, (int)confirmation_left_ms(&c, now));
			if (c.generation) {
				json_t *row = confirmation_encode(&c);
				struct confirmation again;

				assert_int_equal(confirmation_decode(row, &again), 0);
				assert_memory_equal(&again, &c, sizeof c);
				json_decref(row);
			}
		}
	}
}

static void refuses_what_is_none(void **state)
{
	static const char *const texts[] = {"[]", "{}", "{\"generation\":0}",
		"{\"generation\":1,\"within_ms\":1,\"seen_ns\":-5,\"boot\":\"a\"}",
		"{\"generation\":1,\"within_ms\":0,\"seen_ns\":5,\"boot\":\"a\"}",
		"{\"generation\":\"1\",\"within_ms\":1,\"seen_ns\":5,\"boot\":\"a\"}"};
	struct confirmation c;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		json_t *value = json_loads(texts[i], 0, NULL);

		if (confirmation_decode(value, &c) == 0)
			fail_msg("taken: %s", texts[i]);
		json_decref(value);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts), cmocka_unit_test(refuses_what_is_none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
