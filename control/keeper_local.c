/*
 * keeper, local: overlays that were set on this node alone while the store was
 * away (decision C4): kept in a file, so that they survive this process, and
 * brought to the store when it is back, where the more restrictive hand counts.
 * The part of keeper that replays; called by keeper.c and the API.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/statefile.h"
#include "control/keeper_parts.h"
#include "control/overlay_end.h"
#include "control/overlay_merge.h"

#define FILE_MAX (4u << 20)

static int save(const struct keeper *k, const json_t *locals)
{
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof path, "%s/local-overlays", k->nodefile->state_dir);
	rc = statefile_save(path, locals);
	if (rc < 0)
		log_error("%s cannot be written: %s", path, strerror(-rc));
	return rc;
}

void keeper_start_local(struct keeper *k)
{
	char path[PATH_MAX];
	json_t *locals = NULL;

	snprintf(path, sizeof path, "%s/local-overlays", k->nodefile->state_dir);
	if (statefile_load(path, FILE_MAX, &locals) == 0)
		picture_put_locals(k->picture, locals);
}

/* The locals with one entry set (taken) or, with NULL, gone. Owned. */
static json_t *locals_with(
	const struct keeper *k, const char *stack, const char *key, json_t *entry)
{
	json_t *all = json_deep_copy(k->picture->locals);
	json_t *rows = json_object_get(all, stack);

	if (!rows) {
		rows = json_object();
		json_object_set_new(all, stack, rows);
	}
	if (entry)
		json_object_set_new(rows, key, entry);
	else
		json_object_del(rows, key);
	if (json_object_size(rows) == 0)
		json_object_del(all, stack);
	return all;
}

int keeper_set_local(struct keeper *k, const char *stack, const char *key, const json_t *row,
	char why[KEEPER_WHY_SIZE])
{
	const json_t *stored = picture_stored_overlay(k->picture, stack, key);
	char request[KEEPER_REQUEST_SIZE];
	json_t *all;
	int rc;

	if (!k->picture->is_loaded) {
		snprintf(why, KEEPER_WHY_SIZE,
			"the store has not been read since this ballast-control started, so what is "
			"set there is not known, and nothing was changed");
		return -EBUSY;
	}
	if (row ? !overlay_local_counts(row, stored) : stored != NULL) {
		snprintf(why, KEEPER_WHY_SIZE,
			"the store is away, and what it has for %s is more restrictive: that counts "
			"until the store is back, and nothing was changed",
			key);
		return -EBUSY;
	}
	keeper_request_id(k, request);
	all = locals_with(k, stack, key,
		row ? json_pack("{s:O, s:s}", "row", row, "request", request) : NULL);
	rc = save(k, all);
	if (rc < 0) {
		snprintf(why, KEEPER_WHY_SIZE,
			"the file of local overlays in %s cannot be written (%s), and nothing was "
			"changed",
			k->nodefile->state_dir, strerror(-rc));
		json_decref(all);
		return rc;
	}
	picture_put_locals(k->picture, all);
	k->handlers.changed(k->user);
	return 0;
}

static void drop(struct keeper *k, const char *stack, const char *key)
{
	json_t *all = locals_with(k, stack, key, NULL);

	save(k, all);
	picture_put_locals(k->picture, all);
	k->handlers.changed(k->user);
}

void keeper_shift_local(struct keeper *k, int64_t step_ms)
{
	json_t *all = json_deep_copy(k->picture->locals), *rows, *entry;
	const char *stack, *key;

	json_object_foreach (all, stack, rows)
		json_object_foreach (rows, key, entry)
			json_object_set_new(entry, "row",
				overlay_end_shifted(json_object_get(entry, "row"), step_ms));
	if (json_object_size(all) > 0)
		save(k, all);
	picture_put_locals(k->picture, all);
}

static void on_replayed(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	k->is_replaying = false;
	if (a->outcome == STORE_OK || a->outcome == STORE_CONFLICT) {
		log_info("overlay=%s stack=%s was set while the store was away: replayed",
			k->replaying_key, k->replaying_stack);
		drop(k, k->replaying_stack, k->replaying_key);
	}
	keeper_load(k); /* which comes back here for the next, or for this one again */
}

static void replay(struct keeper *k, const char *stack, const char *key, const json_t *entry,
	const struct overlay *o)
{
	struct store_call call = keeper_call(k, on_replayed);
	char who[OVERLAY_TEXT_SIZE + CONF_NAME_SIZE + 64];
	struct store_write write = {.request = json_string_value(json_object_get(entry, "request")),
		.who = who,
		.why = o->why};
	struct store_hand hand = {.stack = k->replaying_stack,
		.key = k->replaying_key,
		.value = json_object_get(entry, "row"),
		.expires_in_ms = o->until.ms ? o->until.ms - wall_now().ms : 0,
		.judged_at = (int64_t)k->picture->revision};

	snprintf(who, sizeof who, "%s at %s, while the store was away", o->who, k->picture->node);
	snprintf(k->replaying_stack, sizeof k->replaying_stack, "%s", stack);
	snprintf(k->replaying_key, sizeof k->replaying_key, "%s", key);
	k->is_replaying = true;
	store_set_overlay(k->store, &write, &hand, &call);
}

/* True when it is on its way, or gone: the table has changed. */
static bool look_at(struct keeper *k, const char *stack, const char *key, const json_t *entry)
{
	const json_t *row = json_object_get(entry, "row");
	struct overlay o;

	if (overlay_decode(row, &o) == 0 && overlay_is_current(&o, wall_now()) &&
		json_is_string(json_object_get(entry, "request"))) {
		if (!k->picture->store.is_connected)
			return false;
		if (overlay_local_counts(row, picture_stored_overlay(k->picture, stack, key))) {
			replay(k, stack, key, entry, &o);
			return true;
		}
		log_info("overlay=%s stack=%s was set while the store was away, and what the store "
			 "has is as restrictive: dropped",
			key, stack);
	}
	drop(k, stack, key);
	return true;
}

void keeper_replay(struct keeper *k)
{
	const char *stack, *key;
	json_t *rows, *entry;

	if (k->is_replaying || k->is_closing || !k->picture->is_loaded)
		return;
	json_object_foreach (k->picture->locals, stack, rows) {
		json_object_foreach (rows, key, entry) {
			/* One at a time: each is judged in a picture that has the one before. */
			if (look_at(k, stack, key, entry))
				return;
		}
	}
}
