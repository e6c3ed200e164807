/* role: conditions in, wish and reason out, as tables; and the two things that depend on time. */
#include "vrrpd/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct mono at_ms(int64_t ms)
{
	return mono_add_ms((struct mono){1000}, ms);
}

static const struct peer_vip fit_backup = {"web", VRRP_BACKUP, 100, 100, true};
static const struct peer_vip high_backup = {"web", VRRP_BACKUP, 150, 150, true};
static const struct peer_vip unfit_backup = {"web", VRRP_BACKUP, 1, 240, false};
static const struct peer_vip fit_away = {"web", VRRP_INITIALIZE, 100, 100, true};

#define DOWN(name, well)                                                                           \
	{                                                                                          \
		name, well, true, 0                                                                \
	}
#define WEIGHT(name, well, w)                                                                      \
	{                                                                                          \
		name, well, false, w                                                               \
	}
#define PEER(name, alive, says)                                                                    \
	{                                                                                          \
		name, alive, false, false, says, false, false, 0                                                    \
	}

struct row {
	int base;
	bool in_maintenance, release;
	enum vrrp_state state;
	struct role_track tracks[3];
	struct role_peer peers[3];
	int priority;
	bool may_hold, has_peer, is_fit, steps_down;
	const char *taker, *why;
};

// clang-format off
static const struct row rows[] = {
	{200, false, false, VRRP_BACKUP, {}, {}, 200, true, false, true, false, NULL, "priority 200"},
	{200, false, false, VRRP_BACKUP, {DOWN("data", true)}, {}, 200, true, false, true, false, NULL, "priority 200"},
	{200, false, false, VRRP_BACKUP, {WEIGHT("interface eth1", false, -50), WEIGHT("pool web", true, -20)}, {},
		150, true, false, true, false, NULL, "priority 150: 200, interface eth1 down -50"},
	{100, false, false, VRRP_BACKUP, {WEIGHT("check storage", true, 30), WEIGHT("pool web", false, 40)}, {},
		130, true, false, true, false, NULL, "priority 130: 100, check storage up +30"},
	{100, false, false, VRRP_BACKUP, {WEIGHT("a", false, -90), WEIGHT("b", false, -90)}, {},
		2, true, false, true, false, NULL, "priority 2: 100, a down -90, b down -90"},
	{250, false, false, VRRP_BACKUP, {WEIGHT("a", true, 90)}, {}, 254, true, false, true, false, NULL,
		"priority 254: 250, a up +90"},
	{1, false, false, VRRP_BACKUP, {WEIGHT("a", false, -90)}, {}, 1, true, false, true, false, NULL, "priority 1"},
	{255, false, false, VRRP_ACTIVE, {WEIGHT("a", false, -90)}, {}, 255, true, false, true, false, NULL,
		"priority 255: owner of the addresses"},

	/* Last resort, alone: still there when nobody else is. */
	{200, false, false, VRRP_ACTIVE, {DOWN("data", false)}, {}, 1, true, false, false, false, NULL, "last resort: data down"},
	{255, false, false, VRRP_ACTIVE, {DOWN("data", false)}, {}, 1, true, false, false, false, NULL, "last resort: data down"},
	{200, false, true, VRRP_ACTIVE, {DOWN("data", false)}, {}, 1, false, false, false, false, NULL,
		"last resort: data down; no node is fit: released"},
	/* Last resort with a fit peer: handed over. */
	{200, false, false, VRRP_ACTIVE, {DOWN("data", false)}, {PEER("lb-b", true, &fit_backup)},
		1, true, true, false, true, "lb-b", "last resort: data down"},
	{200, true, false, VRRP_ACTIVE, {DOWN("data", false)}, {PEER("lb-b", true, &fit_backup)},
		1, true, true, false, true, "lb-b", "last resort: in maintenance"},
	{200, true, true, VRRP_ACTIVE, {}, {PEER("lb-b", true, &fit_backup)}, 1, true, true, false, true, "lb-b",
		"last resort: in maintenance"},
	{200, true, false, VRRP_BACKUP, {}, {PEER("lb-b", true, &fit_backup)}, 1, true, true, false, false, "lb-b",
		"last resort: in maintenance"},
	/* … unless nobody is any better. */
	{200, true, false, VRRP_ACTIVE, {}, {PEER("lb-b", true, &unfit_backup)}, 200, true, true, false, false, "lb-b",
		"last resort: in maintenance; no node is fit: priority 200"},
	{200, true, false, VRRP_ACTIVE, {}, {PEER("lb-b", false, &fit_backup)}, 1, true, false, false, false, NULL,
		"last resort: in maintenance"},
	{200, true, true, VRRP_ACTIVE, {}, {PEER("lb-b", true, &unfit_backup)}, 1, false, true, false, false, "lb-b",
		"last resort: in maintenance; no node is fit: released"},
	/* A fit peer that cannot take now is no taker, but one to be polite to. */
	{200, true, true, VRRP_ACTIVE, {}, {PEER("lb-b", true, &fit_away)}, 1, true, true, false, false, NULL,
		"last resort: in maintenance"},

	/* The best taker: fit, then priority, then name. */
	{200, false, false, VRRP_ACTIVE, {}, {PEER("lb-b", true, &fit_backup), PEER("lb-c", true, &high_backup)},
		200, true, true, true, false, "lb-c", "priority 200"},
	{200, false, false, VRRP_ACTIVE, {}, {PEER("lb-d", true, &fit_backup), PEER("lb-c", true, &fit_backup)},
		200, true, true, true, false, "lb-c", "priority 200"},
	{200, false, false, VRRP_ACTIVE, {}, {PEER("lb-b", true, &unfit_backup), PEER("lb-c", true, &fit_backup)},
		200, true, true, true, false, "lb-c", "priority 200"},
	{200, false, false, VRRP_ACTIVE, {}, {PEER("lb-b", true, NULL), PEER("lb-c", false, &high_backup)},
		200, true, false, true, false, NULL, "priority 200"},
};
// clang-format on

