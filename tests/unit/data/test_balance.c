/*
 * The balancing algorithms as figures: shares by weight, what moves when servers
 * or weights change, how full a server gets, and that a choice costs the same in
 * large pools. Pools are as a worker has them, on a board of their own.
 */
#include "data/pool/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SERVERS_MAX 1000
#define KEYS 20000

static struct {
	void *memory;
	struct board board;
	struct list ready;
	struct pool *pool;
	struct server *servers[SERVERS_MAX];
	char text[SERVERS_MAX * 80];
} t;

static void lost(struct server_use *use, enum server_lost why)
{
	(void)use;
	(void)why;
}

static void drop_idle(struct server *s)
{
	(void)s;
}

static void freed(void *user, struct server *s)
{
	(void)user;
	for (int i = 0; i < SERVERS_MAX; i++)
		if (t.servers[i] == s)
			t.servers[i] = NULL;
}

/* Puts count servers w0, w1… into force with their weights (0: left out). */
static void apply(const char *balance, const unsigned *weights, unsigned count)
{
	static struct conf_problems problems;
	struct conf *c;
	size_t len = (size_t)snprintf(
		t.text, sizeof t.text, "stack: t\npools:\n- name: p\n  %s\n  servers:\n", balance);

	for (unsigned i = 0; i < count; i++)
		if (weights[i])
			len += (size_t)snprintf(t.text + len, sizeof t.text - len,
				"  - {name: w%u, address: '10.0.0.1:1', weight: %u}\n", i,
				weights[i]);
	if (conf_parse(t.text, len, CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s", problems.items[0].where, problems.items[0].what);
	pool_configure(t.pool, c, &c->pools[0], 0);
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (t.servers[i] && (i >= count || !weights[i]))
			pool_remove_server(t.servers[i], 0);
	for (size_t i = 0; i < c->pools[0].servers_count; i++) {
		const struct conf_server *s = &c->pools[0].servers[i];
		unsigned n = (unsigned)atoi(s->name + 1);

		if (!t.servers[n])
			t.servers[n] = pool_add_server(t.pool, s, n, &t.board.objects[n + 1],
				board_cells_of(&t.board, 0, n + 1));
		pool_keep_server(t.servers[n], s, (unsigned)i);
	}
	assert_int_equal(pool_settle(t.pool), 0);
	pool_serve(t.pool, 1); /* the removed are freed */
	conf_unref(c);
}

static void begin(void)
{
	size_t size = board_size(1, SERVERS_MAX + 1);
	struct pool_spec spec = {.name = "p", .ready = &t.ready, .drop_idle = drop_idle};

	memset(&t, 0, sizeof t);
	t.memory = aligned_alloc(4096, size);
	assert_non_null(t.memory);
	memset(t.memory, 0, size);
	board_make(t.memory, 1, SERVERS_MAX + 1);
	assert_int_equal(board_view(t.memory, size, &t.board), 0);
	list_init(&t.ready);
	spec.object = &t.board.objects[0];
	spec.cells = board_cells_of(&t.board, 0, 0);
	spec.sticks = t.board.sticks;
	spec.sticks_count = t.board.head->sticks;
	t.pool = pool_new(&spec);
	pool_on_free(t.pool, freed, NULL);
}

static void end(void)
{
	pool_free(t.pool);
	free(t.memory);
}

static uint64_t key(unsigned n)
{
	return wish_hash(&n, sizeof n);
}

/* Chooses once for that key; the use is ended. Its number. */
static unsigned choose(uint64_t hash)
{
	struct pool_wish wish = {.has_hash = true, .hash = hash};
	struct server_use use = {.lost = lost};

	assert_int_equal(pool_take(t.pool, &wish, NULL, 1, &use), POOL_TAKEN);
	unsigned n = (unsigned)atoi(use.server->name + 1);

	server_done(&use);
	return n;
}

/* Without load, everyone gets its share by weight. The tolerance is in hundredths of that share. */
static void shares_are_by_weight(void **state)
{
	static const struct {
		const char *balance;
		unsigned percent; /* how far from its share a server may be */
	} rows[] = {
		{"balance: round-robin", 1}, {"balance: least-connections", 1},
		{"balance: random-two", 3}, /* chance: 2 % at this number of choices */
		{"balance: least-time", 3},
		{"balance: maglev", 3},       /* chance of the keys: the table is exact */
		{"balance: source-hash", 25}, /* of the points, see ring.c */
	};
	static const unsigned weights[] = {100, 200, 300, 50, 150};
	const unsigned sum = 800, choices = 400000;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned counts[5] = {0};

		begin();
		apply(rows[i].balance, weights, 5);
		for (unsigned k = 0; k < choices; k++)
			counts[choose(key(k))]++;
		for (int s = 0; s < 5; s++) {
			double share = (double)choices * weights[s] / sum;
			double off = 100 * (counts[s] - share) / share;

			if (off > rows[i].percent || off < -(double)rows[i].percent)
				fail_msg("%s: w%d of weight %u: %u instead of %.0f (%+.1f %%)",
					rows[i].balance, s, weights[s], counts[s], share, off);
		}
		end();
	}
}

/* Where all keys go. */
static void map(uint16_t *ret)
{
	for (unsigned k = 0; k < KEYS; k++)
		ret[k] = (uint16_t)choose(key(k));
}

struct moves {
	unsigned from, to, others; /* keys that left the server, came to it, or moved elsewhere */
};

static struct moves compare(const uint16_t *before, const uint16_t *after, unsigned server)
{
	struct moves m = {0};

	for (unsigned k = 0; k < KEYS; k++)
		if (before[k] != after[k])
			(*(before[k] == server       ? &m.from
				: after[k] == server ? &m.to
						     : &m.others))++;
	return m;
}

static void say(unsigned server, enum effective_state state)
{
	board_say(&t.board, &t.board.objects[0], &t.board.objects[server + 1],
		board_word(effective_rank(state), state, 100));
}

/* What moves when server 7 of a pool is taken away, added, down, or gets another weight. */
static void changes_move_no_more_than_they_must(void **state)
{
	static const struct {
		const char *balance;
		unsigned servers, others_percent; /* of all keys, that may move without need */
	} rows[] = {
		{"balance: source-hash", 10, 0},
		{"balance: source-hash", 100, 0},
		{"balance: source-hash", 1000, 0},
		{"protocol: http\n  balance: header-hash\n  hash_header: x-tenant", 100, 0},
		{"balance: maglev", 10, 3},
		{"balance: maglev", 100, 3},
		{"balance: maglev", 600, 3},
	};
	static uint16_t whole[KEYS], now[KEYS];
	static unsigned weights[SERVERS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned share = KEYS / rows[i].servers, most = KEYS * rows[i].others_percent / 100;
		struct moves m;

		begin();
		for (unsigned n = 0; n < SERVERS_MAX; n++)
			weights[n] = 100;
		apply(rows[i].balance, weights, rows[i].servers);
		map(whole);

		weights[7] = 0;
		apply(rows[i].balance, weights, rows[i].servers);
		map(now);
		m = compare(whole, now, 7);
		printf("%-22.22s %4u servers, one removed: %u of %u keys moved, %u of them "
		       "others'\n",
			strstr(rows[i].balance, "balance"), rows[i].servers, m.from + m.others,
			KEYS, m.others);
		assert_true(m.from > 0 && m.from < 2 * share + 10 && m.to == 0);
		assert_in_range(m.others, 0, most);

		weights[7] = 100; /* back: all is as it was, whatever the order of the list */
		apply(rows[i].balance, weights, rows[i].servers);
		map(now);
		assert_memory_equal(now, whole, sizeof now);

		say(7, EFFECTIVE_DOWN); /* its own keys only, and they come back */
		map(now);
		m = compare(whole, now, 7);
		assert_true(m.from > 0 && m.to == 0);
		assert_int_equal(m.others, 0);
		say(7, EFFECTIVE_UP);
		map(now);
		assert_memory_equal(now, whole, sizeof now);

		weights[7] = 50; /* half of its keys go, no others */
		apply(rows[i].balance, weights, rows[i].servers);
		board_say(&t.board, &t.board.objects[0], &t.board.objects[8],
			board_word(0, EFFECTIVE_UP, 50));
		map(now);
		m = compare(whole, now, 7);
		assert_in_range(m.from, share / 5, share);
		assert_in_range(m.to, 0, most);
		assert_in_range(m.others, 0, most);
		end();
	}
}

/* One key only: its server takes 16 uses, or 1.25 times its share, and the rest goes on. */
static void load_is_bounded(void **state)
{
	enum { USES = 2000 };
	static struct server_use uses[USES];
	static const unsigned weights[] = {100, 100, 100, 100, 200};
	struct pool_wish wish = {.has_hash = true, .hash = key(1)};

	(void)state;
	begin();
	apply("balance: source-hash", weights, 5);
	for (int i = 0; i < USES; i++) {
		uses[i] = (struct server_use){.lost = lost};
		assert_int_equal(pool_take(t.pool, &wish, NULL, 1, &uses[i]), POOL_TAKEN);
		if (i < 16)
			assert_ptr_equal(uses[i].server, uses[0].server);
		for (int s = 0; s < 5; s++) {
			unsigned most = (unsigned)((i + 1) * 1.25 * weights[s] / 600) + 1;

			assert_in_range(t.servers[s]->connections, 0, most > 16 ? most : 16);
		}
	}
	for (int i = 0; i < USES; i++)
		server_done(&uses[i]);
	end();
}

/* The faster server gets more; one that was slow once is asked again. */
static void the_faster_gets_more(void **state)
{
	static const unsigned weights[] = {100, 100};
	unsigned counts[2] = {0};
	int64_t now_ms = 1;

	(void)state;
	begin();
	apply("balance: least-time", weights, 2);
	for (int i = 0; i < 1000; i++, now_ms += 10) {
		struct server_use use = {.lost = lost};

		assert_int_equal(pool_take(t.pool, NULL, NULL, now_ms, &use), POOL_TAKEN);
		counts[use.server->name[1] - '0']++;
		server_timed(use.server, use.server == t.servers[0] ? 1000 : 20000, now_ms);
		server_done(&use);
	}
	assert_in_range(counts[1], 1, 100);
	counts[0] = counts[1] = 0;
	for (int i = 0; i < 4000; i++, now_ms += 100) { /* both are fast now */
		struct server_use use = {.lost = lost};

		assert_int_equal(pool_take(t.pool, NULL, NULL, now_ms, &use), POOL_TAKEN);
		counts[use.server->name[1] - '0']++;
		server_timed(use.server, 1000, now_ms);
		server_done(&use);
	}
	assert_in_range(counts[1], 1000, 3000);
	end();
}

/* The less loaded of two: with everything under way, loads stay close together. */
static void two_choices_keep_loads_close(void **state)
{
	enum { USES = 3000 };
	static struct server_use uses[USES];
	unsigned weights[30];

	(void)state;
	for (int i = 0; i < 30; i++)
		weights[i] = 100;
	begin();
	apply("balance: random-two", weights, 30);
	for (int i = 0; i < USES; i++) {
		uses[i] = (struct server_use){.lost = lost};
		assert_int_equal(pool_take(t.pool, NULL, NULL, 1, &uses[i]), POOL_TAKEN);
	}
	for (int i = 0; i < 30; i++)
		assert_in_range(
			t.servers[i]->connections, 95, 105); /* by chance alone: 70 to 130 */
	for (int i = 0; i < USES; i++)
		server_done(&uses[i]);
	end();
}

/* A weight on its way up, in tenths of slow_start, for each algorithm that goes by weight. */
static void a_server_that_came_up_starts_slowly(void **state)
{
	static const struct {
		int64_t now_ms;
		unsigned weight;
	} rows[] = {{1000, 10}, {1999, 10}, {2000, 20}, {6500, 60}, {10999, 100}, {11000, 100}};
	static const unsigned weights[] = {100, 100};

	(void)state;
	begin();
	apply("slow_start: 10s", weights, 2);
	atomic_store(&t.board.objects[1].ramp, 1000);
	say(0, EFFECTIVE_UP);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pool_tick(t.pool, rows[i].now_ms);
		assert_int_equal(t.servers[0]->weight, rows[i].weight);
		assert_int_equal(t.servers[1]->weight, 100);
		if (rows[i].now_ms == 2000) {
			unsigned counts[2] = {0};

			for (int k = 0; k < 1200; k++) {
				struct server_use use = {.lost = lost};

				pool_take(t.pool, NULL, NULL, 2000, &use);
				counts[use.server->name[1] - '0']++;
				server_done(&use);
			}
			assert_in_range(counts[0], 195, 205); /* 20 of 120 */
		}
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_by_weight),
		cmocka_unit_test(changes_move_no_more_than_they_must),
		cmocka_unit_test(load_is_bounded),
		cmocka_unit_test(the_faster_gets_more),
		cmocka_unit_test(two_choices_keep_loads_close),
		cmocka_unit_test(a_server_that_came_up_starts_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
