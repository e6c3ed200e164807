/* See bus_gate.h. */
#include "common/bus_gate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/bus_sp.h"
#include "common/list.h"
#include "common/now.h"

#define BUS_GATE_BACKLOG 128
#define BUS_GATE_GREETING_MS 1000 /* how long a handshake may take */
#define BUS_GATE_READ_SIZE 65536
#define BUS_GATE_PUBLISH_QUEUE                                                                     \
	(8u << 20) /* bytes a slow follower may owe us before he misses changes */
#define BUS_GATE_REPLY_QUEUE (2u * BUS_MESSAGE_MAX)

struct bus_guest {
	struct list link;
	struct bus_gate *gate;
	uv_pipe_t pipe;
	struct ucred who;
	struct bus_sp in;
	struct mono greet_by;
	bool has_spoken, is_closing;
	unsigned char way[BUS_SP_WAY_MAX]; /* of the request being answered */
	size_t way_len;
};

struct bus_gate {
	uv_loop_t *loop;
	enum bus_gate_kind kind;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
	const struct bus_gate_handlers *handlers;
	void *user;
	uv_pipe_t *listener; /* NULL while listening failed; freed by its close callback */
	struct list guests;  /* in the order they came */
	unsigned count;      /* of guests, closing ones too */
	bool is_closing;
	void (*closed)(void *user);
	void *closed_user;
	char chunk[BUS_GATE_READ_SIZE]; /* what a read brings, fed at once */
};

/* A message on its way out; owned by its write. */
struct bus_gate_out {
	uv_write_t write;
	size_t len;
	unsigned char bytes[];
};

uid_t bus_guest_uid(const struct bus_guest *guest)
{
	return guest->who.uid;
}

pid_t bus_guest_pid(const struct bus_guest *guest)
{
	return guest->who.pid;
}

static void bus_gate_free_if_empty(struct bus_gate *g)
{
	if (!g->is_closing || g->count || g->listener)
		return;
	g->closed(g->closed_user);
	free(g);
}

static void bus_guest_on_closed(uv_handle_t *handle)
{
	struct bus_guest *guest = handle->data;
	struct bus_gate *g = guest->gate;

	bus_sp_fini(&guest->in);
	free(guest);
	g->count--;
	bus_gate_free_if_empty(g);
}

static void bus_guest_close(struct bus_guest *guest)
{
	if (guest->is_closing)
		return;
	guest->is_closing = true;
	list_unlink(&guest->link);
	uv_close((uv_handle_t *)&guest->pipe, bus_guest_on_closed);
}

static void bus_guest_refuse(struct bus_guest *guest, const char *why)
{
	struct bus_gate *g = guest->gate;

	g->handlers->stranger(g->user, guest->who.pid, why);
	bus_guest_close(guest);
}

static void bus_guest_on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write->data);
}

static void bus_guest_send(
	struct bus_guest *guest, const void *head, size_t head_len, const void *data, size_t len)
{
	struct bus_gate_out *out = malloc(sizeof *out + head_len + len);
	uv_buf_t buf;

	if (!out)
		return;
	memcpy(out->bytes, head, head_len);
	memcpy(out->bytes + head_len, data, len);
	out->write.data = out;
	buf = uv_buf_init((char *)out->bytes, (unsigned)(head_len + len));
	if (uv_write(&out->write, (uv_stream_t *)&guest->pipe, &buf, 1, bus_guest_on_written))
		free(out);
}

void bus_guest_reply(struct bus_guest *guest, const void *data, size_t len)
{
	unsigned char head[BUS_SP_HEAD_SIZE + BUS_SP_WAY_MAX];

	assert(guest->gate->kind == BUS_GATE_REPLY);
	if (uv_stream_get_write_queue_size((uv_stream_t *)&guest->pipe) > BUS_GATE_REPLY_QUEUE) {
		bus_guest_refuse(guest, "asks and does not read the answers");
		return;
	}
	bus_sp_head(guest->way_len + len, head);
	memcpy(head + BUS_SP_HEAD_SIZE, guest->way, guest->way_len);
	bus_guest_send(guest, head, BUS_SP_HEAD_SIZE + guest->way_len, data, len);
}

