/*
 * Requests to another daemon, and what it publishes. nng resends nothing here:
 * each request is sent again until its reply or its deadline comes, and a link
 * that stays silent while it should not is dialed anew.
 */
#include "common/bus_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"

/* Both double until an answer comes: a peer that is only slow must not be asked and dialed to
 * death. */
#define BUS_RESEND_FIRST_MS 100
#define BUS_RESEND_LAST_MS 1000
#define BUS_PATIENCE_FIRST_MS 300 /* of silence with a request waiting: dial anew */
#define BUS_PATIENCE_LAST_MS 2400
#define BUS_HEARTBEAT_SILENCE_MS 600 /* without a heartbeat: dial anew */

void bus_peer_init(struct bus_peer *p, struct bus *b, enum bus_daemon daemon)
{
	p->bus = b;
	p->daemon = daemon;
	p->patience_ms = BUS_PATIENCE_FIRST_MS;
	list_init(&p->calls);
	list_init(&p->follows);
}

/* Takes the call off and tells its asker. */
static void bus_peer_finish(
	struct bus_peer *p, struct bus_call *c, int status, const json_t *reply, const char *why)
{
	list_unlink(&c->link);
	p->calls_count--;
	c->done(c->user, status, reply, why);
	free(c->text);
	free(c);
}

static struct bus_call *bus_peer_find_call(struct bus_peer *p, int64_t id)
{
	list_for_each (it, &p->calls) {
		struct bus_call *c = list_entry(it, struct bus_call, link);

		if (c->id == id)
			return c;
	}
	return NULL;
}

static void bus_peer_malformed(struct bus_peer *p)
{
	p->bus->counters.malformed++;
	bus_complain(p->bus, &p->limit, "an unreadable message", bus_daemon_name(p->daemon));
}

static void bus_peer_on_reply(void *user, const void *data, size_t len)
{
	struct bus_peer *p = user;
	struct bus_frame reply;
	struct bus_call *c;

	if (bus_frame_decode(data, len, &reply)) {
		bus_peer_malformed(p);
		return;
	}
	p->answered = mono_now();
	p->patience_ms = BUS_PATIENCE_FIRST_MS;
	c = reply.kind == BUS_REPLY ? bus_peer_find_call(p, reply.id) : NULL;
	if (c)
		bus_peer_finish(p, c, reply.status, reply.body, reply.why);
	bus_frame_fini(&reply);
}

/* Every request under way goes out once more with the next tick. */
static void bus_peer_resend_all(struct bus_peer *p)
{
	list_for_each (it, &p->calls) {
		struct bus_call *c = list_entry(it, struct bus_call, link);

		c->next_send = (struct mono){0};
		c->wait_ms = BUS_RESEND_FIRST_MS;
	}
}

/* A new epoch is a new process: what was sent to the old one is lost. */
static void bus_peer_notice_epoch(struct bus_peer *p, int64_t epoch)
{
	if (p->epoch == epoch)
		return;
	p->epoch = epoch;
	p->answered = p->heard;
	p->patience_ms = BUS_PATIENCE_FIRST_MS;
	bus_peer_resend_all(p);
}

static void bus_peer_on_published(void *user, const void *data, size_t len)
{
	struct bus_peer *p = user;
	struct bus_frame frame;

	if (bus_frame_decode(data, len, &frame)) {
		bus_peer_malformed(p);
		return;
	}
	p->heard = mono_now();
	if (frame.kind == BUS_HEARTBEAT)
		bus_peer_notice_epoch(p, frame.epoch);
	list_for_each (it, &p->follows) {
		struct bus_follow *f = list_entry(it, struct bus_follow, link);

		if (frame.kind == BUS_HEARTBEAT)
			bus_follow_on_heartbeat(f, frame.epoch, frame.tables);
		else if (frame.kind == BUS_CHANGE && !strcmp(frame.table, f->table))
			bus_follow_on_change(f, &frame);
	}
	bus_frame_fini(&frame);
}

static int bus_peer_need(struct bus_peer *p, enum bus_link_role role, const char *suffix,
	bus_link_handler *handler, struct bus_link **link)
{
	char path[BUS_PATH_SIZE];
	int rc;

	if (*link)
		return 0;
	rc = bus_path(p->bus, p->daemon, suffix, path);
	if (!rc)
		rc = bus_link_open(p->bus->loop, role, path, handler, p, link);
	return rc;
}

int bus_peer_need_subscribe(struct bus_peer *p)
{
	if (!p->subscribe)
		p->redialed = mono_now();
	return bus_peer_need(p, BUS_LINK_SUBSCRIBE, "pub", bus_peer_on_published, &p->subscribe);
}

static int bus_peer_need_ask(struct bus_peer *p)
{
	return bus_peer_need(p, BUS_LINK_ASK, "req", bus_peer_on_reply, &p->ask);
}

static int bus_peer_double(int ms, int last_ms)
{
	return 2 * ms < last_ms ? 2 * ms : last_ms;
}

