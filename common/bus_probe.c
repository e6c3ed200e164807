/* See bus_probe.h. SP handshake: 8 bytes each way, 00 'S' 'P' 00 protocol(16) 00 00; a message: 01
 * length(64) bytes. */
#include "common/bus_probe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/bus_sp.h"

#define BUS_PROBE_WAY "\x80\x00\x00\x01" /* a REQ's way back: one hop */

int bus_probe_init(struct bus_probe *p, uv_loop_t *loop, enum bus_probe_kind kind, const char *path,
	const char *ping, size_t ping_len)
{
	unsigned char *out = (unsigned char *)p->request;
	size_t way = sizeof BUS_PROBE_WAY - 1;

	*p = (struct bus_probe){.kind = kind, .loop = loop};
	if (snprintf(p->path, sizeof p->path, "%s", path) >= (int)sizeof p->path)
		return -ENAMETOOLONG;
	assert(ping_len <= 400);
	bus_sp_handshake(kind == BUS_PROBE_REPLY ? BUS_SP_REQ : BUS_SP_SUB, out);
	p->request_len = BUS_SP_HANDSHAKE_SIZE;
	if (kind == BUS_PROBE_PUBLISH)
		return 0;
	out += BUS_SP_HANDSHAKE_SIZE;
	bus_sp_head(way + ping_len, out);
	memcpy(out + BUS_SP_HEAD_SIZE, BUS_PROBE_WAY, way);
	memcpy(out + BUS_SP_HEAD_SIZE + way, ping, ping_len);
	p->request_len += BUS_SP_HEAD_SIZE + way + ping_len;
	return 0;
}

static void bus_probe_on_closed(uv_handle_t *handle)
{
	struct bus_probe *p = handle->data;

	p->state = BUS_PROBE_IDLE;
}

static void bus_probe_close(struct bus_probe *p)
{
	p->state = BUS_PROBE_CLOSING;
	uv_close((uv_handle_t *)&p->pipe, bus_probe_on_closed);
}

static void bus_probe_fail(struct bus_probe *p)
{
	p->failures++;
	p->next = (struct mono){0};
	bus_probe_close(p);
}

static bool bus_probe_is_handshake_good(const struct bus_probe *p)
{
	unsigned char want[BUS_SP_HANDSHAKE_SIZE];

	bus_sp_handshake(p->kind == BUS_PROBE_REPLY ? BUS_SP_REP : BUS_SP_PUB, want);
	return !memcmp(p->received, want, sizeof want);
}

static void bus_probe_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct bus_probe *p = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)p->received + p->received_len,
		(unsigned)(sizeof p->received - p->received_len));
}

static void bus_probe_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct bus_probe *p = stream->data;

	(void)buf;
	if (p->state != BUS_PROBE_ASKING)
		return;
	if (n < 0) {
		bus_probe_fail(p);
		return;
	}
	p->received_len += (size_t)n;
	if (p->received_len < sizeof p->received)
		return;
	if (!bus_probe_is_handshake_good(p)) {
		bus_probe_fail(p);
		return;
	}
	p->failures = 0;
	bus_probe_close(p);
}

static void bus_probe_on_written(uv_write_t *write, int status)
{
	(void)write;
	(void)status;
}

static void bus_probe_on_connect(uv_connect_t *connect, int status)
{
	struct bus_probe *p = connect->data;
	uv_buf_t out = uv_buf_init(p->request, (unsigned)p->request_len);

	if (p->state != BUS_PROBE_ASKING)
		return;
	if (status < 0 ||
		uv_read_start((uv_stream_t *)&p->pipe, bus_probe_on_alloc, bus_probe_on_read) ||
		uv_write(&p->write, (uv_stream_t *)&p->pipe, &out, 1, bus_probe_on_written))
		bus_probe_fail(p);
}

static void bus_probe_start(struct bus_probe *p, struct mono now)
{
	if (uv_pipe_init(p->loop, &p->pipe, 0))
		return;
	p->pipe.data = p->connect.data = p;
	p->state = BUS_PROBE_ASKING;
	p->received_len = 0;
	p->deadline = mono_add_ms(now, BUS_PROBE_ANSWER_MS);
	p->next = mono_add_ms(now, BUS_PROBE_EVERY_MS);
	uv_pipe_connect(&p->connect, &p->pipe, p->path, bus_probe_on_connect);
}

enum bus_probe_advice bus_probe_tick(struct bus_probe *p, struct mono now)
{
	if (p->failures >= BUS_PROBE_FAILURES) {
		p->failures = 0;
		return BUS_PROBE_RENEW;
	}
	switch (p->state) {
	case BUS_PROBE_IDLE:
		if (mono_reached(p->next, now))
			bus_probe_start(p, now);
		return BUS_PROBE_NOTHING;
	case BUS_PROBE_ASKING:
		if (mono_reached(p->deadline, now))
			bus_probe_fail(p);
		/* Only once its connection is in the publisher's hands can a probe hear him. */
		return p->kind == BUS_PROBE_PUBLISH && p->received_len >= BUS_SP_HANDSHAKE_SIZE
			       ? BUS_PROBE_ANNOUNCE
			       : BUS_PROBE_NOTHING;
	case BUS_PROBE_CLOSING:
		return BUS_PROBE_NOTHING;
	}
	return BUS_PROBE_NOTHING;
}

void bus_probe_excuse(struct bus_probe *p, struct mono now)
{
	if (p->state == BUS_PROBE_ASKING)
		p->deadline = mono_add_ms(now, BUS_PROBE_ANSWER_MS);
}

void bus_probe_stop(struct bus_probe *p)
{
	if (p->state == BUS_PROBE_ASKING)
		bus_probe_close(p);
}

bool bus_probe_is_idle(const struct bus_probe *p)
{
	return p->state == BUS_PROBE_IDLE;
}
