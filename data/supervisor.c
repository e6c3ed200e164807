/*
 * The supervisor: carries out what roster.c decides. One timer ticks ten times
 * a second to read the board; deaths are told by pidfds.
 */
#include "data/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "data/adoption.h"
#include "data/bindings.h"
#include "data/board_map.h"
#include "data/process.h"
#include "data/roster.h"
#include "data/slots.h"
#include "data/snapshot.h"

#define TICK_MS 20
#define CHILDREN_MAX (ROSTER_COLUMNS_MAX + 1)

struct supervisor {
	struct daemon *daemon;
	char *program;
	uv_timer_t tick;
	struct roster roster;
	struct process *children[CHILDREN_MAX];
	unsigned children_count;
	struct process_news news;
	struct bindings *bindings;
	struct board board;
	struct slots *slots;
	struct conf *conf;           /* the newest snapshot that we could read */
	uint64_t acknowledged;       /* the snapshot_serial that every accepting worker runs */
	char lag[CHANNEL_TEXT_SIZE]; /* why it is not the newest */
	int64_t retry_at_ms;
	bool upgrade; /* adopted workers are to be replaced */
	bool is_leaving;
	int64_t leave_until_ms;
};

/* Children */

static struct process *agent_of(struct supervisor *s)
{
	for (unsigned i = 0; i < s->children_count; i++)
		if (s->children[i]->role == CHANNEL_AGENT)
			return s->children[i];
	return NULL;
}

static bool is_worker(const struct process *p)
{
	return p->role == CHANNEL_WORKER && !p->is_retired;
}

static void feed_all(struct supervisor *s)
{
	for (unsigned i = 0; i < s->children_count; i++)
		process_feed(s->children[i]);
}

static void assign_places(struct supervisor *s)
{
	for (unsigned i = 0; i < s->children_count; i++) {
		struct process *p = s->children[i];

		if (!is_worker(p))
			continue;
		p->places = roster_assignment(&s->roster, p->place);
		process_feed(p);
	}
}

/* To the agent: which addresses could not be had, whole. */
static void tell_bindings(struct supervisor *s)
{
	struct process *agent = agent_of(s);
	struct channel_record r = {.kind = CHANNEL_BINDINGS};

	if (!agent || process_say(agent, &r, -1) < 0)
		return;
	for (const struct binding *b = bindings_next(s->bindings, NULL); b;
		b = bindings_next(s->bindings, b)) {
		if (b->error == 0)
			continue;
		r = (struct channel_record){.kind = CHANNEL_BINDING_FAILED, .addr = b->at};
		snprintf(r.text, sizeof r.text, "%s", strerror(-b->error));
		process_say(agent, &r, -1);
	}
}

static void tell_acknowledged(struct supervisor *s)
{
	struct process *agent = agent_of(s);
	struct channel_record r = {.kind = CHANNEL_ACKNOWLEDGED,
		.generation = s->acknowledged == s->news.snapshot_serial ? s->news.generation : 0,
		.pid = getpid()};

	snprintf(r.text, sizeof r.text, "%s", s->lag);
	if (agent)
		process_say(agent, &r, -1);
}

/* Snapshots */

/* What removed objects held is let go when nobody can be using it any more. */
static void acknowledge(struct supervisor *s)
{
	bool any = false, any_retired = false;

	for (unsigned i = 0; i < s->children_count; i++) {
		struct process *p = s->children[i];

		any |= is_worker(p) && p->runs == s->news.snapshot_serial;
		any_retired |= p->is_retired;
		if (is_worker(p) && p->runs != s->news.snapshot_serial &&
			s->roster.workers[p->place].state == ROSTER_ACCEPTING)
			return;
	}
	if (!any || s->acknowledged == s->news.snapshot_serial)
		return;
	s->acknowledged = s->news.snapshot_serial;
	bindings_sweep(s->bindings);
	if (!any_retired)
		slots_sweep(s->slots);
	tell_acknowledged(s);
}

static int assign_slots(struct supervisor *s, const struct conf *c, int *ret_fd)
{
	size_t count = slots_count(c);
	uint32_t *table = calloc(count + 1, sizeof *table);
	int rc = table ? slots_assign(s->slots, c, table) : -ENOMEM;

	if (rc == 0)
		rc = snapshot_seal("ballast-slots", table, count * sizeof *table);
	free(table);
	if (rc < 0)
		return rc;
	*ret_fd = rc;
	return 0;
}

