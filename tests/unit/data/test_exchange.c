/* exchange: traces of events and what is to be done after each; and long random lives that break no
 * invariant. */
#include "data/http/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/rand.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define START_MS 1000

static const struct exchange_limits limits = {
	.request_head_ms = 10, .client_idle_ms = 60, .response_ms = 30, .server_idle_ms = 40};

/* The events of traces by name. */
static const struct {
	const char *name;
	struct exchange_event event;
} events[] = {
	{"bytes", {.kind = EXCHANGE_BYTES}},
	{"get", {.kind = EXCHANGE_REQUEST, .request = {.is_idempotent = true, .keeps = true}}},
	{"get-close", {.kind = EXCHANGE_REQUEST, .request = {.is_idempotent = true}}},
	{"get-1.0",
		{.kind = EXCHANGE_REQUEST, .request = {.is_idempotent = true, .is_http10 = true}}},
	{"get-upgrade",
		{.kind = EXCHANGE_REQUEST,
			.request = {.is_idempotent = true, .keeps = true, .upgrades = true}}},
	{"post", {.kind = EXCHANGE_REQUEST, .request = {.has_body = true, .keeps = true}}},
	{"put", {.kind = EXCHANGE_REQUEST,
			.request = {.is_idempotent = true, .has_body = true, .keeps = true}}},
	{"bad-head",
		{.kind = EXCHANGE_REFUSED, .end = EXCHANGE_END_BAD_REQUEST_HEAD, .status = 431}},
	{"bad-body",
		{.kind = EXCHANGE_REFUSED, .end = EXCHANGE_END_BAD_REQUEST_BODY, .status = 400}},
	{"too-large",
		{.kind = EXCHANGE_REFUSED, .end = EXCHANGE_END_BODY_TOO_LARGE, .status = 413}},
	{"ready", {.kind = EXCHANGE_READY}},
	{"reused", {.kind = EXCHANGE_READY, .is_reused = true}},
	{"refused", {.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_CONNECT_REFUSED}},
	{"refused-retry",
		{.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_CONNECT_REFUSED, .may_retry = true}},
	{"connect-timeout", {.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_CONNECT_TIMEOUT}},
	{"no-server", {.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_NO_SERVER}},
	{"reset", {.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_SERVER_RESET}},
	{"reset-retry",
		{.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_SERVER_RESET, .may_retry = true}},
	{"stale", {.kind = EXCHANGE_FAILED,
			  .end = EXCHANGE_END_SERVER_CLOSED,
			  .may_retry = true,
			  .is_stale = true}},
	{"moved", {.kind = EXCHANGE_MOVED}},
	{"request-whole", {.kind = EXCHANGE_REQUEST_WHOLE}},
	{"interim", {.kind = EXCHANGE_INTERIM}},
	{"switched", {.kind = EXCHANGE_SWITCHED}},
	{"response",
		{.kind = EXCHANGE_RESPONSE, .response = {.keeps = true, .is_delimited = true}}},
	{"response-close", {.kind = EXCHANGE_RESPONSE, .response = {.is_delimited = true}}},
	{"response-to-end", {.kind = EXCHANGE_RESPONSE}},
	{"another", {.kind = EXCHANGE_ANOTHER, .response = {.keeps = true}}},
	{"status-retry", {.kind = EXCHANGE_ANOTHER, .may_retry = true}},
	{"first-answer", {.kind = EXCHANGE_FAILED, .end = EXCHANGE_END_OK, .status = 404}},
	{"whole", {.kind = EXCHANGE_RESPONSE_WHOLE}},
	{"whole-spoiled", {.kind = EXCHANGE_RESPONSE_WHOLE, .is_spoiled = true}},
	{"sent", {.kind = EXCHANGE_SENT}},
	{"client-fin", {.kind = EXCHANGE_CLIENT_ENDED}},
	{"client-reset", {.kind = EXCHANGE_CLIENT_LOST}},
	{"timeout", {.kind = EXCHANGE_TIMEOUT}},
	{"timeout-client", {.kind = EXCHANGE_TIMEOUT, .is_client_late = true}},
	{"drain", {.kind = EXCHANGE_DRAIN}},
	{"stopped", {.kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_DRAINED}},
	{"tunnel-ended", {.kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_OK}},
};

