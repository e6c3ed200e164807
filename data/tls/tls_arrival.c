/* See tls_arrival.h. While the handshake goes on the session is the stage's, and the socket plain.
 */
#include "data/tls/tls_arrival.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"
#include "common/now.h"
#include "data/listener.h"
#include "data/tls/tls_fault.h"
#include "data/tls/tls_peer.h"
#include "data/tls/tls_server.h"
#include "data/tls/tls_session.h"

#define LINES_AT_ONCE 5 /* then one a second */

static bool is_asked(const struct listener *l)
{
	return l->tls;
}

static void dropped(struct arrival *a)
{
	tls_session_free(a->state, false);
}

/* A browser that was sent to the wrong port shows its user this. */
static void answer_plain_http(struct arrival *a)
{
	static const char answer[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n"
		"Connection: close\r\n\r\nThis port speaks HTTPS: use https://...\n";

	if (send(a->socket->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0)
		shutdown(a->socket->fd, SHUT_WR);
}

static enum arrival_outcome refuse(struct arrival *a, int rc)
{
	static struct log_limit lines; /* of this process: a stranger sets the pace */
	struct listener *l = a->listener;
	struct tls_fault fault = tls_fault_of(rc);
	char client[ADDR_TEXT_SIZE];
	unsigned long held;

	board_add(l->cells, fault.cell, 1);
	if (fault.is_plain_http)
		answer_plain_http(a);
	if (fault.cell != BOARD_LISTENER_TLS_ABORTED &&
		log_limit_take(&lines, LINES_AT_ONCE, mono_now(), &held))
		log_info("data: listener=%s client=%s TLS handshake failed why=\"%s\" "
			 "not_logged=%lu",
			l->name, addr_print_ip(&a->client, client), fault.why, held);
	return ARRIVAL_REFUSED;
}

static enum arrival_outcome finish(struct arrival *a, struct tls_session *t)
{
	struct board_cells *cells = a->listener->cells;
	const unsigned char *protocol;
	unsigned len;

	if (tls_peer_new(t->ssl, &t->peer) < 0)
		return refuse(a, -ENOMEM);
	SSL_get0_alpn_selected(t->ssl, &protocol, &len);
	a->is_h2 = len == 2 && memcmp(protocol, "h2", 2) == 0;
	board_add(cells,
		SSL_version(t->ssl) == TLS1_3_VERSION ? BOARD_LISTENER_TLS_13
						      : BOARD_LISTENER_TLS_12,
		1);
	if (SSL_session_reused(t->ssl))
		board_add(cells, BOARD_LISTENER_TLS_RESUMED, 1);
	a->state = NULL;
	socket_interest(a->socket, 0);
	socket_secure(a->socket, t);
	return ARRIVAL_READY;
}

static enum arrival_outcome step(struct arrival *a, unsigned events)
{
	struct tls_session *t = a->state;
	int rc;

	(void)events;
	if (!t)
		t = a->state = tls_server_accept(a->listener->tls, a->socket->fd);
	rc = t ? tls_session_handshake(t) : -ENOMEM;
	switch (rc) {
	case TLS_DONE:
		return finish(a, t);
	case TLS_WANTS_READ:
		socket_interest(a->socket, SOCKET_READ);
		return ARRIVAL_WAITS;
	case TLS_WANTS_WRITE:
		socket_interest(a->socket, SOCKET_WRITE);
		return ARRIVAL_WAITS;
	}
	return refuse(a, rc);
}

const struct arrival_stage tls_arrival = {.is_asked = is_asked,
	.step = step,
	.dropped = dropped,
	.late_cell = BOARD_LISTENER_TLS_TIMEOUT};
