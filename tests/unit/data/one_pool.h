#pragma once
/* One worker's pool on a board of its own, as tests of pools drive it. Included by one test each. */
#include "data/pool/pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SERVERS_MAX 8
#define USES 512

/* One worker's pool on a board of its own: object 0 is the pool, 1… its servers. */
static struct {
	void *memory;
	struct board board;
	struct list ready;
	struct pool *pool;
	struct conf *conf;
	struct server *servers[SERVERS_MAX];
	struct server_use uses[USES];
	unsigned lost, freed;
	enum server_lost why;
} t;

static inline void lost(struct server_use *use, enum server_lost why)
{
	t.lost++;
	t.why = why;
	server_done(use);
}

static inline void drop_idle(struct server *s)
{
	s->idle_count = 0;
}

static inline void freed(void *user, struct server *s)
{
	(void)user;
	for (int i = 0; i < SERVERS_MAX; i++)
		if (t.servers[i] == s)
			t.servers[i] = NULL;
	t.freed++;
}

static inline struct conf *parse(const char *pool)
{
	static struct conf_problems problems;
	char text[2048];
	struct conf *c;

	snprintf(text, sizeof text, "stack: t\npools:\n- {name: p, protocol: tcp, %s}\n", pool);
	if (conf_parse(text, strlen(text), CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s: %s", pool, problems.items[0].where, problems.items[0].what);
	return c;
}

/* Puts a pool's text in force: servers are matched by name. */
static inline void apply(const char *text)
{
	struct conf *c = parse(text);
	const struct conf_pool *p = &c->pools[0];

	pool_configure(t.pool, c, p, 1000);
	for (int i = 0; i < SERVERS_MAX; i++)
		if (t.servers[i] && !conf_server(p, t.servers[i]->name))
			pool_remove_server(t.servers[i], 0);
	for (size_t i = 0; i < p->servers_count; i++) {
		unsigned slot = (unsigned)(p->servers[i].name[1] - '0'); /* w1 has slot 1 */

		if (!t.servers[slot])
			t.servers[slot] = pool_add_server(t.pool, &p->servers[i], slot,
				&t.board.objects[slot], board_cells_of(&t.board, 0, slot));
		pool_keep_server(t.servers[slot], &p->servers[i], (unsigned)i);
	}
	assert_int_equal(pool_settle(t.pool), 0);
	conf_unref(c);
}

static inline void begin(const char *text)
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
	for (int i = 0; i < USES; i++)
		t.uses[i].lost = lost;
	apply(text);
}

static inline void end(void)
{
	for (int i = 0; i < USES; i++)
		server_done(&t.uses[i]);
	pool_free(t.pool);
	for (int i = 1; i < SERVERS_MAX; i++)
		assert_int_equal(atomic_load(&t.board.objects[i].uses), 0);
	free(t.memory);
}

/* The name's digit of the server taken, '-' for none, '!' for full. The use stays open when keep is
 * set. */
static inline char take(const struct pool_tried *tried, int64_t now_ms, bool keep)
{
	static unsigned next;
	struct server_use *use = &t.uses[next % USES];
	char c;

	assert_null(use->server);
	switch (pool_take(t.pool, NULL, tried, now_ms, use)) {
	case POOL_NONE:
		return '-';
	case POOL_OPEN:
		return 'o';
	case POOL_FULL:
		return '!';
	case POOL_TAKEN:
		break;
	}
	c = use->server->name[1];
	if (keep)
		next++;
	else
		server_done(use);
	return c;
}

static inline void say(int server, enum effective_state state, int weight)
{
	board_say(&t.board, &t.board.objects[0], &t.board.objects[server],
		board_word(effective_rank(state), state, weight));
}

#define TWO "servers: [{name: w1, address: '10.0.0.1:1'}, {name: w2, address: '10.0.0.2:1'}]"
