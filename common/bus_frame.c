/* See bus_frame.h. */
#include "common/bus_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const bus_frame_kinds[] = {
	[BUS_REQUEST] = "request",
	[BUS_REPLY] = "reply",
	[BUS_CHANGE] = "change",
	[BUS_HEARTBEAT] = "heartbeat",
};

static const char *const bus_daemon_names[BUS_DAEMONS] = {
	[BUS_CONTROL] = "control",
	[BUS_DATA] = "data",
	[BUS_VRRPD] = "vrrpd",
	[BUS_HEALTHD] = "healthd",
};

const char *bus_daemon_name(enum bus_daemon d)
{
	return bus_daemon_names[d];
}

int bus_daemon_parse(const char *text, enum bus_daemon *ret)
{
	for (int i = 0; i < BUS_DAEMONS; i++)
		if (!strcmp(text, bus_daemon_names[i])) {
			*ret = (enum bus_daemon)i;
			return 0;
		}
	return -EINVAL;
}

/* Adds a value that stays the caller's; NULL adds nothing. */
static void bus_frame_add(json_t *root, const char *name, const json_t *value)
{
	if (value)
		json_object_set(root, name, (json_t *)value);
}

static void bus_frame_add_text(json_t *root, const char *name, const char *value)
{
	if (value)
		json_object_set_new(root, name, json_string(value));
}

static json_t *bus_frame_build(const struct bus_frame *f)
{
	json_t *root = json_object();

	bus_frame_add_text(root, "kind", bus_frame_kinds[f->kind]);
	switch (f->kind) {
	case BUS_REQUEST:
		json_object_set_new(root, "id", json_integer(f->id));
		bus_frame_add_text(root, "from", bus_daemon_name(f->from));
		bus_frame_add_text(root, "verb", f->verb);
		json_object_set_new(root, "until", json_integer(f->until.ns / 1000000));
		bus_frame_add(root, "body", f->body);
		break;
	case BUS_REPLY:
		json_object_set_new(root, "id", json_integer(f->id));
		json_object_set_new(root, "status", json_integer(f->status));
		bus_frame_add_text(root, "why", f->why);
		bus_frame_add(root, "body", f->body);
		break;
	case BUS_CHANGE:
		bus_frame_add_text(root, "table", f->table);
		json_object_set_new(root, "epoch", json_integer(f->epoch));
		json_object_set_new(root, "sequence", json_integer(f->sequence));
		bus_frame_add_text(root, "key", f->key);
		bus_frame_add(root, "row", f->body);
		break;
	case BUS_HEARTBEAT:
		json_object_set_new(root, "epoch", json_integer(f->epoch));
		bus_frame_add(root, "tables", f->tables);
		break;
	}
	return root;
}

