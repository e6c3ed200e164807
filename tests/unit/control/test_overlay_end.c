/* When an overlay ends by this node's clock, by table. Times are seconds after noon of some day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/overlay.h"
#include "control/overlay_end.h"

#define NOON 1764072000000ll
#define NONE (-1.0)

struct row {
	const char *name;
	double written, known, left, now; /* NONE: no end, nothing known, no end */
	double end;
};

static const struct row rows[] = {
	{"no end", NONE, NONE, NONE, 0, NONE},
	{"clocks agree", 60, NONE, 50, 10, 60},
	{"clocks agree but for the way here", 60, NONE, 50.4, 10, 60},
	{"the writer is an hour ahead", 3660, NONE, 50, 10, 60},
	{"the writer is an hour behind", -3540, NONE, 50, 10, 60},
	{"reckoned before, a little off", 3660, 60, 48.7, 12, 60},
	{"reckoned before, and our clock was set", 3660, 60, 48, -3588, -3540},
	{"our clock was set right: as it was written", 60, 3660, 48, 12, 60},
	{"written anew with another end", 3720, 60, 110, 10, 120},
	{"just over", 3660, 60, 0, 60, 60},
};

static struct wall at(double seconds)
{
	return (struct wall){seconds == NONE ? 0 : NOON + (int64_t)(seconds * 1000)};
}

static json_t *make(double end)
{
	struct overlay o = {.state = OVERLAY_DRAIN, .who = "alice", .since = {NOON}, .until = at(end)};

	return overlay_encode(&o);
}

static void ends_by_our_clock(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		json_t *row = make(r->written), *known = r->known == NONE ? NULL : make(r->known);
		json_t *here = overlay_end_here(row, known,
			r->left == NONE ? -1 : (int64_t)(r->left * 1000), at(r->now));
		struct overlay o;

		assert_int_equal(overlay_decode(here, &o), 0);
		if (o.until.ms != at(r->end).ms)
			fail_msg("%s: %lld ms after noon", r->name, (long long)(o.until.ms - NOON));
		assert_int_equal(overlay_decode(row, &o), 0);
		assert_int_equal(o.until.ms, at(r->written).ms); /* rows are shared */
		json_decref(here);
		json_decref(row);
		json_decref(known);
	}
}

static void a_set_clock_takes_the_end_along(void **state)
{
	json_t *row = make(60), *here = overlay_end_shifted(row, -3600000), *none = make(NONE);
	json_t *still = overlay_end_shifted(none, 1000);
	struct overlay o;

	(void)state;
	assert_int_equal(overlay_decode(here, &o), 0);
	assert_int_equal(o.until.ms, at(-3540).ms);
	assert_ptr_equal(still, none);
	json_decref(still);
	json_decref(here);
	json_decref(none);
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_by_our_clock),
		cmocka_unit_test(a_set_clock_takes_the_end_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
