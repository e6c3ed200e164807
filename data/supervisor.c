/*
 * The supervisor: carries out what roster.c decides. One timer ticks ten times
 * a second to read the board; deaths are told by pidfds.
 */
#include "data/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "data/snapshot.h"
#include "data/supervisor_inside.h"

#define TICK_MS 20
#define READY_WAIT_MS 5000

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
		r = (struct channel_record){
			.kind = CHANNEL_BINDING_FAILED, .addr = b->at, .number = b->is_datagram};
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
		token_write(&s->board, c, table, &s->token_keys);
	if (rc == 0)
		rc = snapshot_seal("ballast-slots", table, count * sizeof *table);
	free(table);
	if (rc < 0)
		return rc;
	*ret_fd = rc;
	return 0;
}

/* Takes a snapshot that was read (and counted) and its descriptor, and puts it in force. */
int supervisor_publish(struct supervisor *s, struct conf *c, int fd, char why[512])
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
		rc = supervisor_publish(s, c, fd, why);
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

	if (p->role == CHANNEL_AGENT) {
		roster_died(&s->roster, ROSTER_AGENT, mono_now());
	} else if (p->column != ROSTER_NO_COLUMN) {
		board_clear_column(&s->board, p->column);
		if (p->is_retired)
			roster_free_column(&s->roster, p->column);
		else
			roster_died(&s->roster, p->place, mono_now());
	}
	forget(s, p);
	if (s->is_leaving)
		return;
	assign_places(s); /* first: others accept for it from now on */
	start_due(s);
}

const struct process_handlers supervisor_children = {.record = child_record, .died = child_died};

static void start_one(struct supervisor *s, uint32_t place, uint32_t column)
{
	enum channel_role role = place == ROSTER_AGENT ? CHANNEL_AGENT : CHANNEL_WORKER;
	struct process *p;
	int rc = -EAGAIN;

	if (s->children_count < CHILDREN_MAX)
		rc = process_start(&s->news, role, place, column, &supervisor_children, s, &p);
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
		process_retire(p, true);
		assign_places(s);
		start_due(s);
		return;
	}
	s->upgrade = false;
}

/* Retired workers learn who has their place, as soon as that one can take what they hold. */
static void name_successors(struct supervisor *s)
{
	for (unsigned i = 0; i < s->children_count; i++) {
		struct process *p = s->children[i];

		if (p->role != CHANNEL_WORKER || !p->is_retired)
			continue;
		p->successor = roster_successor(&s->roster, p->place);
		process_feed(p);
	}
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

/* Ready is: the snapshot of the last time is in force, or there is none. */
static void tell_ready(struct supervisor *s, int64_t now_ms)
{
	bool serves = s->acknowledged == s->news.snapshot_serial;

	if (s->is_ready || (!serves && now_ms < s->ready_by_ms))
		return;
	s->is_ready = true;
	daemon_ready(s->daemon,
		serves ? "serving" : "no worker could put the last snapshot in force yet");
}

/* Another key for session tickets, in time. Without randomness the last one serves on. */
static void rotate_tickets(struct supervisor *s, int64_t now_ms)
{
	struct tls_tickets *t = &s->board.head->tickets;
	unsigned char random[TLS_TICKETS_RANDOM];

	if (!tls_tickets_is_due(t, now_ms) ||
		getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
		return;
	tls_tickets_rotate(t, random, now_ms);
	explicit_bzero(random, sizeof random);
	log_info("supervisor: session tickets have a new key");
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
	supervisor_adopt_late(s);
	if (observe(s)) {
		assign_places(s);
		acknowledge(s);
	}
	rotate_tickets(s, now_ms);
	name_successors(s);
	start_due(s);
	tell_ready(s, now_ms);
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
			process_end(s->children[i], true);
	}
	if (any)
		return;
	if (agent_of(s))
		process_end(agent_of(s), false);
	daemon_exit(s->daemon, 0);
}

static void leave(struct daemon *d, void *user)
{
	struct supervisor *s = user;

	(void)d;
	s->is_leaving = true;
	s->leave_until_ms = mono_now().ns / 1000000 + longest_drain_ms(s->conf);
	for (unsigned i = 0; i < s->children_count; i++)
		if (s->children[i]->role == CHANNEL_WORKER)
			process_retire(s->children[i], false);
	bindings_close(s->bindings); /* with the workers' copies: whoever comes now is refused */
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

static int start(struct daemon *d, void *user)
{
	struct supervisor *s = user;
	int rc;

	s->daemon = d;
	rc = supervisor_open(s);
	if (rc < 0) {
		log_error("supervisor: cannot start why=\"%s\"", strerror(-rc));
		return rc;
	}
	uv_timer_init(daemon_loop(d), &s->tick);
	s->tick.data = s;
	uv_timer_start(&s->tick, ticked, 0, TICK_MS);
	s->ready_by_ms = mono_now().ns / 1000000 + READY_WAIT_MS;
	return 0;
}

/* Asked twice to leave: what still drains is ended, not left behind. */
static void abandon(struct daemon *d, void *user)
{
	struct supervisor *s = user;

	(void)d;
	for (unsigned i = 0; i < s->children_count; i++)
		process_end(s->children[i], s->children[i]->role == CHANNEL_WORKER);
}

static const struct daemon_spec spec = {
	.name = "data",
	.help = "carries the traffic of listeners to the servers of pools",
	.start = start,
	.leave = leave,
	.abandon = abandon,
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
	free(s);
	return status;
}