int bus_frame_encode(const struct bus_frame *f, char **ret_text, size_t *ret_len)
{
	json_t *root = bus_frame_build(f);
	char *text = json_dumps(root, JSON_COMPACT);
	size_t len;

	json_decref(root);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	if (len > BUS_MESSAGE_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static bool bus_frame_number(const json_t *root, const char *name, int64_t *ret)
{
	const json_t *value = json_object_get(root, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool bus_frame_text(const json_t *root, const char *name, size_t maximum, const char **ret)
{
	const json_t *value = json_object_get(root, name);

	if (!json_is_string(value) || json_string_length(value) > maximum)
		return false;
	*ret = json_string_value(value);
	return true;
}

static bool bus_frame_decode_request(const json_t *root, struct bus_frame *f)
{
	const char *from;
	int64_t until_ms;

	f->body = json_object_get(root, "body");
	if (!bus_frame_number(root, "id", &f->id) || !bus_frame_number(root, "until", &until_ms) ||
		!bus_frame_text(root, "verb", BUS_NAME_MAX, &f->verb) ||
		!bus_frame_text(root, "from", BUS_NAME_MAX, &from))
		return false;
	f->until.ns = until_ms < INT64_MAX / 1000000 ? until_ms * 1000000 : INT64_MAX;
	return *f->verb && !bus_daemon_parse(from, &f->from);
}

static bool bus_frame_decode_reply(const json_t *root, struct bus_frame *f)
{
	const json_t *status = json_object_get(root, "status");

	f->body = json_object_get(root, "body");
	if (!json_is_integer(status) || json_integer_value(status) > 0 ||
		json_integer_value(status) < -4095)
		return false;
	f->status = (int)json_integer_value(status);
	return bus_frame_number(root, "id", &f->id) &&
	       bus_frame_text(root, "why", BUS_WHY_SIZE - 1, &f->why);
}

static bool bus_frame_decode_change(const json_t *root, struct bus_frame *f)
{
	f->body = json_object_get(root, "row");
	if (json_object_get(root, "key") && !bus_frame_text(root, "key", BUS_KEY_MAX, &f->key))
		return false;
	return (f->key || !f->body) && bus_frame_number(root, "epoch", &f->epoch) &&
	       bus_frame_number(root, "sequence", &f->sequence) &&
	       bus_frame_text(root, "table", BUS_NAME_MAX, &f->table);
}

static bool bus_frame_decode_heartbeat(const json_t *root, struct bus_frame *f)
{
	const char *name;
	json_t *sequence;

	f->tables = json_object_get(root, "tables");
	if (!json_is_object(f->tables) || !bus_frame_number(root, "epoch", &f->epoch))
		return false;
	json_object_foreach((json_t *)f->tables, name, sequence)
	{
		if (!json_is_integer(sequence) || json_integer_value(sequence) < 0)
			return false;
	}
	return true;
}

static bool (*const bus_frame_decoders[])(const json_t *root, struct bus_frame *f) = {
	[BUS_REQUEST] = bus_frame_decode_request,
	[BUS_REPLY] = bus_frame_decode_reply,
	[BUS_CHANGE] = bus_frame_decode_change,
	[BUS_HEARTBEAT] = bus_frame_decode_heartbeat,
};

static bool bus_frame_decode_kind(const json_t *root, struct bus_frame *f)
{
	const char *kind;

	if (!bus_frame_text(root, "kind", BUS_NAME_MAX, &kind))
		return false;
	for (size_t i = 0; i < sizeof bus_frame_kinds / sizeof *bus_frame_kinds; i++)
		if (!strcmp(kind, bus_frame_kinds[i])) {
			f->kind = (enum bus_frame_kind)i;
			return bus_frame_decoders[i](root, f);
		}
	return false;
}

int bus_frame_decode(const void *data, size_t len, struct bus_frame *ret)
{
	struct bus_frame f = {0};

	if (len > BUS_MESSAGE_MAX)
		return -EINVAL;
	f.root = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	if (!f.root || !bus_frame_decode_kind(f.root, &f)) {
		json_decref(f.root);
		return -EINVAL;
	}
	*ret = f;
	return 0;
}

void bus_frame_fini(struct bus_frame *f)
{
	json_decref(f->root);
	*f = (struct bus_frame){0};
}

json_t *bus_frame_pack_whole(int64_t epoch, int64_t sequence, const json_t *rows)
{
	json_t *body = json_object();

	json_object_set_new(body, "epoch", json_integer(epoch));
	json_object_set_new(body, "sequence", json_integer(sequence));
	bus_frame_add(body, "rows", rows);
	return body;
}

int bus_frame_unpack_whole(
	const json_t *body, int64_t *ret_epoch, int64_t *ret_sequence, const json_t **ret_rows)
{
	const json_t *rows = json_object_get(body, "rows");
	int64_t epoch, sequence;

	if (!json_is_object(rows) || !bus_frame_number(body, "epoch", &epoch) ||
		!bus_frame_number(body, "sequence", &sequence))
		return -EINVAL;
	*ret_epoch = epoch;
	*ret_sequence = sequence;
	*ret_rows = rows;
	return 0;
}