/* Takes a snapshot that was read (and counted) and its descriptor, and puts it in force. */
static int publish(struct supervisor *s, struct conf *c, int fd, char why[512])
{
	int slots_fd, rc = assign_slots(s, c, &slots_fd);

	if (rc < 0) {
		snprintf(why, 512, "more listeners, pools and servers than the board has room for");
		conf_unref(c);
		close(fd);
		return rc;
	}
	if (s->news.snapshot_fd >= 0) {
		close(s->news.snapshot_fd);
		close(s->news.slots_fd);
	}
	conf_unref(s->conf);
	s->conf = c;
	s->news.snapshot_fd = fd;
	s->news.slots_fd = slots_fd;
	s->news.generation = c->generation;
	s->news.snapshot_serial++;
	s->lag[0] = '\0';
	bindings_want(s->bindings, c);
	log_info("supervisor: generation=%llu listeners=%zu pools=%zu",
		(unsigned long long)c->generation, c->listeners_count, c->pools_count);
	feed_all(s);
	tell_bindings(s);
	return 0;
}

static void take_snapshot(struct supervisor *s, struct process *agent, int fd)
{
	struct channel_record r = {.kind = CHANNEL_REFUSES};
	char why[512];
	struct conf *c;
	int rc = snapshot_read(fd, &c, why);

	if (rc < 0)
		close(fd);
	else
		rc = publish(s, c, fd, why);
	if (rc == 0)
		return;
	snprintf(r.text, sizeof r.text, "%s", why);
	process_say(agent, &r, -1);
}

static void note_refusal(struct supervisor *s, struct process *p, const struct channel_record *r)
{
	if (r->number != (uint32_t)s->news.snapshot_serial)
		return;
	p->refused = s->news.snapshot_serial;
	snprintf(s->lag, sizeof s->lag, "worker %d: %.400s", (int)p->pid, r->text);
	log_error("supervisor: worker pid=%d cannot run generation=%llu why=\"%s\"", (int)p->pid,
		(unsigned long long)r->generation, r->text);
	tell_acknowledged(s);
}