static void judges_by_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *w = &rows[i];
		struct role_input in = {.node = "lb-a",
			.base = w->base,
			.when_all_down_release = w->release,
			.startup_hold_ms = 30000,
			.state = w->state,
			.in_maintenance = w->in_maintenance,
			.tracks = w->tracks,
			.peers = w->peers};
		struct role_result result;
		struct role role;

		while (in.tracks_count < 3 && w->tracks[in.tracks_count].target)
			in.tracks_count++;
		while (in.peers_count < 3 && w->peers[in.peers_count].name)
			in.peers_count++;
		role_init(&role);
		role_judge(&role, &in, at_ms(0), &result);
		if (result.wish.priority != w->priority || result.wish.may_hold != w->may_hold ||
			result.wish.has_peer != w->has_peer || result.is_fit != w->is_fit ||
			result.should_step_down != w->steps_down || !result.wish.may_preempt ||
			strcmp(result.why, w->why) != 0 || !result.taker != !w->taker ||
			(w->taker && strcmp(result.taker, w->taker) != 0))
			fail_msg("row %zu: priority %d taker %s \"%s\"", i, result.wish.priority,
				result.taker ? result.taker : "-", result.why);
	}
}

static void bars_preemption_for_startup_hold_at_most(void **state)
{
	struct role_input in = {.node = "lb-a", .base = 200, .startup_hold_ms = 30000};
	struct role_result result;
	struct role role;

	(void)state;
	role_init(&role);
	role_judge(&role, &in, at_ms(0), &result);
	assert_true(mono_is_never(role_deadline(&role)));
	in.unready = "generation 16, the stack is at 17";
	role_judge(&role, &in, at_ms(1000), &result);
	assert_false(result.wish.may_preempt);
	assert_true(result.wish.may_hold);
	assert_string_equal(result.why,
		"priority 200; does not preempt yet: generation 16, the stack is at 17");
	assert_int_equal(mono_since_ms(role_deadline(&role), at_ms(0)), 31000);
	in.unready = "verdicts are not known yet";
	role_judge(&role, &in, at_ms(30999), &result);
	assert_false(result.wish.may_preempt);
	role_judge(&role, &in, at_ms(31000), &result);
	assert_true(result.wish.may_preempt);
	assert_true(mono_is_never(role_deadline(&role)));
	in.unready = NULL;
	role_judge(&role, &in, at_ms(32000), &result);
	in.unready = "again";
	role_judge(&role, &in, at_ms(33000), &result);
	assert_false(result.wish.may_preempt);
}

