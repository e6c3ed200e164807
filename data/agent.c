/* The agent: see agent.h. Wires the bus to judge.c and figures.c, and to the supervisor. */
#include "data/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include "common/bus.h"
#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "common/report.h"
#include "common/statefile_keeper.h"
#include "data/board_map.h"
#include "data/capabilities.h"
#include "data/channel.h"
#include "data/figures.h"
#include "data/http/route_explain.h"
#include "data/judge.h"
#include "data/lifeline.h"
#include "data/poller.h"
#include "data/slots.h"
#include "data/snapshot.h"

#define CHANNEL_FD 3
#define TICK_MS 250
#define SHORT_MS 3000
#define WATCH_MS 100 /* failures of servers are looked at */
#define TOLD_EJECTED (1ull << 63)
#define TOLD_GONE UINT64_MAX /* of a listener */
#define FAILURES_MAX 256     /* addresses that could not be had, with their reasons */

struct failure {
	struct addr at;
	bool is_datagram;
	char why[96];
};

struct agent {
	const char *node;
	uv_loop_t loop;
	struct poller poller;
	uv_timer_t tick, watch;
	uv_signal_t term;
	struct channel *channel;
	struct lifeline *lifeline;
	struct bus *bus;
	struct bus_table *self_table, *traffic;
	const char *run_dir, *state_dir;
	struct board board;
	struct judge *judge;
	struct conf *conf; /* that the supervisor has put in force */
	uint32_t *slots;
	struct wall next_expiry;
	int pending_fd;   /* a snapshot that the supervisor has not been sent yet; -1: none */
	uint64_t offered; /* the generation last given to the supervisor */
	struct statefile_keeper *keeper;
	char not_kept[STATEFILE_WHY_SIZE]; /* why the generation is not on disk; "" */
	int64_t short_pid;                /* a worker that was short of something lately; 0 */
	struct mono short_until;
	uint64_t saved; /* the generation that it was given last */
	struct failure failures[FAILURES_MAX];
	size_t failures_count;
	uint64_t *told; /* by slot: a server's uses as last published, plus one */
	struct report_daemon self;
};

static struct judge_now now_of(struct agent *a)
{
	uv_update_time(&a->loop);
	return (struct judge_now){wall_now(), (int64_t)uv_now(&a->loop)};
}

/* Reports */

/* Pauses of a worker that is short of something are brief and many: they are told as one. */
static void tell_trouble(struct agent *a)
{
	struct mono now = mono_now();
	int64_t pid = 0;

	for (size_t i = 0; i < a->self.workers_count && !pid; i++)
		if (a->self.workers[i].is_full)
			pid = a->self.workers[i].pid;
	if (pid) {
		a->short_pid = pid;
		a->short_until = mono_add_ms(now, SHORT_MS);
	}
	if (a->short_pid && mono_before(now, a->short_until))
		snprintf(a->self.trouble, sizeof a->self.trouble,
			"worker %lld is short of descriptors or memory and takes no new "
			"connections: see its log, LimitNOFILE and the memory of the node",
			(long long)a->short_pid);
	else
		snprintf(a->self.trouble, sizeof a->self.trouble, "%s", a->not_kept);
}

static void publish_self(struct agent *a)
{
	figures_workers(&a->board, &a->self);
	tell_trouble(a);
	bus_table_set(a->self_table, "self", report_daemon_encode(&a->self));
}

/* Why one of the listener's addresses could not be had: text, or NULL. */
static const char *failure_of(
	const struct agent *a, const struct conf_listener *l, char text[REPORT_TEXT_SIZE])
{
	char at[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < l->bind_count; i++)
		for (size_t k = 0; k < a->failures_count; k++)
			if (addr_is_equal(&l->bind[i], &a->failures[k].at) &&
				a->failures[k].is_datagram == (l->protocol == CONF_LISTENER_UDP)) {
				snprintf(text, REPORT_TEXT_SIZE, "%s: %s",
					addr_print_port(&l->bind[i], at), a->failures[k].why);
				return text;
			}
	return NULL;
}

