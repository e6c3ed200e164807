/*
 * server: libmicrohttpd in its external epoll mode. Its epoll descriptor is
 * polled by our loop, its time-out is a uv timer, and MHD_run() is called for
 * either; no thread, no wait. A clock sweeps the connections each second, for
 * libmicrohttpd's own time-out starts anew with every byte.
 */
#include "control/api/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/nodefile.h"
#include "common/now.h"
#include "control/api/socket.h"

#define SERVER_UNIX "api:unix"
#define SERVER_NAME_SIZE (ADDR_TEXT_SIZE + 8)
#define SERVER_HEAD_MAX (32u << 10) /* bytes of a request's head, and of buffers a connection */
#define SERVER_FILE_MAX (1u << 20)  /* bytes of a certificate or key file */
#define SERVER_SWEEP_MS 1000

struct door {
	struct server *server;
	struct MHD_Daemon *daemon;
	char name[SERVER_NAME_SIZE]; /* SERVER_UNIX, or "api:" and the address */
	int fd;                      /* listening; the daemon closes it */
	bool is_unix;
	uv_poll_t poll;
	uv_timer_t timer;
	struct list links; /* struct exchange_link; the oldest first */
	size_t links_count;
};

struct server {
	uv_loop_t *loop;
	struct exchange_desk desk;
	uv_timer_t sweep;
	char *certificate, *key; /* PEM text, owned; NULL: none */
	struct door doors[NODEFILE_LISTEN_MAX + 1];
	size_t doors_count;
	struct log_limit log_limit; /* strangers cause these lines */
	size_t handles_open;
	void (*closed)(void *user);
	void *closed_user;
};

static int64_t now_ms(const struct server *s)
{
	return (int64_t)uv_now(s->loop);
}

static void run(struct door *d);

static void on_timer(uv_timer_t *t)
{
	run(t->data);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	run(p->data);
}

static void run(struct door *d)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	MHD_run(d->daemon);
	if (MHD_get_timeout(d->daemon, &timeout) == MHD_YES)
		uv_timer_start(&d->timer, on_timer, timeout, 0);
	else
		uv_timer_stop(&d->timer);
}

static void kick(void *user)
{
	struct door *d = user;

	uv_timer_start(&d->timer, on_timer, 0, 0);
}

/* ---- connections ---- */

static void end_link(struct exchange_link *l)
{
	l->is_ended = true;
	shutdown(l->fd, SHUT_RDWR);
}

/* A newcomer above the limit ends the connection that has idled longest, so that none can be locked
 * out. */
static void make_room(struct door *d)
{
	if (d->links_count < SERVER_CONNECTIONS_MAX)
		return;
	list_for_each (it, &d->links) {
		struct exchange_link *l = list_entry(it, struct exchange_link, link);

		if (!l->is_busy && !l->is_ended) {
			end_link(l);
			return;
		}
	}
}

static void renew_link(struct door *d, struct exchange_link *l)
{
	list_unlink(&l->link);
	list_push_back(&d->links, &l->link);
	l->since_ms = now_ms(d->server);
	l->is_busy = l->is_reading = false;
}

static void open_link(struct door *d, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct exchange_link *l = calloc(1, sizeof *l);

	if (!l)
		return;
	make_room(d);
	l->fd = info->connect_fd;
	list_init(&l->link);
	renew_link(d, l);
	d->links_count++;
	*context = l;
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct door *d = user;
	struct exchange_link *l = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		open_link(d, connection, context);
	} else if (l) {
		list_unlink(&l->link);
		d->links_count--;
		free(l);
		*context = NULL;
	}
}

static struct exchange_link *link_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_sweep(uv_timer_t *t)
{
	struct server *s = t->data;

	for (size_t i = 0; i < s->doors_count; i++) {
		list_for_each (it, &s->doors[i].links) {
			struct exchange_link *l = list_entry(it, struct exchange_link, link);

			int64_t patience = l->is_reading ? SERVER_PATIENCE_MS : SERVER_HEAD_MS;

			if (!l->is_busy && now_ms(s) - l->since_ms > patience)
				end_link(l);
		}
	}
}

