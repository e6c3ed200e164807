/*
 * See exchange.h. One function for each group of events; every change of state
 * goes through move(), which allows only the ways of the table.
 */
#include "data/http/exchange.h"

#include <assert.h>
#include <string.h>

// clang-format off
/* The legal ways: why[from][to]. */
static const char *const why[EXCHANGE_STATES][EXCHANGE_STATES] = {
	[EXCHANGE_IDLE][EXCHANGE_HEAD] = "first bytes",
	[EXCHANGE_IDLE][EXCHANGE_CLOSED] = "client gone or time-out",
	[EXCHANGE_HEAD][EXCHANGE_CONNECTING] = "request",
	[EXCHANGE_HEAD][EXCHANGE_ANSWERING] = "bad request or time-out",
	[EXCHANGE_HEAD][EXCHANGE_CLOSED] = "client gone",
	[EXCHANGE_CONNECTING][EXCHANGE_WAITING] = "server ready",
	[EXCHANGE_CONNECTING][EXCHANGE_ANSWERING] = "no server",
	[EXCHANGE_CONNECTING][EXCHANGE_CLOSED] = "client gone",
	[EXCHANGE_WAITING][EXCHANGE_CONNECTING] = "retry",
	[EXCHANGE_WAITING][EXCHANGE_RESPONDING] = "response",
	[EXCHANGE_WAITING][EXCHANGE_ANSWERING] = "server failed, bad body or time-out",
	[EXCHANGE_WAITING][EXCHANGE_TUNNEL] = "switched protocols",
	[EXCHANGE_WAITING][EXCHANGE_CLOSED] = "client gone",
	[EXCHANGE_RESPONDING][EXCHANGE_IDLE] = "response sent",
	[EXCHANGE_RESPONDING][EXCHANGE_LINGERING] = "response sent before the request was whole",
	[EXCHANGE_RESPONDING][EXCHANGE_CLOSED] = "response sent, cut off, or client gone",
	[EXCHANGE_ANSWERING][EXCHANGE_IDLE] = "answer sent",
	[EXCHANGE_ANSWERING][EXCHANGE_LINGERING] = "answer sent before the request was whole",
	[EXCHANGE_ANSWERING][EXCHANGE_CLOSED] = "answer sent, or client gone",
	[EXCHANGE_LINGERING][EXCHANGE_CLOSED] = "client ended or time-out",
	[EXCHANGE_TUNNEL][EXCHANGE_CLOSED] = "tunnel ended",
};

static const char *const state_names[EXCHANGE_STATES] = {
	[EXCHANGE_IDLE] = "idle",
	[EXCHANGE_HEAD] = "head",
	[EXCHANGE_CONNECTING] = "connecting",
	[EXCHANGE_WAITING] = "waiting",
	[EXCHANGE_RESPONDING] = "responding",
	[EXCHANGE_ANSWERING] = "answering",
	[EXCHANGE_LINGERING] = "lingering",
	[EXCHANGE_TUNNEL] = "tunnel",
	[EXCHANGE_CLOSED] = "closed",
};
// clang-format on

const char *exchange_state_name(enum exchange_state s)
{
	assert(s < EXCHANGE_STATES);
	return state_names[s];
}

bool exchange_way(size_t i, struct exchange_way *ret)
{
	for (unsigned from = 0; from < EXCHANGE_STATES; from++)
		for (unsigned to = 0; to < EXCHANGE_STATES; to++)
			if (why[from][to] && i-- == 0) {
				*ret = (struct exchange_way){from, to, why[from][to]};
				return true;
			}
	return false;
}

static void move(struct exchange *x, enum exchange_state to, int64_t deadline_ms)
{
	assert(why[x->state][to]);
	x->state = to;
	x->deadline_ms = deadline_ms;
}

void exchange_init(struct exchange *x, const struct exchange_limits *limits, int64_t now_ms)
{
	memset(x, 0, sizeof *x);
	x->limits = *limits;
	x->deadline_ms = now_ms + limits->request_head_ms;
}

void exchange_resume(struct exchange *x, int64_t idle_ms, int64_t now_ms)
{
	assert(x->state == EXCHANGE_IDLE);
	x->deadline_ms = now_ms + idle_ms;
}

