/* choice: whom a client had before, the table of clients, and circuits. */
#include "tests/unit/data/one_pool.h"

/* What becomes of a client that had w1: by w1's state, its fullness and the drain limit. */
static void a_client_stays_with_its_server(void **state)
{
	static const struct {
		const char *more;
		enum effective_state state;
		int weight;
		bool is_full;
		int64_t drained_ms; /* since when it drains; now is 10,000 */
		char taken;
		bool is_aside;
	} rows[] = {
		{"", EFFECTIVE_UP, 100, false, 0, '1', false},
		{"", EFFECTIVE_UP, 0, false, 0, '1', false}, /* weight 0 is for new ones */
		{"", EFFECTIVE_UNKNOWN, 100, false, 0, '1', false},
		{"", EFFECTIVE_UNCHECKED, 100, true, 0, '2', true},
		{"", EFFECTIVE_DRAIN, 100, false, 1, '1', false},
		{", sticky: {method: source, drain_limit: 5s}", EFFECTIVE_DRAIN, 100, false, 5001,
			'1', false},
		{", sticky: {method: source, drain_limit: 5s}", EFFECTIVE_DRAIN, 100, false, 5000,
			'2', false},
		{"", EFFECTIVE_DOWN, 100, false, 0, '2', false},
		{"", EFFECTIVE_STANDBY, 100, false, 0, '2', false},
		{"", EFFECTIVE_DISABLED, 100, false, 0, '2', false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct server_use use = {.lost = lost}, other = {.lost = lost};
		struct pool_wish wish = {0};
		char text[400];

		snprintf(text, sizeof text,
			"servers: [{name: w1, address: '10.0.0.1:1', maximum_connections: 1}, "
			"{name: w2, address: '10.0.0.2:1'}]%s",
			rows[i].more);
		begin(text);
		say(1, rows[i].state, rows[i].weight);
		say(2, EFFECTIVE_UP, 100);
		atomic_store(&t.board.objects[1].since_ms, (uint64_t)rows[i].drained_ms);
		wish.before = t.servers[1];
		if (rows[i].is_full) {
			assert_int_equal(pool_take(t.pool, &wish, NULL, 10000, &other), POOL_TAKEN);
			assert_ptr_equal(other.server, t.servers[1]);
		}
		assert_int_equal(pool_take(t.pool, &wish, NULL, 10000, &use), POOL_TAKEN);
		if (use.server->name[1] != rows[i].taken || use.is_aside != rows[i].is_aside)
			fail_msg("row %zu: %s", i, use.server->name);
		server_done(&use);
		server_done(&other);
		end();
	}
}

/* The table remembers by address, and forgets nobody who is served elsewhere for once. */
static void the_table_knows_clients(void **state)
{
	struct pool_wish wish = {.has_stick = true, .stick = 77};
	struct server_use use = {.lost = lost};
	struct pool_tried tried = {0};
	const struct server *home;

	(void)state;
	begin(TWO ", sticky: {method: source, ttl: 1m}");
	pool_take(t.pool, &wish, NULL, 1000, &use);
	home = use.server;
	server_done(&use);
	for (int i = 0; i < 5; i++) {
		pool_take(t.pool, &wish, NULL, 50000 * (i + 1), &use);
		assert_ptr_equal(use.server, home);
		server_done(&use);
	}
	pool_tried_add(&tried, home); /* it has failed: from now on the other one is its home */
	pool_take(t.pool, &wish, &tried, 260000, &use);
	assert_ptr_not_equal(use.server, home);
	home = use.server;
	server_done(&use);
	pool_take(t.pool, &wish, NULL, 270000, &use);
	assert_ptr_equal(use.server, home);
	server_done(&use);
	end();
}

/* Each limit of a circuit, what it refuses, and that nothing stays counted. */
static void circuits_open(void **state)
{
	struct server_use uses[4] = {
		{.lost = lost}, {.lost = lost}, {.lost = lost}, {.lost = lost}};
	struct pool_wish again = {.is_retry = true};
	uint8_t held = 0, more = 0;

	(void)state;
	begin(TWO ", circuit: {requests: 3, retries: 1, connections: 1}");
	assert_int_equal(pool_take(t.pool, &again, NULL, 0, &uses[0]), POOL_TAKEN);
	assert_false(pool_may_retry(t.pool, 1, CONF_RETRY_CONNECT_FAILURE));
	assert_int_equal(pool_take(t.pool, &again, NULL, 0, &uses[1]), POOL_OPEN);
	assert_int_equal(pool_circuit_open(t.pool), BOARD_CIRCUIT_RETRIES);
	assert_int_equal(pool_take(t.pool, NULL, NULL, 0, &uses[1]), POOL_TAKEN);
	assert_int_equal(pool_take(t.pool, NULL, NULL, 0, &uses[2]), POOL_TAKEN);
	assert_int_equal(pool_take(t.pool, NULL, NULL, 0, &uses[3]), POOL_OPEN);
	assert_int_equal(pool_circuit_open(t.pool), BOARD_CIRCUIT_REQUESTS);
	assert_true(pool_circuit_enter(t.pool, BOARD_CIRCUIT_CONNECTIONS, &held));
	assert_false(pool_circuit_enter(t.pool, BOARD_CIRCUIT_CONNECTIONS, &more));
	apply(TWO); /* limits go while things are under way */
	pool_circuits_leave(t.pool, &held);
	for (int i = 0; i < 3; i++)
		server_done(&uses[i]);
	for (unsigned k = 0; k < BOARD_CIRCUITS; k++)
		assert_int_equal(atomic_load(&t.board.objects[0].circuits[k]), 0);
	assert_true(pool_may_retry(t.pool, 1, CONF_RETRY_CONNECT_FAILURE));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_stays_with_its_server),
		cmocka_unit_test(the_table_knows_clients),
		cmocka_unit_test(circuits_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