/* A listener's row follows from its uses, but for what generations and failures change. */
static void publish_listener(struct agent *a, uint32_t slot)
{
	const struct board_object *o = &a->board.objects[slot];
	const struct conf_listener *l;
	bool is_gone = atomic_load(&o->is_removed) && atomic_load(&o->uses) == 0;
	uint64_t now = is_gone ? TOLD_GONE : atomic_load(&o->uses) + 1;
	char text[REPORT_TEXT_SIZE], key[BOARD_NAME_SIZE + 16];
	struct report_listener r;

	if (a->told[slot] == now)
		return; /* of many thousands few change */
	a->told[slot] = now;
	snprintf(key, sizeof key, "listener/%s", o->name);
	if (is_gone) {
		bus_table_remove(a->traffic, key);
		return;
	}
	l = a->conf ? conf_listener(a->conf, o->name) : NULL;
	figures_listener(&a->board, slot, l, l ? failure_of(a, l, text) : NULL, &r);
	bus_table_set(a->traffic, key, report_listener_encode(&r));
}

static void publish_server(struct agent *a, uint32_t slot)
{
	const struct board_object *o = &a->board.objects[slot];
	char key[BOARD_NAME_SIZE + 16];
	bool is_gone = atomic_load(&o->is_removed) && atomic_load(&o->uses) == 0;
	uint64_t now = is_gone ? 0 : atomic_load(&o->uses) + 1;
	struct report_server r;
	char why[EJECT_WHY_SIZE];

	if (atomic_load(&o->word) & BOARD_WORD_EJECTED)
		now |= TOLD_EJECTED;

	if (a->told[slot] == now)
		return; /* of many thousands few change */
	a->told[slot] = now;
	snprintf(key, sizeof key, "server/%s", o->name);
	if (is_gone) {
		bus_table_remove(a->traffic, key);
		return;
	}
	figures_server(&a->board, slot, &r);
	if (judge_ejection(a->judge, slot, why, &r.ejected_since))
		snprintf(r.ejected, sizeof r.ejected, "%s", why);
	bus_table_set(a->traffic, key, report_server_encode(&r));
}

static void publish_traffic(struct agent *a)
{
	uint32_t used = atomic_load(&a->board.head->objects_used);

	for (uint32_t i = 0; i < used; i++) {
		if (atomic_load(&a->board.objects[i].kind) == BOARD_LISTENER)
			publish_listener(a, i);
		else if (atomic_load(&a->board.objects[i].kind) == BOARD_SERVER)
			publish_server(a, i);
	}
}

/* Even what looks as it was told: why it is so may have changed. */
static void publish_anew(struct agent *a)
{
	memset(a->told, 0, a->board.head->objects * sizeof *a->told);
	publish_traffic(a);
}

static void add_key(json_t *keys, const char *kind, const char *name)
{
	char key[BOARD_NAME_SIZE + 16];

	snprintf(key, sizeof key, "%s/%s", kind, name);
	json_object_set_new(keys, key, json_true());
}

/* Owned: the keys of all objects on the board. */
static json_t *keys_on_board(const struct board *b)
{
	uint32_t used = atomic_load(&b->head->objects_used);
	json_t *keys = json_object();

	for (uint32_t i = 0; i < used; i++) {
		if (atomic_load(&b->objects[i].kind) == BOARD_LISTENER)
			add_key(keys, "listener", b->objects[i].name);
		else if (atomic_load(&b->objects[i].kind) == BOARD_SERVER)
			add_key(keys, "server", b->objects[i].name);
	}
	return keys;
}

/*
 * The whole table anew, after a generation: the supervisor may have cleared
 * objects, and given their slots to others, before we looked.
 */
static void publish_all_traffic(struct agent *a)
{
	json_t *rows = json_copy((json_t *)bus_table_rows(a->traffic)),
	       *keys = keys_on_board(&a->board);
	const char *key;
	json_t *row;

	json_object_foreach (rows, key, row) {
		if (!json_object_get(keys, key))
			bus_table_remove(a->traffic, key);
	}
	json_decref(rows);
	json_decref(keys);
	publish_anew(a);
}

