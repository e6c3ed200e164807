/*
 * The PostgreSQL body of the store: one connection, its life and its notices.
 * Connects host by host, brings the schema up to date, listens, and connects
 * again with back-off whenever it is lost. What a transaction does step by step
 * is pg_transaction. See store_body.h for what store.c expects.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/pg_hosts.h"
#include "control/pg_transaction.h"
#include "control/store_body.h"
#include "control/store_schema.h"

#define POLL_MS 2000
#define CONNECT_MS 3000 /* for one host, name included */
#define SETUP_MS 30000  /* the schema, while other nodes may be at it */
#define GRACE_MS 500    /* a loss this short is not shown: calls wait */
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000

enum pg_state {
	PG_STATE_PAUSING,
	PG_STATE_NAMING,
	PG_STATE_CONNECTING,
	PG_STATE_SETTING_UP,
	PG_STATE_SERVING
};

struct store_body {
	struct store *store;
	uv_loop_t *loop;
	struct pg_hosts hosts;
	size_t host;     /* the one being tried or used */
	size_t failures; /* hosts in a row that did not answer */
	enum pg_state state;
	PGconn *conn;
	uv_poll_t *watch;         /* of the connection's descriptor; freed when closed */
	int watched;              /* what watch waits for */
	uv_timer_t timer;         /* of the state: the pause, or its time limit */
	uv_getaddrinfo_t *naming; /* under way; freed in its callback */
	int retry_ms;
	uint64_t lost_ms; /* uv_now() when we last served, or opened */
	struct pg_transaction transaction;
	struct store_job *job;   /* of the store */
	struct store_job *setup; /* our own, while setting up */
	bool is_closing;
};

static void connect_host(struct store_body *b);
static void lost(struct store_body *b, const char *why);
static void on_watch(uv_poll_t *p, int status, int events);
static void on_timer(uv_timer_t *t);

static void on_watch_closed(uv_handle_t *h)
{
	free(h);
}

static void unwatch(struct store_body *b)
{
	if (!b->watch)
		return;
	uv_poll_stop(b->watch);
	uv_close((uv_handle_t *)b->watch, on_watch_closed);
	b->watch = NULL;
	b->watched = 0;
}

/* Waits for the connection's descriptor; -errno when it cannot be. */
static int watch(struct store_body *b, int events)
{
	int rc;

	if (b->watch && b->watched == events)
		return 0;
	if (!b->watch) {
		b->watch = calloc(1, sizeof *b->watch);
		if (!b->watch)
			return -ENOMEM;
		rc = uv_poll_init(b->loop, b->watch, PQsocket(b->conn));
		if (rc < 0) {
			free(b->watch);
			b->watch = NULL;
			return rc;
		}
		b->watch->data = b;
	}
	b->watched = events;
	return uv_poll_start(b->watch, events, on_watch);
}

static void arm(struct store_body *b, int ms)
{
	uv_timer_start(&b->timer, on_timer, (uint64_t)ms, 0);
}

static void disconnect(struct store_body *b)
{
	pg_transaction_drop(&b->transaction);
	unwatch(b);
	PQfinish(b->conn);
	b->conn = NULL;
	store_job_free(b->setup);
	b->setup = NULL;
}

/* The next host at once; after a round of all, a pause, and (but for a short loss) the store counts
 * as away. */
static void next_host(struct store_body *b, const char *why)
{
	disconnect(b);
	b->host = (b->host + 1) % b->hosts.count;
	if (++b->failures < b->hosts.count) {
		connect_host(b);
		return;
	}
	b->failures = 0;
	b->state = PG_STATE_PAUSING;
	if (uv_now(b->loop) - b->lost_ms < GRACE_MS) {
		arm(b, RETRY_FIRST_MS);
		return;
	}
	arm(b, b->retry_ms);
	b->retry_ms = b->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : b->retry_ms * 2;
	store_body_state(b->store, STORE_LOST, NULL, why);
}

static void next_host_said(struct store_body *b)
{
	char why[STORE_WHY_SIZE];

	pg_message(PQerrorMessage(b->conn), why, sizeof why);
	next_host(b, why);
}

static void lost_said(struct store_body *b)
{
	char why[STORE_WHY_SIZE];

	pg_message(PQerrorMessage(b->conn), why, sizeof why);
	lost(b, why[0] ? why : "the connection cannot be written to");
}

/* libpq, when sending finds the other end gone, closes the descriptor: then nothing would ever wake
 * us. */