void bus_gate_publish(struct bus_gate *g, const void *data, size_t len)
{
	unsigned char head[BUS_SP_HEAD_SIZE];

	assert(g->kind == BUS_GATE_PUBLISH);
	bus_sp_head(len, head);
	list_for_each(it, &g->guests)
	{
		struct bus_guest *guest = list_entry(it, struct bus_guest, link);
		uv_stream_t *stream = (uv_stream_t *)&guest->pipe;

		if (guest->in.state != BUS_SP_GREETING &&
			uv_stream_get_write_queue_size(stream) < BUS_GATE_PUBLISH_QUEUE)
			bus_guest_send(guest, head, sizeof head, data, len);
	}
}

static void bus_guest_on_message(struct bus_guest *guest, const unsigned char *data, size_t len)
{
	struct bus_gate *g = guest->gate;
	int way = bus_sp_way(data, len);

	if (g->kind == BUS_GATE_PUBLISH) {
		bus_guest_refuse(guest, "a follower has nothing to say");
		return;
	}
	if (way < 0) {
		bus_guest_refuse(guest, "a request without a way back");
		return;
	}
	guest->has_spoken = true;
	guest->way_len = (size_t)way;
	memcpy(guest->way, data, (size_t)way);
	g->handlers->message(g->user, guest, data + way, len - (size_t)way);
}

static void bus_guest_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct bus_guest *guest = handle->data;

	(void)suggested;
	*buf = uv_buf_init(guest->gate->chunk, sizeof guest->gate->chunk);
}

static void bus_guest_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct bus_guest *guest = stream->data;
	const unsigned char *at = (const unsigned char *)buf->base, *message;
	size_t left = n > 0 ? (size_t)n : 0, len;

	if (n < 0) {
		bus_guest_close(guest);
		return;
	}
	while (left && !guest->is_closing) {
		long used = bus_sp_feed(&guest->in, at, left, &message, &len);

		if (used < 0) {
			bus_guest_refuse(guest, used == -EMSGSIZE ? "announces too large a message"
								  : "does not speak this protocol");
			return;
		}
		at += used;
		left -= (size_t)used;
		if (message)
			bus_guest_on_message(guest, message, len);
	}
}

/* Room for one more: the first comer that has never spoken goes (a follower never does, and comes
 * again at once). */
static void bus_gate_make_room(struct bus_gate *g)
{
	struct bus_guest *silent = NULL;

	if (g->count < BUS_GATE_GUESTS_MAX)
		return;
	list_for_each(it, &g->guests)
	{
		struct bus_guest *guest = list_entry(it, struct bus_guest, link);

		if (!silent && !guest->has_spoken)
			silent = guest;
	}
	if (!silent && !list_is_empty(&g->guests))
		silent = list_entry(g->guests.next, struct bus_guest, link);
	if (silent)
		bus_guest_refuse(silent, "too many connections");
}

static void bus_guest_greet(struct bus_guest *guest)
{
	bool replies = guest->gate->kind == BUS_GATE_REPLY;
	unsigned char greeting[BUS_SP_HANDSHAKE_SIZE];
	socklen_t len = sizeof guest->who;
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&guest->pipe, &fd) ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &guest->who, &len) < 0) {
		bus_guest_close(guest);
		return;
	}
	bus_sp_init(&guest->in, replies ? BUS_SP_REQ : BUS_SP_SUB, BUS_MESSAGE_MAX);
	bus_sp_handshake(replies ? BUS_SP_REP : BUS_SP_PUB, greeting);
	bus_guest_send(guest, greeting, sizeof greeting, "", 0);
	if (uv_read_start((uv_stream_t *)&guest->pipe, bus_guest_on_alloc, bus_guest_on_read))
		bus_guest_close(guest);
}

