/* See exchange_end.h. */
#include "data/http/exchange_end.h"

#include <assert.h>

#include "data/board.h"

// clang-format off
static const struct {
	const char *name;
	int status, cell;
	const char *why;
} ends[EXCHANGE_ENDS] = {
	[EXCHANGE_END_NONE] = {"none", 0, -1,
		""},
	[EXCHANGE_END_OK] = {"ok", 0, -1,
		"as it should: a response was passed on whole, or the route answered"},
	[EXCHANGE_END_BAD_REQUEST_HEAD] = {"bad-request-head", 400, BOARD_LISTENER_BAD_REQUEST,
		"the request head is malformed or too large: the status is that of the fault below"},
	[EXCHANGE_END_BAD_REQUEST_BODY] = {"bad-request-body", 400, BOARD_LISTENER_BAD_REQUEST,
		"the framing of the body is malformed: likewise"},
	[EXCHANGE_END_BODY_TOO_LARGE] = {"body-too-large", 413, BOARD_LISTENER_BAD_REQUEST,
		"larger than `maximum_request_body`"},
	[EXCHANGE_END_HEAD_TOO_LARGE] = {"head-too-large", 431, BOARD_LISTENER_BAD_REQUEST,
		"too large for a buffer with what the route adds"},
	[EXCHANGE_END_RESPONSE_TOO_LARGE] = {"response-too-large", 500, BOARD_LISTENER_BAD_RESPONSE,
		"the response head is too large for a buffer with what the route adds"},
	[EXCHANGE_END_AMBIGUOUS_PATH] = {"ambiguous-path", 400, BOARD_LISTENER_BAD_REQUEST,
		"servers could read the path in two ways, and the route depends on it"},
	[EXCHANGE_END_NO_ROUTE] = {"no-route", 404, BOARD_LISTENER_NO_ROUTE,
		"no route matches, and the listener has no pool"},
	[EXCHANGE_END_UNKNOWN_HOST] = {"unknown-host", 421, BOARD_LISTENER_NO_ROUTE,
		"no route is for this host, and the listener has no pool"},
	[EXCHANGE_END_LIMITED] = {"limited", 429, BOARD_LISTENER_LIMITED,
		"over a limit"},
	[EXCHANGE_END_CLIENT_ABORT] = {"client-abort", 0, BOARD_LISTENER_CLIENT_RESET,
		"the client left before its response was whole"},
	[EXCHANGE_END_CLIENT_TIMEOUT] = {"client-timeout", 408, BOARD_LISTENER_CLIENT_TIMEOUT,
		"the client was too slow in sending, or in taking the response"},
	[EXCHANGE_END_NO_SERVER] = {"no-server", 503, BOARD_LISTENER_NO_SERVER,
		"no server of the pool is usable"},
	[EXCHANGE_END_QUEUE_FULL] = {"queue-full", 503, BOARD_LISTENER_QUEUE_FULL,
		"all servers are full, and so is the queue"},
	[EXCHANGE_END_QUEUE_TIMEOUT] = {"queue-timeout", 503, BOARD_LISTENER_QUEUE_TIMEOUT,
		"waited for a server as long as `queue.timeout`"},
	[EXCHANGE_END_CIRCUIT_REQUESTS] = {"circuit-requests", 503, BOARD_LISTENER_CIRCUIT,
		"over the circuit's requests"},
	[EXCHANGE_END_CIRCUIT_CONNECTIONS] = {"circuit-connections", 503, BOARD_LISTENER_CIRCUIT,
		"over its connections"},
	[EXCHANGE_END_CIRCUIT_PENDING] = {"circuit-pending", 503, BOARD_LISTENER_CIRCUIT,
		"over its waiting requests"},
	[EXCHANGE_END_CIRCUIT_RETRIES] = {"circuit-retries", 503, BOARD_LISTENER_CIRCUIT,
		"failed, and over its retries under way"},
	[EXCHANGE_END_CONNECT_REFUSED] = {"connect-refused", 502, BOARD_LISTENER_CONNECT_FAILED,
		"every server that was tried refused the connection"},
	[EXCHANGE_END_CONNECT_FAILED] = {"connect-failed", 502, BOARD_LISTENER_CONNECT_FAILED,
		"likewise, or it was unreachable"},
	[EXCHANGE_END_CONNECT_TIMEOUT] = {"connect-timeout", 504, BOARD_LISTENER_CONNECT_TIMEOUT,
		"no connection within `timeouts.connect`"},
	[EXCHANGE_END_SERVER_CERTIFICATE] = {"server-certificate", 502, BOARD_LISTENER_CONNECT_FAILED,
		"the server's certificate does not verify"},
	[EXCHANGE_END_SERVER_TLS] = {"server-tls", 502, BOARD_LISTENER_CONNECT_FAILED,
		"the TLS handshake with the server failed"},
	[EXCHANGE_END_SERVER_RESET] = {"server-reset", 502, BOARD_LISTENER_SERVER_RESET,
		"the server reset the connection before or in its response"},
	[EXCHANGE_END_SERVER_CLOSED] = {"server-closed", 502, BOARD_LISTENER_SERVER_RESET,
		"the server closed it there"},
	[EXCHANGE_END_BAD_RESPONSE] = {"bad-response", 502, BOARD_LISTENER_BAD_RESPONSE,
		"the server's response is malformed"},
	[EXCHANGE_END_RESPONSE_TIMEOUT] = {"response-timeout", 504, BOARD_LISTENER_SERVER_TIMEOUT,
		"no response head within `timeouts.response`"},
	[EXCHANGE_END_SERVER_TIMEOUT] = {"server-timeout", 504, BOARD_LISTENER_SERVER_TIMEOUT,
		"the server stopped in the middle of a body"},
	[EXCHANGE_END_SERVER_LOST] = {"server-lost", 503, BOARD_LISTENER_SERVER_LOST,
		"the server was disabled, went down or was removed"},
	[EXCHANGE_END_TUNNEL_IDLE] = {"tunnel-idle", 0, BOARD_LISTENER_IDLE_TIMEOUT,
		"a tunnel without a byte for `tunnel_idle`"},
	[EXCHANGE_END_DRAINED] = {"drained", 503, BOARD_LISTENER_DRAINED,
		"ended at `drain_timeout`"},
	[EXCHANGE_END_INTERNAL] = {"internal", 500, BOARD_LISTENER_INTERNAL,
		"this node is short of memory or descriptors"},
};
// clang-format on

const char *exchange_end_name(enum exchange_end e)
{
	assert(e < EXCHANGE_ENDS);
	return ends[e].name;
}

int exchange_end_status(enum exchange_end e)
{
	assert(e < EXCHANGE_ENDS);
	return ends[e].status;
}

int exchange_end_cell(enum exchange_end e)
{
	assert(e < EXCHANGE_ENDS);
	return ends[e].cell;
}

const char *exchange_end_why(enum exchange_end e)
{
	assert(e < EXCHANGE_ENDS);
	return ends[e].why;
}