void exchange_resume_tunnel(struct exchange *x, unsigned tries)
{
	assert(x->state == EXCHANGE_IDLE);
	x->state = EXCHANGE_TUNNEL;
	x->deadline_ms = EXCHANGE_NEVER;
	x->tries = tries;
	x->request_whole = true;
}

static int64_t idle_deadline(const struct exchange *x, int64_t now_ms)
{
	int64_t idle_ms = x->limits.client_idle_ms;

	if (x->is_draining && idle_ms > EXCHANGE_DRAIN_MS)
		idle_ms = EXCHANGE_DRAIN_MS;
	return now_ms + idle_ms;
}

/* The first bytes of a request: a clean slate. What the last one left could be asked for until now.
 */
static unsigned on_bytes(struct exchange *x, int64_t now_ms)
{
	if (x->state != EXCHANGE_IDLE)
		return 0;
	move(x, EXCHANGE_HEAD, now_ms + x->limits.request_head_ms);
	x->end = EXCHANGE_END_NONE;
	x->status = 0;
	x->tries = x->interims = 0;
	x->request_whole = x->response_whole = false;
	x->is_reused = x->wants_fresh = false;
	return 0;
}

/* The bit that lets go of the server, if there is one. */
static unsigned release(struct exchange *x, unsigned how)
{
	if (!x->has_server)
		return 0;
	x->has_server = false;
	return how;
}

/* Nobody can be told anything: all ends here. */
static unsigned give_up(struct exchange *x, enum exchange_end end, unsigned how)
{
	unsigned does = release(x, EXCHANGE_DO_DROP) | how;

	if (x->state != EXCHANGE_IDLE && x->state != EXCHANGE_LINGERING) {
		if (!x->end)
			x->end = end;
		does |= EXCHANGE_DO_FINISH;
	}
	move(x, EXCHANGE_CLOSED, EXCHANGE_NEVER);
	return does;
}

static unsigned answer(struct exchange *x, enum exchange_end end, int status, int64_t now_ms)
{
	assert(status >= 200);
	x->end = end;
	x->status = status;
	if (!x->request_whole || !x->request.keeps || x->is_draining)
		x->closes = true;
	move(x, EXCHANGE_ANSWERING, now_ms + x->limits.client_idle_ms);
	return release(x, EXCHANGE_DO_DROP) | EXCHANGE_DO_ANSWER;
}

/*
 * A response that the client has begun to receive ends short of its end: what
 * the client sees must not look whole. A delimited one is short by itself.
 */
static unsigned cut(struct exchange *x, enum exchange_end end)
{
	bool is_visible = x->response.is_delimited && !x->response_whole;

	return give_up(x, end, is_visible ? EXCHANGE_DO_CLOSE : EXCHANGE_DO_ABORT);
}

static unsigned on_request(struct exchange *x, const struct exchange_event *ev)
{
	assert(x->state == EXCHANGE_HEAD);
	x->request = ev->request;
	x->request_whole = !ev->request.has_body;
	x->closes = !ev->request.keeps || x->is_draining;
	x->has_server = true;
	move(x, EXCHANGE_CONNECTING, EXCHANGE_NEVER);
	return EXCHANGE_DO_FIND;
}

static unsigned on_refused(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	x->is_refused = x->closes = true;
	x->request_whole = false;
	if (x->state == EXCHANGE_RESPONDING)
		return cut(x, ev->end);
	assert(x->state == EXCHANGE_HEAD || x->state == EXCHANGE_CONNECTING ||
		x->state == EXCHANGE_WAITING);
	return answer(x, ev->end, ev->status, now_ms);
}

static unsigned on_ready(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	assert(x->state == EXCHANGE_CONNECTING);
	x->is_reused = ev->is_reused;
	x->wants_fresh = false;
	move(x, EXCHANGE_WAITING,
		now_ms + (x->request_whole ? x->limits.response_ms : x->limits.server_idle_ms));
	return EXCHANGE_DO_SEND;
}

/*
 * The server cannot have carried it out. Its FIN acknowledges all that had come to it; a reset
 * acknowledges nothing that we are told of, whether or not the request was read before.
 */
