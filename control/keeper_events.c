/*
 * keeper, events: ours go to the store and come back with their ids, so that
 * all nodes show the same. While the store is away they are shown at once
 * under ids of our own, and skipped when they come back later. The part of
 * keeper that knows how; called by keeper.c.
 */
#include "control/keeper_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"

/* "RUN.NUMBER": which event of which process. */
static uint64_t number_of(const struct keeper *k, const json_t *event)
{
	const char *key = json_string_value(json_object_get(event, "key"));
	size_t len = strlen(k->run_id);

	if (!key || strncmp(key, k->run_id, len) != 0 || key[len] != '.')
		return 0;
	return strtoull(key + len + 1, NULL, 10);
}

static bool show_list(struct keeper *k, const json_t *events)
{
	bool is_shown = false;
	size_t i;
	json_t *event;

	json_array_foreach (events, i, event) {
		uint64_t number = number_of(k, event);

		if (number <= k->events_shown)
			continue;
		journal_add(k->journal, 0, wall_now(), event);
		k->events_shown = number;
		is_shown = true;
	}
	return is_shown;
}

/* The store does not answer: what waits for it is shown now. */
static void show_waiting(struct keeper *k)
{
	bool is_old_shown = show_list(k, k->batch);
	bool is_new_shown = show_list(k, k->events);

	if (is_old_shown || is_new_shown)
		k->handlers.events(k->user);
}

static void on_appended(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	k->is_appending = false;
	if (a->outcome != STORE_OK) {
		show_waiting(k);
		return; /* the next second tries again, under the same request id */
	}
	json_decref(k->batch);
	k->batch = NULL;
	keeper_fetch_events(k);
	keeper_flush_events(k);
}

void keeper_flush_events(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_appended);

	if (k->is_appending || k->is_closing || (!k->batch && json_array_size(k->events) == 0))
		return;
	if (!k->picture->store.is_connected) {
		show_waiting(k);
		return;
	}
	if (!k->batch) {
		k->batch = k->events;
		k->events = json_array();
		keeper_request_id(k, k->batch_id);
	}
	k->is_appending = true;
	store_append_events(k->store, k->batch_id, k->batch, &call);
}

void keeper_event(struct keeper *k, json_t *event)
{
	char key[96];

	if (!event || k->is_closing) {
		json_decref(event);
		return;
	}
	if (json_array_size(k->events) >= KEEPER_EVENTS_MAX)
		json_array_remove(k->events, 0);
	snprintf(key, sizeof key, "%s.%" PRIu64, k->run_id, ++k->events_made);
	json_object_set_new(event, "key", json_string(key));
	json_array_append_new(k->events, event);
	keeper_flush_events(k);
}

/*
 * The first answer only tells how far the store is: begin with the newest it
 * has. When events were shown already, under ids of our own, what happened
 * before them is not put behind them: followers would take it for news.
 */
static void begin_reading(struct keeper *k, uint64_t newest)
{
	k->has_begun = true;
	k->events_read = newest > JOURNAL_EVENTS_MAX ? newest - JOURNAL_EVENTS_MAX : 0;
	if (k->events_shown > 0) {
		k->events_read = newest;
		journal_begin_at(k->journal, newest);
	}
	keeper_fetch_events(k);
}

static void on_fetched(void *user, const struct store_answer *a)
{
	struct keeper *k = user;
	uint64_t before = journal_newest(k->journal);

	k->is_fetching = false;
	if (a->outcome != STORE_OK)
		return;
	if (!k->has_begun) {
		begin_reading(k, a->generation);
		return;
	}
	for (size_t i = 0; i < a->events_count; i++) {
		const struct store_event *e = &a->events[i];
		uint64_t number = number_of(k, e->event);

		k->events_read = e->id;
		if (number == 0 || number > k->events_shown)
			journal_add(k->journal, e->id, e->time, e->event);
	}
	if (journal_newest(k->journal) > before)
		k->handlers.events(k->user);
	if (k->wants_fetch || a->events_count == STORE_LIST_MAX)
		keeper_fetch_events(k);
}

void keeper_fetch_events(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_fetched);

	k->wants_fetch = k->is_fetching;
	if (k->is_fetching || k->is_closing)
		return;
	k->is_fetching = true;
	store_list_events(k->store, k->events_read, k->has_begun ? STORE_LIST_MAX : 1, &call);
}

/* One observer tells: the live node whose name comes first, not counting the one it is about. */
static bool is_teller(const struct keeper *k, const struct store_answer *a, const char *about)
{
	for (size_t i = 0; i < a->nodes_count; i++) {
		const struct store_node *n = &a->nodes[i];
		bool is_live = n->age_ms >= 0 && n->age_ms < STORE_LIVE_MS;

		if (is_live && strcmp(n->name, about) != 0 && strcmp(n->name, k->picture->node) < 0)
			return false;
	}
	return true;
}

void keeper_watch_nodes(struct keeper *k, const struct store_answer *a)
{
	for (size_t i = 0; i < a->nodes_count; i++) {
		const struct store_node *n = &a->nodes[i];
		bool is_live = n->age_ms >= 0 && n->age_ms < STORE_LIVE_MS;
		json_t *known = json_object_get(k->nodes, n->name);
		struct event_place place = {k->picture->node, NULL};

		if (strcmp(n->name, k->picture->node) == 0)
			continue;
		if (known && json_is_true(known) != is_live && is_teller(k, a, n->name))
			keeper_event(
				k, event_make(&place, "node", n->name, is_live ? "away" : "ready",
					   is_live ? "ready" : "away",
					   is_live ? "its heartbeat is back"
						   : "no heartbeat for 5 s"));
		json_object_set_new(k->nodes, n->name, json_boolean(is_live));
	}
}
