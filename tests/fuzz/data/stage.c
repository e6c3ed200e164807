/* See stage.h. What is asserted at each step is in check(). */
#include "tests/fuzz/data/stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "data/client_counts.h"
#include "data/arrival.h"
#include "data/http/h2_stream.h"
#include "data/http/http.h"
#include "data/listeners.h"
#include "data/listeners_inside.h"
#include "data/pool/pools.h"
#include "data/slots.h"
#include "data/tls/tls.h"
#include "data/worker.h"

#define OBJECTS 16
#define BUFFERS_MAX 4096
#define TURNS_MAX 10000 /* more than any input needs: somebody goes round in circles */
#define TICK_MS 100
#define STEPS_MAX 16 /* of a wait */

static const char document[] =
	"stack: t\n"
	"pools:\n"
	"- {name: web, protocol: http, servers: [{name: a, address: '10.0.0.1:80'}, "
	"{name: b, address: '10.0.0.2:80'}], queue: {timeout: 1s}, circuit: {connections: 100}}\n"
	"- {name: h2, protocol: h2, servers: [{name: a, address: '10.0.0.3:80'}]}\n"
	"listeners:\n"
	"- name: www\n"
	"  bind: ['10.0.0.9:80']\n"
	"  protocol: http\n"
	"  access_log: false\n"
	"  compress: [gzip]\n"
	"  pool: web\n"
	"  routes:\n"
	"  - {match: {path_prefix: /h2}, pool: h2}\n"
	"  - {match: {path: /fixed}, respond: {status: 200, body: hello}}\n";

static struct {
	uv_loop_t loop; /* its time alone is used */
	struct worker worker;
	struct list tasks;
	struct listener *listener;
} stage;

/* worker.h */

void worker_later(struct worker *w, struct worker_task *t)
{
	(void)w;
	if (t->is_due)
		return;
	t->is_due = true;
	list_push_back(&stage.tasks, &t->link);
}

void worker_not_later(struct worker_task *t)
{
	if (!t->is_due)
		return;
	t->is_due = false;
	list_unlink(&t->link);
}

void worker_timeout(struct worker *w, struct wheel_timer *t, int64_t ms)
{
	wheel_set(&w->wheel, t, worker_now_ms(w) + ms);
}

void worker_timeout_clear(struct worker *w, struct wheel_timer *t)
{
	wheel_clear(&w->wheel, t);
}

struct pool *worker_pool(struct worker *w, const char *name)
{
	return pools_find(w->pools, name);
}

void worker_on_reopen(struct worker *w, struct worker_reopen *r)
{
	(void)w, (void)r;
	abort(); /* nothing keeps a log here */
}

void worker_off_reopen(struct worker_reopen *r)
{
	(void)r;
	abort();
}

/* Its making */

static void make_board(struct worker *w)
{
	size_t size = board_size(1, OBJECTS);
	void *memory = aligned_alloc(4096, size);

	assert(memory);
	memset(memory, 0, size);
	board_make(memory, 1, OBJECTS);
	assert(board_view(memory, size, &w->board) == 0);
	board_use_column(&w->board, 0);
}

static void configure(struct worker *w)
{
	static struct conf_problems problems;
	struct slots *slots = slots_new(&w->board);
	uint32_t table[OBJECTS];
	char why[256];
	struct conf *c;

	assert(slots && conf_parse(document, strlen(document), CONF_YAML, &problems, &c) == 0);
	assert(slots_count(c) <= OBJECTS && slots_assign(slots, c, table) == 0);
	assert(tls_apply(w->tls, c, why) == 0);
	w->conf = c;
	assert(pools_apply(w->pools, c, table + c->listeners_count) == 0);
	assert(listeners_apply(w->listeners, c, table) == 0);
	for (uint32_t at = (uint32_t)c->listeners_count, i = 0; i < c->pools_count; i++) {
		struct board_object *pool = &w->board.objects[table[at++]];

		for (size_t k = 0; k < c->pools[i].servers_count; k++)
			board_say(&w->board, pool, &w->board.objects[table[at++]],
				board_word(effective_rank(EFFECTIVE_UP), EFFECTIVE_UP, 100));
	}
	slots_free(slots);
}

static void make(void)
{
	struct worker *w = &stage.worker;

	log_init("fuzz", LOG_LEVEL_ERROR);
	stage.loop.time = 1000;
	list_init(&stage.tasks);
	w->loop = &stage.loop;
	w->node = "lb-a";
	w->state_dir = "/nonexistent";
	wheel_init(&w->wheel, worker_now_ms(w));
	io_buffers_init(&w->buffers, BUFFERS_MAX);
	make_board(w);
	assert(tls_open(&w->board.head->tickets, &w->tls) == 0);
	assert(pools_open(w, &w->pools) == 0);
	assert(listeners_open(w, &w->listeners) == 0);
	configure(w);
	stage.listener = listeners_find(w->listeners, "www");
	assert(stage.listener);
}

/* What goes on */

static void run_tasks(void)
{
	pools_serve(stage.worker.pools);
	while (!list_is_empty(&stage.tasks)) {
		struct worker_task *t = list_entry(stage.tasks.next, struct worker_task, link);

		worker_not_later(t);
		t->run(t);
	}
	stage.worker.now_us = 0;
}

