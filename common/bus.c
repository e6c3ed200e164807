/* See bus.h. Opening, closing, our own listeners, and the one timer by which everything is watched.
 */
#include "common/bus_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/now.h"

#define BUS_HEARTBEAT_MS 250
#define BUS_EAGER_MS 2000 /* after a start or a new listener, heartbeats come often: */
#define BUS_EAGER_EVERY_MS 100

int bus_path(const struct bus *b, enum bus_daemon d, const char *suffix, char path[BUS_PATH_SIZE])
{
	int n = snprintf(path, BUS_PATH_SIZE, "%s/%s.%s", b->folder, bus_daemon_name(d), suffix);

	return n < BUS_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

void bus_complain(struct bus *b, struct log_limit *limit, const char *what, const char *who)
{
	unsigned long held;

	if (log_limit_take(limit, BUS_LOG_BURST, mono_now(), &held))
		log_warn("bus: refused: %s, from %s%s held_back=%lu", what, who,
			b->is_closing ? " while closing" : "", held);
}

void bus_publish(struct bus *b, const struct bus_frame *f)
{
	size_t len;
	char *text;

	if (b->is_closing || bus_frame_encode(f, &text, &len))
		return;
	bus_gate_publish(b->publish, text, len);
	free(text);
}

void bus_heartbeat(struct bus *b, struct mono now)
{
	json_t *tables = json_object();
	struct bus_frame frame = {.kind = BUS_HEARTBEAT, .epoch = b->epoch, .tables = tables};

	list_for_each(it, &b->tables)
	{
		struct bus_table *t = list_entry(it, struct bus_table, link);

		json_object_set_new(tables, t->name, json_integer(t->sequence));
	}
	bus_publish(b, &frame);
	json_decref(tables);
	b->next_heartbeat = mono_add_ms(
		now, mono_before(now, b->eager_until) ? BUS_EAGER_EVERY_MS : BUS_HEARTBEAT_MS);
}

static void bus_be_eager(struct bus *b, struct mono now)
{
	b->eager_until = mono_add_ms(now, BUS_EAGER_MS);
	b->next_heartbeat = now;
}

static void bus_renew(struct bus *b, struct bus_gate *gate, const char *suffix, struct mono now)
{
	unsigned long held;
	int rc = bus_gate_renew(gate);

	b->counters.relistens++;
	bus_be_eager(b, now);
	if (log_limit_take(&b->renew_limit, BUS_LOG_BURST, now, &held))
		log_warn("bus: our listener %s/%s.%s gave no answer to two probes: listening anew: "
			 "%s held_back=%lu",
			b->folder, bus_daemon_name(b->self), suffix, rc ? strerror(-rc) : "done",
			held);
}

static void bus_tick_probes(struct bus *b, struct mono now)
{
	if (bus_probe_tick(&b->probe_reply, now) == BUS_PROBE_RENEW)
		bus_renew(b, b->reply, "req", now);
	switch (bus_probe_tick(&b->probe_publish, now)) {
	case BUS_PROBE_RENEW:
		bus_renew(b, b->publish, "pub", now);
		break;
	case BUS_PROBE_ANNOUNCE:
		b->next_heartbeat = now;
		break;
	case BUS_PROBE_NOTHING:
		break;
	}
}

/* Time that our own loop lost is not held against anybody. */
static void bus_excuse(struct bus *b, struct mono now, int64_t late_ns)
{
	bus_probe_excuse(&b->probe_reply, now);
	bus_probe_excuse(&b->probe_publish, now);
	for (int i = 0; i < BUS_DAEMONS; i++)
		bus_peer_excuse(&b->peers[i], late_ns);
}

static void bus_on_tick(uv_timer_t *timer)
{
	struct bus *b = timer->data;
	struct mono now = mono_now();
	int64_t late_ns = mono_since_ns(now, mono_add_ms(b->ticked, BUS_TICK_MS));

	/* What has arrived counts before any silence is judged. */
	for (int i = 0; i < BUS_DAEMONS; i++)
		bus_peer_drain(&b->peers[i]);
	if (late_ns > BUS_TICK_LATE_MS * INT64_C(1000000))
		bus_excuse(b, now, late_ns);
	b->ticked = now;
	bus_gate_tick(b->reply, now);
	bus_gate_tick(b->publish, now);
	bus_tick_probes(b, now);
	if (mono_reached(b->next_heartbeat, now))
		bus_heartbeat(b, now);
	for (int i = 0; i < BUS_DAEMONS; i++)
		bus_peer_tick(&b->peers[i], now);
}

static int bus_random(int64_t *ret)
{
	uint64_t number;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return -errno;
	*ret = (int64_t)(number >> 1);
	return 0;
}

static int bus_open_folder(struct bus *b, const char *run_dir)
{
	int n = snprintf(b->folder, sizeof b->folder, "%s/bus", run_dir);

	if (n >= (int)sizeof b->folder)
		return -ENAMETOOLONG;
	if (!mkdir(b->folder, 0750))
		return chmod(b->folder, 0750) < 0 ? -errno : 0;
	return errno == EEXIST ? 0 : -errno;
}

static int bus_open_probes(struct bus *b, const char *reply_path, const char *publish_path)
{
	struct bus_frame ping = {
		.kind = BUS_REQUEST,
		.id = 1,
		.from = b->self,
		.verb = BUS_VERB_PING,
		.until = {INT64_MAX},
	};
	size_t len;
	char *text;
	int rc = bus_frame_encode(&ping, &text, &len);

	if (rc)
		return rc;
	rc = bus_probe_init(&b->probe_reply, b->loop, BUS_PROBE_REPLY, reply_path, text, len);
	free(text);
	if (!rc)
		rc = bus_probe_init(
			&b->probe_publish, b->loop, BUS_PROBE_PUBLISH, publish_path, NULL, 0);
	return rc;
}

static void bus_on_stranger(void *user, pid_t pid, const char *why)
{
	struct bus *b = user;
	char who[64];

	b->counters.refused++;
	snprintf(who, sizeof who, "pid %d", (int)pid);
	bus_complain(b, &b->stranger_limit, why, who);
}

static const struct bus_gate_handlers bus_gate_handlers = {
	.message = bus_verb_on_message,
	.stranger = bus_on_stranger,
};

static int bus_open_gates(struct bus *b)
{
	char reply_path[BUS_PATH_SIZE], publish_path[BUS_PATH_SIZE];
	int rc = bus_path(b, b->self, "req", reply_path);

	if (!rc)
		rc = bus_path(b, b->self, "pub", publish_path);
	if (!rc)
		rc = bus_open_probes(b, reply_path, publish_path);
	if (!rc)
		rc = bus_gate_open(
			b->loop, BUS_GATE_REPLY, reply_path, &bus_gate_handlers, b, &b->reply);
	if (!rc)
		rc = bus_gate_open(b->loop, BUS_GATE_PUBLISH, publish_path, &bus_gate_handlers, b,
			&b->publish);
	return rc;
}

static void bus_init(struct bus *b, uv_loop_t *loop, enum bus_daemon self)
{
	b->loop = loop;
	b->self = self;
	list_init(&b->verbs);
	list_init(&b->tables);
	for (int i = 0; i < BUS_DAEMONS; i++)
		bus_peer_init(&b->peers[i], b, (enum bus_daemon)i);
}

static void bus_free(struct bus *b)
{
	bus_verb_free_all(b);
	bus_table_free_all(b);
	for (int i = 0; i < BUS_DAEMONS; i++) {
		bus_peer_free_calls(&b->peers[i]);
		bus_follow_free_all(&b->peers[i]);
	}
	free(b);
}

/* The last that closes takes the bus with it. */
static void bus_on_closed(void *user)
{
	struct bus *b = user;
	void (*done)(void *user) = b->done;
	void *done_user = b->done_user;

	if (--b->closing)
		return;
	bus_free(b);
	if (done)
		done(done_user);
}

static void bus_on_timer_closed(uv_handle_t *handle)
{
	bus_on_closed(handle->data);
}

static void bus_close_link(struct bus *b, struct bus_link *link)
{
	if (!link)
		return;
	b->closing++;
	bus_link_close(link, bus_on_closed, b);
}

static void bus_close_gate(struct bus *b, struct bus_gate *gate)
{
	if (!gate)
		return;
	b->closing++;
	bus_gate_close(gate, bus_on_closed, b);
}

static void bus_close_links(struct bus *b)
{
	bus_close_gate(b, b->reply);
	bus_close_gate(b, b->publish);
	for (int i = 0; i < BUS_DAEMONS; i++) {
		bus_close_link(b, b->peers[i].ask);
		bus_close_link(b, b->peers[i].subscribe);
	}
}

/* The timer goes on until the probes' handles, which live in the bus, are closed. */
static void bus_on_closing_tick(uv_timer_t *timer)
{
	struct bus *b = timer->data;

	if (bus_probe_is_idle(&b->probe_reply) && bus_probe_is_idle(&b->probe_publish))
		uv_close((uv_handle_t *)timer, bus_on_timer_closed);
}

void bus_close(struct bus *b, void (*done)(void *user), void *user)
{
	assert(!b->is_closing);
	b->is_closing = true;
	b->done = done;
	b->done_user = user;
	b->closing = 1;
	bus_probe_stop(&b->probe_reply);
	bus_probe_stop(&b->probe_publish);
	bus_close_links(b);
	uv_timer_start(&b->timer, bus_on_closing_tick, 0, 1);
}

int bus_open(uv_loop_t *loop, const char *run_dir, enum bus_daemon self, struct bus **ret)
{
	struct bus *b = calloc(1, sizeof *b);
	int rc;

	if (!b)
		return -ENOMEM;
	bus_init(b, loop, self);
	uv_timer_init(loop, &b->timer);
	b->timer.data = b;
	rc = bus_random(&b->epoch);
	if (!rc)
		rc = bus_random(&b->next_id);
	if (!rc)
		rc = bus_open_folder(b, run_dir);
	if (!rc)
		rc = bus_open_gates(b);
	if (rc) {
		bus_close(b, NULL, NULL);
		return rc;
	}
	b->ticked = mono_now();
	bus_be_eager(b, b->ticked);
	uv_timer_start(&b->timer, bus_on_tick, 0, BUS_TICK_MS);
	*ret = b;
	return 0;
}

const struct bus_counters *bus_counters(const struct bus *b)
{
	return &b->counters;
}
