/* How a node's report travels in its heartbeat row. What comes in is from outside. See fleet.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/row.h"
#include "control/fleet.h"

void fleet_report_fini(struct fleet_report *r)
{
	free(r->vips);
	r->vips = NULL;
	r->vips_count = 0;
	json_decref(r->drains);
	r->drains = NULL;
	json_decref(r->unserved);
	r->unserved = NULL;
}

json_t *fleet_report_encode(const struct fleet_report *r)
{
	json_t *row = json_object(), *daemons = json_object(), *vips = json_object();

	row_set_text(row, "stack", r->stack);
	row_set_integer(row, "generation", (int64_t)r->generation);
	row_set_integer(row, "refused", (int64_t)r->refused);
	row_set_text(row, "reason", r->reason);
	for (int d = 0; d < FLEET_DAEMONS; d++)
		json_object_set_new(daemons, fleet_daemon_name((enum fleet_daemon)d),
			report_daemon_encode(&r->daemons[d]));
	json_object_set_new(row, "daemons", daemons);
	for (size_t i = 0; i < r->vips_count; i++)
		json_object_set_new(vips, r->vips[i].name, report_vip_encode(&r->vips[i].report));
	json_object_set_new(row, "vips", vips);
	if (r->drains)
		json_object_set(row, "drains", r->drains);
	if (r->unserved)
		json_object_set(row, "unserved", r->unserved);
	return row;
}

static int decode_daemons(const json_t *daemons, struct fleet_report *r)
{
	for (int d = 0; d < FLEET_DAEMONS; d++) {
		const json_t *row = json_object_get(
			daemons, fleet_daemon_name((enum fleet_daemon)d));

		r->daemons[d].state = REPORT_AWAY;
		if (row && report_daemon_decode(row, &r->daemons[d]) < 0)
			return -EINVAL;
	}
	return 0;
}

static int decode_vips(json_t *vips, struct fleet_report *r)
{
	const char *name;
	json_t *row;

	if (json_object_size(vips) > FLEET_VIPS_MAX)
		return -EINVAL;
	r->vips = calloc(json_object_size(vips) + 1, sizeof *r->vips);
	if (!r->vips)
		return -ENOMEM;
	json_object_foreach(vips, name, row)
	{
		struct fleet_vip *v = &r->vips[r->vips_count];

		if (!conf_name_is_valid(name) || report_vip_decode(row, &v->report) < 0)
			return -EINVAL;
		memcpy(v->name, name, strlen(name) + 1);
		r->vips_count++;
	}
	return 0;
}

/* A node of an older version does not tell. */
static int decode_drains(json_t *drains, struct fleet_report *r)
{
	const char *key;
	json_t *count;

	if (!drains)
		return 0;
	if (!json_is_object(drains) || json_object_size(drains) > FLEET_DRAINS_MAX)
		return -EINVAL;
	json_object_foreach (drains, key, count)
		if (!json_is_integer(count))
			return -EINVAL;
	r->drains = json_incref(drains);
	return 0;
}

static int decode_unserved(json_t *unserved, struct fleet_report *r)
{
	const char *pool;
	json_t *value;

	if (!unserved)
		return 0;
	if (!json_is_object(unserved) || json_object_size(unserved) > FLEET_UNSERVED_MAX)
		return -EINVAL;
	json_object_foreach (unserved, pool, value)
		if (!json_is_true(value))
			return -EINVAL;
	r->unserved = json_incref(unserved);
	return 0;
}

static int decode_rest(const json_t *value, struct fleet_report *r)
{
	int64_t generation = 0, refused = 0;
	int rc;

	if (!row_get_text(value, "stack", r->stack, sizeof r->stack) ||
		!row_get_integer(value, "generation", 0, &generation) ||
		!row_get_integer(value, "refused", 0, &refused) ||
		!row_get_text(value, "reason", r->reason, sizeof r->reason))
		return -EINVAL;
	r->generation = (uint64_t)generation;
	r->refused = (uint64_t)refused;
	rc = decode_daemons(json_object_get(value, "daemons"), r);
	if (rc == 0)
		rc = decode_vips(json_object_get(value, "vips"), r);
	if (rc == 0)
		rc = decode_drains(json_object_get(value, "drains"), r);
	return rc < 0 ? rc : decode_unserved(json_object_get(value, "unserved"), r);
}

int fleet_report_decode(const json_t *value, struct fleet_report *ret)
{
	struct fleet_report *r;
	int rc = -EINVAL;

	if (!json_is_object(value))
		return -EINVAL;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	rc = decode_rest(value, r);
	if (rc < 0)
		fleet_report_fini(r);
	else
		*ret = *r;
	free(r);
	return rc;
}