/* What must hold whatever was sent: bounds, and windows that never go below nothing. */
static void check(void)
{
	list_for_each (it, &stage.listener->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);
		struct h2_connection *n = list_entry(c, struct h2_connection, member);
		nghttp2_session *s = n->wire.session;

		assert(n->streams_count <= H2_STREAMS_MAX);
		assert(n->held <= H2_HELD_MAX + H2_CONNECTION_WINDOW);
		assert(n->credit_owed <= H2_CONNECTION_WINDOW);
		assert(nghttp2_session_get_local_window_size(s) >= 0);
		assert(nghttp2_session_get_remote_window_size(s) >= 0);
		list_for_each (jt, &n->streams) {
			struct h2_stream *st = list_entry(jt, struct h2_stream, link);

			assert(st->consumed <= st->received);
			assert(st->received - st->consumed <= H2_STREAM_WINDOW);
			assert(st->is_closed ||
				nghttp2_session_get_stream_local_window_size(s, st->id) >= 0);
		}
	}
	assert(stage.worker.buffers.in_use <= BUFFERS_MAX / 2);
}

void stage_run(void)
{
	unsigned turns = 0;

	do {
		run_tasks();
		assert(++turns < TURNS_MAX);
	} while (lines_turn());
	run_tasks();
	check();
}

void stage_wait(int64_t ms)
{
	struct worker *w = &stage.worker;
	int64_t step_ms = ms / STEPS_MAX > TICK_MS ? ms / STEPS_MAX : TICK_MS;

	for (int64_t until = worker_now_ms(w) + ms; worker_now_ms(w) < until;) {
		stage.loop.time += (uint64_t)step_ms;
		wheel_turn(&w->wheel, worker_now_ms(w));
		pools_tick(w->pools, worker_now_ms(w));
		listeners_tick(w->listeners, worker_now_ms(w));
		stage_run();
	}
}

void stage_drain(void)
{
	list_for_each (it, &stage.listener->clients) {
		struct listener_client *c = list_entry(it, struct listener_client, link);

		c->drain(c);
	}
}

struct line *stage_begin(void)
{
	static const char preface[] = NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0";
	struct arrival a = {0};
	struct line *l;

	if (!stage.listener)
		make();
	rand_seed(&stage.worker.rand, 1);
	l = line_accept();
	a.socket = &l->socket;
	a.listener = stage.listener;
	addr_parse_ip("10.0.0.7", &a.client);
	line_send(l, preface, sizeof preface - 1);
	assert(listener_enter(stage.listener) == 0);
	stage.listener->seat = CLIENT_COUNTS_NONE;
	http_protocol.accepted(&stage.worker, stage.listener, &a);
	stage_run();
	return l;
}

void stage_end(struct line *client)
{
	struct worker *w = &stage.worker;

	line_reset(client);
	stage_run();
	for (struct line *l = lines_all(); l; l = l->next)
		line_reset(l);
	stage_wait(3 * TICK_MS);
	lines_sweep();
	assert(listeners_connections(w->listeners) == 0);
	assert(lines_open() == 0);
	assert(w->buffers.in_use == 0);
	assert(w->wheel.count == 0);
	wheel_check(&w->wheel);
	for (uint32_t i = 0; i < OBJECTS; i++)
		assert(atomic_load(&w->board.objects[i].uses) == 0);
	stage.loop.time += 2 * SERVER_AVOID_MS;
	stage_wait(TICK_MS);
}

/* Frames */

void stage_frame(struct line *l, uint8_t type, uint8_t flags, uint32_t id, const void *payload,
	size_t len)
{
	uint8_t head[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len, type, flags,
		(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

	line_send(l, head, sizeof head);
	line_send(l, payload, len);
}

/* Field blocks (RFC 7541) by the static table: \x82 GET, \x83 POST, \x86 http, \x84 "/", \x44 a path. */
void stage_request(struct line *client, uint32_t id, unsigned kind, bool ends)
{
#define BLOCK(text) {text, sizeof text - 1}
	static const struct {
		const char *bytes;
		size_t len;
	} blocks[] = {
		BLOCK("\x82\x86\x84\x41\x01" "a"),
		BLOCK("\x83\x86\x84\x41\x01" "a"),
		BLOCK("\x82\x86\x44\x03/h2\x41\x01" "a"),
		BLOCK("\x83\x86\x44\x03/h2\x41\x01" "a"),
		BLOCK("\x82\x86\x44\x06/fixed\x41\x01" "a\x90"),
		BLOCK("\x83\x86\x84\x41\x01" "a\x5c\x01" "5"),
		BLOCK("\x82\x86\x84\x41\x01" "a\x90"),
		BLOCK("\x42\x07" "CONNECT\x86\x84\x41\x01" "a\x40\x09:protocol\x09websocket"),
		BLOCK("\x42\x07" "CONNECT\x86\x44\x03/h2\x41\x01" "a\x40\x09:protocol\x09websocket"),
	};
	size_t at = kind % (sizeof blocks / sizeof *blocks);

	stage_frame(client, NGHTTP2_HEADERS,
		NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0), id,
		blocks[at].bytes, blocks[at].len);
}
