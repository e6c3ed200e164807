/* flaps: which transitions count, when the budget is used up, who may forward. */
#include "vrrpd/flaps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct mono at_ms(int64_t ms)
{
	return mono_add_ms((struct mono){1000}, ms);
}

static void tells_losses_from_wishes(void **state)
{
	static const struct {
		enum vrrp_state from;
		enum vrrp_cause cause;
		int priority;
		bool is_planned, is_loss;
	} rows[] = {
		{VRRP_ACTIVE, VRRP_STALLED, 200, false, true},
		{VRRP_ACTIVE, VRRP_LINK_LOST, 200, false, true},
		{VRRP_HANDING_OVER, VRRP_LINK_LOST, 200, true, true},
		{VRRP_BACKUP, VRRP_LINK_LOST, 200, false, false},
		{VRRP_ACTIVE, VRRP_UNFIT, 1, false, true},
		{VRRP_HANDING_OVER, VRRP_HANDED_OVER, 1, false, true},
		{VRRP_HANDING_OVER, VRRP_HANDED_OVER, 1, true, false},
		{VRRP_HANDING_OVER, VRRP_LEFT_TO_TAKER, 200, false, false},
		{VRRP_ACTIVE, VRRP_HEARD_HIGHER, 150, false, true},
		{VRRP_ACTIVE, VRRP_HEARD_HIGHER, 150, true, false},
		{VRRP_ACTIVE, VRRP_HEARD_HIGHER, 200, false, false},
		{VRRP_ACTIVE, VRRP_STOPPED, 200, false, false},
		{VRRP_YIELDING, VRRP_SUCCEEDED, 200, false, false},
		{VRRP_BACKUP, VRRP_ACTIVE_DOWN, 200, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct flaps_loss loss = {vrrp_transition(rows[i].from, rows[i].cause),
			rows[i].priority, 200, rows[i].is_planned};

		assert_non_null(loss.row);
		if (flaps_is_loss(&loss) != rows[i].is_loss)
			fail_msg("row %zu", i);
	}
}

static void keeps_a_budget(void **state)
{
	static const struct flaps_config config = {.maximum = 2, .window_ms = 1000};
	static const struct {
		int64_t at;
		bool is_over;
	} rows[] = {{0, false}, {500, false}, {1001, false}, {1500, true}, {2001, true},
		{3100, false}, {3200, false}, {3300, true}};
	static const struct flaps_config great = {.maximum = FLAPS_MAXIMUM, .window_ms = 1000000};
	static struct flaps f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (flaps_note(&f, &config, at_ms(rows[i].at)) != rows[i].is_over)
			fail_msg("loss %zu at %d", i, (int)rows[i].at);
	memset(&f, 0, sizeof f);
	for (int i = 0; i < 3 * FLAPS_MAXIMUM; i++)
		if (flaps_note(&f, &great, at_ms(i)) != (i >= FLAPS_MAXIMUM))
			fail_msg("loss %d of many", i);
}

static void ends_the_bypass_by_time_or_not(void **state)
{
	struct flaps_config config = {.maximum = 1, .window_ms = 1, .clear_ms = 500};
	struct flaps_bypass b = {0};

	(void)state;
	assert_true(mono_is_never(flaps_bypass_deadline(&b, &config)));
	assert_true(flaps_bypass_begin(&b, at_ms(0)));
	assert_false(flaps_bypass_begin(&b, at_ms(100)));
	assert_false(flaps_bypass_tick(&b, &config, at_ms(499)));
	assert_true(flaps_bypass_tick(&b, &config, at_ms(500)));
	assert_false(b.is_on);
	assert_false(flaps_bypass_tick(&b, &config, at_ms(501)));
	config.clear_ms = 0;
	flaps_bypass_begin(&b, at_ms(600));
	assert_false(flaps_bypass_tick(&b, &config, at_ms(1000000)));
}

static void forwards_alone(void **state)
{
	static const struct {
		struct flaps_peer peers[2];
		size_t count;
		bool may;
	} rows[] = {
		{{{0}}, 0, true},
		{{{"a", true, false, false, false}}, 1, true},
		{{{"a", false, false, false, false}}, 1, false},
		{{{"a", true, true, false, false}}, 1, false},
		{{{"z", true, false, true, true}}, 1, false},
		{{{"a", true, false, true, false}}, 1, false},
		{{{"z", true, false, true, false}}, 1, true},
		{{{"z", true, false, false, false}, {"y", true, true, false, false}}, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why = NULL;

		if (flaps_may_forward("m", rows[i].peers, rows[i].count, &why) != rows[i].may ||
			!why != rows[i].may)
			fail_msg("row %zu: %s", i, why ? why : "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_losses_from_wishes),
		cmocka_unit_test(keeps_a_budget),
		cmocka_unit_test(ends_the_bypass_by_time_or_not),
		cmocka_unit_test(forwards_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
