/*
 * exchange: one request through libmicrohttpd. A connection whose answer takes
 * time is suspended and resumed, so nothing here ever waits. Bodies are bounded
 * one by one and together; what is refused is read and dropped up to a limit,
 * so that the client can read why.
 */
#include "control/api/exchange.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "control/api/etag.h"

enum exchange_phase {
	EXCHANGE_NEW,
	EXCHANGE_BODY,
	EXCHANGE_HANDLED, /* the handler has it, or its answer waits to be sent */
	EXCHANGE_SENT
};

struct exchange {
	struct exchange_desk *desk;
	void *door;
	struct MHD_Connection *connection;
	struct exchange_link *link;
	enum exchange_phase phase;
	bool is_unix, is_suspended;
	char *uri; /* owned; as sent */
	struct buf body;
	uint64_t discarded;
	struct request request;
	struct answer answer;

	exchange_fill *fill; /* NULL: no stream */
	void *fill_user;
	uint64_t cursor;
	struct buf pending;
	size_t pending_sent;
	bool owes_sign;
	struct list in_streams, in_all;
};

void exchange_desk_init(struct exchange_desk *desk)
{
	list_init(&desk->streams);
	list_init(&desk->all);
}

const struct request *exchange_request(const struct exchange *x)
{
	return &x->request;
}

struct exchange *exchange_begin(struct exchange_desk *desk, void *door, bool is_unix,
	const char *uri, struct exchange_link *link, struct MHD_Connection *connection)
{
	struct exchange *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	x->uri = strdup(uri);
	if (!x->uri) {
		free(x);
		return NULL;
	}
	x->desk = desk;
	x->door = door;
	x->is_unix = is_unix;
	x->link = link;
	link->is_reading = true;
	x->connection = connection;
	buf_init(&x->body, REQUEST_BODY_MAX);
	buf_init(&x->pending, EXCHANGE_STREAM_CHUNK);
	list_init(&x->in_streams);
	list_push_back(&desk->all, &x->in_all);
	return x;
}

static void release_body(struct exchange *x)
{
	x->desk->bodies_bytes -= x->body.len;
	buf_fini(&x->body);
	buf_init(&x->body, REQUEST_BODY_MAX);
}

void exchange_end(struct exchange *x)
{
	if (x->fill) {
		list_unlink(&x->in_streams);
		x->desk->streams_count--;
	}
	list_unlink(&x->in_all);
	release_body(x);
	buf_fini(&x->pending);
	answer_fini(&x->answer);
	free(x->uri);
	free(x);
}

static const char *header(const struct exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static void refuse(struct exchange *x, int status, const char *why)
{
	struct answer a = {0};

	answer_problem(&a, status, "%s", why);
	exchange_answer(x, &a);
}

/* The name in /etc/passwd; a directory service is not asked, for it could make us wait. */
static bool user_name(uid_t uid, char *name, size_t size)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;
	bool found = false;

	while (file && !found && (entry = fgetpwent(file))) {
		found = entry->pw_uid == uid && strlen(entry->pw_name) < size;
		if (found)
			strcpy(name, entry->pw_name);
	}
	if (file)
		fclose(file);
	return found;
}

