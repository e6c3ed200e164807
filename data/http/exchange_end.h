#pragma once
/*
 * Core: how one exchange (a request and its response) ended: the word in the
 * access log, the status that tells the client when nothing was answered yet,
 * and the counter of the listener that it adds to.
 */

enum exchange_end {
	EXCHANGE_END_NONE, /* it goes on */
	EXCHANGE_END_OK,
	EXCHANGE_END_BAD_REQUEST_HEAD,
	EXCHANGE_END_BAD_REQUEST_BODY,
	EXCHANGE_END_BODY_TOO_LARGE,
	EXCHANGE_END_HEAD_TOO_LARGE, /* with what the route adds to it */
	EXCHANGE_END_RESPONSE_TOO_LARGE, /* the same of a response */
	EXCHANGE_END_AMBIGUOUS_PATH,
	EXCHANGE_END_NO_ROUTE,
	EXCHANGE_END_UNKNOWN_HOST,
	EXCHANGE_END_LIMITED, /* over a limit */
	EXCHANGE_END_CLIENT_ABORT,
	EXCHANGE_END_CLIENT_TIMEOUT,
	EXCHANGE_END_NO_SERVER,
	EXCHANGE_END_QUEUE_FULL,
	EXCHANGE_END_QUEUE_TIMEOUT,
	EXCHANGE_END_CIRCUIT_REQUESTS, /* refused at once by a pool's circuit: in the order of
					  enum board_circuit */
	EXCHANGE_END_CIRCUIT_CONNECTIONS,
	EXCHANGE_END_CIRCUIT_PENDING,
	EXCHANGE_END_CIRCUIT_RETRIES,
	EXCHANGE_END_CONNECT_REFUSED,
	EXCHANGE_END_CONNECT_FAILED,
	EXCHANGE_END_CONNECT_TIMEOUT,
	EXCHANGE_END_SERVER_CERTIFICATE, /* it does not verify */
	EXCHANGE_END_SERVER_TLS, /* it does not speak TLS as we do */
	EXCHANGE_END_SERVER_RESET, /* before its response, or in it */
	EXCHANGE_END_SERVER_CLOSED, /* the same without a reset */
	EXCHANGE_END_BAD_RESPONSE,
	EXCHANGE_END_RESPONSE_TIMEOUT,
	EXCHANGE_END_SERVER_TIMEOUT, /* stopped in the middle of a body */
	EXCHANGE_END_SERVER_LOST, /* disabled, went down or was removed */
	EXCHANGE_END_TUNNEL_IDLE,
	EXCHANGE_END_DRAINED,
	EXCHANGE_END_INTERNAL,
	EXCHANGE_ENDS
};

/* "ok", "client-abort", "connect-refused". */
const char *exchange_end_name(enum exchange_end e);
/* The status to answer with when nothing was sent yet; 0 when there is nobody to answer. */
int exchange_end_status(enum exchange_end e);
/* A BOARD_LISTENER_ cell, or -1. */
int exchange_end_cell(enum exchange_end e);
/* When it is so, for the table in README.md, which a test compares. */
const char *exchange_end_why(enum exchange_end e);