static void send_rest(struct store_body *b)
{
	int rest = PQflush(b->conn);

	if (rest < 0 || PQstatus(b->conn) == CONNECTION_BAD ||
		watch(b, UV_READABLE | (rest > 0 ? UV_WRITABLE : 0)) < 0)
		lost_said(b);
}

static void set_up(struct store_body *b)
{
	b->state = PG_STATE_SETTING_UP;
	arm(b, SETUP_MS);
	PQsetnonblocking(b->conn, 1);
	b->setup = store_job_new(&store_schema_postgres);
	if (!b->setup || pg_transaction_start(&b->transaction, b->conn, b->setup) != PG_WORKING) {
		next_host_said(b);
		return;
	}
	send_rest(b);
}

static void set_up_ended(struct store_body *b)
{
	struct store_job *j = b->setup;
	char why[STORE_WHY_SIZE];

	if (b->transaction.ran != STORE_RAN_DONE || j->answer.outcome != STORE_OK) {
		snprintf(why, sizeof why, "%s",
			b->transaction.ran != STORE_RAN_DONE ? b->transaction.why : j->answer.why);
		next_host(b, why);
		return;
	}
	b->setup = NULL;
	b->state = PG_STATE_SERVING;
	b->failures = 0;
	b->retry_ms = RETRY_FIRST_MS;
	uv_timer_stop(&b->timer);
	store_body_state(b->store, STORE_CONNECTED, j, "");
	store_job_free(j);
}

/* A connection that served is gone: connect again at once, to the same host first. */
static void lost(struct store_body *b, const char *why)
{
	bool has_served = b->state == PG_STATE_SERVING;
	struct store_job *j = b->job;
	char kept[STORE_WHY_SIZE];

	snprintf(kept, sizeof kept, "%s", why);
	if (!has_served) {
		next_host(b, kept);
		return;
	}
	b->job = NULL;
	b->lost_ms = uv_now(b->loop);
	disconnect(b);
	store_body_state(b->store, STORE_CONNECTING, NULL, kept);
	if (j)
		store_body_ran(b->store, STORE_RAN_LOST, kept);
	if (!b->is_closing)
		connect_host(b);
}

static void ended(struct store_body *b)
{
	b->job = NULL;
	store_body_ran(b->store, b->transaction.ran, b->transaction.why);
}

static void advance(struct store_body *b)
{
	switch (pg_transaction_advance(&b->transaction)) {
	case PG_WORKING:
		send_rest(b);
		return;
	case PG_BROKEN:
		lost(b, b->transaction.why);
		return;
	case PG_ENDED:
		if (b->state == PG_STATE_SETTING_UP)
			set_up_ended(b);
		else
			ended(b);
		return;
	}
}

static void take_notices(struct store_body *b)
{
	PGnotify *n;

	while (b->conn && (n = PQnotifies(b->conn))) {
		if (b->state == PG_STATE_SERVING)
			store_body_noticed(b->store, n->extra);
		PQfreemem(n);
	}
}

static void read_more(struct store_body *b)
{
	if (!PQconsumeInput(b->conn)) {
		lost_said(b);
		return;
	}
	if (b->transaction.phase != PG_IDLE)
		advance(b);
	take_notices(b);
}

static void connecting(struct store_body *b)
{
	int events = 0;

	/* libpq may close the descriptor and open another of the same number: never watch across
	 * it. */
	unwatch(b);
	switch (PQconnectPoll(b->conn)) {
	case PGRES_POLLING_READING:
		events = UV_READABLE;
		break;
	case PGRES_POLLING_WRITING:
		events = UV_WRITABLE;
		break;
	case PGRES_POLLING_OK:
		set_up(b);
		return;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		next_host_said(b);
		return;
	}
	if (watch(b, events) < 0)
		next_host(b, "its connection cannot be watched");
}

static void on_watch(uv_poll_t *p, int status, int events)
{
	struct store_body *b = p->data;

	(void)events;
	/* With an error libuv has stopped watching; what the error is shows when libpq reads,
	 * perhaps not at once. */
	if (status < 0)
		b->watched = 0;
	if (b->state == PG_STATE_CONNECTING)
		connecting(b);
	else
		read_more(b);
	if (b->conn && !b->watched)
		send_rest(b);
}

/* libpq would print notices to stderr. */
static void ignore_notice(void *user, const PGresult *notice)
{
	(void)user;
	(void)notice;
}

