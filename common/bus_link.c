/* See bus_link.h. */
#include "common/bus_link.h"

#include <assert.h>
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/bus.h"

#define BUS_LINK_SCHEME "ipc://"
#define BUS_LINK_TURN_MAX 256 /* messages delivered before others get their turn */
#define BUS_LINK_QUEUE 1024   /* messages nng may hold for us */

struct bus_link {
	enum bus_link_role role;
	char url[160];
	nng_socket socket;
	nng_dialer dialer;
	bool is_dialing; /* the dialer exists */
	bool is_closing;
	uv_poll_t poll;
	bus_link_handler *handler;
	void *user;
	void (*closed)(void *user);
	void *closed_user;
	uint32_t asked; /* ids of raw requests */
};

static int bus_link_errno(int rv)
{
	static const struct {
		int nng, number;
	} known[] = {
		{NNG_EADDRINUSE, EADDRINUSE},
		{NNG_EAGAIN, EAGAIN},
		{NNG_ETIMEDOUT, EAGAIN},
		{NNG_ENOMEM, ENOMEM},
		{NNG_EPERM, EPERM},
		{NNG_ENOFILES, EMFILE},
		{NNG_ENOENT, ENOENT},
		{NNG_EADDRINVAL, ENAMETOOLONG},
		{NNG_ECONNREFUSED, ECONNREFUSED},
	};

	if (!rv)
		return 0;
	if (rv & NNG_ESYSERR)
		return -(rv & ~NNG_ESYSERR);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (rv == known[i].nng)
			return -known[i].number;
	return -EIO;
}

static int bus_link_dial(struct bus_link *l)
{
	int rv = nng_dialer_create(&l->dialer, l->socket, l->url);

	if (rv)
		return rv;
	rv = nng_dialer_start(l->dialer, NNG_FLAG_NONBLOCK);
	if (rv)
		nng_dialer_close(l->dialer);
	l->is_dialing = !rv;
	return rv;
}

/*
 * Connecting a socket of another type than the listener's tells who is there without making a
 * connection: the kernel answers EPROTOTYPE for a socket in use, ECONNREFUSED for one left behind.
 */
static bool bus_link_is_awaited(const struct bus_link *l)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return true; /* not for us to know: let nng try */
	snprintf(at.sun_path, sizeof at.sun_path, "%s", l->url + strlen(BUS_LINK_SCHEME));
	rc = connect(fd, (const struct sockaddr *)&at, sizeof at) < 0 ? errno : 0;
	close(fd);
	return rc != ENOENT && rc != ECONNREFUSED;
}

bool bus_link_seek(struct bus_link *l)
{
	return !l->is_dialing && bus_link_is_awaited(l) && !bus_link_dial(l);
}

void bus_link_renew(struct bus_link *l)
{
	if (l->is_dialing)
		nng_dialer_close(l->dialer);
	l->is_dialing = false;
	bus_link_seek(l);
}

/*
 * nng makes its threads with the first socket. They must not take the process's
 * signals: one that a thread takes while the main thread blocks it would be lost
 * when the program is replaced in place.
 */
static int bus_link_open_socket(struct bus_link *l)
{
	sigset_t all, before;
	int rv;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rv = l->role == BUS_LINK_ASK ? nng_req0_open_raw(&l->socket) : nng_sub0_open(&l->socket);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rv;
}

/* An option that a protocol does not have is no fault. */
static int bus_link_set(int rv)
{
	return rv == NNG_ENOTSUP ? 0 : rv;
}