static const struct peer_vip active = {"web", VRRP_ACTIVE, 100, 100, true, 0};

/* V7: only an Active that we hear ourselves has a say, on fresh heartbeats, and for a while. */
static void heeds_an_active_that_is_heard(void **state)
{
	static const struct {
		bool hears_active, is_alive;
		const struct peer_vip *says;
		bool is_fresh, is_deaf;
		uint64_t generation;
		bool may_preempt;
		const char *why;
	} cases[] = {
		{true, true, &active, true, false, 16, true, "priority 200"},
		{true, true, &active, true, false, 17, false,
			"priority 200; does not preempt yet: generation 16, lb-b is Active and runs 17"},
		{true, true, &active, true, true, 16, false,
			"priority 200; does not preempt yet: lb-b is Active and does not hear us"},
		{true, true, &active, false, true, 17, true, "priority 200"}, /* who knows */
		{false, true, &active, true, true, 17, true, "priority 200"}, /* not on the segment */
		/* Just started: heard, and not yet known to live. */
		{true, false, &active, true, false, 17, false,
			"priority 200; does not preempt yet: generation 16, lb-b is Active and runs 17"},
		{true, true, &fit_backup, true, true, 17, true, "priority 200"}, /* not the Active */
		{true, true, NULL, true, true, 17, true, "priority 200"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct role_peer peer = {"lb-b", cases[i].is_alive, false, false,
			cases[i].says, cases[i].is_fresh, cases[i].is_deaf, cases[i].generation};
		struct role_input in = {.node = "lb-a",
			.base = 200,
			.startup_hold_ms = 30000,
			.state = VRRP_BACKUP,
			.generation = 16,
			.hears_active = cases[i].hears_active,
			.peers = &peer,
			.peers_count = 1};
		struct role_result result;
		struct role role;

		role_init(&role);
		role_judge(&role, &in, at_ms(0), &result);
		assert_int_equal(result.wish.may_preempt, cases[i].may_preempt);
		assert_string_equal(result.why, cases[i].why);
		assert_true(result.wish.may_hold);
		role_judge(&role, &in, at_ms(30000), &result);
		assert_true(result.wish.may_preempt);
	}
}

static void takes_nothing_that_another_host_has(void **state)
{
	struct role_input in = {.node = "lb-a", .base = 200, .state = VRRP_BACKUP, .occupied = "taken"};
	struct role_result result;
	struct role role;

	(void)state;
	role_init(&role);
	role_judge(&role, &in, at_ms(0), &result);
	assert_false(result.wish.may_hold);
	assert_true(result.is_fit);
	assert_string_equal(result.why, "priority 200; not taken: taken");
	in.state = VRRP_ACTIVE; /* who holds it goes on: found later, it is an alarm */
	role_judge(&role, &in, at_ms(0), &result);
	assert_true(result.wish.may_hold);
	in.state = VRRP_BACKUP;
	in.occupied = NULL;
	role_judge(&role, &in, at_ms(0), &result);
	assert_true(result.wish.may_hold);
}

static void asks_again_for_a_hand_over_that_failed(void **state)
{
	const struct role_peer peer = PEER("lb-b", true, &fit_backup);
	struct role_input in = {.node = "lb-a",
		.base = 200,
		.state = VRRP_ACTIVE,
		.in_maintenance = true,
		.peers = &peer,
		.peers_count = 1};
	struct role_result result;
	struct role role;

	(void)state;
	role_init(&role);
	role_judge(&role, &in, at_ms(0), &result);
	assert_true(result.should_step_down);
	in.state = VRRP_HANDING_OVER;
	role_judge(&role, &in, at_ms(1), &result);
	assert_false(result.should_step_down);
	in.state = VRRP_ACTIVE;
	role_judge(&role, &in, at_ms(60), &result);
	assert_false(result.should_step_down);
	assert_int_equal(mono_since_ms(role_deadline(&role), at_ms(0)), ROLE_RETRY_MS);
	role_judge(&role, &in, at_ms(ROLE_RETRY_MS), &result);
	assert_true(result.should_step_down);
	in.state = VRRP_BACKUP;
	role_judge(&role, &in, at_ms(ROLE_RETRY_MS + 1), &result);
	assert_true(mono_is_never(role_deadline(&role)));
}

#define MOVED_HERE                                                                                 \
	{                                                                                          \
		"lb-a", 7                                                                          \
	}
#define MOVED_TO_B                                                                                 \
	{                                                                                          \
		"lb-b", 7                                                                          \
	}
#define GROUP(priority, fit, preempts)                                                             \
	{                                                                                          \
		"mail",                                                                            \
		{                                                                                  \
			priority, fit, preempts                                                    \
		}                                                                                  \
	}

/* What the operator, the sync group and the node as a whole add. */
static const struct {
	int base;
	enum vrrp_state state;
	struct role_move move;
	struct role_group group;
	const char *marked_down, *starved;
	bool is_lost;                /* lb-b */
	const struct peer_vip *peer; /* lb-b's; NULL: there is none */
	int priority;
	bool may_preempt, is_fit, steps_down, is_planned;
	const char *why;
} hands[] = {
	/* V4: 254 where it is moved to, at most 253 elsewhere, and handed over. */
	{100, VRRP_BACKUP, MOVED_HERE, {0}, NULL, NULL, false, &fit_backup, 254, true, true, false,
		false, "priority 100; moved here: priority 254"},
	{254, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, false, &fit_backup, 253, true, true, true,
		true, "priority 254; moved to lb-b: priority 253"},
	{200, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, false, &fit_backup, 200, true, true, true,
		true, "priority 200"},
	/* Not to one that is not fit, not there, or lost; then the move is over. */
	{200, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, false, &unfit_backup, 200, true, true,
		false, false, "priority 200"},
	{254, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, false, NULL, 253, true, true, false, false,
		"priority 254; moved to lb-b: priority 253"},
	{254, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, true, &fit_backup, 254, true, true, false,
		false, "priority 254"},
	{254, VRRP_BACKUP, MOVED_TO_B, {0}, NULL, NULL, true, &fit_backup, 253, true, true, false,
		false, "priority 254; moved to lb-b: priority 253"},
	/* An owner cannot be moved. */
	{255, VRRP_ACTIVE, MOVED_TO_B, {0}, NULL, NULL, false, &fit_backup, 255, true, true, false,
		false, "priority 255: owner of the addresses"},
	/* V9: as low as the lowest, as late as the latest. */
	{200, VRRP_ACTIVE, {0}, GROUP(150, true, true), NULL, NULL, false, &fit_backup, 150, true,
		true, false, false,
		"priority 200; as low as VIP mail of its sync group: priority 150"},
	{200, VRRP_ACTIVE, {0}, GROUP(220, true, true), NULL, NULL, false, &fit_backup, 200, true,
		true, false, false, "priority 200"},
	{200, VRRP_BACKUP, {0}, GROUP(200, true, false), NULL, NULL, false, &fit_backup, 200, false,
		true, false, false,
		"priority 200; does not preempt before VIP mail of its sync group"},
	{200, VRRP_ACTIVE, {0}, GROUP(1, false, true), NULL, NULL, false, &fit_backup, 1, true,
		false, true, false, "last resort: VIP mail of its sync group is"},
	/* A move that is over for one member is over for all. */
	{100, VRRP_BACKUP, MOVED_HERE, {.spent_move = 7}, NULL, NULL, false, &fit_backup, 100, true, true, false,
		false, "priority 100"},
	{100, VRRP_BACKUP, MOVED_HERE, {.spent_move = 6}, NULL, NULL, false, &fit_backup, 254, true, true, false,
		false, "priority 100; moved here: priority 254"},
	/* The node as a whole. */
	{200, VRRP_ACTIVE, {0}, {0}, "1 of 2 link pairs active", NULL, false, &fit_backup, 1, true,
		false, true, false, "last resort: 1 of 2 link pairs active"},
	{200, VRRP_ACTIVE, {0}, {0}, NULL, "too little traffic", false, &fit_backup, 200, false,
		true, true, false, "priority 200; does not preempt: too little traffic"},
	{255, VRRP_ACTIVE, {0}, {0}, NULL, "too little traffic", false, &fit_backup, 254, false,
		true, true, false,
		"priority 255: owner of the addresses; does not preempt: too little traffic"},
	{100, VRRP_ACTIVE, MOVED_HERE, {0}, NULL, "too little traffic", false, &fit_backup, 254,
		false, true, false, false,
		"priority 100; moved here: priority 254; does not preempt: too little traffic"},
	{200, VRRP_ACTIVE, {0}, {0}, NULL, "too little traffic", false, &unfit_backup, 200, false,
		true, false, false, "priority 200; does not preempt: too little traffic"},
};

static void judges_what_others_want_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hands / sizeof *hands; i++) {
		const struct role_peer peer = {
			"lb-b", !hands[i].is_lost, hands[i].is_lost, false, hands[i].peer};
		struct role_input in = {.node = "lb-a",
			.base = hands[i].base,
			.state = hands[i].state,
			.move = hands[i].move,
			.group = hands[i].group,
			.marked_down = hands[i].marked_down,
			.starved = hands[i].starved,
			.peers = &peer,
			.peers_count = hands[i].peer ? 1 : 0};
		struct role_result result;
		struct role role;

		role_init(&role);
		role_judge(&role, &in, at_ms(0), &result);
		if (result.wish.priority != hands[i].priority ||
			result.wish.may_preempt != hands[i].may_preempt ||
			result.is_fit != hands[i].is_fit ||
			result.should_step_down != hands[i].steps_down ||
			(result.should_step_down && result.is_planned != hands[i].is_planned) ||
			strcmp(result.why, hands[i].why) != 0)
			fail_msg("row %zu: priority %d%s \"%s\"", i, result.wish.priority,
				result.should_step_down ? ", steps down" : "", result.why);
	}
}