static bool is_unseen(enum exchange_end end, bool is_undelivered)
{
	return is_undelivered && end == EXCHANGE_END_SERVER_CLOSED;
}

enum exchange_retry exchange_retry(
	const struct exchange *x, enum exchange_end end, bool is_replayable, bool is_undelivered)
{
	if (x->state == EXCHANGE_CONNECTING)
		return end == EXCHANGE_END_CONNECT_REFUSED || end == EXCHANGE_END_CONNECT_FAILED ||
				       end == EXCHANGE_END_CONNECT_TIMEOUT ||
				       end == EXCHANGE_END_SERVER_CERTIFICATE ||
				       end == EXCHANGE_END_SERVER_TLS ||
				       end == EXCHANGE_END_SERVER_LOST
			       ? EXCHANGE_RETRY_CONNECT
			       : EXCHANGE_RETRY_NOT;
	if (x->state != EXCHANGE_WAITING || !is_replayable ||
		(!x->request.is_idempotent && !is_unseen(end, is_undelivered)))
		return EXCHANGE_RETRY_NOT;
	if (end != EXCHANGE_END_SERVER_RESET && end != EXCHANGE_END_SERVER_CLOSED &&
		end != EXCHANGE_END_SERVER_LOST)
		return EXCHANGE_RETRY_NOT;
	return x->is_reused ? EXCHANGE_RETRY_STALE : EXCHANGE_RETRY_RESET;
}

/* Another try: the server is let go of, and a server is looked for again. */
static unsigned retry(struct exchange *x, const struct exchange_event *ev)
{
	unsigned does = EXCHANGE_DO_DROP | EXCHANGE_DO_FIND;

	if (ev->is_stale) {
		x->wants_fresh = true;
	} else {
		x->tries++;
		does |= EXCHANGE_DO_AVOID;
	}
	if (x->state == EXCHANGE_WAITING)
		move(x, EXCHANGE_CONNECTING, EXCHANGE_NEVER);
	return does;
}

static unsigned on_failed(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	if (x->state == EXCHANGE_RESPONDING)
		return cut(x, ev->end);
	assert(x->state == EXCHANGE_CONNECTING || x->state == EXCHANGE_WAITING);
	if (ev->may_retry)
		return retry(x, ev);
	return answer(x, ev->end, ev->status ? ev->status : exchange_end_status(ev->end), now_ms);
}

static unsigned on_another(struct exchange *x, const struct exchange_event *ev)
{
	assert(x->state == EXCHANGE_WAITING && x->request_whole);
	x->tries += ev->may_retry;
	move(x, EXCHANGE_CONNECTING, EXCHANGE_NEVER);
	return (ev->response.keeps ? EXCHANGE_DO_KEEP : EXCHANGE_DO_DROP) | EXCHANGE_DO_AVOID |
	       EXCHANGE_DO_FIND;
}

static unsigned on_moved(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	if (x->state != EXCHANGE_RESPONDING && (x->state != EXCHANGE_WAITING || x->request_whole))
		return 0;
	x->deadline_ms = now_ms +
			 (ev->is_client_late ? x->limits.client_idle_ms : x->limits.server_idle_ms);
	return 0;
}

static unsigned on_request_whole(struct exchange *x, int64_t now_ms)
{
	assert(x->state == EXCHANGE_WAITING || x->state == EXCHANGE_RESPONDING);
	x->request_whole = true;
	if (x->state == EXCHANGE_WAITING)
		x->deadline_ms = now_ms + x->limits.response_ms;
	return 0;
}

static unsigned on_interim(struct exchange *x, int64_t now_ms)
{
	assert(x->state == EXCHANGE_WAITING);
	if (++x->interims > EXCHANGE_INTERIM_MAX)
		return answer(x, EXCHANGE_END_BAD_RESPONSE, 502, now_ms);
	return x->request.is_http10 ? 0 : EXCHANGE_DO_INTERIM;
}

static unsigned on_switched(struct exchange *x, int64_t now_ms)
{
	assert(x->state == EXCHANGE_WAITING);
	if (!x->request.upgrades)
		return answer(x, EXCHANGE_END_BAD_RESPONSE, 502, now_ms);
	x->has_server = false;
	move(x, EXCHANGE_TUNNEL, EXCHANGE_NEVER);
	return EXCHANGE_DO_TUNNEL;
}

