/* See handover_record.h. */
#include "data/handover_record.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/row.h"

static const char *const kinds[HANDOVER_KINDS] = {
	[HANDOVER_TCP] = "tcp",
	[HANDOVER_UPGRADED] = "upgraded",
	[HANDOVER_IDLE] = "idle",
};
static const char *const sides[FLOW_SIDES] = {
	[FLOW_CLIENT] = "from_client",
	[FLOW_SERVER] = "from_server",
};

unsigned handover_record_fds(const struct handover_record *r)
{
	unsigned count = r->kind == HANDOVER_IDLE ? 1 : 2;

	for (int side = 0; side < FLOW_SIDES; side++)
		if (r->halves[side].piped)
			count += 2;
	return count;
}

static json_t *half_encode(const struct handover_half *h)
{
	json_t *row = json_object();

	json_object_set_new(row, "is_ended", json_boolean(h->is_ended));
	row_set_integer(row, "stored", (int64_t)h->stored_len);
	row_set_integer(row, "piped", h->piped);
	row_set_integer(row, "carried", h->carried);
	return row;
}

static json_t *exchange_encode(const struct handover_exchange *x)
{
	json_t *row = json_object();

	row_set_text(row, "method", x->method);
	row_set_text(row, "host", x->host);
	row_set_text(row, "path", x->path);
	row_set_text(row, "request_id", x->request_id);
	row_set_integer(row, "began_us", x->began_us);
	row_set_integer(row, "sought_us", x->sought_us);
	row_set_integer(row, "opened_us", x->opened_us);
	row_set_integer(row, "sent_us", x->sent_us);
	row_set_integer(row, "responded_us", x->responded_us);
	row_set_integer(row, "bytes_out", x->bytes_out);
	row_set_integer(row, "retries", x->retries);
	return row;
}

static json_t *head_encode(const struct handover_record *r)
{
	json_t *row = json_object();
	char text[ADDR_TEXT_SIZE];

	row_set_text(row, "kind", kinds[r->kind]);
	row_set_integer(row, "number", r->number);
	row_set_text(row, "listener", r->listener);
	row_set_text(row, "pool", r->pool);
	row_set_text(row, "server", r->server);
	row_set_text(row, "client", addr_print_port(&r->client, text));
	row_set_integer(row, "idle_ms", r->idle_ms);
	for (int side = 0; side < FLOW_SIDES; side++)
		json_object_set_new(row, sides[side], half_encode(&r->halves[side]));
	if (r->kind != HANDOVER_IDLE)
		json_object_set_new(row, "exchange", exchange_encode(&r->exchange));
	return row;
}

int handover_record_encode(const struct handover_record *r, struct buf *out)
{
	json_t *row = head_encode(r);
	char *text = json_dumps(row, JSON_COMPACT);
	uint32_t len = text ? (uint32_t)strlen(text) : 0;

	json_decref(row);
	if (!text || len > HANDOVER_HEAD_MAX) {
		free(text);
		return -EMSGSIZE;
	}
	buf_add(out, &len, sizeof len);
	buf_add(out, text, len);
	free(text);
	for (int side = 0; side < FLOW_SIDES; side++)
		if (r->halves[side].stored_len)
			buf_add(out, r->halves[side].stored, r->halves[side].stored_len);
	return out->failed ? -EMSGSIZE : 0;
}

static bool half_decode(const json_t *row, struct handover_half *h)
{
	int64_t stored;

	if (!row_get_integer(row, "stored", 0, &stored) || stored > HANDOVER_STORED_MAX ||
		!row_get_integer(row, "piped", 0, &h->piped) ||
		!row_get_integer(row, "carried", 0, &h->carried))
		return false;
	h->stored_len = (size_t)stored;
	h->is_ended = json_is_true(json_object_get(row, "is_ended"));
	return true;
}

static bool exchange_decode(const json_t *row, struct handover_exchange *x)
{
	return row_get_text(row, "method", x->method, sizeof x->method) &&
	       row_get_text(row, "host", x->host, sizeof x->host) &&
	       row_get_text(row, "path", x->path, sizeof x->path) &&
	       row_get_text(row, "request_id", x->request_id, sizeof x->request_id) &&
	       row_get_integer(row, "began_us", 0, &x->began_us) &&
	       row_get_integer(row, "sought_us", 0, &x->sought_us) &&
	       row_get_integer(row, "opened_us", 0, &x->opened_us) &&
	       row_get_integer(row, "sent_us", 0, &x->sent_us) &&
	       row_get_integer(row, "responded_us", 0, &x->responded_us) &&
	       row_get_integer(row, "bytes_out", 0, &x->bytes_out) &&
	       row_get_integer(row, "retries", 0, &x->retries);
}

static bool names_decode(const json_t *row, struct handover_record *r)
{
	bool has_server;

	if (!row_get_text(row, "listener", r->listener, sizeof r->listener) ||
		!row_get_text(row, "pool", r->pool, sizeof r->pool) ||
		!row_get_text(row, "server", r->server, sizeof r->server))
		return false;
	has_server = r->pool[0] && r->server[0];
	return r->listener[0] && has_server == (r->kind != HANDOVER_IDLE);
}

static bool head_decode(const json_t *row, struct handover_record *r)
{
	char text[ADDR_TEXT_SIZE];

	if (!row_get_word(row, "kind", kinds, HANDOVER_KINDS, &r->kind) ||
		!row_get_integer(row, "number", 0, &r->number) || !names_decode(row, r) ||
		!row_get_text(row, "client", text, sizeof text) ||
		addr_parse_port(text, &r->client) < 0 ||
		!row_get_integer(row, "idle_ms", 0, &r->idle_ms))
		return false;
	for (int side = 0; side < FLOW_SIDES; side++)
		if (!half_decode(json_object_get(row, sides[side]), &r->halves[side]))
			return false;
	return r->kind == HANDOVER_IDLE ||
	       exchange_decode(json_object_get(row, "exchange"), &r->exchange);
}

/* The stored bytes are all that is behind the head, and no more. */
static bool stored_decode(const char *data, size_t len, struct handover_record *r)
{
	for (int side = 0; side < FLOW_SIDES; side++) {
		struct handover_half *h = &r->halves[side];

		if (h->stored_len > len)
			return false;
		h->stored = data;
		data += h->stored_len;
		len -= h->stored_len;
	}
	return len == 0;
}

int handover_record_decode(const void *data, size_t len, struct handover_record *ret)
{
	struct handover_record r = {0};
	const char *bytes = data;
	uint32_t head_len;
	bool is_good;
	json_t *row;

	if (len < sizeof head_len)
		return -EPROTO;
	memcpy(&head_len, bytes, sizeof head_len);
	bytes += sizeof head_len;
	len -= sizeof head_len;
	if (head_len > len || head_len > HANDOVER_HEAD_MAX)
		return -EPROTO;
	row = json_loadb(bytes, head_len, JSON_REJECT_DUPLICATES, NULL);
	is_good = head_decode(row, &r) && stored_decode(bytes + head_len, len - head_len, &r);
	json_decref(row);
	if (!is_good)
		return -EPROTO;
	*ret = r;
	return 0;
}
