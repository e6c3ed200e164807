/* See tls_wire.h. */
#include "data/tls/tls_wire.h"

#include <errno.h>
#include <sys/socket.h>

static int wire_read(BIO *b, char *data, int len)
{
	struct tls_wire *w = BIO_get_data(b);
	ssize_t n;

	BIO_clear_retry_flags(b);
	if (!w->is_dry) {
		n = recv(w->fd, data, (size_t)len, 0);
		if (n > 0) {
			w->is_dry = n < len || ++w->receives == TLS_WIRE_RECEIVES;
			return (int)n;
		}
		if (n == 0) {
			w->is_ended = true;
			return 0;
		}
		if (errno != EAGAIN && errno != EINTR) {
			w->error = -errno;
			return -1;
		}
		w->is_dry = true;
	}
	BIO_set_retry_read(b);
	return -1;
}

static int wire_write(BIO *b, const char *data, int len)
{
	struct tls_wire *w = BIO_get_data(b);
	ssize_t n = send(w->fd, data, (size_t)len, MSG_NOSIGNAL | (w->is_corked ? MSG_MORE : 0));

	BIO_clear_retry_flags(b);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_write(b);
	else
		w->error = -errno;
	return -1;
}

static long wire_ctrl(BIO *b, int command, long number, void *pointer)
{
	const struct tls_wire *w = BIO_get_data(b);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return w->is_ended;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_wire_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "ballast wire");

	if (m) {
		BIO_meth_set_read(m, wire_read);
		BIO_meth_set_write(m, wire_write);
		BIO_meth_set_ctrl(m, wire_ctrl);
	}
	return m;
}

int tls_wire_attach(const BIO_METHOD *method, SSL *ssl, struct tls_wire *w)
{
	BIO *b = BIO_new(method);

	if (!b)
		return -ENOMEM;
	BIO_set_data(b, w);
	BIO_set_init(b, 1);
	SSL_set_bio(ssl, b, b);
	return 0;
}
