/* The overlays: from the store into the picture, and on disk for the next start. See keeper.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/statefile.h"
#include "control/keeper_parts.h"
#include "control/overlay_end.h"

#define OVERLAYS_FILE_MAX (16u << 20)

static void overlays_path(const struct keeper *k, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/control.overlays", k->nodefile->state_dir);
}

static void save(struct keeper *k, const json_t *all)
{
	char path[PATH_MAX];
	int rc;

	overlays_path(k, path);
	rc = statefile_save(path, all);
	if (rc < 0)
		log_error("%s cannot be written: %s; a start without the store would not know what "
			  "operators have drained",
			path, strerror(-rc));
}

void keeper_take_overlays(struct keeper *k, const struct store_answer *a)
{
	json_t *all = json_object(), *rows;
	struct wall now = wall_now();

	for (size_t i = 0; i < a->overlays_count; i++) {
		const struct store_overlay *o = &a->overlays[i];
		const json_t *known = picture_stored_overlay(k->picture, o->stack, o->key);

		k->has_expired_overlay = k->has_expired_overlay || o->expires_in_ms == 0;
		rows = json_object_get(all, o->stack);
		if (!rows) {
			rows = json_object();
			json_object_set_new(all, o->stack, rows);
		}
		json_object_set_new(rows, o->key,
			overlay_end_here(o->value, known, o->expires_in_ms, now));
	}
	if (!json_equal(all, k->picture->stored))
		save(k, all);
	picture_put_overlays(k->picture, all);
}

void keeper_shift_overlays(struct keeper *k, int64_t step_ms)
{
	json_t *all = json_object(), *rows, *shifted, *row;
	const char *stack, *key;

	json_object_foreach (k->picture->stored, stack, rows) {
		shifted = json_object();
		json_object_foreach (rows, key, row)
			json_object_set_new(shifted, key, overlay_end_shifted(row, step_ms));
		json_object_set_new(all, stack, shifted);
	}
	save(k, all);
	picture_put_overlays(k->picture, all);
	keeper_shift_local(k, step_ms);
	keeper_show_instances(k);
}

static bool is_table(const json_t *all)
{
	const char *stack;
	json_t *rows;

	json_object_foreach ((json_t *)(uintptr_t)all, stack, rows)
		if (!json_is_object(rows))
			return false;
	return json_is_object(all);
}

void keeper_recall_overlays(struct keeper *k)
{
	char path[PATH_MAX];
	json_t *all;
	int rc;

	overlays_path(k, path);
	rc = statefile_load(path, OVERLAYS_FILE_MAX, &all);
	if (rc == 0 && !is_table(all)) {
		json_decref(all);
		rc = -EINVAL;
	}
	if (rc == 0) {
		picture_put_overlays(k->picture, all);
		keeper_show_instances(k);
	} else if (rc != -ENOENT) {
		log_warn("%s cannot be read: %s; what operators have drained is known when the "
			 "store was read",
			path, strerror(-rc));
	}
}

static void show_instance(struct keeper *k, const char *stack, const char *node)
{
	char key[2 * CONF_NAME_SIZE];
	struct overlay o;
	const json_t *row;

	snprintf(key, sizeof key, "instance/%s", node);
	row = picture_overlay(k->picture, stack, key);
	fleet_set_overlay(k->picture->fleet, node, row && overlay_decode(row, &o) == 0 ? &o : NULL,
		wall_now());
}

void keeper_show_instances(struct keeper *k)
{
	const struct conf *serving = k->picture->serving;

	/* A stack without instances is served by nodes that it does not name: we know of ourselves.
	 */
	if (serving && serving->stack && serving->instances_count == 0)
		show_instance(k, serving->stack, k->picture->node);
	for (size_t i = 0; i < k->picture->confs_count; i++) {
		const struct conf *c = k->picture->confs[i];

		for (size_t j = 0; j < c->instances_count; j++)
			show_instance(k, c->stack, c->instances[j].name);
	}
}