/* Never waits: what nng does not take now is tried again with the next tick. */
static void bus_peer_send(struct bus_peer *p, struct bus_call *c, struct mono now)
{
	if (bus_link_send(p->ask, c->text, c->len))
		return;
	if (c->sent)
		p->bus->counters.retries++;
	c->sent = true;
	c->next_send = mono_add_ms(now, c->wait_ms);
	c->wait_ms = bus_peer_double(c->wait_ms, BUS_RESEND_LAST_MS);
}

static int bus_peer_new_call(
	const struct bus_frame *request, bus_done *done, void *user, struct bus_call **ret)
{
	struct bus_call *c = calloc(1, sizeof *c);
	int rc = c ? bus_frame_encode(request, &c->text, &c->len) : -ENOMEM;

	if (rc) {
		free(c);
		return rc;
	}
	c->id = request->id;
	c->deadline = request->until;
	c->done = done;
	c->user = user;
	c->wait_ms = BUS_RESEND_FIRST_MS;
	*ret = c;
	return 0;
}

int bus_request(struct bus *b, enum bus_daemon to, const char *verb, json_t *body, int deadline_ms,
	bus_done *done, void *user)
{
	struct bus_peer *p = &b->peers[to];
	struct mono now = mono_now();
	struct bus_frame request = {
		.kind = BUS_REQUEST,
		.id = b->next_id,
		.from = b->self,
		.verb = verb,
		.until = mono_add_ms(now, deadline_ms),
		.body = body,
	};
	struct bus_call *c;
	int rc;

	assert(to != b->self && deadline_ms > 0 && strlen(verb) <= BUS_NAME_MAX);
	b->next_id = b->next_id < BUS_NUMBER_MAX ? b->next_id + 1 : 1;
	rc = p->calls_count < BUS_CALLS_MAX && !b->is_closing ? bus_peer_need_ask(p) : -ENOBUFS;
	if (!rc)
		rc = bus_peer_new_call(&request, done, user, &c);
	json_decref(body);
	if (rc)
		return rc;
	if (list_is_empty(&p->calls))
		p->answered = now;
	list_push_back(&p->calls, &c->link);
	p->calls_count++;
	b->counters.requests_sent++;
	bus_peer_send(p, c, now);
	return 0;
}

void bus_peer_drain(struct bus_peer *p)
{
	if (p->ask)
		bus_link_drain(p->ask);
	if (p->subscribe)
		bus_link_drain(p->subscribe);
}

static void bus_peer_tick_calls(struct bus_peer *p, struct mono now)
{
	char why[BUS_WHY_SIZE];

	snprintf(why, sizeof why, "%s did not answer in time", bus_daemon_name(p->daemon));
	list_for_each (it, &p->calls) {
		struct bus_call *c = list_entry(it, struct bus_call, link);

		if (mono_reached(c->deadline, now))
			bus_peer_finish(p, c, -ETIMEDOUT, NULL, why);
		else if (mono_reached(c->next_send, now))
			bus_peer_send(p, c, now);
	}
}

static void bus_peer_redial(struct bus_peer *p, struct bus_link *link)
{
	p->bus->counters.redials++;
	bus_link_renew(link);
}

/* Links at rest: is somebody there again? */
static void bus_peer_seek(struct bus_peer *p, struct mono now)
{
	if (p->ask && bus_link_seek(p->ask)) {
		p->answered = now;
		bus_peer_resend_all(p);
	}
	if (p->subscribe && bus_link_seek(p->subscribe))
		p->redialed = now;
}

static void bus_peer_tick_links(struct bus_peer *p, struct mono now)
{
	struct mono quiet;

	bus_peer_seek(p, now);
	quiet = mono_before(p->heard, p->redialed) ? p->redialed : p->heard;
	if (p->calls_count && mono_reached(mono_add_ms(p->answered, p->patience_ms), now)) {
		p->answered = now;
		p->patience_ms = bus_peer_double(p->patience_ms, BUS_PATIENCE_LAST_MS);
		bus_peer_redial(p, p->ask);
		bus_peer_resend_all(p);
	}
	if (p->subscribe && mono_reached(mono_add_ms(quiet, BUS_HEARTBEAT_SILENCE_MS), now)) {
		p->redialed = now;
		bus_peer_redial(p, p->subscribe);
		if (p->ask && !p->calls_count)
			bus_link_renew(p->ask); /* unused: so that it can rest */
	}
}

void bus_peer_tick(struct bus_peer *p, struct mono now)
{
	bus_peer_tick_links(p, now);
	bus_peer_tick_calls(p, now);
	list_for_each (it, &p->follows)
		bus_follow_tick(list_entry(it, struct bus_follow, link), now);
}

void bus_peer_excuse(struct bus_peer *p, int64_t late_ns)
{
	p->answered = mono_add_ns(p->answered, late_ns);
	p->heard = mono_add_ns(p->heard, late_ns);
	p->redialed = mono_add_ns(p->redialed, late_ns);
}

/* The bus closes: nobody is called any more. */
void bus_peer_free_calls(struct bus_peer *p)
{
	list_for_each (it, &p->calls) {
		struct bus_call *c = list_entry(it, struct bus_call, link);

		free(c->text);
		free(c);
	}
	list_init(&p->calls);
	p->calls_count = 0;
}
