/* The exchange: any order of events that a shell can tell; invariants after each. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "data/http/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Which events a shell can tell in a state. */
static bool is_possible(const struct exchange *x, enum exchange_event_kind kind)
{
	bool is_up = x->state == EXCHANGE_WAITING || x->state == EXCHANGE_RESPONDING;

	switch (kind) {
	case EXCHANGE_REQUEST:
		return x->state == EXCHANGE_HEAD;
	case EXCHANGE_REFUSED:
		return x->state == EXCHANGE_HEAD ||
		       ((x->state == EXCHANGE_CONNECTING || is_up) && !x->request_whole &&
			       !x->response_whole);
	case EXCHANGE_READY:
		return x->state == EXCHANGE_CONNECTING;
	case EXCHANGE_FAILED:
		return x->has_server;
	case EXCHANGE_ANOTHER:
		return x->state == EXCHANGE_WAITING && x->request_whole;
	case EXCHANGE_REQUEST_WHOLE:
		return is_up && x->has_server && !x->request_whole;
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

/* Two bytes: the kind, and bits for everything else. */
static struct exchange_event event_of(const uint8_t *data)
{
	static const enum exchange_end ends[] = {EXCHANGE_END_NO_SERVER, EXCHANGE_END_SERVER_RESET,
		EXCHANGE_END_CONNECT_REFUSED, EXCHANGE_END_SERVER_LOST};
	uint8_t bits = data[1];
	struct exchange_event ev = {.kind = data[0] % EXCHANGE_EVENTS,
		.end = ends[bits & 3],
		.status = 400,
		.is_reused = bits & 4,
		.may_retry = bits & 8,
		.is_stale = bits & 16,
		.is_client_late = bits & 32,
		.is_spoiled = bits & 64,
		.request = {bits & 1, bits & 2, bits & 4, bits & 8, bits & 16},
		.response = {bits & 1, bits & 2}};

	return ev;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct exchange_limits limits = {10, 20, 30, 40};
	struct exchange x;
	int requests = 0;

	exchange_init(&x, &limits, 0);
	for (size_t i = 0; i + 1 < size && x.state != EXCHANGE_CLOSED; i += 2) {
		struct exchange_event ev = event_of(data + i);
		bool begins = ev.kind == EXCHANGE_BYTES && x.state == EXCHANGE_IDLE;
		unsigned does;

		if (!is_possible(&x, ev.kind))
			continue;
		exchange_retry(&x, ev.end, ev.is_stale, ev.is_spoiled);
		does = exchange_step(&x, &ev, (int64_t)i);
		exchange_check(&x);
		requests += begins;
		requests -= !!(does & EXCHANGE_DO_FINISH);
		assert(requests >= 0 && requests <= 1);
	}
	assert(x.state != EXCHANGE_CLOSED || requests == 0);
	return 0;
}
