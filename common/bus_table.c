/* Tables of ours: rows by key, a sequence, and a change published for each step of it. */
#include "common/bus_inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bus_table *bus_table_new(struct bus *b, const char *name, unsigned readers, bool quiet)
{
	struct bus_table *t = calloc(1, sizeof *t);

	assert(t && strlen(name) <= BUS_NAME_MAX && !bus_table_find(b, name));
	t->bus = b;
	t->readers = readers;
	t->is_quiet = quiet;
	t->rows = json_object();
	snprintf(t->name, sizeof t->name, "%s", name);
	list_push_back(&b->tables, &t->link);
	return t;
}

struct bus_table *bus_table_find(struct bus *b, const char *name)
{
	list_for_each(it, &b->tables)
	{
		struct bus_table *t = list_entry(it, struct bus_table, link);

		if (!strcmp(t->name, name))
			return t;
	}
	return NULL;
}

static void bus_table_publish(struct bus_table *t, const char *key, const json_t *row)
{
	struct bus_frame change = {
		.kind = BUS_CHANGE,
		.table = t->name,
		.epoch = t->bus->epoch,
		.sequence = ++t->sequence,
		.key = t->is_quiet ? NULL : key,
		.body = t->is_quiet ? NULL : row,
	};

	t->bus->counters.changes_sent++;
	bus_publish(t->bus, &change);
}

int bus_table_set(struct bus_table *t, const char *key, json_t *row)
{
	assert(row);
	if (strlen(key) > BUS_KEY_MAX) {
		json_decref(row);
		return -EINVAL;
	}
	if (json_equal(json_object_get(t->rows, key), row)) {
		json_decref(row);
		return 0;
	}
	if (json_object_set_new(t->rows, key, row))
		return -ENOMEM;
	bus_table_publish(t, key, row);
	return 0;
}

void bus_table_remove(struct bus_table *t, const char *key)
{
	if (!json_object_del(t->rows, key))
		bus_table_publish(t, key, NULL);
}

const json_t *bus_table_rows(const struct bus_table *t)
{
	return t->rows;
}

int bus_table_answer(struct bus *b, enum bus_daemon reader, const json_t *body, json_t **ret_reply,
	char why[BUS_WHY_SIZE])
{
	const char *name = json_string_value(json_object_get(body, "table"));
	struct bus_table *t = name ? bus_table_find(b, name) : NULL;

	if (!t) {
		snprintf(why, BUS_WHY_SIZE, "%s has no table %.64s", bus_daemon_name(b->self),
			name ? name : "without a name");
		return -ENOENT;
	}
	if (!(t->readers & BUS_BIT(reader))) {
		snprintf(why, BUS_WHY_SIZE, "%s may not read %s", bus_daemon_name(reader), t->name);
		return -EACCES;
	}
	*ret_reply = bus_frame_pack_whole(b->epoch, t->sequence, t->rows);
	return 0;
}

void bus_table_free_all(struct bus *b)
{
	list_for_each(it, &b->tables)
	{
		struct bus_table *t = list_entry(it, struct bus_table, link);

		json_decref(t->rows);
		free(t);
	}
}
