/* See bus_sp.h. */
#include "common/bus_sp.h"

#include <errno.h>
#include <string.h>

void bus_sp_init(struct bus_sp *s, enum bus_sp_protocol peer, size_t maximum)
{
	*s = (struct bus_sp){.peer = peer};
	buf_init(&s->body, maximum);
}

void bus_sp_fini(struct bus_sp *s)
{
	buf_fini(&s->body);
}

void bus_sp_handshake(enum bus_sp_protocol own, unsigned char out[BUS_SP_HANDSHAKE_SIZE])
{
	memcpy(out, "\0SP\0\0\0\0", BUS_SP_HANDSHAKE_SIZE);
	out[5] = (unsigned char)own;
}

void bus_sp_head(size_t len, unsigned char out[BUS_SP_HEAD_SIZE])
{
	uint64_t rest = len;

	out[0] = 1;
	for (int i = 8; i > 0; i--, rest >>= 8)
		out[i] = (unsigned char)rest;
}

int bus_sp_way(const unsigned char *data, size_t len)
{
	for (size_t at = 0; at + 4 <= len && at < BUS_SP_WAY_MAX; at += 4)
		if (data[at] & 0x80)
			return (int)at + 4;
	return -EPROTO;
}

static int bus_sp_greet(struct bus_sp *s)
{
	unsigned char want[BUS_SP_HANDSHAKE_SIZE];

	bus_sp_handshake(s->peer, want);
	if (memcmp(s->head, want, sizeof want))
		return -EPROTO;
	s->state = BUS_SP_HEAD;
	s->head_len = 0;
	return 0;
}

static int bus_sp_announce(struct bus_sp *s)
{
	if (s->head[0] != 1)
		return -EPROTO;
	s->wanted = 0;
	for (int i = 1; i < BUS_SP_HEAD_SIZE; i++)
		s->wanted = s->wanted << 8 | s->head[i];
	if (s->wanted > s->body.maximum)
		return -EMSGSIZE;
	buf_clear(&s->body);
	s->state = BUS_SP_BODY;
	s->head_len = 0;
	return 0;
}

static long bus_sp_feed_head(struct bus_sp *s, size_t size, int (*complete)(struct bus_sp *s),
	const unsigned char *data, size_t len)
{
	size_t n = size - s->head_len < len ? size - s->head_len : len;
	int rc = 0;

	memcpy(s->head + s->head_len, data, n);
	s->head_len += n;
	if (s->head_len == size)
		rc = complete(s);
	return rc ? rc : (long)n;
}

static long bus_sp_feed_body(struct bus_sp *s, const unsigned char *data, size_t len)
{
	size_t missing = (size_t)s->wanted - s->body.len, n = missing < len ? missing : len;

	buf_add(&s->body, data, n);
	return s->body.failed ? -ENOMEM : (long)n;
}

static long bus_sp_feed_some(struct bus_sp *s, const unsigned char *data, size_t len)
{
	switch (s->state) {
	case BUS_SP_GREETING:
		return bus_sp_feed_head(s, BUS_SP_HANDSHAKE_SIZE, bus_sp_greet, data, len);
	case BUS_SP_HEAD:
		return bus_sp_feed_head(s, BUS_SP_HEAD_SIZE, bus_sp_announce, data, len);
	case BUS_SP_BODY:
		return bus_sp_feed_body(s, data, len);
	}
	return -EPROTO;
}

long bus_sp_feed(struct bus_sp *s, const unsigned char *data, size_t len,
	const unsigned char **ret_data, size_t *ret_len)
{
	size_t used = 0;

	*ret_data = NULL;
	while (used < len) {
		long n = bus_sp_feed_some(s, data + used, len - used);

		if (n < 0)
			return n;
		used += (size_t)n;
		if (s->state == BUS_SP_BODY && s->body.len == s->wanted) {
			s->state = BUS_SP_HEAD;
			*ret_data = (const unsigned char *)buf_text(&s->body);
			*ret_len = s->body.len;
			break;
		}
	}
	return (long)used;
}