static int serve_counters(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	struct agent *a = user;
	json_int_t from = json_integer_value(json_object_get(body, "from"));

	*ret_reply = figures_metrics(
		&a->board, a->conf, from > 0 && from < UINT32_MAX ? (uint32_t)from : 0);
	if (*ret_reply)
		return 0;
	snprintf(why, 256, "out of memory");
	return -ENOMEM;
}

/* Which route a request would take: see http/route_explain.h. */
static int serve_route(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	const struct agent *a = user;

	return route_explain(a->conf, body, ret_reply, why);
}

/* Snapshots: from control to the supervisor */

static void offer_pending(struct agent *a)
{
	struct channel_record r = {.kind = CHANNEL_SNAPSHOT, .generation = a->offered};

	if (a->pending_fd < 0 || !a->channel || channel_send(a->channel, &r, a->pending_fd, -1) < 0)
		return;
	close(a->pending_fd);
	a->pending_fd = -1;
}

static void refuse(struct agent *a, uint64_t generation, const char *why)
{
	a->self.refused = generation;
	a->self.state = REPORT_LAGGING;
	snprintf(a->self.reason, sizeof a->self.reason, "%s", why);
	log_error("agent: generation=%llu refused why=\"%s\"", (unsigned long long)generation, why);
	publish_self(a);
}

static void refuse_row(struct agent *a, const json_t *row, const struct conf_problems *p)
{
	uint64_t generation = (uint64_t)json_integer_value(json_object_get(row, "generation"));
	char why[REPORT_TEXT_SIZE];

	snprintf(why, sizeof why, "%s: %s", p->count ? p->items[0].where : "snapshot",
		p->count ? p->items[0].what : "cannot be read");
	refuse(a, generation, why);
}

static void snapshot_row(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;
	struct conf_problems *problems;
	struct conf *c;

	if (!row || strcmp(key, "current") != 0)
		return; /* control forgot: we do not */
	problems = calloc(1, sizeof *problems);
	if (!problems)
		return;
	if (conf_decode(row, problems, &c) < 0) {
		refuse_row(a, row, problems);
	} else {
		if (!a->conf || c->generation != a->conf->generation ||
			strcmp(c->digest, a->conf->digest) != 0) {
			if (a->pending_fd >= 0)
				close(a->pending_fd);
			a->pending_fd = snapshot_write(c);
			a->offered = c->generation;
			offer_pending(a);
		}
		conf_unref(c);
	}
	conf_problems_fini(problems);
	free(problems);
}

/* Snapshots: in force, from the supervisor */

static void in_force(struct agent *a, int doc, int table)
{
	struct conf *c;
	char why[512];

	if (snapshot_read(doc, &c, why) < 0) {
		log_error("agent: cannot read the snapshot in force why=\"%s\"", why);
		return;
	}
	free(a->slots);
	a->slots = NULL;
	if (snapshot_read_slots(table, slots_count(c), a->board.head->objects, &a->slots) < 0 ||
		judge_configure(a->judge, c, a->slots, now_of(a)) < 0)
		log_error("agent: the table of slots cannot be read");
	conf_unref(a->conf);
	a->conf = c;
	a->next_expiry = judge_expire(a->judge, now_of(a));
	publish_all_traffic(a);
}

static void kept(void *user, const char *why)
{
	struct agent *a = user;

	snprintf(a->not_kept, sizeof a->not_kept, "%s", why);
	publish_self(a);
}

