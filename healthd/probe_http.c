/* An http check: one HTTP/1.1 request without keep-alive, judged by its status and, where the check
 * says so, its body. */
#include "healthd/probe.h"

#include <string.h>

static void probe_http_connected(struct probe *p)
{
	const struct conf_check *check = p->check;
	bool is_head = check->method && !strcmp(check->method, "HEAD");

	http_answer_init(&p->answer, check->body && !is_head);
	buf_printf(&p->out,
		"%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ballast-healthd/" BALLAST_VERSION
		"\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		check->method ? check->method : "GET", check->path ? check->path : "/",
		check->host ? check->host : p->host);
	if (p->out.failed)
		probe_finish(p, VERDICT_FAILED, "the check's request is too long");
	else
		probe_send(p);
}

static bool probe_http_is_expected(const struct conf_check *check, int status)
{
	for (size_t i = 0; i < check->expect_status_count; i++)
		if (status >= check->expect_status[i].first &&
			status <= check->expect_status[i].last)
			return true;
	return false;
}

/* What status_map says of a status, in front of expect_status. */
static bool probe_http_is_mapped(
	const struct conf_check *check, int status, enum verdict_result *ret)
{
	static const enum verdict_result results[] = {
		[CONF_VERDICT_UP] = VERDICT_PASSED,
		[CONF_VERDICT_DOWN] = VERDICT_FAILED,
		[CONF_VERDICT_DRAIN] = VERDICT_ASKED_DRAIN,
		[CONF_VERDICT_STANDBY] = VERDICT_ASKED_STANDBY,
	};

	for (size_t i = 0; i < check->status_map_count; i++)
		if (check->status_map[i].status == status) {
			*ret = results[check->status_map[i].verdict];
			return true;
		}
	return false;
}

static bool probe_http_has_text(const struct probe *p)
{
	const struct buf *body = &p->answer.body;

	return !p->check->body ||
	       memmem(buf_text(body), body->len, p->check->body, strlen(p->check->body));
}

static void probe_http_judge(struct probe *p)
{
	int status = p->answer.status, ms = probe_elapsed_ms(p);
	enum verdict_result mapped;

	if (probe_http_is_mapped(p->check, status, &mapped))
		probe_finish(p, mapped, "%d in %d ms", status, ms);
	else if (!probe_http_is_expected(p->check, status))
		probe_finish(p, VERDICT_FAILED, "status %d", status);
	else if (!probe_http_has_text(p))
		probe_finish(p, VERDICT_FAILED, "status %d, but the body lacks the expected text",
			status);
	else
		probe_finish(p, VERDICT_PASSED, "%d in %d ms", status, ms);
}

static void probe_http_progress(struct probe *p)
{
	if (p->answer.state == HTTP_ANSWER_DONE)
		probe_http_judge(p);
	else if (p->answer.state == HTTP_ANSWER_BROKEN)
		probe_finish(p, VERDICT_FAILED, "bad answer: %s", p->answer.why);
}

static void probe_http_received(struct probe *p, const char *data, size_t len)
{
	http_answer_feed(&p->answer, data, len);
	probe_http_progress(p);
}

static void probe_http_ended(struct probe *p)
{
	http_answer_end(&p->answer);
	probe_http_progress(p);
}

static void probe_http_fini(struct probe *p)
{
	http_answer_fini(&p->answer);
}

const struct probe_kind probe_http = {
	.connected = probe_http_connected,
	.received = probe_http_received,
	.ended = probe_http_ended,
	.fini = probe_http_fini,
};