/* One after the other joins: lowest, latest, and which moves are over. */
static void takes_a_group_together(void **state)
{
	static const struct {
		struct role_member joins;
		const char *member;
		int priority;
		bool is_fit, may_preempt;
		int64_t spent_move;
	} members[] = {
		{{"lost", {9, true, false}, 5, true}, NULL, 0, false, false, 5},
		{{"mail", {150, true, true}, 3, false}, "mail", 150, true, true, 5},
		{{"chat", {200, true, false}, 0, false}, "mail", 150, true, false, 5},
		{{"news", {149, true, true}, 7, false}, "news", 149, true, false, 7},
		{{"dead", {200, false, true}, 0, false}, "dead", 200, false, false, 7},
		{{"low", {1, true, true}, 0, false}, "dead", 200, false, false, 7},
	};
	struct role_group g = {0};

	(void)state;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		role_group_add(&g, &members[i].joins);
		if ((members[i].member ? !g.member || strcmp(g.member, members[i].member) != 0 : !!g.member) ||
			g.lowest.priority != members[i].priority ||
			g.lowest.is_fit != members[i].is_fit ||
			g.lowest.may_preempt != members[i].may_preempt ||
			g.spent_move != members[i].spent_move)
			fail_msg("row %zu: %s %d", i, g.member ? g.member : "nobody",
				g.lowest.priority);
	}
}

