/* A tcp check: a connection is made, and where the check says so, a text is sent and another one
 * expected back. */
#include "healthd/probe.h"

#include <string.h>

static void probe_tcp_connected(struct probe *p)
{
	if (p->check->send) {
		buf_add_text(&p->out, p->check->send);
		probe_send(p);
	}
	if (!p->check->expect)
		probe_finish(p, VERDICT_PASSED, "connected in %d ms", probe_elapsed_ms(p));
}

static void probe_tcp_received(struct probe *p, const char *data, size_t len)
{
	const char *expect = p->check->expect;

	buf_add(&p->in, data, len);
	if (memmem(buf_text(&p->in), p->in.len, expect, strlen(expect)))
		probe_finish(p, VERDICT_PASSED, "expected answer in %d ms", probe_elapsed_ms(p));
	else if (p->in.failed)
		probe_finish(p, VERDICT_FAILED, "the expected text is not in the first 16 KiB");
}

static void probe_tcp_ended(struct probe *p)
{
	probe_finish(p, VERDICT_FAILED, "closed without the expected text");
}

static void probe_tcp_fini(struct probe *p)
{
	(void)p;
}

const struct probe_kind probe_tcp = {
	.connected = probe_tcp_connected,
	.received = probe_tcp_received,
	.ended = probe_tcp_ended,
	.fini = probe_tcp_fini,
};