static void child_record(
	void *user, struct process *p, const struct channel_record *r, int fds[CHANNEL_FDS_MAX])
{
	struct supervisor *s = user;

	if (r->kind == CHANNEL_SNAPSHOT && p->role == CHANNEL_AGENT && fds[0] >= 0) {
		take_snapshot(s, p, fds[0]);
		fds[0] = -1;
	} else if (r->kind == CHANNEL_RUNS && r->number == (uint32_t)s->news.snapshot_serial) {
		p->runs = s->news.snapshot_serial;
		acknowledge(s);
	} else if (r->kind == CHANNEL_REFUSES) {
		note_refusal(s, p, r);
	}
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Lives and deaths */

static void start_due(struct supervisor *s);

static void forget(struct supervisor *s, struct process *p)
{
	for (unsigned i = 0; i < s->children_count; i++)
		if (s->children[i] == p)
			s->children[i] = s->children[--s->children_count];
	process_free(p);
}

static void child_died(void *user, struct process *p)
{
	struct supervisor *s = user;

	if (p->role == CHANNEL_WORKER) {
		board_clear_column(&s->board, p->column);
		if (p->is_retired)
			roster_free_column(&s->roster, p->column);
		else
			roster_died(&s->roster, p->place, mono_now());
	} else {
		roster_died(&s->roster, ROSTER_AGENT, mono_now());
	}
	forget(s, p);
	if (s->is_leaving)
		return;
	assign_places(s); /* first: others accept for it from now on */
	start_due(s);
}

static const struct process_handlers child_handlers = {.record = child_record, .died = child_died};

static void start_one(struct supervisor *s, uint32_t place, uint32_t column)
{
	enum channel_role role = place == ROSTER_AGENT ? CHANNEL_AGENT : CHANNEL_WORKER;
	struct process *p;
	int rc = -EAGAIN;

	if (s->children_count < CHILDREN_MAX)
		rc = process_start(&s->news, role, place, column, &child_handlers, s, &p);
	if (rc < 0) {
		log_error("supervisor: cannot start %s why=\"%s\"",
			role == CHANNEL_AGENT ? "the agent" : "a worker", strerror(-rc));
		roster_died(&s->roster, place, mono_now());
		return;
	}
	s->children[s->children_count++] = p;
	roster_started(&s->roster, place, column, mono_now());
	if (role == CHANNEL_AGENT) {
		tell_bindings(s);
		tell_acknowledged(s);
	}
}

static void start_due(struct supervisor *s)
{
	uint32_t place, column;

	while (roster_next_start(&s->roster, mono_now(), &place, &column) == 0)
		start_one(s, place, column);
}

/* Adopted workers of an older program go, one at a time, and only while all places accept. */
static void go_on_with_upgrade(struct supervisor *s)
{
	for (unsigned i = 0; i < s->roster.places; i++)
		if (s->roster.workers[i].state != ROSTER_ACCEPTING)
			return;
	for (unsigned i = 0; i < s->children_count; i++) {
		struct process *p = s->children[i];

		if (!is_worker(p) || !p->is_old)
			continue;
		roster_retire(&s->roster, p->place, mono_now());
		process_retire(p);
		assign_places(s);
		start_due(s);
		return;
	}
	s->upgrade = false;
}

static bool observe(struct supervisor *s)
{
	int64_t now_ms = mono_now().ns / 1000000;
	bool changed = false;

	for (unsigned i = 0; i < s->children_count; i++) {
		struct process *p = s->children[i];
		struct board_column *row;

		if (!is_worker(p))
			continue;
		row = &s->board.columns[p->column];
		changed |= roster_observe(&s->roster, p->place,
			atomic_load(&row->state) == BOARD_WORKER_ACCEPTING,
			now_ms - (int64_t)atomic_load(&row->heartbeat_ms),
			atomic_load(&row->is_full) != 0);
	}
	return changed;
}

static void go_on_leaving(struct supervisor *s);

static void ticked(uv_timer_t *timer)
{
	struct supervisor *s = timer->data;
	int64_t now_ms = mono_now().ns / 1000000;

	if (s->is_leaving) {
		go_on_leaving(s);
		return;
	}
	if (observe(s)) {
		assign_places(s);
		acknowledge(s);
	}
	start_due(s);
	if (s->upgrade)
		go_on_with_upgrade(s);
	if (bindings_any_failed(s->bindings) && now_ms >= s->retry_at_ms) {
		s->retry_at_ms = now_ms + BINDINGS_RETRY_MS;
		if (bindings_retry(s->bindings)) {
			feed_all(s);
			tell_bindings(s);
		}
	}
}

/* Leaving */

static int64_t longest_drain_ms(const struct conf *c)
{
	int64_t most = 0;

	for (size_t i = 0; c && i < c->listeners_count; i++)
		if (c->listeners[i].drain_timeout_ms > most)
			most = c->listeners[i].drain_timeout_ms;
	return most;
}

/* Drain, then end what is left. */
static void go_on_leaving(struct supervisor *s)
{
	bool is_over = mono_now().ns / 1000000 >= s->leave_until_ms, any = false;

	for (unsigned i = 0; i < s->children_count; i++) {
		any |= s->children[i]->role == CHANNEL_WORKER;
		if (is_over && s->children[i]->role == CHANNEL_WORKER)
			kill(s->children[i]->pid, SIGKILL);
	}
	if (any)
		return;
	if (agent_of(s))
		kill(agent_of(s)->pid, SIGTERM);
	daemon_exit(s->daemon, 0);
}

static void leave(struct daemon *d, void *user)
{
	struct supervisor *s = user;

	(void)d;
	s->is_leaving = true;
	s->leave_until_ms = mono_now().ns / 1000000 + longest_drain_ms(s->conf);
	for (unsigned i = 0; i < s->children_count; i++)
		if (is_worker(s->children[i]))
			process_retire(s->children[i]);
	go_on_leaving(s);
}

static void reopen(struct daemon *d, void *user)
{
	struct supervisor *s = user;
	struct channel_record r = {.kind = CHANNEL_REOPEN};

	(void)d;
	for (unsigned i = 0; i < s->children_count; i++)
		if (s->children[i]->role == CHANNEL_WORKER)
			process_say(s->children[i], &r, -1);
}

/* The successor finds everything at the workers; it only has to know that they are to be replaced.
 */
static json_t *hand_over(struct daemon *d, void *user)
{
	(void)d;
	(void)user;
	return json_pack("{s:b}", "upgrade", 1);
}

/* Start */

static int open_board(struct supervisor *s, int adopted_fd)
{
	int rc = adopted_fd >= 0 ? board_map(adopted_fd, &s->board) : -ENOENT;

	s->news.board_fd = adopted_fd;
	if (rc < 0) {
		s->news.board_fd = board_create(
			s->roster.places * (1 + ROSTER_RETIRED_SETS), BOARD_OBJECTS_MAX);
		if (s->news.board_fd < 0)
			return s->news.board_fd;
		rc = board_map(s->news.board_fd, &s->board);
	}
	if (rc < 0)
		return rc;
	s->slots = slots_new(&s->board);
	return s->slots ? 0 : -ENOMEM;
}

static void adopt_one(struct supervisor *s, struct adoption *a, unsigned i)
{
	struct process *like = &a->found[i], *p;
	uint32_t place = like->role == CHANNEL_AGENT ? ROSTER_AGENT : like->place;
	int rc = 0;

	if (like->is_retired)
		roster_take_column(&s->roster, like->column);
	else
		rc = roster_adopt(&s->roster, place, like->column, mono_now());
	if (rc < 0) { /* fewer workers are configured now */
		like->is_retired = true;
		roster_take_column(&s->roster, like->column);
	}
	if (process_adopt(&s->news, like, a->lines[i], &child_handlers, s, &p) < 0)
		return;
	p->is_old = a->is_old[i] || daemon_inherited(s->daemon);
	s->upgrade |= p->is_old;
	s->children[s->children_count++] = p;
	if (rc < 0)
		process_retire(p);
}

/* The agent holds nothing that lasts: an old one is replaced at once. */
static void adopt_all(struct supervisor *s, struct adoption *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (a->found[i].role == CHANNEL_AGENT) {
			kill(a->found[i].pid, SIGTERM);
			close(a->lines[i]);
			continue;
		}
		adopt_one(s, a, i);
	}
}