/* ---- the callbacks of libmicrohttpd ---- */

static void *on_uri(void *user, const char *uri, struct MHD_Connection *connection)
{
	struct door *d = user;
	struct exchange_link *l = link_of(connection);

	return l ? exchange_begin(&d->server->desk, d, d->is_unix, uri, l, connection) : NULL;
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **context)
{
	(void)user;
	(void)connection;
	(void)url;
	(void)version;
	if (!*context)
		return MHD_NO;
	return exchange_access(*context, method, data, len);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct exchange_link *l = link_of(connection);

	(void)code;
	if (*context)
		exchange_end(*context);
	*context = NULL;
	if (l)
		renew_link(user, l);
}

static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
	(void)user;
	(void)connection;
	return strlen(text);
}

static void on_log(void *user, const char *format, va_list args)
{
	struct server *s = user;
	unsigned long held;
	char text[256];

	vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	if (log_limit_take(&s->log_limit, 10, mono_now(), &held))
		log_debug("api: %s (%lu lines held back before)", text, held);
}

/* ---- listening ---- */

static int start_daemon(struct door *d, int fd, bool with_tls)
{
	struct server *s = d->server;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, s->key},
		{MHD_OPTION_END, 0, NULL},
	};

	d->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
					     (with_tls ? MHD_USE_TLS : 0),
		0, NULL, NULL, on_access, d, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		SERVER_CONNECTIONS_MAX + 16u, MHD_OPTION_CONNECTION_TIMEOUT,
		SERVER_PATIENCE_MS / 1000u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)SERVER_HEAD_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, d, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
		NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, d, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, d, MHD_OPTION_ARRAY, with_tls ? tls : tls + 2, MHD_OPTION_END);
	return d->daemon ? 0 : -EIO;
}

/* Takes the listening descriptor. */
static int open_door(struct server *s, int fd, const char *name, bool with_tls)
{
	struct door *d = &s->doors[s->doors_count];
	const union MHD_DaemonInfo *info;

	*d = (struct door){.server = s, .fd = fd, .is_unix = strcmp(name, SERVER_UNIX) == 0};
	snprintf(d->name, sizeof d->name, "%s", name);
	list_init(&d->links);
	if (start_daemon(d, fd, with_tls) < 0) {
		close(fd);
		return -EIO;
	}
	s->doors_count++;
	info = MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	uv_timer_init(s->loop, &d->timer);
	uv_poll_init(s->loop, &d->poll, info->epoll_fd);
	d->timer.data = d->poll.data = d;
	s->handles_open += 2;
	uv_poll_start(&d->poll, UV_READABLE, on_poll);
	return 0;
}

/* The socket that the image before us listened on, else -ENOENT: so nobody is turned away over a
 * re-execution. */
static int inherit(const struct server_spec *spec, const char *name)
{
	return spec->inherit ? spec->inherit(spec->inherit_user, name) : -ENOENT;
}

static int open_unix(struct server *s, const struct server_spec *spec)
{
	int fd = inherit(spec, SERVER_UNIX), rc;

	if (fd >= 0 && access(spec->unix_path, F_OK) < 0) {
		close(fd); /* its file was removed: nobody can reach it */
		fd = -1;
	}
	if (fd < 0)
		fd = socket_listen_unix(spec->unix_path, spec->unix_group);
	rc = fd < 0 ? fd : open_door(s, fd, SERVER_UNIX, false);
	if (rc < 0)
		log_error("cannot listen on %s: %s%s", spec->unix_path, strerror(-rc),
			rc == -EADDRINUSE ? "; does another ballast-control serve it?" : "");
	return rc;
}

