/* See exchange_end.h. */
#include "data/http/exchange_end.h"

#include <assert.h>

#include "data/board.h"

// clang-format off
static const struct {
	const char *name;
	int status, cell;
} ends[EXCHANGE_ENDS] = {
	[EXCHANGE_END_NONE] = {"none", 0, -1},
	[EXCHANGE_END_OK] = {"ok", 0, -1},
	[EXCHANGE_END_BAD_REQUEST_HEAD] = {"bad-request-head", 400, BOARD_LISTENER_BAD_REQUEST},
	[EXCHANGE_END_BAD_REQUEST_BODY] = {"bad-request-body", 400, BOARD_LISTENER_BAD_REQUEST},
	[EXCHANGE_END_BODY_TOO_LARGE] = {"body-too-large", 413, BOARD_LISTENER_BAD_REQUEST},
	[EXCHANGE_END_HEAD_TOO_LARGE] = {"head-too-large", 431, BOARD_LISTENER_BAD_REQUEST},
	[EXCHANGE_END_RESPONSE_TOO_LARGE] = {"response-too-large", 500, BOARD_LISTENER_BAD_RESPONSE},
	[EXCHANGE_END_AMBIGUOUS_PATH] = {"ambiguous-path", 400, BOARD_LISTENER_BAD_REQUEST},
	[EXCHANGE_END_NO_ROUTE] = {"no-route", 404, BOARD_LISTENER_NO_ROUTE},
	[EXCHANGE_END_UNKNOWN_HOST] = {"unknown-host", 421, BOARD_LISTENER_NO_ROUTE},
	[EXCHANGE_END_LIMITED] = {"limited", 429, BOARD_LISTENER_LIMITED},
	[EXCHANGE_END_CLIENT_ABORT] = {"client-abort", 0, BOARD_LISTENER_CLIENT_RESET},
	[EXCHANGE_END_CLIENT_TIMEOUT] = {"client-timeout", 408, BOARD_LISTENER_CLIENT_TIMEOUT},
	[EXCHANGE_END_NO_SERVER] = {"no-server", 503, BOARD_LISTENER_NO_SERVER},
	[EXCHANGE_END_QUEUE_FULL] = {"queue-full", 503, BOARD_LISTENER_QUEUE_FULL},
	[EXCHANGE_END_QUEUE_TIMEOUT] = {"queue-timeout", 503, BOARD_LISTENER_QUEUE_TIMEOUT},
	[EXCHANGE_END_CIRCUIT_REQUESTS] = {"circuit-requests", 503, BOARD_LISTENER_CIRCUIT},
	[EXCHANGE_END_CIRCUIT_CONNECTIONS] = {"circuit-connections", 503, BOARD_LISTENER_CIRCUIT},
	[EXCHANGE_END_CIRCUIT_PENDING] = {"circuit-pending", 503, BOARD_LISTENER_CIRCUIT},
	[EXCHANGE_END_CIRCUIT_RETRIES] = {"circuit-retries", 503, BOARD_LISTENER_CIRCUIT},
	[EXCHANGE_END_CONNECT_REFUSED] = {"connect-refused", 502, BOARD_LISTENER_CONNECT_FAILED},
	[EXCHANGE_END_CONNECT_FAILED] = {"connect-failed", 502, BOARD_LISTENER_CONNECT_FAILED},
	[EXCHANGE_END_CONNECT_TIMEOUT] = {"connect-timeout", 504, BOARD_LISTENER_CONNECT_TIMEOUT},
	[EXCHANGE_END_SERVER_CERTIFICATE] = {"server-certificate", 502, BOARD_LISTENER_CONNECT_FAILED},
	[EXCHANGE_END_SERVER_TLS] = {"server-tls", 502, BOARD_LISTENER_CONNECT_FAILED},
	[EXCHANGE_END_SERVER_RESET] = {"server-reset", 502, BOARD_LISTENER_SERVER_RESET},
	[EXCHANGE_END_SERVER_CLOSED] = {"server-closed", 502, BOARD_LISTENER_SERVER_RESET},
	[EXCHANGE_END_BAD_RESPONSE] = {"bad-response", 502, BOARD_LISTENER_BAD_RESPONSE},
	[EXCHANGE_END_RESPONSE_TIMEOUT] = {"response-timeout", 504, BOARD_LISTENER_SERVER_TIMEOUT},
	[EXCHANGE_END_SERVER_TIMEOUT] = {"server-timeout", 504, BOARD_LISTENER_SERVER_TIMEOUT},
	[EXCHANGE_END_SERVER_LOST] = {"server-lost", 503, BOARD_LISTENER_SERVER_LOST},
	[EXCHANGE_END_TUNNEL_IDLE] = {"tunnel-idle", 0, BOARD_LISTENER_IDLE_TIMEOUT},
	[EXCHANGE_END_DRAINED] = {"drained", 503, BOARD_LISTENER_DRAINED},
	[EXCHANGE_END_INTERNAL] = {"internal", 500, BOARD_LISTENER_INTERNAL},
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
