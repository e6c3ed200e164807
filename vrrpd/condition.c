/* See condition.h. */
#include "vrrpd/condition.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/effective.h"
#include "common/log.h"
#include "common/now.h"
#include "common/overlay.h"
#include "common/statefile.h"
#include "common/verdict_row.h"
#include "common/vip_move.h"

#define FILE_MAX (1u << 20)
#define KEY_SIZE (2 * CONF_NAME_SIZE + 16)

int condition_init(struct condition *c)
{
	*c = (struct condition){.overlay = json_object(),
		.verdicts = json_object(),
		.recalled = json_object()};
	if (c->overlay && c->verdicts && c->recalled)
		return 0;
	condition_fini(c);
	return -ENOMEM;
}

void condition_fini(struct condition *c)
{
	json_decref(c->overlay);
	json_decref(c->verdicts);
	json_decref(c->recalled);
	c->overlay = c->verdicts = c->recalled = NULL;
}

static void row_set(struct condition *c, json_t *table, const char *key, const json_t *row)
{
	if (row)
		json_object_set_new(table, key, json_incref((json_t *)row));
	else
		json_object_del(table, key);
	c->version++;
}

void condition_overlay(struct condition *c, const char *key, const json_t *row)
{
	row_set(c, c->overlay, key, row);
	json_object_del(c->recalled, key);
}

bool condition_is_kept(const char *key)
{
	return strncmp(key, "instance/", 9) == 0 || strncmp(key, "vip/", 4) == 0 ||
	       strncmp(key, "bypass/", 7) == 0;
}

json_t *condition_overlay_kept(const struct condition *c)
{
	json_t *kept = json_object(), *row;
	const char *key;

	json_object_foreach (c->overlay, key, row)
		if (condition_is_kept(key))
			json_object_set(kept, key, row);
	return kept;
}

void condition_recall(struct condition *c, const char *state_dir)
{
	char path[PATH_MAX];
	const char *key;
	json_t *rows, *row;
	int rc;

	snprintf(path, sizeof path, "%s/" CONDITION_FILE, state_dir);
	rc = statefile_load(path, FILE_MAX, &rows);
	if (rc == -ENOENT)
		return;
	if (rc < 0) {
		log_warn("%s cannot be read: %s; what operators said is known when control says it",
			path, strerror(-rc));
		return;
	}
	json_object_foreach (rows, key, row) {
		row_set(c, c->overlay, key, row);
		json_object_set_new(c->recalled, key, json_true());
	}
	json_decref(rows);
}

void condition_overlay_whole(struct condition *c)
{
	const char *key;
	json_t *value;

	json_object_foreach (c->recalled, key, value)
		row_set(c, c->overlay, key, NULL);
	json_object_clear(c->recalled);
}

void condition_verdict(struct condition *c, const char *key, const json_t *row)
{
	row_set(c, c->verdicts, key, row);
}

/* A server counts while it is used or would be: unknown is neutral (decision H1). */
static bool server_counts(
	const struct condition *c, const struct conf_pool *pool, const struct conf_server *server)
{
	char key[KEY_SIZE];
	struct overlay overlay;
	struct verdict_row verdict;
	struct effective effective;
	bool has_overlay, has_verdict;

	snprintf(key, sizeof key, "pool/%s/%s", pool->name, server->name);
	has_overlay = overlay_decode(json_object_get(c->overlay, key), &overlay) == 0;
	has_verdict = verdict_row_decode(json_object_get(c->verdicts, key), &verdict) == 0;
	effective_server(pool, server, has_overlay ? &overlay : NULL, has_verdict ? &verdict : NULL,
		wall_now(), &effective);
	return effective_rank(effective.state) <= 1;
}

static bool pool_is_well(
	const struct condition *c, const struct conf_pool *pool, int64_t minimum_up)
{
	int64_t up = 0;

	for (size_t i = 0; pool && i < pool->servers_count && up < minimum_up; i++)
		up += server_counts(c, pool, &pool->servers[i]);
	return up >= minimum_up;
}

static bool check_is_well(const struct condition *c, const char *name)
{
	struct verdict_row verdict;
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "check/%s", name);
	if (verdict_row_decode(json_object_get(c->verdicts, key), &verdict) < 0)
		return true;
	return verdict.state == VERDICT_UP || verdict.state == VERDICT_UNKNOWN;
}

static bool interface_is_well(struct netlink *n, const char *name)
{
	struct netlink_link l;

	return netlink_link_read(n, name, &l) == 0 && l.is_up;
}

static struct role_track track_of(const struct condition *c, const struct conf *conf,
	const struct conf_track *t, bool is_data_well)
{
	struct role_track track = {
		.weight_is_down = t->weight.is_down, .weight = (int)t->weight.number};

	if (t->data) {
		track.target = "data";
		track.is_well = is_data_well;
	} else if (t->pool) {
		track.target = t->pool;
		track.is_well = pool_is_well(c, conf_pool(conf, t->pool), t->minimum_up);
	} else if (t->interface) {
		track.target = t->interface;
		track.is_well = interface_is_well(c->netlink, t->interface);
	} else {
		track.target = t->check;
		track.is_well = check_is_well(c, t->check);
	}
	return track;
}

size_t condition_tracks(const struct condition *c, const struct conf *conf,
	const struct conf_vip *vip, bool is_data_well, struct role_track tracks[ROLE_TRACKS_MAX])
{
	size_t count = vip->track_count < ROLE_TRACKS_MAX ? vip->track_count : ROLE_TRACKS_MAX;

	for (size_t i = 0; i < count; i++)
		tracks[i] = track_of(c, conf, &vip->track[i], is_data_well);
	return count;
}

bool condition_move(
	const struct condition *c, const char *vip, struct wall now, struct role_move *ret_move)
{
	const json_t *row;
	struct vip_move move;
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "vip/%s", vip);
	row = json_object_get(c->overlay, key);
	if (vip_move_decode(row, &move) < 0 || !vip_move_is_current(&move, now))
		return false;
	*ret_move = (struct role_move){
		json_string_value(json_object_get(row, "holder")), move.since.ms};
	return true;
}

struct wall condition_bypass_cleared(const struct condition *c, const char *node)
{
	struct overlay cleared;
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "bypass/%s", node);
	if (overlay_decode(json_object_get(c->overlay, key), &cleared) < 0)
		return (struct wall){0};
	return cleared.since;
}

bool condition_in_maintenance(const struct condition *c, const char *node, struct wall now)
{
	struct overlay overlay;
	char key[KEY_SIZE];

	snprintf(key, sizeof key, "instance/%s", node);
	if (overlay_decode(json_object_get(c->overlay, key), &overlay) < 0)
		return false;
	return overlay.state != OVERLAY_READY && overlay_is_current(&overlay, now);
}

const char *condition_unready(const struct condition *c, const struct conf *conf,
	const struct conf_vip *vip, char text[ROLE_WHY_SIZE])
{
	for (size_t i = 0; i < vip->track_count; i++) {
		const struct conf_track *t = &vip->track[i];

		if ((t->pool || t->check) && !c->has_verdicts)
			return "healthd's verdicts are not known yet";
		if (t->data && !c->has_data)
			return "data is not heard yet";
		if (t->data && c->data_generation < conf->generation) {
			snprintf(text, ROLE_WHY_SIZE,
				"data runs generation %" PRIu64 " of %" PRIu64, c->data_generation,
				conf->generation);
			return text;
		}
	}
	return NULL;
}