static void connect_to(struct store_body *b, const char *address)
{
	const char *keywords[PG_OPTIONS_MAX + 4], *values[PG_OPTIONS_MAX + 4];

	b->state = PG_STATE_CONNECTING;
	pg_hosts_parameters(&b->hosts, b->host, address, keywords, values);
	b->conn = PQconnectStartParams(keywords, values, 0);
	if (!b->conn || PQstatus(b->conn) == CONNECTION_BAD) {
		next_host_said(b);
		return;
	}
	PQsetNoticeReceiver(b->conn, ignore_notice, NULL);
	if (watch(b, UV_WRITABLE) < 0)
		next_host(b, "its connection cannot be watched");
}

static void name_failed(struct store_body *b, const char *said)
{
	char why[STORE_WHY_SIZE];

	snprintf(why, sizeof why, "host %.200s: %s", b->hosts.items[b->host].host, said);
	next_host(b, why);
}

static void on_named(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct store_body *b = request->data;
	char address[INET6_ADDRSTRLEN] = "";
	bool is_current = b && b->naming == request;

	free(request);
	if (is_current)
		b->naming = NULL;
	if (is_current && status == 0 && uv_ip_name(found->ai_addr, address, sizeof address) < 0)
		status = UV_EAI_NODATA;
	uv_freeaddrinfo(found);
	if (!is_current)
		return;
	if (status == 0)
		connect_to(b, address);
	else
		name_failed(b, uv_strerror(status));
}

/* The lookup goes on, for nobody. */
static void forget_naming(struct store_body *b)
{
	if (!b->naming)
		return;
	b->naming->data = NULL;
	uv_cancel((uv_req_t *)b->naming);
	b->naming = NULL;
}

static void find_name(struct store_body *b, const char *host)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};

	b->state = PG_STATE_NAMING;
	b->naming = calloc(1, sizeof *b->naming);
	if (!b->naming)
		return; /* the timer tries again */
	b->naming->data = b;
	if (uv_getaddrinfo(b->loop, b->naming, on_named, host, NULL, &hints) == 0)
		return;
	free(b->naming);
	b->naming = NULL;
}

static void connect_host(struct store_body *b)
{
	const struct pg_host *host = &b->hosts.items[b->host];

	arm(b, CONNECT_MS);
	if (pg_host_needs_name(host))
		find_name(b, host->host);
	else
		connect_to(b, "");
}

static void on_timer(uv_timer_t *t)
{
	struct store_body *b = t->data;

	switch (b->state) {
	case PG_STATE_PAUSING:
		connect_host(b);
		return;
	case PG_STATE_NAMING:
		forget_naming(b);
		name_failed(b, "its name was not resolved in time");
		return;
	case PG_STATE_CONNECTING:
	case PG_STATE_SETTING_UP:
		next_host(b, "it did not answer in time");
		return;
	case PG_STATE_SERVING:
		return;
	}
}

static int postgres_open(
	struct store *s, uv_loop_t *loop, const char *where, struct store_body **ret)
{
	struct store_body *b = calloc(1, sizeof *b);
	int rc;

	if (!b)
		return -ENOMEM;
	*b = (struct store_body){
		.store = s, .loop = loop, .retry_ms = RETRY_FIRST_MS, .lost_ms = uv_now(loop)};
	rc = pg_hosts_parse(where, &b->hosts);
	if (rc < 0) {
		free(b);
		return rc;
	}
	uv_timer_init(loop, &b->timer);
	b->timer.data = b;
	b->state = PG_STATE_PAUSING;
	arm(b, 0);
	*ret = b;
	return 0;
}

static void postgres_run(struct store_body *b, struct store_job *j)
{
	assert(b->state == PG_STATE_SERVING && !b->job);
	b->job = j;
	if (pg_transaction_start(&b->transaction, b->conn, j) == PG_WORKING)
		send_rest(b);
	else
		lost(b, b->transaction.why);
}

/* A server that hangs may hang for ever: this connection is given up. */
static void postgres_abandon(struct store_body *b)
{
	if (b->state == PG_STATE_SERVING)
		lost(b, "it did not answer in time");
}

static void on_timer_closed(uv_handle_t *h)
{
	struct store_body *b = h->data;
	struct store *s = b->store;

	pg_hosts_fini(&b->hosts);
	free(b);
	store_body_closed(s);
}

static void postgres_close(struct store_body *b)
{
	b->is_closing = true;
	if (b->job)
		lost(b, "the control daemon is stopping");
	forget_naming(b);
	disconnect(b);
	uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}

const struct store_body_operations store_body_postgres = {
	.kind = "postgres",
	.title = "PostgreSQL",
	.poll_ms = POLL_MS,
	.open = postgres_open,
	.run = postgres_run,
	.abandon = postgres_abandon,
	.close = postgres_close,
};