static const char *const actions[] = {"avoid", "keep", "drop", "find", "send", "interim", "forward",
	"answer", "tunnel", "finish", "next", "linger", "close", "abort"};

// clang-format off
static const struct {
	const char *trace;
	const char *does; /* what each event calls for, "-" for nothing; answers with their status, finishes with their end */
} traces[] = {
	/* keep-alive on both sides */
	{"bytes get ready response whole sent bytes get reused response whole sent",
	 "- find send forward keep finish:ok,next - find send forward keep finish:ok,next"},
	{"bytes get-close ready response whole sent", "- find send forward keep finish:ok,close"},
	{"bytes get ready response-close whole sent", "- find send forward drop finish:ok,next"},
	{"bytes get ready response whole-spoiled sent", "- find send forward drop finish:ok,next"},
	{"bytes get-1.0 ready response-to-end whole sent", "- find send forward drop finish:ok,close"},
	{"bytes get ready response sent moved whole sent", "- find send forward - - keep finish:ok,next"},
	{"bytes get ready interim interim response whole sent",
	 "- find send interim interim forward keep finish:ok,next"},
	{"bytes get-1.0 ready interim response whole sent", "- find send - forward keep finish:ok,close"},
	/* bodies */
	{"bytes post ready moved request-whole response whole sent",
	 "- find send - - forward keep finish:ok,next"},
	{"bytes post ready response whole sent client-fin",
	 "- find send forward drop finish:ok,linger close"},
	{"bytes post ready response request-whole whole sent",
	 "- find send forward - keep finish:ok,close"},
	{"bytes post ready response whole sent timeout", "- find send forward drop finish:ok,linger close"},
	/* refusals */
	{"bytes bad-head sent client-fin", "- answer:431 finish:bad-request-head,linger close"},
	{"bytes bad-head client-reset", "- answer:431 finish:bad-request-head,close"},
	{"bytes post bad-body sent", "- find drop,answer:400 finish:bad-request-body,linger"},
	{"bytes post ready bad-body sent", "- find send drop,answer:400 finish:bad-request-body,linger"},
	{"bytes post ready too-large sent", "- find send drop,answer:413 finish:body-too-large,linger"},
	{"bytes post ready response bad-body", "- find send forward drop,finish:bad-request-body,close"},
	/* another server is asked */
	{"bytes get ready another ready response whole sent",
	 "- find send avoid,keep,find send forward keep finish:ok,next"},
	{"bytes get ready another ready first-answer sent",
	 "- find send avoid,keep,find send drop,answer:404 finish:ok,next"},
	{"bytes get ready another first-answer sent", "- find send avoid,keep,find drop,answer:404 finish:ok,next"},
	{"bytes get ready status-retry ready response whole sent",
	 "- find send avoid,drop,find send forward keep finish:ok,next"},
	/* no server */
	{"bytes get no-server sent bytes get", "- find drop,answer:503 finish:no-server,next - find"},
	{"bytes post no-server sent", "- find drop,answer:503 finish:no-server,linger"},
	{"bytes get refused sent", "- find drop,answer:502 finish:connect-refused,next"},
	{"bytes get connect-timeout sent", "- find drop,answer:504 finish:connect-timeout,next"},
	{"bytes get refused-retry ready response", "- find avoid,drop,find send forward"},
	{"bytes post refused-retry refused-retry refused",
	 "- find avoid,drop,find avoid,drop,find drop,answer:502"},
	/* servers that break */
	{"bytes get ready reset sent", "- find send drop,answer:502 finish:server-reset,next"},
	{"bytes get ready reset-retry ready response", "- find send avoid,drop,find send forward"},
	{"bytes get reused stale ready response", "- find send drop,find send forward"},
	{"bytes get ready response reset", "- find send forward drop,finish:server-reset,close"},
	{"bytes get-1.0 ready response-to-end reset", "- find send forward drop,finish:server-reset,abort"},
	/* time-outs */
	{"timeout", "close"},
	{"bytes timeout sent", "- answer:408 finish:client-timeout,linger"},
	{"bytes get ready timeout sent", "- find send drop,answer:504 finish:response-timeout,next"},
	{"bytes post ready timeout-client sent",
	 "- find send drop,answer:408 finish:client-timeout,linger"},
	{"bytes post ready timeout sent", "- find send drop,answer:504 finish:response-timeout,linger"},
	{"bytes get ready response timeout", "- find send forward drop,finish:server-timeout,close"},
	{"bytes get ready response timeout-client", "- find send forward drop,finish:client-timeout,abort"},
	{"bytes get ready response whole timeout", "- find send forward keep finish:client-timeout,abort"},
	{"bytes get refused timeout", "- find drop,answer:502 finish:connect-refused,abort"},
	/* clients that leave */
	{"client-fin", "close"},
	{"bytes client-fin", "- finish:client-abort,close"},
	{"bytes get client-reset", "- find drop,finish:client-abort,close"},
	{"bytes get client-fin ready response whole sent client-fin",
	 "- find - send forward keep finish:ok,next close"},
	{"bytes post client-fin", "- find drop,finish:client-abort,close"},
	{"bytes post ready client-fin", "- find send drop,finish:client-abort,close"},
	{"bytes get ready client-reset", "- find send drop,finish:client-abort,close"},
	{"bytes get ready response client-reset", "- find send forward drop,finish:client-abort,close"},
	/* upgrades */
	{"bytes get-upgrade ready switched tunnel-ended", "- find send tunnel finish:ok,close"},
	{"bytes get-upgrade ready response whole sent", "- find send forward keep finish:ok,next"},
	{"bytes get ready switched sent", "- find send drop,answer:502 finish:bad-response,next"},
	/* leaving */
	{"drain bytes get ready response whole sent", "- - find send forward keep finish:ok,close"},
	{"drain timeout", "- close"},
	{"bytes get ready drain response whole sent", "- find send - forward keep finish:ok,close"},
	{"bytes get ready stopped sent", "- find send drop,answer:503 finish:drained,close"},
	{"bytes get ready response stopped", "- find send forward drop,finish:drained,close"},
	{"stopped", "close"},
	{"bytes get-upgrade ready switched stopped", "- find send tunnel finish:drained,close"},
};
// clang-format on