static void acknowledged(struct agent *a, const struct channel_record *r)
{
	a->self.pid = r->pid;
	if (r->text[0] != '\0') {
		refuse(a, a->conf ? a->conf->generation : 0, r->text);
		return;
	}
	if (r->generation > 0) {
		a->self.generation = r->generation;
		if (a->self.refused <= r->generation) {
			a->self.refused = 0;
			a->self.reason[0] = '\0';
			if (a->conf && a->conf->passed_over[0])
				snprintf(a->self.reason, sizeof a->self.reason, REPORT_PASSED_OVER,
					a->conf->passed_over);
		}
	}
	a->self.state = a->self.refused ? REPORT_LAGGING : REPORT_RUNNING;
	publish_self(a);
	publish_all_traffic(a);
	if (r->generation > 0 && a->conf && a->saved != a->conf->generation) {
		statefile_keeper_keep(a->keeper, conf_encode(a->conf));
		a->saved = a->conf->generation;
	}
}

static void binding_failed(struct agent *a, const struct channel_record *r)
{
	struct failure *f;

	if (a->failures_count == FAILURES_MAX)
		return;
	f = &a->failures[a->failures_count++];
	f->at = r->addr;
	f->is_datagram = r->number != 0;
	snprintf(f->why, sizeof f->why, "%.95s", r->text);
	publish_anew(a);
}

/* The supervisor's line */