static int identify(struct exchange *x)
{
	const union MHD_ConnectionInfo *info;
	struct ucred peer;
	socklen_t len = sizeof peer;
	char name[64];

	if (x->is_unix) {
		if (getsockopt(x->link->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
			return -errno;
		access_from_peer(peer.uid, user_name(peer.uid, name, sizeof name) ? name : NULL,
			x->desk->unix_role, &x->request.access);
		return 0;
	}
	info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	access_from_network(
		info && info->client_addr &&
			addr_is_loopback((const struct addr *)(const void *)info->client_addr),
		&x->request.access);
	return 0;
}

/* The claimed length of the body; 0 when it is unknown. */
static uint64_t claimed_length(const struct exchange *x)
{
	const char *value = header(x, "Content-Length");

	return value ? strtoull(value, NULL, 10) : 0;
}

static void read_head(struct exchange *x, const char *method)
{
	const char *why = NULL;

	if (identify(x) < 0)
		refuse(x, 403, "the peer of this socket cannot be identified");
	else if (request_method_parse(method, &x->request.method) < 0)
		refuse(x, 501, "only GET, HEAD, PUT, POST and DELETE are known here");
	else if (target_parse(x->uri, &x->request.target, &why) < 0)
		refuse(x, 400, why);
	else if (claimed_length(x) > REQUEST_BODY_MAX)
		refuse(x, 413, "the body is larger than 16 MiB");
	else
		x->desk->admit(x->desk->user, x);
}

static void take_data(struct exchange *x, const char *data, size_t len)
{
	if (x->answer.status) {
		x->discarded += len;
		return;
	}
	if (x->body.len + len > REQUEST_BODY_MAX) {
		release_body(x);
		refuse(x, 413, "the body is larger than 16 MiB");
	} else if (x->desk->bodies_bytes + len > EXCHANGE_BODIES_MAX) {
		release_body(x);
		refuse(x, 503, "too many large requests at once: try again");
	} else {
		buf_add(&x->body, data, len);
		x->desk->bodies_bytes += len;
	}
}

static void handle(struct exchange *x)
{
	struct request_headers h = {
		.if_match = header(x, "If-Match"),
		.content_type = header(x, "Content-Type"),
		.accept = header(x, "Accept"),
		.last_event_id = header(x, "Last-Event-ID"),
		.idempotency_key = header(x, "Idempotency-Key"),
	};
	const char *why;
	int status;

	x->request.body = buf_text(&x->body);
	x->request.body_len = x->body.len;
	status = request_read_headers(&x->request, &h, &why);
	if (status)
		refuse(x, status, why);
	else
		x->desk->handle(x->desk->user, x);
}

static ssize_t read_stream(void *user, uint64_t position, char *out, size_t max)
{
	struct exchange *x = user;
	size_t len;

	(void)position;
	if (x->pending_sent == x->pending.len) {
		buf_clear(&x->pending);
		x->pending_sent = 0;
		x->fill(x->fill_user, &x->cursor, &x->pending);
		if (x->pending.len == 0 && x->owes_sign)
			buf_add_text(&x->pending, ": still here\n\n");
		x->owes_sign = false;
	}
	len = x->pending.len - x->pending_sent;
	if (len == 0) {
		x->is_suspended = true;
		MHD_suspend_connection(x->connection);
		return 0;
	}
	len = len < max ? len : max;
	memcpy(out, x->pending.data + x->pending_sent, len);
	x->pending_sent += len;
	return (ssize_t)len;
}

static struct MHD_Response *make_stream(struct exchange *x)
{
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 16384, read_stream, x, NULL);

	if (r) {
		MHD_add_response_header(r, "Content-Type", "text/event-stream");
		MHD_add_response_header(r, "X-Accel-Buffering", "no");
	}
	return r;
}

/* The body moves into the response, which frees it. */
static struct MHD_Response *make_response(struct exchange *x)
{
	struct answer *a = &x->answer;
	struct MHD_Response *r = MHD_create_response_from_buffer(
		a->body.len, a->body.data, MHD_RESPMEM_MUST_FREE);
	char text[ETAG_TEXT_SIZE];

	if (!r)
		return NULL;
	buf_init(&a->body, 0);
	MHD_add_response_header(r, "Content-Type", answer_type_text(a->type));
	if (a->has_etag)
		MHD_add_response_header(r, "ETag", etag_print(a->etag, text));
	if (a->allow[0])
		MHD_add_response_header(r, "Allow", a->allow);
	if (a->status == 401)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	return r;
}

static enum MHD_Result send_answer(struct exchange *x)
{
	struct MHD_Response *r = x->fill ? make_stream(x) : make_response(x);
	enum MHD_Result rc;

	x->phase = EXCHANGE_SENT;
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Cache-Control", "no-store");
	rc = MHD_queue_response(x->connection, (unsigned)x->answer.status, r);
	MHD_destroy_response(r);
	return rc;
}

/* A refused body is read to its end unless the client waits for leave to send it, or it is too long
 * for that. */
static bool is_refused_at_once(const struct exchange *x)
{
	return x->answer.status &&
	       (header(x, "Expect") || claimed_length(x) > EXCHANGE_DISCARD_MAX);
}

enum MHD_Result exchange_access(
	struct exchange *x, const char *method, const char *data, size_t *len)
{
	if (x->phase == EXCHANGE_NEW) {
		x->phase = EXCHANGE_BODY;
		read_head(x, method);
		return is_refused_at_once(x) ? send_answer(x) : MHD_YES;
	}
	if (*len > 0) {
		take_data(x, data, *len);
		*len = 0;
		return x->discarded > EXCHANGE_DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	if (x->phase == EXCHANGE_BODY) {
		x->phase = EXCHANGE_HANDLED;
		x->link->is_busy = true;
		if (!x->answer.status)
			handle(x);
	}
	if (x->answer.status)
		return send_answer(x);
	x->is_suspended = true;
	MHD_suspend_connection(x->connection);
	return MHD_YES;
}

static void resume(struct exchange *x)
{
	if (!x->is_suspended)
		return;
	x->is_suspended = false;
	MHD_resume_connection(x->connection);
	x->desk->kick(x->door);
}

void exchange_answer(struct exchange *x, struct answer *a)
{
	assert(x->answer.status == 0 && a->status != 0);
	x->answer = *a;
	*a = (struct answer){0};
	resume(x);
}

int exchange_stream(struct exchange *x, exchange_fill *fill, void *user, uint64_t cursor)
{
	struct answer a = {0};

	if (x->desk->streams_count >= EXCHANGE_STREAMS_MAX)
		return -EBUSY;
	x->desk->streams_count++;
	list_push_back(&x->desk->streams, &x->in_streams);
	x->fill = fill;
	x->fill_user = user;
	x->cursor = cursor;
	answer_text(&a, 200, "");
	exchange_answer(x, &a);
	return 0;
}

void exchange_wake(struct exchange_desk *desk, bool is_sign)
{
	list_for_each (link, &desk->streams) {
		struct exchange *x = list_entry(link, struct exchange, in_streams);

		x->owes_sign = x->owes_sign || is_sign;
		resume(x);
	}
}

void exchange_abandon(struct exchange_desk *desk)
{
	list_for_each (link, &desk->all)
		resume(list_entry(link, struct exchange, in_all));
}