static const struct exchange_event *event_of(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(events); i++)
		if (strlen(events[i].name) == len && !memcmp(events[i].name, name, len))
			return &events[i].event;
	fail_msg("no event %.*s", (int)len, name);
	return NULL;
}

static void print_does(const struct exchange *x, unsigned does, char *out, size_t size)
{
	size_t len = strlen(out);

	if (!does)
		len += (size_t)snprintf(out + len, size - len, "%s-", len ? " " : "");
	else if (len)
		len += (size_t)snprintf(out + len, size - len, " ");
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (!(does >> i & 1))
			continue;
		if (does & ((1u << i) - 1))
			len += (size_t)snprintf(out + len, size - len, ",");
		len += (size_t)snprintf(out + len, size - len, "%s", actions[i]);
		if (1u << i == EXCHANGE_DO_ANSWER)
			len += (size_t)snprintf(out + len, size - len, ":%d", x->status);
		if (1u << i == EXCHANGE_DO_FINISH)
			len += (size_t)snprintf(
				out + len, size - len, ":%s", exchange_end_name(x->end));
	}
}

static void follows_traces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(traces); i++) {
		char does[512] = "";
		struct exchange x;

		exchange_init(&x, &limits, START_MS);
		for (const char *at = traces[i].trace; *at;) {
			size_t len = strcspn(at, " ");

			print_does(&x, exchange_step(&x, event_of(at, len), START_MS), does,
				sizeof does);
			exchange_check(&x);
			at += len + (at[len] == ' ');
		}
		if (strcmp(does, traces[i].does))
			fail_msg("%s\n  wants %s\n  got   %s", traces[i].trace, traces[i].does,
				does);
	}
}

