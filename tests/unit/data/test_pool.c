/* pool: choice by weight, tier, fullness and failure; waiting; retries; what a change of words or a
 * generation does. */
#include "tests/unit/data/one_pool.h"

static void expect_turns(const char *turns, bool keep)
{
	char got[64] = "";

	for (size_t i = 0; turns[i]; i++)
		got[i] = take(NULL, 0, keep);
	assert_string_equal(got, turns);
}

static void round_robin_takes_turns(void **state)
{
	static const struct {
		const char *servers, *turns;
	} rows[] = {
		{"servers: [{name: w1, address: '10.0.0.1:1'}, {name: w2, address: '10.0.0.2:1'}, "
		 "{name: w3, address: '10.0.0.3:1'}]",
			"123123123"},
		{"servers: [{name: w1, address: '10.0.0.1:1', weight: 200}, {name: w2, address: "
		 "'10.0.0.2:1'}]",
			"112112112"},
		{"servers: [{name: w1, address: '10.0.0.1:1', weight: 0}, {name: w2, address: "
		 "'10.0.0.2:1'}]",
			"2222"},
		{"servers: [{name: w1, address: '10.0.0.1:1', weight: 0}]", "--"},
		{"servers: []", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int counts[2][4] = {{0}};

		begin(rows[i].servers);
		for (size_t k = 0; rows[i].turns[k]; k++) {
			char c = take(NULL, 0, false);

			counts[0][c == '-' ? 0 : c - '0']++;
			counts[1][rows[i].turns[k] == '-' ? 0 : rows[i].turns[k] - '0']++;
		}
		assert_memory_equal(counts[0], counts[1], sizeof counts[0]);
		end();
	}
}

/* Heavy and light are mixed evenly, not in runs. */
static void round_robin_is_smooth(void **state)
{
	int run = 0, longest = 0, light = 0;

	(void)state;
	begin("servers: [{name: w1, address: '10.0.0.1:1', weight: 300}, {name: w2, address: "
	      "'10.0.0.2:1'}]");
	for (int i = 0; i < 400; i++) {
		if (take(NULL, 0, false) == '1') {
			run++;
		} else {
			run = 0;
			light++;
		}
		longest = run > longest ? run : longest;
	}
	assert_in_range(light, 99, 101);
	assert_in_range(longest, 3, 4);
	end();
}

static void one_that_was_out_gets_no_burst(void **state)
{
	int first = 0;

	(void)state;
	begin(TWO);
	server_refused(t.servers[1], 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(NULL, SERVER_AVOID_MS - 1, false), '2');
	for (int i = 0; i < 100; i++)
		first += take(NULL, SERVER_AVOID_MS, false) == '1';
	assert_in_range(first, 49, 51);
	say(1, EFFECTIVE_DRAIN, 100);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(NULL, 2000, false), '2');
	say(1, EFFECTIVE_UP, 100);
	first = 0;
	for (int i = 0; i < 100; i++)
		first += take(NULL, 2000, false) == '1';
	assert_in_range(first, 49, 51);
	end();
}

static void least_connections_counts_everyones(void **state)
{
	(void)state;
	begin("balance: least-connections, " TWO);
	atomic_store(&t.board.objects[1].uses, 3); /* another worker's */
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(NULL, 0, true), '2');
	for (int i = 0; i < 20; i++)
		take(NULL, 0, true);
	assert_in_range(atomic_load(&t.board.objects[1].uses), 12, 14);
	atomic_fetch_sub(&t.board.objects[1].uses, 3);
	end();
	begin("balance: least-connections, servers: [{name: w1, address: '10.0.0.1:1', weight: "
	      "300}, "
	      "{name: w2, address: '10.0.0.2:1'}]");
	for (int i = 0; i < 40; i++)
		take(NULL, 0, true);
	assert_in_range(atomic_load(&t.board.objects[1].uses), 29, 31);
	end();
}

#define FOUR                                                                                       \
	"servers: [{name: w1, address: '10.0.0.1:1'}, {name: w2, address: '10.0.0.2:1', backup: "  \
	"true}, "                                                                                  \
	"{name: w3, address: '10.0.0.3:1'}, {name: w4, address: '10.0.0.4:1', backup: true}]"

