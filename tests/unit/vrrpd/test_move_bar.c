/* move_bar: whom a move can be asked of. */
#include "vrrpd/move_bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FIT                                                                                        \
	{                                                                                          \
		.name = "web", .state = VRRP_BACKUP, .is_fit = true                                \
	}
#define UNFIT                                                                                      \
	{                                                                                          \
		.name = "web", .state = VRRP_BACKUP                                                \
	}

static const struct peer_vip fit = FIT, unfit = UNFIT;

static const struct {
	const char *name;
	enum vrrp_state state;
	int base;
	const char *holder;
	int64_t number, spent;
	struct role_peer peer;
	const char *why; /* NULL: none */
} rows[] = {
	{"well", VRRP_ACTIVE, 200, "b", 5, 4, {.name = "b", .is_alive = true, .vip = &fit}, NULL},
	{"disqualified", VRRP_ACTIVE, 200, "b", 5, 4,
		{.name = "b", .is_alive = true, .vip = &unfit}, "it is disqualified there"},
	{"lost", VRRP_ACTIVE, 200, "b", 5, 4, {.name = "b", .is_lost = true, .vip = &fit},
		"its heartbeats are missed"},
	{"not known yet", VRRP_ACTIVE, 200, "b", 5, 4, {.name = "b", .is_unknown = true}, NULL},
	{"without the VIP yet", VRRP_ACTIVE, 200, "b", 5, 4, {.name = "b", .is_alive = true}, NULL},
	{"no such peer yet", VRRP_ACTIVE, 200, "b", 5, 4, {.name = "c", .is_lost = true}, NULL},
	{"ourselves", VRRP_ACTIVE, 200, "a", 5, 4, {.name = "b", .is_lost = true}, NULL},
	{"not moved", VRRP_ACTIVE, 200, NULL, 0, 0, {.name = "b", .is_lost = true}, NULL},
	{"a move that is over", VRRP_ACTIVE, 200, "b", 5, 5, {.name = "b", .is_lost = true}, NULL},
	{"an owner heeds none", VRRP_ACTIVE, 255, "b", 5, 4, {.name = "b", .is_lost = true}, NULL},
	{"asked now", VRRP_HANDING_OVER, 200, "b", 5, 4, {.name = "b", .is_lost = true}, NULL},
	{"not Active", VRRP_BACKUP, 200, "b", 5, 4, {.name = "b", .is_lost = true}, NULL},
};

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct role_input in = {.node = "a",
			.base = rows[i].base,
			.state = rows[i].state,
			.move = {rows[i].holder, rows[i].number},
			.peers = &rows[i].peer,
			.peers_count = 1};
		struct mono now = {1000};
		struct move_bar b;
		const char *why;

		move_bar_init(&b);
		why = move_bar(&b, &in, rows[i].spent, now);
		if (!mono_is_never(move_bar_deadline(&b))) {
			assert_null(why);
			assert_null(move_bar(
				&b, &in, rows[i].spent, mono_add_ms(now, ROLE_RETRY_MS - 1)));
			why = move_bar(&b, &in, rows[i].spent, move_bar_deadline(&b));
			assert_true(mono_is_never(move_bar_deadline(&b)));
		}
		if (!why != !rows[i].why || (why && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: \"%s\"", rows[i].name, why ? why : "");
	}
}

/* A disqualification that passes, and a move anew, begin the time anew. */
static void waits(void **state)
{
	struct role_peer peer = {.name = "b", .is_alive = true, .vip = &unfit};
	struct role_input in = {.node = "a",
		.base = 200,
		.state = VRRP_ACTIVE,
		.move = {"b", 5},
		.peers = &peer,
		.peers_count = 1};
	const struct mono begin = {1000};
	struct move_bar b;

	(void)state;
	move_bar_init(&b);
	assert_null(move_bar(&b, &in, 0, begin));
	peer.vip = &fit;
	assert_null(move_bar(&b, &in, 0, mono_add_ms(begin, 500)));
	assert_true(mono_is_never(move_bar_deadline(&b)));
	peer.vip = &unfit;
	assert_null(move_bar(&b, &in, 0, mono_add_ms(begin, 600)));
	assert_null(move_bar(&b, &in, 0, mono_add_ms(begin, 1500)));
	in.move.number = 6;
	assert_null(move_bar(&b, &in, 0, mono_add_ms(begin, 1700)));
	assert_non_null(move_bar(&b, &in, 0, mono_add_ms(begin, 2700)));
	assert_non_null(move_bar(&b, &in, 0, mono_add_ms(begin, 2800)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(judges), cmocka_unit_test(waits)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
