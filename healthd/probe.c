/* See probe.h. */
#include "healthd/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBE_OUT_MAX 16384
#define PROBE_IN_MAX 16384

const struct probe_kind *probe_kind_of(const struct conf_check *check)
{
	switch ((enum conf_check_type)check->type) {
	case CONF_CHECK_TCP:
		return &probe_tcp;
	case CONF_CHECK_HTTP:
		return &probe_http;
	case CONF_CHECK_TLS:
	case CONF_CHECK_HTTPS:
	case CONF_CHECK_POSTGRES:
	case CONF_CHECK_REDIS:
	case CONF_CHECK_ELASTICSEARCH:
	case CONF_CHECK_PING:
	case CONF_CHECK_PATH:
	case CONF_CHECK_COMMAND:
		return NULL;
	}
	return NULL;
}

int probe_elapsed_ms(const struct probe *p)
{
	return (int)((uv_hrtime() - p->began_ns) / 1000000);
}

static void probe_on_closed(uv_handle_t *handle)
{
	struct probe *p = handle->data;

	if (--p->open_handles)
		return;
	p->kind->fini(p);
	buf_fini(&p->out);
	buf_fini(&p->in);
	free(p);
}

/* A reset instead of an orderly close: thousands of checks must not leave thousands of ports in
 * TIME_WAIT. */
static void probe_close(struct probe *p)
{
	p->is_over = true;
	uv_close((uv_handle_t *)&p->timer, probe_on_closed);
	if (!p->is_connected || uv_tcp_close_reset(&p->tcp, probe_on_closed))
		uv_close((uv_handle_t *)&p->tcp, probe_on_closed);
}

static void probe_report(struct probe *p, const struct probe_finding *finding)
{
	if (p->is_over)
		return;
	probe_close(p);
	p->done(p->user, finding);
}

void probe_finish(struct probe *p, enum verdict_result result, const char *format, ...)
{
	struct probe_finding finding = {.result = result};
	va_list ap;

	va_start(ap, format);
	vsnprintf(finding.text, sizeof finding.text, format, ap);
	va_end(ap);
	probe_report(p, &finding);
}

void probe_cancel(struct probe *p)
{
	if (!p->is_over)
		probe_close(p);
}

static void probe_on_timeout(uv_timer_t *timer)
{
	struct probe *p = timer->data;
	struct probe_finding finding = {.result = VERDICT_FAILED, .is_timeout = true};

	snprintf(finding.text, sizeof finding.text, "%s after %lld ms",
		p->is_connected ? "no answer" : "connect timed out",
		(long long)p->check->timeout_ms);
	probe_report(p, &finding);
}

static void probe_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct probe *p = handle->data;

	(void)suggested;
	*buf = uv_buf_init(p->received, sizeof p->received);
}

static void probe_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct probe *p = stream->data;

	if (p->is_over)
		return;
	if (n > 0)
		p->kind->received(p, buf->base, (size_t)n);
	else if (n == UV_EOF)
		p->kind->ended(p);
	else if (n < 0)
		probe_finish(p, VERDICT_FAILED, "connection lost: %s", uv_strerror((int)n));
}

static void probe_on_written(uv_write_t *write, int status)
{
	struct probe *p = write->data;

	if (status < 0 && status != UV_ECANCELED)
		probe_finish(p, VERDICT_FAILED, "connection lost: %s", uv_strerror(status));
}

void probe_send(struct probe *p)
{
	uv_buf_t out = uv_buf_init(p->out.data, (unsigned)p->out.len);

	if (p->out.failed || !p->out.len)
		return;
	p->write.data = p;
	uv_write(&p->write, (uv_stream_t *)&p->tcp, &out, 1, probe_on_written);
}

/* A server that expects a PROXY header expects it of a check too: this one is for ourselves
 * (proxy-protocol.txt, 2.1 UNKNOWN and 2.2 LOCAL). */
static void probe_greet(struct probe *p)
{
	static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0";

	if (p->check->send_proxy_protocol == CONF_PROXY_V1)
		buf_add_text(&p->out, "PROXY UNKNOWN\r\n");
	else if (p->check->send_proxy_protocol == CONF_PROXY_V2)
		buf_add(&p->out, local, sizeof local);
}

static void probe_on_connect(uv_connect_t *connect, int status)
{
	struct probe *p = connect->data;

	if (p->is_over)
		return;
	if (status == UV_ECONNREFUSED) {
		probe_finish(p, VERDICT_FAILED, "connect refused");
		return;
	}
	if (status < 0) {
		probe_finish(p, VERDICT_FAILED, "connect failed: %s", uv_strerror(status));
		return;
	}
	p->is_connected = true;
	uv_read_start((uv_stream_t *)&p->tcp, probe_on_alloc, probe_on_read);
	probe_greet(p);
	p->kind->connected(p);
}

/* connect(2) itself may refuse; that too is told from the loop, by a timer that is due at once. */
static void probe_on_refused(uv_timer_t *timer)
{
	struct probe *p = timer->data;

	probe_finish(p, VERDICT_FAILED, "connect failed: %s", uv_strerror(p->refused));
}

struct probe *probe_start(uv_loop_t *loop, const struct conf_check *check, const struct addr *to,
	const char *host, probe_done *done, void *user)
{
	struct probe *p = calloc(1, sizeof *p);
	int rc;

	if (!p)
		return NULL;
	p->kind = probe_kind_of(check);
	p->check = check;
	p->host = host;
	p->done = done;
	p->user = user;
	p->began_ns = uv_hrtime();
	buf_init(&p->out, PROBE_OUT_MAX);
	buf_init(&p->in, PROBE_IN_MAX);
	uv_timer_init(loop, &p->timer);
	uv_tcp_init(loop, &p->tcp);
	p->open_handles = 2;
	p->timer.data = p->tcp.data = p->connect.data = p;
	rc = uv_tcp_connect(&p->connect, &p->tcp, &to->sa, probe_on_connect);
	if (rc) {
		p->refused = rc;
		uv_timer_start(&p->timer, probe_on_refused, 0, 0);
	} else {
		uv_timer_start(&p->timer, probe_on_timeout, (uint64_t)check->timeout_ms, 0);
	}
	return p;
}
