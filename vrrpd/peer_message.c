/*
 * What nodes say to each other, as bytes: format 2, kind, node, echo, then what
 * the kind has to say. Numbers are big-endian, texts a length byte and bytes.
 * What comes from the wire is bounded and checked even though it was sealed: a
 * peer may run another version. Called by heartbeat.
 */
#include "vrrpd/peer.h"

#include <errno.h>
#include <string.h>

#include "vrrpd/vrrp.h"

#define FORMAT 2
#define FLAG_SET 1u

struct writer {
	uint8_t *p;
	size_t len, size;
	bool failed;
};

struct reader {
	const uint8_t *p;
	size_t left;
	bool failed;
};

static void put(struct writer *w, const void *data, size_t len)
{
	w->failed |= len > w->size - w->len;
	if (w->failed)
		return;
	memcpy(w->p + w->len, data, len);
	w->len += len;
}

static void put_number(struct writer *w, uint64_t value, size_t bytes)
{
	uint8_t b[8];

	for (size_t i = 0; i < bytes; i++)
		b[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	put(w, b, bytes);
}

static void put_text(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	put_number(w, len, 1);
	put(w, text, len);
}

/* Borrowed bytes, or NULL when there are not so many. */
static const uint8_t *get(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	r->failed |= len > r->left;
	if (r->failed)
		return NULL;
	r->p += len;
	r->left -= len;
	return p;
}

static uint64_t get_number(struct reader *r, size_t bytes)
{
	const uint8_t *p = get(r, bytes);
	uint64_t value = 0;

	for (size_t i = 0; p && i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static bool get_flag(struct reader *r)
{
	uint64_t value = get_number(r, 1);

	r->failed |= value > FLAG_SET;
	return value == FLAG_SET;
}

/* Text of at most size - 1 bytes without control characters. */
static void get_text(struct reader *r, char *text, size_t size)
{
	size_t len = (size_t)get_number(r, 1);
	const uint8_t *p;

	r->failed |= len >= size;
	p = get(r, len);
	if (!p)
		return;
	for (size_t i = 0; i < len; i++)
		r->failed |= p[i] < 0x20 || p[i] == 0x7f;
	memcpy(text, p, len);
	text[len] = '\0';
}

static void get_name(struct reader *r, char name[CONF_NAME_SIZE])
{
	name[0] = '\0';
	get_text(r, name, CONF_NAME_SIZE);
	r->failed |= name[0] == '\0';
	if (r->failed)
		return;
	r->failed |= name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0';
}

static void put_address(struct writer *w, const struct addr *a)
{
	if (addr_family(a) == AF_INET) {
		put_number(w, 4, 1);
		put(w, &a->in.sin_addr, 4);
	} else {
		put_number(w, 6, 1);
		put(w, &a->in6.sin6_addr, 16);
	}
}

static void get_address(struct reader *r, struct addr *a)
{
	uint64_t kind = get_number(r, 1);
	const uint8_t *p;

	r->failed |= kind != 4 && kind != 6;
	*a = (struct addr){.sa.sa_family = kind == 4 ? AF_INET : AF_INET6};
	p = get(r, kind == 4 ? 4 : 16);
	if (!p)
		return;
	if (kind == 4)
		memcpy(&a->in.sin_addr, p, 4);
	else
		memcpy(&a->in6.sin6_addr, p, 16);
}

static void put_condition(struct writer *w, const struct peer_condition *c)
{
	put_number(w, c->is_in_maintenance ? FLAG_SET : 0, 1);
	put_number(w, c->is_in_bypass ? FLAG_SET : 0, 1);
	put_number(w, c->is_forwarding ? FLAG_SET : 0, 1);
	put_number(w, c->is_data_well ? FLAG_SET : 0, 1);
	put_number(w, c->connections, 4);
}

static void get_condition(struct reader *r, struct peer_condition *c)
{
	c->is_in_maintenance = get_flag(r);
	c->is_in_bypass = get_flag(r);
	c->is_forwarding = get_flag(r);
	c->is_data_well = get_flag(r);
	c->connections = (uint32_t)get_number(r, 4);
}

static void put_vips(struct writer *w, const struct peer_message *m)
{
	put_number(w, m->generation, 8);
	put_condition(w, &m->condition);
	w->failed |= m->vips_count > PEER_VIPS_MAX;
	put_number(w, m->vips_count, 1);
	for (size_t i = 0; !w->failed && i < m->vips_count; i++) {
		put_text(w, m->vips[i].name);
		put_number(w, m->vips[i].state, 1);
		put_number(w, m->vips[i].priority, 1);
		put_number(w, m->vips[i].base, 1);
		put_number(w, m->vips[i].is_fit ? FLAG_SET : 0, 1);
		put_number(w, (uint64_t)m->vips[i].spent_move, 8);
	}
}

static void get_vips(struct reader *r, struct peer_message *m)
{
	m->generation = get_number(r, 8);
	get_condition(r, &m->condition);
	m->vips_count = (size_t)get_number(r, 1);
	for (size_t i = 0; !r->failed && i < m->vips_count; i++) {
		get_name(r, m->vips[i].name);
		m->vips[i].state = (uint8_t)get_number(r, 1);
		m->vips[i].priority = (uint8_t)get_number(r, 1);
		m->vips[i].base = (uint8_t)get_number(r, 1);
		m->vips[i].is_fit = get_flag(r);
		m->vips[i].spent_move = (int64_t)get_number(r, 8);
		r->failed |= m->vips[i].spent_move < 0;
		r->failed |= m->vips[i].state >= VRRP_STATES;
	}
}

int peer_encode(const struct peer_message *m, void *data, size_t size)
{
	struct writer w = {.p = data, .size = size};

	put_number(&w, FORMAT, 1);
	put_number(&w, m->kind, 1);
	put_text(&w, m->node);
	put_number(&w, m->echo.session, 8);
	put_number(&w, m->echo.counter, 8);
	put_number(&w, m->echo.held_us, 4);
	switch (m->kind) {
	case PEER_HEARTBEAT:
		put_vips(&w, m);
		break;
	case PEER_TAKE:
		put_text(&w, m->vip);
		put_number(&w, m->number, 8);
		put_address(&w, &m->source);
		put_number(&w, m->is_leaving ? FLAG_SET : 0, 1);
		break;
	case PEER_TAKEN:
		put_text(&w, m->vip);
		put_number(&w, m->number, 8);
		put_number(&w, m->is_taken ? FLAG_SET : 0, 1);
		put_text(&w, m->why);
		break;
	}
	return w.failed ? -EMSGSIZE : (int)w.len;
}

static void get_body(struct reader *r, struct peer_message *m)
{
	switch (m->kind) {
	case PEER_HEARTBEAT:
		get_vips(r, m);
		return;
	case PEER_TAKE:
		get_name(r, m->vip);
		m->number = get_number(r, 8);
		get_address(r, &m->source);
		m->is_leaving = get_flag(r);
		return;
	case PEER_TAKEN:
		get_name(r, m->vip);
		m->number = get_number(r, 8);
		m->is_taken = get_flag(r);
		get_text(r, m->why, sizeof m->why);
		return;
	}
	r->failed = true;
}

int peer_decode(const void *data, size_t len, struct peer_message *ret)
{
	struct reader r = {.p = data, .left = len};

	memset(ret, 0, sizeof *ret);
	r.failed |= get_number(&r, 1) != FORMAT;
	ret->kind = (enum peer_kind)get_number(&r, 1);
	get_name(&r, ret->node);
	ret->echo.session = get_number(&r, 8);
	ret->echo.counter = get_number(&r, 8);
	ret->echo.held_us = (uint32_t)get_number(&r, 4);
	get_body(&r, ret);
	return r.failed || r.left ? -EBADMSG : 0;
}