static void record(void *user, const struct channel_record *r, int fds[CHANNEL_FDS_MAX])
{
	struct agent *a = user;

	switch (r->kind) {
	case CHANNEL_SNAPSHOT:
		if (fds[0] >= 0 && fds[1] >= 0)
			in_force(a, fds[0], fds[1]);
		break;
	case CHANNEL_ACKNOWLEDGED:
		acknowledged(a, r);
		break;
	case CHANNEL_REFUSES:
		refuse(a, a->offered, r->text);
		break;
	case CHANNEL_BINDINGS:
		a->failures_count = 0;
		publish_anew(a);
		break;
	case CHANNEL_BINDING_FAILED:
		binding_failed(a, r);
		break;
	}
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void gone(void *user)
{
	struct agent *a = user;

	channel_close(a->channel);
	a->channel = NULL;
	log_info("agent: the supervisor is gone; reporting on");
}

static void room(void *user)
{
	offer_pending(user);
}

static const struct channel_handlers handlers = {.record = record, .gone = gone, .room = room};

/* A new supervisor calls: it starts an agent of its own, and ends this one. */
static void adopted(void *user, enum channel_kind kind, int fd)
{
	struct channel_record r = {.kind = CHANNEL_WELCOME, .role = CHANNEL_AGENT, .pid = getpid()};

	(void)user;
	if (kind == CHANNEL_ADOPT) {
		channel_send_bare(fd, &r, -1, -1);
		r = (struct channel_record){.kind = CHANNEL_ADOPTED};
		channel_send_bare(fd, &r, -1, -1);
	}
	close(fd);
}

/* The bus */

static void overlay_row(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;

	judge_overlay(a->judge, key, row, now_of(a));
	a->next_expiry = judge_expire(a->judge, now_of(a));
}

static void verdict_row(void *user, const char *key, const json_t *row)
{
	struct agent *a = user;

	judge_verdict(a->judge, key, row, now_of(a));
}

static int open_bus(struct agent *a)
{
	static const struct bus_follower snapshots = {.row = snapshot_row};
	static const struct bus_follower overlays = {.row = overlay_row},
					 verdicts = {.row = verdict_row};
	int rc = bus_open(&a->loop, a->run_dir, BUS_DATA, &a->bus);

	if (rc < 0)
		return rc;
	a->self_table = bus_table_new(a->bus, "daemon", BUS_ALL, false);
	a->traffic = bus_table_new(a->bus, "traffic", BUS_ALL, false);
	if (!a->self_table || !a->traffic)
		return -ENOMEM;
	bus_serve(a->bus, "counters", BUS_ALL, serve_counters, a);
	bus_serve(a->bus, "route", BUS_BIT(BUS_CONTROL), serve_route, a);
	if (!bus_follow(a->bus, BUS_CONTROL, "snapshot-data", &snapshots, a) ||
		!bus_follow(a->bus, BUS_CONTROL, "overlay", &overlays, a) ||
		!bus_follow(a->bus, BUS_HEALTHD, "verdicts", &verdicts, a))
		return -ENOMEM;
	return 0;
}

static void ticked(uv_timer_t *timer)
{
	struct agent *a = timer->data;
	struct wall now = wall_now();

	if (a->next_expiry.ms && a->next_expiry.ms <= now.ms)
		a->next_expiry = judge_expire(a->judge, now_of(a));
	lifeline_check(a->lifeline);
	offer_pending(a);
	publish_self(a);
	publish_traffic(a);
}

static void watched(uv_timer_t *timer)
{
	struct agent *a = timer->data;

	judge_watch(a->judge, now_of(a));
}

static void asked_to_end(uv_signal_t *handle, int number)
{
	struct agent *a = handle->data;

	(void)number;
	poller_stop(&a->poller);
}

/* Start */

static int welcome(struct agent *a)
{
	struct channel_record r;
	int fds[CHANNEL_FDS_MAX];
	int rc = channel_recv_bare(CHANNEL_FD, 5000, &r, fds);

	if (rc < 0)
		return rc;
	if (r.kind != CHANNEL_WELCOME || fds[0] < 0)
		return -EPROTO;
	rc = board_map(fds[0], &a->board);
	close(fds[0]);
	a->self.pid = r.pid;
	return rc;
}

static int open_all(struct agent *a)
{
	int rc = welcome(a);

	if (rc == 0)
		rc = uv_loop_init(&a->loop);
	if (rc == 0)
		rc = poller_open(&a->poller, &a->loop, NULL, NULL);
	if (rc < 0)
		return rc;
	a->judge = judge_new(&a->board, a->node);
	a->told = calloc(a->board.head->objects, sizeof *a->told);
	rc = a->judge && a->told ? open_bus(a) : -ENOMEM;
	if (rc == 0)
		rc = statefile_keeper_open(&a->loop, a->state_dir, "data.snapshot",
			LASTGOOD_CONSEQUENCE, kept, a, &a->keeper);
	if (rc == 0)
		rc = lifeline_open(&a->loop, a->run_dir, "agent", adopted, a, &a->lifeline);
	if (rc == 0)
		rc = channel_open(&a->loop, CHANNEL_FD, &handlers, a, &a->channel);
	if (rc < 0)
		return rc;
	uv_timer_init(&a->loop, &a->tick);
	uv_signal_init(&a->loop, &a->term);
	uv_timer_init(&a->loop, &a->watch);
	a->tick.data = a->watch.data = a->term.data = a;
	uv_timer_start(&a->watch, watched, WATCH_MS, WATCH_MS);
	uv_timer_start(&a->tick, ticked, TICK_MS, TICK_MS);
	uv_signal_start(&a->term, asked_to_end, SIGTERM);
	publish_self(a);
	return 0;
}

int agent_main(int argc, char **argv)
{
	struct agent *a = calloc(1, sizeof *a);
	enum log_level level = LOG_LEVEL_INFO;
	int rc;

	if (!a)
		return 1;
	if (argc != 6) {
		fprintf(stderr,
			"ballast-data: `agent` is started by the supervisor, not by hand\n");
		return 2;
	}
	a->node = argv[2];
	a->run_dir = argv[3];
	a->state_dir = argv[4];
	a->pending_fd = -1;
	a->self.state = REPORT_STARTING;
	a->self.started = wall_now();
	snprintf(a->self.version, sizeof a->self.version, "%s", BALLAST_VERSION);
	log_level_parse(argv[5], &level);
	log_init("data", level);
	capabilities_drop();
	prctl(PR_SET_NAME, "ballast-agent");
	signal(SIGPIPE, SIG_IGN);
	rc = open_all(a);
	if (rc < 0) {
		log_error("agent: cannot start why=\"%s\"", strerror(-rc));
		return 1;
	}
	poller_run(&a->poller);
	statefile_keeper_finish(a->keeper);
	lifeline_close(a->lifeline);
	return 0;
}
