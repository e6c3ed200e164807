/* Tables of others: what bus_cursor decides is done here, and rows are compared so that only
 * changes are told. */
#include "common/bus_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"

#define BUS_FETCH_MS 10000     /* how long one fetch may take */
#define BUS_FETCH_AGAIN_MS 500 /* after one that failed */
#define BUS_FETCH_GAP_MS 20    /* between two, whatever happens */
#define BUS_SILENCE_MS 3000    /* a publisher not heard for so long is away */

struct bus_follow *bus_follow(struct bus *b, enum bus_daemon publisher, const char *table,
	const struct bus_follower *handlers, void *user)
{
	struct bus_follow *f = calloc(1, sizeof *f);

	assert(f && publisher != b->self && strlen(table) <= BUS_NAME_MAX);
	f->peer = &b->peers[publisher];
	f->handlers = handlers;
	f->user = user;
	f->rows = json_object();
	f->since = mono_now();
	snprintf(f->table, sizeof f->table, "%s", table);
	list_push_back(&f->peer->follows, &f->link);
	bus_peer_need_subscribe(f->peer);
	return f;
}

bool bus_follow_is_present(const struct bus_follow *f)
{
	return f->is_present;
}

static void bus_follow_judge(struct bus_follow *f, bool is_present)
{
	if (f->is_judged && f->is_present == is_present)
		return;
	f->is_judged = true;
	f->is_present = is_present;
	if (f->handlers->presence)
		f->handlers->presence(f->user, is_present);
}

/* row NULL: gone. Tells only what differs from what is known. */
static void bus_follow_apply(struct bus_follow *f, const char *key, const json_t *row)
{
	if (!row) {
		if (!json_object_del(f->rows, key))
			f->handlers->row(f->user, key, NULL);
		return;
	}
	if (json_equal(json_object_get(f->rows, key), row))
		return;
	json_object_set(f->rows, key, (json_t *)row);
	f->handlers->row(f->user, key, row);
}

static void bus_follow_replace(struct bus_follow *f, const json_t *rows)
{
	const char *key;
	json_t *row;
	void *next;

	json_object_foreach_safe(f->rows, next, key, row)
	{
		char gone[BUS_KEY_MAX + 1];

		if (json_object_get(rows, key))
			continue;
		/* The object's own key dies with its row. */
		snprintf(gone, sizeof gone, "%s", key);
		bus_follow_apply(f, gone, NULL);
	}
	json_object_foreach((json_t *)rows, key, row)
	{
		if (strlen(key) <= BUS_KEY_MAX)
			bus_follow_apply(f, key, row);
	}
	if (f->handlers->whole)
		f->handlers->whole(f->user);
}

static void bus_follow_on_whole(void *user, int status, const json_t *reply, const char *why)
{
	struct bus_follow *f = user;
	struct bus *b = f->peer->bus;
	struct mono now = mono_now();
	int64_t epoch, sequence;
	const json_t *rows;

	(void)why;
	f->is_fetching = false;
	f->next_fetch = mono_add_ms(now, status ? BUS_FETCH_AGAIN_MS : BUS_FETCH_GAP_MS);
	if (status)
		return;
	f->peer->heard = now;
	bus_follow_judge(f, true);
	if (bus_frame_unpack_whole(reply, &epoch, &sequence, &rows)) {
		b->counters.malformed++;
		f->next_fetch = mono_add_ms(now, BUS_FETCH_AGAIN_MS);
		return;
	}
	if (!bus_cursor_whole(&f->cursor, epoch, sequence))
		return;
	b->counters.resyncs++;
	bus_follow_replace(f, rows);
}

static void bus_follow_fetch(struct bus_follow *f)
{
	json_t *body = json_object();

	json_object_set_new(body, "table", json_string(f->table));
	f->is_fetching = !bus_request(f->peer->bus, f->peer->daemon, BUS_VERB_TABLE, body,
		BUS_FETCH_MS, bus_follow_on_whole, f);
}

static void bus_follow_fetch_if_due(struct bus_follow *f, struct mono now)
{
	if (!f->is_fetching && bus_cursor_wants_whole(&f->cursor) &&
		mono_reached(f->next_fetch, now))
		bus_follow_fetch(f);
}

void bus_follow_on_change(struct bus_follow *f, const struct bus_frame *frame)
{
	f->peer->bus->counters.changes_received++;
	bus_follow_judge(f, true);
	if (!frame->key)
		bus_cursor_announce(&f->cursor, frame->epoch, frame->sequence);
	else if (bus_cursor_change(&f->cursor, frame->epoch, frame->sequence))
		bus_follow_apply(f, frame->key, frame->body);
	bus_follow_fetch_if_due(f, f->peer->heard);
}

void bus_follow_on_heartbeat(struct bus_follow *f, int64_t epoch, const json_t *tables)
{
	const json_t *sequence = json_object_get(tables, f->table);

	bus_follow_judge(f, true);
	if (!sequence)
		return;
	bus_cursor_announce(&f->cursor, epoch, json_integer_value(sequence));
	bus_follow_fetch_if_due(f, f->peer->heard);
}

void bus_follow_tick(struct bus_follow *f, struct mono now)
{
	struct mono heard = mono_before(f->peer->heard, f->since) ? f->since : f->peer->heard;

	if (mono_reached(mono_add_ms(heard, BUS_SILENCE_MS), now))
		bus_follow_judge(f, false);
	bus_follow_fetch_if_due(f, now);
}

void bus_follow_free_all(struct bus_peer *p)
{
	list_for_each(it, &p->follows)
	{
		struct bus_follow *f = list_entry(it, struct bus_follow, link);

		json_decref(f->rows);
		free(f);
	}
}
