/*
 * The worker process: its loop and its line to the supervisor; worker_snapshot.c
 * applies generations. Traffic itself is in listeners, pools and protocols.
 */
#include "data/worker_inside.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "data/board_map.h"
#include "data/capabilities.h"
#include "data/channel.h"
#include "data/handover.h"
#include "data/l4/udp_batch.h"
#include "data/lifeline.h"
#include "data/listeners.h"
#include "data/memory.h"
#include "data/pool/pools.h"
#include "data/poller.h"
#include "data/snapshot.h"
#include "data/tls/tls.h"
#include "data/tls/tls_memory.h"

#define CHANNEL_FD 3
#define TICK_MS 100
#define LIFELINE_EVERY_TICKS 5
#define BUFFERS_MAX 65536 /* 1 GiB of traffic buffers at most */

/* Work that was put off */

void worker_later(struct worker *w, struct worker_task *t)
{
	if (t->is_due)
		return;
	t->is_due = true;
	list_push_back(&w->private->tasks, &t->link);
}

void worker_not_later(struct worker_task *t)
{
	if (!t->is_due)
		return;
	t->is_due = false;
	list_unlink(&t->link);
}

/* Each one moves bytes that have arrived, and none waits for more: it comes to an end. */
static void run_tasks(struct worker *w)
{
	struct list *tasks = &w->private->tasks;

	while (!list_is_empty(tasks)) {
		struct worker_task *t = list_entry(tasks->next, struct worker_task, link);

		worker_not_later(t);
		t->run(t);
	}
}

/* Time-outs */

static void wheel_due(uv_timer_t *timer);

static void arm(struct worker *w, int64_t at_ms)
{
	struct worker_private *p = w->private;
	int64_t delay = at_ms - worker_now_ms(w);

	if (at_ms >= p->armed_ms)
		return;
	p->armed_ms = at_ms;
	uv_timer_start(&p->wheel_timer, wheel_due, delay > 0 ? (uint64_t)delay : 0, 0);
}

static void wheel_due(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	int64_t next;

	w->private->armed_ms = INT64_MAX;
	wheel_turn(&w->wheel, worker_now_ms(w));
	run_tasks(w);
	next = wheel_next_ms(&w->wheel);
	if (next >= 0)
		arm(w, next);
	w->now_us = 0;
}

void worker_timeout(struct worker *w, struct wheel_timer *t, int64_t ms)
{
	int64_t at_ms = worker_now_ms(w) + ms;

	wheel_set(&w->wheel, t, at_ms);
	if (at_ms < w->private->armed_ms)
		arm(w, at_ms + WHEEL_TICK_MS);
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
	list_push_back(&w->private->reopens, &r->link);
}

void worker_off_reopen(struct worker_reopen *r)
{
	list_unlink(&r->link);
}

/* Reports */

void worker_beat(struct worker *w)
{
	struct board_column *row = w->private->row;

	atomic_store(&row->heartbeat_ms, (uint64_t)(mono_now().ns / 1000000));
	atomic_store(&row->connections, listeners_connections(w->listeners));
	atomic_store(&row->tunnels, w->tunnels);
	atomic_store(&row->is_full, listeners_is_full(w->listeners));
}

/* Retiring, and the end */

static void exit_when_idle(struct worker *w)
{
	if (w->private->is_retired && listeners_connections(w->listeners) == 0)
		poller_stop(&w->private->poller);
}

static void retire(struct worker *w, bool moves)
{
	struct worker_private *p = w->private;

	p->is_retired = true;
	atomic_store(&p->row->state, BOARD_WORKER_RETIRING);
	listeners_retire(w->listeners, moves);
	exit_when_idle(w);
}

static void reopen_logs(struct worker *w)
{
	list_for_each (l, &w->private->reopens) {
		struct worker_reopen *r = list_entry(l, struct worker_reopen, link);

		r->reopen(r);
	}
}

/* The supervisor's line */