static int bus_link_configure(struct bus_link *l)
{
	nng_socket s = l->socket;
	/* What waits for a peer that is away carries its own end of validity. */
	int queue = l->role == BUS_LINK_ASK ? BUS_CALLS_MAX : BUS_LINK_QUEUE;
	int rv = nng_socket_set_size(s, NNG_OPT_RECVMAXSZ, BUS_MESSAGE_MAX);

	if (!rv)
		rv = nng_socket_set_ms(s, NNG_OPT_RECONNMINT, 10);
	if (!rv)
		rv = nng_socket_set_ms(s, NNG_OPT_RECONNMAXT, 100);
	if (!rv)
		rv = bus_link_set(nng_socket_set_ms(s, NNG_OPT_SENDTIMEO, 1000));
	if (!rv)
		rv = bus_link_set(nng_socket_set_int(s, NNG_OPT_SENDBUF, queue));
	if (!rv)
		rv = bus_link_set(nng_socket_set_int(s, NNG_OPT_RECVBUF, BUS_LINK_QUEUE));
	if (!rv && l->role == BUS_LINK_SUBSCRIBE)
		rv = nng_socket_set(s, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	return rv;
}

static void bus_link_on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	bus_link_drain(poll->data);
}

static int bus_link_start_poll(struct bus_link *l, uv_loop_t *loop)
{
	int fd = -1, rv;

	rv = nng_socket_get_int(l->socket, NNG_OPT_RECVFD, &fd);
	if (rv)
		return bus_link_errno(rv);
	rv = uv_poll_init(loop, &l->poll, fd);
	if (rv)
		return rv;
	l->poll.data = l;
	return uv_poll_start(&l->poll, UV_READABLE, bus_link_on_readable);
}

int bus_link_open(uv_loop_t *loop, enum bus_link_role role, const char *path,
	bus_link_handler *handler, void *user, struct bus_link **ret)
{
	struct bus_link *l = calloc(1, sizeof *l);
	int rc;

	if (!l)
		return -ENOMEM;
	l->role = role;
	l->handler = handler;
	l->user = user;
	if (snprintf(l->url, sizeof l->url, BUS_LINK_SCHEME "%s", path) >= (int)sizeof l->url) {
		free(l);
		return -ENAMETOOLONG;
	}
	rc = bus_link_errno(bus_link_open_socket(l));
	if (rc) {
		free(l);
		return rc;
	}
	rc = bus_link_errno(bus_link_configure(l));
	if (!rc)
		rc = bus_link_start_poll(l, loop);
	if (rc) {
		nng_close(l->socket);
		free(l);
		return rc;
	}
	bus_link_seek(l);
	*ret = l;
	return 0;
}

/*
 * The nng socket itself is left to the end of the process, which is what a bus
 * closes for: nng_close of 1.5.2 waits for ever now and then (1 of 6 measured).
 */
static void bus_link_on_poll_closed(uv_handle_t *handle)
{
	struct bus_link *l = handle->data;

	l->closed(l->closed_user);
	free(l);
}

void bus_link_close(struct bus_link *l, void (*closed)(void *user), void *user)
{
	assert(!l->is_closing);
	l->is_closing = true;
	l->closed = closed;
	l->closed_user = user;
	uv_close((uv_handle_t *)&l->poll, bus_link_on_poll_closed);
}

void bus_link_drain(struct bus_link *l)
{
	for (int i = 0; i < BUS_LINK_TURN_MAX && !l->is_closing; i++) {
		nng_msg *msg;

		if (nng_recvmsg(l->socket, &msg, NNG_FLAG_NONBLOCK))
			return;
		l->handler(l->user, nng_msg_body(msg), nng_msg_len(msg));
		nng_msg_free(msg);
	}
}

int bus_link_send(struct bus_link *l, const void *data, size_t len)
{
	nng_msg *msg;
	int rv = nng_msg_alloc(&msg, 0);

	assert(l->role == BUS_LINK_ASK);
	if (rv)
		return bus_link_errno(rv);
	rv = nng_msg_append(msg, data, len);
	/* nng wants an id of its own in front, with the top bit set; ours is in the message. */
	if (!rv)
		rv = nng_msg_header_append_u32(msg, ++l->asked | 0x80000000u);
	if (!rv)
		rv = nng_sendmsg(l->socket, msg, NNG_FLAG_NONBLOCK);
	if (rv)
		nng_msg_free(msg);
	return bus_link_errno(rv);
}
