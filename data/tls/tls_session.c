/*
 * See tls_session.h. OpenSSL's error queue is kept empty between calls, so a
 * failure is told from a wait by SSL_want() alone.
 */
#include "data/tls/tls_session.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "data/memory.h"
#include "data/socket.h"
#include "data/tls/tls.h"
#include "data/tls/tls_peer.h"
#include "data/tls/tls_server.h"
#include "data/tls/tls_target.h"

struct tls_session *tls_session_new(struct tls *tls, SSL_CTX *ctx, int fd)
{
	struct tls_session *t = memory_new(sizeof *t);

	if (!t)
		return NULL;
	list_init(&t->held);
	t->wire.fd = fd;
	t->ssl = SSL_new(ctx);
	if (!t->ssl || tls_wire_attach(tls->wire, t->ssl, &t->wire) < 0) {
		SSL_free(t->ssl);
		free(t);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	return t;
}

void tls_session_free(struct tls_session *t, bool says_end)
{
	if (!t)
		return;
	list_unlink(&t->held);
	if (says_end && t->is_open && !t->is_failed && !t->wire.error && SSL_shutdown(t->ssl) < 0)
		ERR_clear_error();
	/* An end that was cut short is no reason not to resume: only alerts are. */
	SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	tls_server_unref(t->server);
	tls_target_unref(t->target);
	tls_peer_free(t->peer);
	free(t);
}

/* After a call that moved nothing: what it waits for, or why it failed. */
static int outcome(struct tls_session *t)
{
	int want = SSL_want(t->ssl);

	if (!t->wire.error && !t->wire.is_ended) {
		if (want == SSL_READING && BIO_should_read(SSL_get_rbio(t->ssl)))
			return TLS_WANTS_READ;
		if (want == SSL_WRITING && BIO_should_write(SSL_get_wbio(t->ssl)))
			return TLS_WANTS_WRITE;
	}
	t->is_failed = true;
	if (t->wire.error)
		return t->wire.error;
	return t->wire.is_ended ? -ECONNRESET : -EPROTO;
}

int tls_session_handshake(struct tls_session *t)
{
	int rc;

	ERR_clear_error();
	tls_wire_begin(&t->wire);
	rc = SSL_do_handshake(t->ssl);
	if (rc != 1)
		return outcome(t);
	t->is_open = true;
	t->holds = SSL_has_pending(t->ssl);
	tls_server_unref(t->server);
	t->server = NULL;
	return TLS_DONE;
}

/* A read that gave nothing: 0 at the end, -EAGAIN, or the session is broken. */
static ssize_t read_nothing(struct tls_session *t)
{
	int rc;

	t->holds = false;
	if (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) {
		ERR_clear_error();
		return 0;
	}
	rc = outcome(t);
	t->read_wants_write = rc == TLS_WANTS_WRITE;
	if (rc > 0)
		return -EAGAIN;
	ERR_clear_error();
	return rc;
}

ssize_t tls_session_recv(struct tls_session *t, void *data, size_t len)
{
	size_t got = 0, n;

	tls_wire_begin(&t->wire);
	t->read_wants_write = false;
	do {
		if (SSL_read_ex(t->ssl, (char *)data + got, len - got, &n) != 1) {
			ssize_t rc = read_nothing(t);

			if (!got)
				return rc;
			t->holds = rc != -EAGAIN; /* an end, or an error: no poll shows it again */
			return (ssize_t)got;
		}
		got += n;
		t->holds = SSL_has_pending(t->ssl);
	} while (t->holds && got < len);
	return (ssize_t)got;
}

ssize_t tls_session_send(struct tls_session *t, const void *data, size_t len, bool more_follows)
{
	size_t sent = 0, n;
	int rc;

	t->wire.is_corked = more_follows;
	t->write_wants_read = false;
	while (sent < len) {
		if (SSL_write_ex(t->ssl, (const char *)data + sent, len - sent, &n) == 1) {
			sent += n;
			continue;
		}
		rc = outcome(t);
		t->write_wants_read = rc == TLS_WANTS_READ;
		if (rc < 0) {
			ERR_clear_error();
			return rc;
		}
		return sent ? (ssize_t)sent : -EAGAIN;
	}
	return (ssize_t)sent;
}

void tls_session_shut(struct tls_session *t)
{
	t->owes_shut = false;
	if (t->is_open && !t->is_failed) {
		t->wire.is_corked = false;
		if (SSL_shutdown(t->ssl) < 0 && outcome(t) == TLS_WANTS_WRITE) {
			t->owes_shut = true;
			return;
		}
		ERR_clear_error();
	}
	shutdown(t->wire.fd, SHUT_WR);
}

const char *tls_session_version(const struct tls_session *t)
{
	return SSL_version(t->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
}

unsigned tls_session_polls(const struct tls_session *t, unsigned interest)
{
	unsigned polls = 0;

	if (interest & SOCKET_READ)
		polls |= t->read_wants_write ? SOCKET_WRITE : SOCKET_READ;
	if (interest & SOCKET_WRITE)
		polls |= t->write_wants_read ? SOCKET_READ : SOCKET_WRITE;
	return polls | (t->owes_shut ? SOCKET_WRITE : 0);
}

unsigned tls_session_turn(struct tls_session *t, unsigned events, unsigned interest)
{
	unsigned told = events & interest;

	if (events & SOCKET_WRITE && t->owes_shut)
		tls_session_shut(t);
	if (t->read_wants_write && events & SOCKET_WRITE)
		told |= interest & SOCKET_READ;
	if (t->write_wants_read && events & SOCKET_READ)
		told |= interest & SOCKET_WRITE;
	return told;
}