static void bus_gate_on_connection(uv_stream_t *listener, int status)
{
	struct bus_gate *g = listener->data;
	struct bus_guest *guest;

	if (status < 0)
		return;
	guest = calloc(1, sizeof *guest);
	if (!guest)
		return;
	bus_gate_make_room(g);
	uv_pipe_init(g->loop, &guest->pipe, 0);
	guest->pipe.data = guest;
	guest->gate = g;
	guest->greet_by = mono_add_ms(mono_now(), BUS_GATE_GREETING_MS);
	list_push_back(&g->guests, &guest->link);
	g->count++;
	if (uv_accept(listener, (uv_stream_t *)&guest->pipe))
		bus_guest_close(guest);
	else
		bus_guest_greet(guest);
}

void bus_gate_tick(struct bus_gate *g, struct mono now)
{
	list_for_each(it, &g->guests)
	{
		struct bus_guest *guest = list_entry(it, struct bus_guest, link);

		if (guest->in.state == BUS_SP_GREETING && mono_reached(guest->greet_by, now))
			bus_guest_refuse(guest, "does not greet");
	}
}

/* True when somebody accepts connections at path. */
static bool bus_gate_is_served(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_served;

	if (fd < 0)
		return true;
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	is_served = !connect(fd, (struct sockaddr *)&sa, sizeof sa) || errno == EAGAIN;
	close(fd);
	return is_served;
}

static void bus_gate_on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

/* libuv unlinks the path at once. */
static void bus_gate_stop_listening(struct bus_gate *g)
{
	if (g->listener)
		uv_close((uv_handle_t *)g->listener, bus_gate_on_listener_closed);
	g->listener = NULL;
}

static int bus_gate_listen(struct bus_gate *g)
{
	struct stat st;
	int rc;

	if (!lstat(g->path, &st)) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		if (bus_gate_is_served(g->path))
			return -EADDRINUSE;
		unlink(g->path);
	}
	g->listener = calloc(1, sizeof *g->listener);
	if (!g->listener)
		return -ENOMEM;
	uv_pipe_init(g->loop, g->listener, 0);
	g->listener->data = g;
	rc = uv_pipe_bind(g->listener, g->path);
	if (!rc && chmod(g->path, 0660) < 0)
		rc = -errno;
	if (!rc)
		rc = uv_listen(
			(uv_stream_t *)g->listener, BUS_GATE_BACKLOG, bus_gate_on_connection);
	if (rc)
		bus_gate_stop_listening(g);
	return rc;
}

int bus_gate_renew(struct bus_gate *g)
{
	bus_gate_stop_listening(g);
	return bus_gate_listen(g);
}

int bus_gate_open(uv_loop_t *loop, enum bus_gate_kind kind, const char *path,
	const struct bus_gate_handlers *handlers, void *user, struct bus_gate **ret)
{
	struct bus_gate *g = calloc(1, sizeof *g);
	int rc;

	if (!g)
		return -ENOMEM;
	g->loop = loop;
	g->kind = kind;
	g->handlers = handlers;
	g->user = user;
	list_init(&g->guests);
	rc = snprintf(g->path, sizeof g->path, "%s", path) < (int)sizeof g->path ? 0
										 : -ENAMETOOLONG;
	if (!rc)
		rc = bus_gate_listen(g);
	if (rc) {
		free(g);
		return rc;
	}
	*ret = g;
	return 0;
}

static void bus_gate_on_last_closed(uv_handle_t *handle)
{
	struct bus_gate *g = handle->data;

	free(handle);
	g->listener = NULL;
	bus_gate_free_if_empty(g);
}

void bus_gate_close(struct bus_gate *g, void (*closed)(void *user), void *user)
{
	uv_pipe_t *last = g->listener;

	assert(!g->is_closing);
	g->is_closing = true;
	g->closed = closed;
	g->closed_user = user;
	list_for_each(it, &g->guests) bus_guest_close(list_entry(it, struct bus_guest, link));
	if (!last) {
		/* A closing handle is needed for the callback to come from the loop. */
		last = calloc(1, sizeof *last);
		assert(last);
		uv_pipe_init(g->loop, last, 0);
		last->data = g;
		g->listener = last;
	}
	uv_close((uv_handle_t *)last, bus_gate_on_last_closed);
}