static void keeps_deadlines(void **state)
{
	static const struct {
		const char *trace;
		int64_t after_ms; /* -1: never */
	} rows[] = {
		{"", 10},
		{"bytes", 10},
		{"bytes get", -1},
		{"bytes get ready", 30},
		{"bytes post ready", 40},
		{"bytes post ready request-whole", 30},
		{"bytes get ready response", 40},
		{"bytes get ready response whole", 60},
		{"bytes get ready response whole sent", 60},
		{"bytes bad-head", 60},
		{"bytes bad-head sent", EXCHANGE_LINGER_MS},
		{"drain", 10},
		{"bytes get-upgrade ready switched", -1},
	};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		exchange_init(&x, &limits, START_MS);
		for (const char *at = rows[i].trace; *at;) {
			size_t len = strcspn(at, " ");

			exchange_step(&x, event_of(at, len), START_MS);
			at += len + (at[len] == ' ');
		}
		assert_int_equal(x.deadline_ms,
			rows[i].after_ms < 0 ? EXCHANGE_NEVER : START_MS + rows[i].after_ms);
	}
}

/* RFC 9110 section 9.2.2: what may be sent again, and when. */
static void judges_retries(void **state)
{
	static const struct {
		const char *trace;
		enum exchange_end end;
		bool is_replayable, is_undelivered;
		enum exchange_retry retry;
	} rows[] = {
		{"bytes post", EXCHANGE_END_CONNECT_REFUSED, true, false, EXCHANGE_RETRY_CONNECT},
		{"bytes post", EXCHANGE_END_CONNECT_TIMEOUT, true, false, EXCHANGE_RETRY_CONNECT},
		{"bytes post", EXCHANGE_END_SERVER_LOST, true, false, EXCHANGE_RETRY_CONNECT},
		{"bytes get", EXCHANGE_END_NO_SERVER, true, false, EXCHANGE_RETRY_NOT},
		{"bytes get", EXCHANGE_END_QUEUE_TIMEOUT, true, false, EXCHANGE_RETRY_NOT},
		{"bytes get ready", EXCHANGE_END_SERVER_RESET, true, false, EXCHANGE_RETRY_RESET},
		{"bytes get ready", EXCHANGE_END_SERVER_RESET, false, false, EXCHANGE_RETRY_NOT},
		{"bytes get reused", EXCHANGE_END_SERVER_CLOSED, true, false, EXCHANGE_RETRY_STALE},
		{"bytes get ready", EXCHANGE_END_RESPONSE_TIMEOUT, true, false, EXCHANGE_RETRY_NOT},
		{"bytes get ready", EXCHANGE_END_BAD_RESPONSE, true, false, EXCHANGE_RETRY_NOT},
		{"bytes post ready", EXCHANGE_END_SERVER_RESET, true, false, EXCHANGE_RETRY_NOT},
		{"bytes post ready", EXCHANGE_END_SERVER_CLOSED, true, true, EXCHANGE_RETRY_RESET},
		{"bytes post ready", EXCHANGE_END_SERVER_RESET, true, true, EXCHANGE_RETRY_NOT},
		{"bytes post ready", EXCHANGE_END_SERVER_LOST, true, true, EXCHANGE_RETRY_NOT},
		{"bytes post reused", EXCHANGE_END_SERVER_CLOSED, true, false, EXCHANGE_RETRY_NOT},
		{"bytes post reused", EXCHANGE_END_SERVER_CLOSED, true, true, EXCHANGE_RETRY_STALE},
		{"bytes post reused", EXCHANGE_END_SERVER_CLOSED, false, true, EXCHANGE_RETRY_NOT},
		{"bytes post reused", EXCHANGE_END_SERVER_RESET, true, true, EXCHANGE_RETRY_NOT},
		{"bytes put reused", EXCHANGE_END_SERVER_RESET, true, false, EXCHANGE_RETRY_STALE},
		{"bytes get ready response", EXCHANGE_END_SERVER_RESET, true, true,
			EXCHANGE_RETRY_NOT},
	};
	struct exchange x;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		exchange_init(&x, &limits, START_MS);
		for (const char *at = rows[i].trace; *at;) {
			size_t len = strcspn(at, " ");

			exchange_step(&x, event_of(at, len), START_MS);
			at += len + (at[len] == ' ');
		}
		assert_int_equal(exchange_retry(&x, rows[i].end, rows[i].is_replayable,
					 rows[i].is_undelivered),
			rows[i].retry);
	}
}