/* Order of use, H1. U up, N unknown, D down, d drain, x disabled, of w1 to w4. */
static void tiers_are_used_in_order(void **state)
{
	static const struct {
		const char *states, *chosen; /* the set that is used */
	} rows[] = {
		{"UUUU", "13"},
		{"DUUU", "3"},
		{"DUDU", "24"},
		{"NUNU", "24"},
		{"NNNN", "13"},
		{"DNDN", "24"},
		{"DDDD", "-"},
		{"ddNN", "3"},
		{"xxxx", "-"},
		{"NDUD", "3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(FOUR);
		for (int s = 1; s <= 4; s++) {
			char c = rows[i].states[s - 1];

			say(s,
				c == 'U'   ? EFFECTIVE_UP
				: c == 'N' ? EFFECTIVE_UNKNOWN
				: c == 'D' ? EFFECTIVE_DOWN
				: c == 'd' ? EFFECTIVE_DRAIN
					   : EFFECTIVE_DISABLED,
				100);
		}
		for (int k = 0; k < 8; k++) {
			char c = take(NULL, 0, false);

			if (!strchr(rows[i].chosen, c))
				fail_msg("%s: took %c, not one of %s", rows[i].states, c,
					rows[i].chosen);
		}
		end();
	}
}

static void panic_spreads_over_all(void **state)
{
	bool seen[5] = {false};

	(void)state;
	begin("panic_percent: 60, " FOUR);
	say(1, EFFECTIVE_DOWN, 100);
	say(2, EFFECTIVE_DOWN, 100);
	say(3, EFFECTIVE_UP, 100);
	say(4, EFFECTIVE_DISABLED, 100);
	for (int i = 0; i < 12; i++)
		seen[take(NULL, 0, false) - '0'] = true;
	assert_true(seen[1] && seen[2] && seen[3] && !seen[4]);
	end();
}

static void tried_and_refusing_ones_come_last(void **state)
{
	struct pool_tried tried = {0};

	(void)state;
	begin(TWO);
	server_refused(t.servers[1], 0);
	server_refused(t.servers[2], 0);
	assert_int_not_equal(take(NULL, 10, false), '-'); /* better a doubtful one than none */
	server_connected(t.servers[1]);
	expect_turns("111", false);
	pool_tried_add(&tried, t.servers[1]);
	assert_int_equal(take(&tried, 10, false), '2');
	pool_tried_add(&tried, t.servers[2]);
	assert_int_equal(take(&tried, 10, false), '-');
	end();
}

static unsigned woken_free, woken_late;

static void woken(struct pool_waiter *w, bool is_free)
{
	(void)w;
	woken_free += is_free;
	woken_late += !is_free;
}

static void full_servers_are_passed_over(void **state)
{
	struct pool_waiter waiters[3] = {{.woken = woken}, {.woken = woken}, {.woken = woken}};

	(void)state;
	begin("queue: {maximum: 2, timeout: 1s}, servers: [{name: w1, address: '10.0.0.1:1', "
	      "maximum_connections: 2}]");
	expect_turns("11!", true);
	woken_free = woken_late = 0;
	assert_int_equal(pool_wait(t.pool, &waiters[0], 0), 0);
	assert_int_equal(pool_wait(t.pool, &waiters[1], 0), 0);
	assert_int_equal(pool_wait(t.pool, &waiters[2], 0), -ENOBUFS);
	pool_unwait(&waiters[2]); /* never waited */
	server_done(list_entry(t.servers[1]->uses.next, struct server_use, link));
	assert_false(list_is_empty(&t.ready));
	pool_serve(t.pool, 5);
	assert_int_equal(woken_free, 1); /* one place, one waiter */
	assert_null(waiters[0].pool);
	assert_int_equal(take(NULL, 5, true), '1');
	pool_tick(t.pool, 999);
	assert_int_equal(woken_late, 0);
	pool_tick(t.pool, 1000);
	assert_int_equal(woken_late, 1);
	assert_null(waiters[1].pool);
	end();
}

static void retries_keep_to_their_budget(void **state)
{
	int granted = 0;

	(void)state;
	begin("retry: {attempts: 2, on: [connect-failure, reset-before-response], budget_percent: "
	      "10}, " TWO);
	assert_true(pool_may_retry(t.pool, 2, CONF_RETRY_CONNECT_FAILURE));
	assert_false(pool_may_retry(t.pool, 3, CONF_RETRY_CONNECT_FAILURE));
	for (int i = 0; i < POOL_RETRIES_AT_START; i++)
		assert_true(pool_may_retry(t.pool, 1, CONF_RETRY_RESET_BEFORE_RESPONSE));
	assert_false(pool_may_retry(t.pool, 1, CONF_RETRY_RESET_BEFORE_RESPONSE));
	assert_true(pool_may_retry(t.pool, 1, CONF_RETRY_CONNECT_FAILURE));
	for (int i = 0; i < 100; i++)
		take(NULL, 0, false);
	while (pool_may_retry(t.pool, 1, CONF_RETRY_RESET_BEFORE_RESPONSE))
		granted++;
	assert_int_equal(granted, 10);
	end();
	begin("retry: {attempts: 2, on: [connect-failure]}, " TWO);
	assert_false(pool_may_retry(t.pool, 1, CONF_RETRY_RESET_BEFORE_RESPONSE));
	end();
}

static void uses_end_when_the_server_is_lost(void **state)
{
	static const struct {
		const char *text;
		enum effective_state to;
		unsigned lost;
		enum server_lost why;
	} rows[] = {
		{TWO, EFFECTIVE_DOWN, 1, SERVER_LOST_DOWN},
		{TWO, EFFECTIVE_STANDBY, 1, SERVER_LOST_DOWN},
		{TWO, EFFECTIVE_DISABLED, 1, SERVER_LOST_DISABLED},
		{TWO, EFFECTIVE_DRAIN, 0, 0},
		{TWO, EFFECTIVE_UNKNOWN, 0, 0},
		{"close_on_down: false, " TWO, EFFECTIVE_DOWN, 0, 0},
		{"close_on_down: false, " TWO, EFFECTIVE_DISABLED, 1, SERVER_LOST_DISABLED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(rows[i].text);
		say(1, EFFECTIVE_UP, 100);
		say(2, EFFECTIVE_DRAIN, 100);
		assert_int_equal(take(NULL, 0, true), '1');
		say(1, rows[i].to, 100);
		pool_tick(t.pool, 0);
		assert_int_equal(t.lost, 0); /* never inside of another's call */
		if (!list_is_empty(&t.ready))
			pool_serve(t.pool, 0);
		assert_int_equal(t.lost, rows[i].lost);
		if (rows[i].lost)
			assert_int_equal(t.why, rows[i].why);
		end();
	}
}

static void generations_leave_the_unchanged_alone(void **state)
{
	struct server *w2;

	(void)state;
	begin(TWO);
	say(1, EFFECTIVE_UP, 100);
	say(2, EFFECTIVE_UP, 100);
	expect_turns("12", true);
	w2 = t.servers[2];
	apply("servers: [{name: w2, address: '10.0.0.2:1'}, {name: w3, address: '10.0.0.3:1'}]");
	assert_ptr_equal(t.servers[2], w2);
	assert_int_equal(w2->connections, 1);
	for (int i = 0; i < 6; i++)
		assert_int_not_equal(take(NULL, 0, false), '1');
	pool_serve(t.pool, 0);
	assert_int_equal(t.freed, 0); /* w1 still carries one */
	pool_tick(t.pool, 999);
	assert_int_equal(t.lost, 0);
	pool_tick(t.pool, 1000); /* its drain time is over */
	pool_serve(t.pool, 1000);
	assert_int_equal(t.lost, 1);
	assert_int_equal(t.why, SERVER_LOST_REMOVED);
	if (!list_is_empty(&t.ready))
		pool_serve(t.pool, 1000);
	assert_int_equal(t.freed, 1);
	apply(TWO); /* w3 goes, w1 comes back */
	assert_int_equal(t.lost, 1);
	end();
}

static void a_pool_lives_while_referred_to(void **state)
{
	(void)state;
	begin("servers: []");
	pool_ref(t.pool);
	assert_false(pool_free_unused(t.pool));
	pool_unref(t.pool);
	assert_true(pool_free_unused(t.pool));
	free(t.memory);
}

/* A worker that leaves while connections to its servers are kept idle. */
static void a_pool_is_freed_with_its_idle_connections(void **state)
{
	(void)state;
	begin("servers: [{name: w1, address: '10.0.0.1:80'}]");
	t.servers[1]->idle_count = 3;
	end();
	assert_int_equal(t.freed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_robin_takes_turns),
		cmocka_unit_test(round_robin_is_smooth),
		cmocka_unit_test(one_that_was_out_gets_no_burst),
		cmocka_unit_test(least_connections_counts_everyones),
		cmocka_unit_test(tiers_are_used_in_order),
		cmocka_unit_test(panic_spreads_over_all),
		cmocka_unit_test(tried_and_refusing_ones_come_last),
		cmocka_unit_test(full_servers_are_passed_over),
		cmocka_unit_test(retries_keep_to_their_budget),
		cmocka_unit_test(uses_end_when_the_server_is_lost),
		cmocka_unit_test(generations_leave_the_unchanged_alone),
		cmocka_unit_test(a_pool_lives_while_referred_to),
		cmocka_unit_test(a_pool_is_freed_with_its_idle_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