static int open_tcp(struct server *s, const struct server_spec *spec, const struct addr *a)
{
	char text[ADDR_TEXT_SIZE], name[SERVER_NAME_SIZE];
	int fd, rc;

	snprintf(name, sizeof name, "api:%s", addr_print_port(a, text));
	if (!s->certificate && !addr_is_loopback(a)) {
		log_error("cannot listen on %s without TLS: set api.tls in the node file, or "
			  "listen on a loopback address",
			text);
		return -EINVAL;
	}
	fd = inherit(spec, name);
	if (fd < 0)
		fd = socket_listen_tcp(a);
	rc = fd < 0 ? fd : open_door(s, fd, name, s->certificate != NULL);
	if (rc < 0)
		log_error("cannot listen on %s: %s", text, strerror(-rc));
	return rc;
}

void server_each_socket(
	const struct server *s, void (*visit)(void *user, const char *name, int fd), void *user)
{
	for (size_t i = 0; i < s->doors_count; i++)
		visit(user, s->doors[i].name, s->doors[i].fd);
}

/* The whole file as text, owned; NULL after logging why. */
static char *read_pem(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, SERVER_FILE_MAX + 1);
	ssize_t len = fd >= 0 && text ? read(fd, text, SERVER_FILE_MAX) : -1;

	if (len <= 0) {
		log_error("cannot read %s: %s", path, len < 0 ? strerror(errno) : "it is empty");
		free(text);
		text = NULL;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static int load_tls(struct server *s, const struct server_spec *spec)
{
	if (!spec->tls_certificate)
		return 0;
	s->certificate = read_pem(spec->tls_certificate);
	s->key = read_pem(spec->tls_key);
	return s->certificate && s->key ? 0 : -EIO;
}

static int open_doors(struct server *s, const struct server_spec *spec)
{
	int rc = load_tls(s, spec);

	assert(spec->addresses_count <= NODEFILE_LISTEN_MAX);
	if (rc == 0 && spec->unix_path)
		rc = open_unix(s, spec);
	for (size_t i = 0; rc == 0 && i < spec->addresses_count; i++)
		rc = open_tcp(s, spec, &spec->addresses[i]);
	return rc;
}

int server_open(uv_loop_t *loop, const struct server_spec *spec, struct server **ret)
{
	struct server *s = calloc(1, sizeof *s);
	int rc;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->desk = (struct exchange_desk){.admit = spec->admit,
		.handle = spec->handle,
		.user = spec->user,
		.unix_role = spec->unix_role,
		.kick = kick};
	exchange_desk_init(&s->desk);
	uv_timer_init(loop, &s->sweep);
	s->sweep.data = s;
	s->handles_open = 1;
	uv_timer_start(&s->sweep, on_sweep, SERVER_SWEEP_MS, SERVER_SWEEP_MS);
	rc = open_doors(s, spec);
	if (rc < 0) {
		server_close(s, NULL, NULL);
		return rc;
	}
	*ret = s;
	return 0;
}

void server_wake(struct server *s, bool is_sign)
{
	exchange_wake(&s->desk, is_sign);
}

static void forget_handle(struct server *s)
{
	if (--s->handles_open > 0)
		return;
	if (s->closed)
		s->closed(s->closed_user);
	free(s->certificate);
	free(s->key);
	free(s);
}

static void on_sweep_closed(uv_handle_t *handle)
{
	forget_handle(handle->data);
}

static void on_door_closed(uv_handle_t *handle)
{
	struct door *d = handle->data;

	forget_handle(d->server);
}

void server_close(struct server *s, void (*closed)(void *user), void *user)
{
	s->closed = closed;
	s->closed_user = user;
	exchange_abandon(&s->desk);
	uv_close((uv_handle_t *)&s->sweep, on_sweep_closed);
	for (size_t i = 0; i < s->doors_count; i++) {
		struct door *d = &s->doors[i];

		uv_close((uv_handle_t *)&d->poll, on_door_closed);
		uv_close((uv_handle_t *)&d->timer, on_door_closed);
		MHD_stop_daemon(d->daemon);
	}
}