static void bounds_interim_responses(void **state)
{
	static const struct exchange_event interim = {.kind = EXCHANGE_INTERIM};
	struct exchange x;

	(void)state;
	exchange_init(&x, &limits, START_MS);
	exchange_step(&x, event_of("bytes", 5), START_MS);
	exchange_step(&x, event_of("get", 3), START_MS);
	exchange_step(&x, event_of("ready", 5), START_MS);
	for (int i = 0; i < EXCHANGE_INTERIM_MAX; i++)
		assert_int_equal(exchange_step(&x, &interim, START_MS), EXCHANGE_DO_INTERIM);
	assert_int_equal(
		exchange_step(&x, &interim, START_MS), EXCHANGE_DO_DROP | EXCHANGE_DO_ANSWER);
}

/* Which events a shell can tell in a state. */
static bool is_possible(const struct exchange *x, const struct exchange_event *ev)
{
	switch (ev->kind) {
	case EXCHANGE_REQUEST:
		return x->state == EXCHANGE_HEAD;
	case EXCHANGE_REFUSED:
		return x->state == EXCHANGE_HEAD ||
		       ((x->state == EXCHANGE_CONNECTING || x->state == EXCHANGE_WAITING ||
				x->state == EXCHANGE_RESPONDING) &&
			       !x->request_whole && !x->response_whole);
	case EXCHANGE_READY:
		return x->state == EXCHANGE_CONNECTING;
	case EXCHANGE_FAILED:
		return x->has_server;
	case EXCHANGE_ANOTHER:
		return x->state == EXCHANGE_WAITING && x->request_whole;
	case EXCHANGE_REQUEST_WHOLE:
		return (x->state == EXCHANGE_WAITING || x->state == EXCHANGE_RESPONDING) &&
		       x->has_server && !x->request_whole;
	case EXCHANGE_INTERIM:
	case EXCHANGE_SWITCHED:
	case EXCHANGE_RESPONSE:
		return x->state == EXCHANGE_WAITING;
	case EXCHANGE_RESPONSE_WHOLE:
		return x->state == EXCHANGE_RESPONDING && !x->response_whole;
	case EXCHANGE_BYTES:
	case EXCHANGE_MOVED:
	case EXCHANGE_SENT:
	case EXCHANGE_CLIENT_ENDED:
	case EXCHANGE_CLIENT_LOST:
	case EXCHANGE_TIMEOUT:
	case EXCHANGE_DRAIN:
	case EXCHANGE_STOPPED:
	case EXCHANGE_EVENTS:
		break;
	}
	return true;
}