static unsigned on_response(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	assert(x->state == EXCHANGE_WAITING);
	x->response = ev->response;
	if (!x->request_whole || !x->response.is_delimited || x->is_draining)
		x->closes = true;
	move(x, EXCHANGE_RESPONDING, now_ms + x->limits.server_idle_ms);
	return EXCHANGE_DO_FORWARD;
}

static unsigned on_response_whole(
	struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	bool keeps = x->request_whole && x->response.keeps && !ev->is_spoiled;

	assert(x->state == EXCHANGE_RESPONDING && !x->response_whole);
	x->response_whole = true;
	x->deadline_ms = now_ms + x->limits.client_idle_ms;
	return release(x, keeps ? EXCHANGE_DO_KEEP : EXCHANGE_DO_DROP);
}

static unsigned on_sent(struct exchange *x, int64_t now_ms)
{
	if (x->state == EXCHANGE_RESPONDING ? !x->response_whole : x->state != EXCHANGE_ANSWERING)
		return 0;
	if (!x->end)
		x->end = EXCHANGE_END_OK;
	if (!x->closes) {
		move(x, EXCHANGE_IDLE, idle_deadline(x, now_ms));
		return EXCHANGE_DO_FINISH | EXCHANGE_DO_NEXT;
	}
	if (x->request_whole || x->client_ended) {
		move(x, EXCHANGE_CLOSED, EXCHANGE_NEVER);
		return EXCHANGE_DO_FINISH | EXCHANGE_DO_CLOSE;
	}
	move(x, EXCHANGE_LINGERING, now_ms + EXCHANGE_LINGER_MS);
	return EXCHANGE_DO_FINISH | EXCHANGE_DO_LINGER;
}

/* A client may close its sending side once its request is whole, and still wants the response. */
static unsigned on_client_ended(struct exchange *x)
{
	x->client_ended = true;
	switch (x->state) {
	case EXCHANGE_IDLE:
	case EXCHANGE_HEAD:
	case EXCHANGE_LINGERING:
		return give_up(x, EXCHANGE_END_CLIENT_ABORT, EXCHANGE_DO_CLOSE);
	case EXCHANGE_CONNECTING:
	case EXCHANGE_WAITING:
	case EXCHANGE_RESPONDING:
		if (x->request_whole)
			return 0;
		return give_up(x, EXCHANGE_END_CLIENT_ABORT, EXCHANGE_DO_CLOSE);
	case EXCHANGE_ANSWERING:
	case EXCHANGE_TUNNEL:
	case EXCHANGE_CLOSED:
	case EXCHANGE_STATES:
		break;
	}
	return 0;
}

static unsigned on_timeout(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	switch (x->state) {
	case EXCHANGE_IDLE:
	case EXCHANGE_LINGERING:
		return give_up(x, EXCHANGE_END_OK, EXCHANGE_DO_CLOSE);
	case EXCHANGE_HEAD:
		x->is_refused = true;
		return answer(x, EXCHANGE_END_CLIENT_TIMEOUT, 408, now_ms);
	case EXCHANGE_WAITING:
		if (ev->is_client_late && !x->request_whole)
			return answer(x, EXCHANGE_END_CLIENT_TIMEOUT, 408, now_ms);
		return answer(x, EXCHANGE_END_RESPONSE_TIMEOUT, 504, now_ms);
	case EXCHANGE_RESPONDING:
		if (ev->is_client_late || x->response_whole)
			return give_up(x, EXCHANGE_END_CLIENT_TIMEOUT, EXCHANGE_DO_ABORT);
		return cut(x, EXCHANGE_END_SERVER_TIMEOUT);
	case EXCHANGE_ANSWERING:
		return give_up(x, EXCHANGE_END_CLIENT_TIMEOUT, EXCHANGE_DO_ABORT);
	case EXCHANGE_CONNECTING:
	case EXCHANGE_TUNNEL:
	case EXCHANGE_CLOSED:
	case EXCHANGE_STATES:
		break;
	}
	return 0;
}