static void close_fds(int fds[CHANNEL_FDS_MAX])
{
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void record(void *user, const struct channel_record *r, int fds[CHANNEL_FDS_MAX])
{
	struct worker *w = user;

	switch (r->kind) {
	case CHANNEL_SOCKET:
		if (fds[0] >= 0)
			listeners_add_socket(w->listeners, &r->addr, r->number, fds[0]);
		return;
	case CHANNEL_SNAPSHOT:
		if (fds[0] >= 0 && fds[1] >= 0)
			worker_take_snapshot(w, r, fds[0], fds[1]);
		else
			close_fds(fds);
		return;
	case CHANNEL_PLACES:
		w->private->places = r->places;
		listeners_set_places(w->listeners, r->places);
		break;
	case CHANNEL_RETIRE:
		retire(w, r->number);
		break;
	case CHANNEL_SUCCESSOR:
		handover_give(w->handover, w->private->run_dir, r->number);
		break;
	case CHANNEL_REOPEN:
		reopen_logs(w);
		break;
	}
	close_fds(fds);
}

/* The supervisor is gone: traffic goes on, a new one will call (S4). */
static void gone(void *user)
{
	struct worker *w = user;

	channel_close(w->private->channel);
	w->private->channel = NULL;
	log_info("worker: the supervisor is gone; serving on");
}

static const struct channel_handlers handlers = {.record = record, .gone = gone};

/* What a new supervisor is told, up to the first failure: then it is not well, and nobody waits. */
struct introduction {
	int line, rc;
};

static void introduce(struct introduction *i, struct channel_record *r, int fd0, int fd1)
{
	if (i->rc == 0)
		i->rc = channel_send_bare(i->line, r, fd0, fd1);
}

static void hand_socket(void *user, const struct addr *at, uint32_t place, int fd)
{
	struct channel_record r = {.kind = CHANNEL_SOCKET, .number = place, .addr = *at};

	introduce(user, &r, fd, -1);
}

/* A new supervisor: what we hold, then its records as before. */
static void adopt(struct worker *w, int fd)
{
	struct worker_private *p = w->private;
	struct introduction i = {.line = fd};
	struct channel_record r = {.kind = CHANNEL_WELCOME,
		.number = w->column,
		.role = CHANNEL_WORKER,
		.places = p->place,
		.pid = getpid()};

	snprintf(r.text, sizeof r.text, "%s", BALLAST_VERSION);
	introduce(&i, &r, p->board_fd, -1);
	listeners_each_socket(w->listeners, hand_socket, &i);
	if (p->snapshot_fd >= 0) {
		r = (struct channel_record){
			.kind = CHANNEL_SNAPSHOT, .generation = atomic_load(&p->row->generation)};
		introduce(&i, &r, p->snapshot_fd, p->slots_fd);
	}
	r = (struct channel_record){.kind = CHANNEL_ADOPTED, .number = p->is_retired};
	introduce(&i, &r, -1, -1);
	if (i.rc < 0) {
		close(fd);
		return;
	}
	if (p->incoming.reader) { /* the new one will say what is to be in force */
		close(p->incoming.doc);
		close(p->incoming.table);
		worker_forget_snapshot(w);
	}
	channel_close(p->channel);
	p->channel = NULL;
	if (channel_open(w->loop, fd, &handlers, w, &p->channel) < 0)
		log_error("worker: cannot hear the new supervisor");
}

static void taken(void *user, enum channel_kind kind, int fd)
{
	struct worker *w = user;

	if (kind == CHANNEL_HANDOVER)
		handover_take(w->handover, fd);
	else
		adopt(w, fd);
}

/* Turns */

/* After a batch of events. */
static void polled(void *user)
{
	struct worker *w = user;

	pools_serve(w->pools);
	run_tasks(w);
	w->now_us = 0;
}

static void ticked(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	int64_t now_ms = worker_now_ms(w);
	uint64_t missed;

	pools_tick(w->pools, now_ms);
	tls_tick(w->tls);
	listeners_drain_node(w->listeners, atomic_load(&w->board.head->is_node_drained));
	listeners_tick(w->listeners, now_ms);
	handover_tick(w->handover);
	missed = w->buffers.missed + memory_misses();
	if (missed != w->private->missed)
		listeners_starve(w->listeners);
	w->private->missed = missed;
	if (++w->private->ticks % LIFELINE_EVERY_TICKS == 0)
		lifeline_check(w->private->lifeline);
	pools_serve(w->pools);
	run_tasks(w);
	worker_beat(w);
	exit_when_idle(w);
	w->now_us = 0;
}

/* Start */

static int welcome(struct worker *w)
{
	struct worker_private *p = w->private;
	struct channel_record r;
	int fds[CHANNEL_FDS_MAX];
	int rc = channel_recv_bare(CHANNEL_FD, 5000, &r, fds);

	if (rc < 0)
		return rc;
	if (r.kind != CHANNEL_WELCOME || fds[0] < 0)
		return -EPROTO;
	rc = board_map(fds[0], &w->board);
	if (rc < 0)
		return rc;
	if (r.number >= w->board.head->columns)
		return -EPROTO;
	p->board_fd = fds[0];
	w->column = r.number;
	p->place = (uint32_t)r.places;
	p->row = &w->board.columns[w->column];
	board_use_column(&w->board, w->column);
	atomic_store(&p->row->state, BOARD_WORKER_STARTING);
	atomic_store(&p->row->pid, getpid());
	return 0;
}

static int open_loop(struct worker *w)
{
	struct worker_private *p = w->private;
	int rc = uv_loop_init(&p->loop);

	if (rc == 0)
		rc = poller_open(&p->poller, &p->loop, polled, w);
	if (rc < 0)
		return rc;
	w->loop = &p->loop;
	uv_timer_init(w->loop, &p->wheel_timer);
	uv_timer_init(w->loop, &p->tick);
	uv_idle_init(w->loop, &p->reading);
	p->wheel_timer.data = p->tick.data = p->reading.data = w;
	p->armed_ms = INT64_MAX;
	wheel_init(&w->wheel, worker_now_ms(w));
	io_buffers_init(&w->buffers, BUFFERS_MAX);
	rand_seed(&w->rand, uv_hrtime() ^ (uint64_t)getpid() << 32);
	return 0;
}

static int open_rest(struct worker *w)
{
	struct worker_private *p = w->private;
	char name[32];
	int rc = tls_open(&w->board.head->tickets, &w->tls);

	snprintf(name, sizeof name, "worker-%u", w->column);
	if (rc == 0)
		rc = pools_open(w, &w->pools);
	if (rc == 0)
		rc = listeners_open(w, &w->listeners);
	if (rc == 0)
		rc = handover_open(w, &w->handover);
	if (rc == 0)
		rc = lifeline_open(w->loop, p->run_dir, name, taken, w, &p->lifeline);
	if (rc == 0)
		rc = channel_open(w->loop, CHANNEL_FD, &handlers, w, &p->channel);
	if (rc < 0)
		return rc;
	uv_timer_start(&p->tick, ticked, TICK_MS, TICK_MS);
	worker_beat(w);
	return 0;
}

/* Order matters: connections before pools, and the loop last. */
static void close_all(struct worker *w)
{
	struct worker_private *p = w->private;

	handover_close(w->handover);
	listeners_close(w->listeners);
	pools_serve(w->pools);
	run_tasks(w);
	pools_close(w->pools);
	tls_close(w->tls);
	lifeline_close(p->lifeline);
	worker_forget_snapshot(w);
	channel_close(p->channel);
	poller_close(&p->poller);
	uv_close((uv_handle_t *)&p->wheel_timer, NULL);
	uv_close((uv_handle_t *)&p->tick, NULL);
	uv_close((uv_handle_t *)&p->reading, NULL);
	uv_run(w->loop, UV_RUN_DEFAULT);
	uv_loop_close(w->loop);
	io_buffers_fini(&w->buffers);
	pipes_fini(&w->pipes);
	udp_batch_free(w->datagrams);
	conf_unref(w->conf);
	board_unmap(&w->board);
}

static int start(struct worker *w, char **argv)
{
	struct worker_private *p = w->private;
	enum log_level level = LOG_LEVEL_INFO;
	int rc;

	w->node = argv[2];
	p->run_dir = argv[3];
	w->state_dir = argv[4];
	p->board_fd = p->snapshot_fd = p->slots_fd = -1;
	list_init(&p->reopens);
	list_init(&p->tasks);
	log_level_parse(argv[5], &level);
	log_init("data", level);
	capabilities_drop();
	prctl(PR_SET_NAME, "ballast-worker");
	rc = welcome(w);
	if (rc == 0)
		rc = open_loop(w);
	if (rc == 0)
		rc = open_rest(w);
	if (rc < 0)
		log_error("worker: cannot start why=\"%s\"", strerror(-rc));
	return rc;
}

int worker_main(int argc, char **argv)
{
	struct worker_private private = {0};
	struct worker worker = {.private = &private};

	if (argc != 6) {
		fprintf(stderr,
			"ballast-data: `worker` is started by the supervisor, not by hand\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	tls_memory_begin();
	if (start(&worker, argv) < 0)
		return 1;
	poller_run(&private.poller);
	close_all(&worker);
	return 0;
}