/* A server is dropped or kept once for each time one is looked for; a request is finished once. */
static void lives_through_anything(void **state)
{
	struct rand_state rand;

	(void)state;
	for (uint64_t seed = 0; seed < 20000; seed++) {
		int servers = 0, requests = 0;
		struct exchange x;

		rand_seed(&rand, seed);
		exchange_init(&x, &limits, START_MS);
		for (int i = 0; i < 60 && x.state != EXCHANGE_CLOSED; i++) {
			const struct exchange_event *ev =
				&events[rand_below(&rand, COUNT(events))].event;
			bool begins = ev->kind == EXCHANGE_BYTES && x.state == EXCHANGE_IDLE;
			unsigned does;

			if (!is_possible(&x, ev))
				continue;
			does = exchange_step(&x, ev, START_MS + i);
			exchange_check(&x);
			requests += begins;
			requests -= !!(does & EXCHANGE_DO_FINISH);
			servers -= !!(
				does & (EXCHANGE_DO_KEEP | EXCHANGE_DO_DROP | EXCHANGE_DO_TUNNEL));
			servers += !!(does & EXCHANGE_DO_FIND);
			assert_in_range(servers, 0, 1);
			assert_in_range(requests, 0, 1);
			assert_int_equal(servers, x.has_server);
		}
		if (x.state == EXCHANGE_CLOSED)
			assert_int_equal(requests, 0);
	}
}

static void names_everything(void **state)
{
	struct exchange_way way;

	(void)state;
	for (int s = 0; s < EXCHANGE_STATES; s++)
		assert_true(*exchange_state_name(s));
	for (int e = 0; e < EXCHANGE_ENDS; e++)
		assert_true(*exchange_end_name(e));
	for (size_t i = 0; exchange_way(i, &way); i++)
		assert_true(*way.why);
}

/* The drawing in data/http/README.md is the table: this finds it there, whole. */
static void is_drawn_in_the_readme(void **state)
{
	static char text[262144];
	char path[512], diagram[4096] = "stateDiagram-v2\n";
	struct exchange_way way;
	size_t len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s", __FILE__);
	*strstr(path, "tests/unit/") = '\0';
	strcat(path, "data/http/README.md");
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[len] = '\0';
	for (size_t i = 0; exchange_way(i, &way); i++)
		sprintf(diagram + strlen(diagram), "    %s --> %s: %s\n",
			exchange_state_name(way.from), exchange_state_name(way.to), way.why);
	if (!strstr(text, diagram))
		fail_msg("data/http/README.md should contain:\n```mermaid\n%s```", diagram);
}

/* What came from another worker goes on as if it had been here all the time. */
static void test_resumed(void **state)
{
	struct exchange x;

	(void)state;
	exchange_init(&x, &limits, START_MS);
	exchange_resume(&x, 700, START_MS);
	exchange_check(&x);
	assert_int_equal(x.deadline_ms, START_MS + 700);
	assert_int_equal(exchange_step(&x, &(struct exchange_event){.kind = EXCHANGE_TIMEOUT},
				 START_MS + 700),
		EXCHANGE_DO_CLOSE);
	exchange_init(&x, &limits, START_MS);
	exchange_resume_tunnel(&x, 2);
	exchange_check(&x);
	assert_int_equal(x.state, EXCHANGE_TUNNEL);
	assert_int_equal(x.tries, 2);
	assert_true(
		exchange_step(&x,
			&(struct exchange_event){.kind = EXCHANGE_STOPPED, .end = EXCHANGE_END_OK},
			START_MS) &
		EXCHANGE_DO_FINISH);
	exchange_check(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_traces),
		cmocka_unit_test(keeps_deadlines),
		cmocka_unit_test(judges_retries),
		cmocka_unit_test(bounds_interim_responses),
		cmocka_unit_test(lives_through_anything),
		cmocka_unit_test(names_everything),
		cmocka_unit_test(is_drawn_in_the_readme),
		cmocka_unit_test(test_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