/* Ends now. Before anything was answered the client is told why. */
static unsigned on_stopped(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	int status = exchange_end_status(ev->end);

	switch (x->state) {
	case EXCHANGE_HEAD:
	case EXCHANGE_CONNECTING:
	case EXCHANGE_WAITING:
		x->closes = true;
		if (status)
			return answer(x, ev->end, status, now_ms);
		return give_up(x, ev->end, EXCHANGE_DO_ABORT);
	case EXCHANGE_RESPONDING:
	case EXCHANGE_ANSWERING:
		return cut(x, ev->end);
	case EXCHANGE_IDLE:
	case EXCHANGE_LINGERING:
	case EXCHANGE_TUNNEL:
		return give_up(x, ev->end, EXCHANGE_DO_CLOSE);
	case EXCHANGE_CLOSED:
	case EXCHANGE_STATES:
		break;
	}
	return 0;
}

/*
 * The request under way is served, and one that comes soon, too: its response
 * says that it is the last. Closing an idle connection would race the request.
 */
static unsigned on_drain(struct exchange *x, int64_t now_ms)
{
	x->is_draining = true;
	if (x->state == EXCHANGE_IDLE && x->deadline_ms > idle_deadline(x, now_ms))
		x->deadline_ms = idle_deadline(x, now_ms);
	return 0;
}

unsigned exchange_step(struct exchange *x, const struct exchange_event *ev, int64_t now_ms)
{
	assert(x->state < EXCHANGE_CLOSED);
	switch (ev->kind) {
	case EXCHANGE_BYTES:
		return on_bytes(x, now_ms);
	case EXCHANGE_REQUEST:
		return on_request(x, ev);
	case EXCHANGE_REFUSED:
		return on_refused(x, ev, now_ms);
	case EXCHANGE_READY:
		return on_ready(x, ev, now_ms);
	case EXCHANGE_FAILED:
		return on_failed(x, ev, now_ms);
	case EXCHANGE_ANOTHER:
		return on_another(x, ev);
	case EXCHANGE_MOVED:
		return on_moved(x, ev, now_ms);
	case EXCHANGE_REQUEST_WHOLE:
		return on_request_whole(x, now_ms);
	case EXCHANGE_INTERIM:
		return on_interim(x, now_ms);
	case EXCHANGE_SWITCHED:
		return on_switched(x, now_ms);
	case EXCHANGE_RESPONSE:
		return on_response(x, ev, now_ms);
	case EXCHANGE_RESPONSE_WHOLE:
		return on_response_whole(x, ev, now_ms);
	case EXCHANGE_SENT:
		return on_sent(x, now_ms);
	case EXCHANGE_CLIENT_ENDED:
		return on_client_ended(x);
	case EXCHANGE_CLIENT_LOST:
		return give_up(x, EXCHANGE_END_CLIENT_ABORT, EXCHANGE_DO_CLOSE);
	case EXCHANGE_TIMEOUT:
		return on_timeout(x, ev, now_ms);
	case EXCHANGE_DRAIN:
		return on_drain(x, now_ms);
	case EXCHANGE_STOPPED:
		return on_stopped(x, ev, now_ms);
	case EXCHANGE_EVENTS:
		break;
	}
	assert(!"an event");
	return 0;
}

void exchange_check(const struct exchange *x)
{
	assert(x->state < EXCHANGE_STATES);
	assert(!x->has_server || x->state == EXCHANGE_CONNECTING || x->state == EXCHANGE_WAITING ||
		x->state == EXCHANGE_RESPONDING);
	assert(x->has_server || (x->state != EXCHANGE_CONNECTING && x->state != EXCHANGE_WAITING));
	assert(x->state != EXCHANGE_ANSWERING || x->status >= 200);
	assert(x->state != EXCHANGE_IDLE || (!x->closes && !x->has_server));
	assert(x->state != EXCHANGE_RESPONDING || x->response.is_delimited || x->closes);
	assert(!x->is_refused || x->closes);
	assert(!x->response_whole || !x->has_server);
	assert(x->deadline_ms != EXCHANGE_NEVER || x->state == EXCHANGE_CONNECTING ||
		x->state == EXCHANGE_TUNNEL || x->state == EXCHANGE_CLOSED);
}