/* The loss of a move's holder ends it for all, also when the holder is back. */
static void ends_a_move_with_its_holder(void **state)
{
	struct peer_vip told = fit_backup;
	struct role_peer peer = {"lb-b", false, true, false, &told};
	struct role_input in = {.node = "lb-a",
		.base = 254,
		.state = VRRP_ACTIVE,
		.move = MOVED_TO_B,
		.peers = &peer,
		.peers_count = 1};
	struct role_result result;
	struct role role;

	(void)state;
	role_init(&role);
	role_judge(&role, &in, at_ms(0), &result);
	peer.is_alive = true;
	peer.is_lost = false;
	role_judge(&role, &in, at_ms(1), &result);
	assert_int_equal(result.wish.priority, 254);
	assert_false(result.should_step_down);
	in.move.number = 8; /* moved anew */
	role_judge(&role, &in, at_ms(2), &result);
	assert_int_equal(result.wish.priority, 253);
	assert_true(result.should_step_down);

	/* … and the holder learns of it. */
	role_init(&role);
	in = (struct role_input){.node = "lb-b",
		.base = 100,
		.state = VRRP_BACKUP,
		.move = MOVED_TO_B,
		.peers = &peer,
		.peers_count = 1};
	peer.name = "lb-a";
	peer.is_unknown = true;
	peer.is_alive = false;
	role_judge(&role, &in, at_ms(3), &result);
	assert_int_equal(result.wish.priority, 100);
	assert_string_equal(result.why, "priority 100; moved here, if the others agree");
	peer.is_unknown = false;
	peer.is_alive = true;
	told.spent_move = 7;
	role_judge(&role, &in, at_ms(4), &result);
	assert_int_equal(result.wish.priority, 100);
	told.spent_move = 0;
	role_init(&role);
	role_judge(&role, &in, at_ms(5), &result);
	assert_int_equal(result.wish.priority, 254);
}