/* What the workers run, or what ran when this node was last well, or nothing. */
static void open_snapshot(struct supervisor *s, int adopted_fd)
{
	struct conf_problems problems = {0};
	const char *state_dir = s->news.state_dir;
	char why[512];
	struct conf *c = NULL;
	int rc = -ENOENT, fd = adopted_fd;

	if (fd >= 0)
		rc = snapshot_read(fd, &c, why);
	if (rc < 0) {
		rc = lastgood_load(state_dir, "data", &problems, &c);
		fd = rc == 0 ? snapshot_write(c) : -1;
	}
	if (rc == 0 && fd >= 0)
		publish(s, c, fd, why);
	else if (rc == -ENOENT)
		log_info("supervisor: no snapshot yet; nothing is served until control sends one");
	else
		log_error("supervisor: the last good snapshot in %s cannot be read why=\"%s\"",
			state_dir, problems.count ? problems.items[0].what : strerror(-rc));
	conf_problems_fini(&problems);
}

static unsigned count_places(const struct nodefile *n)
{
	long cores = n->data_workers > 0 ? n->data_workers : sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > ROSTER_PLACES_MAX ? ROSTER_PLACES_MAX : (unsigned)cores;
}

/* As many descriptors as the system lets us have; workers inherit it. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int make_folder(const char *run_dir)
{
	char path[108];

	if ((size_t)snprintf(path, sizeof path, "%s/data", run_dir) >= sizeof path - 32)
		return -ENAMETOOLONG;
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	return names[level];
}

static void fill_news(struct supervisor *s)
{
	const struct nodefile *n = daemon_nodefile(s->daemon);

	s->news = (struct process_news){.loop = daemon_loop(s->daemon),
		.program = s->program,
		.node = n->node,
		.run_dir = n->run_dir,
		.state_dir = n->state_dir,
		.log_level = level_name(n->log_level),
		.bindings = s->bindings,
		.board_fd = -1,
		.snapshot_fd = -1,
		.slots_fd = -1};
}

static int open_all(struct supervisor *s, struct adoption *a)
{
	const struct nodefile *n = daemon_nodefile(s->daemon);
	int rc = make_folder(n->run_dir);

	roster_init(&s->roster, count_places(n), mono_now());
	if (rc == 0)
		rc = bindings_new(s->roster.places, &s->bindings);
	if (rc < 0)
		return rc;
	fill_news(s);
	adoption_collect(n->run_dir, s->bindings, a);
	rc = open_board(s, a->board_fd);
	if (rc < 0)
		return rc;
	adopt_all(s, a);
	open_snapshot(s, a->snapshot_fd);
	return 0;
}

static int start(struct daemon *d, void *user)
{
	struct supervisor *s = user;
	struct adoption *a = calloc(1, sizeof *a);
	int rc;

	s->daemon = d;
	s->program = realpath("/proc/self/exe", NULL);
	raise_descriptors();
	rc = s->program && a ? open_all(s, a) : -ENOMEM;
	free(a);
	if (rc < 0) {
		log_error("supervisor: cannot start why=\"%s\"", strerror(-rc));
		return rc;
	}
	uv_timer_init(daemon_loop(d), &s->tick);
	s->tick.data = s;
	uv_timer_start(&s->tick, ticked, 0, TICK_MS);
	daemon_ready(d, "serving");
	return 0;
}

static const struct daemon_spec spec = {
	.name = "data",
	.help = "carries the traffic of listeners to the servers of pools",
	.start = start,
	.leave = leave,
	.reopen = reopen,
	.hand_over = hand_over,
};

int supervisor_main(int argc, char **argv)
{
	struct supervisor *s = calloc(1, sizeof *s);
	int status;

	if (!s)
		return 1;
	status = daemon_main(&spec, argc, argv, s);
	slots_free(s->slots);
	bindings_free(s->bindings);
	conf_unref(s->conf);
	free(s->program);
	free(s);
	return status;
}