/* A disqualified owner heeds no move, but it took over when the move's holder was lost: that ends it. */
static void an_owner_that_takes_over_ends_a_move(void **state)
{
	(void)state;
	const struct role_peer peer = {"lb-b", false, true, false, NULL};
	struct role_input in = {.node = "lb-a",
		.base = VRRP_PRIORITY_OWNER,
		.state = VRRP_BACKUP,
		.move = MOVED_TO_B,
		.marked_down = "1 of 2 link pairs active",
		.peers = &peer,
		.peers_count = 1};
	struct role_result result;
	struct role role;

	role_init(&role);
	role_judge(&role, &in, at_ms(0), &result);
	assert_int_equal(role.spent_move, 0);
	in.state = VRRP_ACTIVE;
	role_judge(&role, &in, at_ms(1), &result);
	assert_int_equal(role.spent_move, in.move.number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_by_table),
		cmocka_unit_test(judges_what_others_want_of_it),
		cmocka_unit_test(takes_a_group_together),
		cmocka_unit_test(an_owner_that_takes_over_ends_a_move),
		cmocka_unit_test(ends_a_move_with_its_holder),
		cmocka_unit_test(bars_preemption_for_startup_hold_at_most),
		cmocka_unit_test(heeds_an_active_that_is_heard),
		cmocka_unit_test(takes_nothing_that_another_host_has),
		cmocka_unit_test(asks_again_for_a_hand_over_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
