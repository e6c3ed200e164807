/*
 * api: the dispatcher. admit looks at a request's head and refuses what needs
 * no body to be refused; handle calls the family of its route. Also keeps those
 * who wait for the picture.
 */
#include "control/api/family.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API_HEARTBEAT_MS 5000
#define API_EARLY_MS 2000
#define API_GROUP "ballast-admin"

static family_handler *const handlers[ROUTE_IDS] = {
	[ROUTE_HEALTHZ] = family_healthz,
	[ROUTE_READYZ] = family_readyz,
	[ROUTE_METRICS] = family_metrics,
	[ROUTE_OPENAPI] = family_openapi,
	[ROUTE_STATUS] = family_status,
	[ROUTE_EXPLAIN] = family_explain,
	[ROUTE_EVENTS] = family_events,
	[ROUTE_AUDIT] = family_audit,
	[ROUTE_STACKS] = family_stacks,
	[ROUTE_STACK_GET] = family_stack_get,
	[ROUTE_STACK_DELETE] = family_stack_delete,
	[ROUTE_DOCUMENT_GET] = family_document_get,
	[ROUTE_DOCUMENT_PUT] = family_document_put,
	[ROUTE_GENERATIONS] = family_generations,
	[ROUTE_GENERATION_GET] = family_generation_get,
	[ROUTE_ROLLBACK] = family_rollback,
	[ROUTE_CONFIRM] = family_confirm,
	[ROUTE_OBJECTS] = family_objects,
	[ROUTE_OBJECT_GET] = family_object_get,
	[ROUTE_OBJECT_PUT] = family_object_put,
	[ROUTE_OBJECT_DELETE] = family_object_delete,
	[ROUTE_SERVERS] = family_objects,
	[ROUTE_SERVER_GET] = family_object_get,
	[ROUTE_SERVER_PUT] = family_object_put,
	[ROUTE_SERVER_DELETE] = family_object_delete,
	[ROUTE_SERVER_OVERLAY_GET] = family_server_overlay_get,
	[ROUTE_SERVER_OVERLAY_PUT] = family_overlay_put,
	[ROUTE_SERVER_OVERLAY_DELETE] = family_overlay_put,
	[ROUTE_INSTANCE_OVERLAY_GET] = family_instance_overlay_get,
	[ROUTE_INSTANCE_OVERLAY_PUT] = family_overlay_put,
	[ROUTE_INSTANCE_OVERLAY_DELETE] = family_overlay_put,
	[ROUTE_MAINTENANCE_GET] = family_maintenance_get,
	[ROUTE_MAINTENANCE_PUT] = family_maintenance_start,
	[ROUTE_MAINTENANCE_DELETE] = family_maintenance_stop,
	[ROUTE_MOVE] = family_move,
	[ROUTE_MOVE_END] = family_move_end,
	[ROUTE_BYPASS_END] = family_bypass_end,
	[ROUTE_LATER] = family_later,
};

/* ---- requests ---- */

static bool is_let_in(const struct route *r, const struct access *who)
{
	if (r->door == ROUTE_DOOR_OPEN || (r->door == ROUTE_DOOR_LOOPBACK && who->is_loopback))
		return true;
	return access_allows(who->role, r->role);
}

static void turn_away(struct api *a, struct exchange *x, const struct route *r)
{
	const struct access *who = &exchange_request(x)->access;

	if (who->is_local)
		family_refuse(x, 403, "%s is %s here, and this needs %s", who->who,
			access_role_name(who->role), access_role_name(r->role));
	else
		family_refuse(x, 401,
			"over TCP only /healthz, /readyz and, from this machine, /metrics are "
			"answered: "
			"tokens come later; use the unix socket %s/api.sock",
			a->site.nodefile->run_dir);
}

static void refuse_method(struct exchange *x, const struct route_match *m)
{
	struct answer answer = {0};

	answer_problem(&answer, 405, "%s is not possible here; possible: %s",
		request_method_name(exchange_request(x)->method), m->allow);
	snprintf(answer.allow, sizeof answer.allow, "%s", m->allow);
	exchange_answer(x, &answer);
}

/* 0 and the route; or -EINVAL after answering. */
static int find_route(struct api *a, struct exchange *x, struct route_match *ret)
{
	const struct request *r = exchange_request(x);
	int rc = route_match(r->method, &r->target, ret);
	const char *unknown;

	if (!r->access.is_local && rc < 0) {
		turn_away(a, x, NULL);
	} else if (rc == -ENOENT) {
		family_refuse(x, 404,
			"there is nothing at this path; /v1/openapi.json lists what there is");
	} else if (rc < 0) {
		refuse_method(x, ret);
	} else if (!is_let_in(ret->route, &r->access)) {
		turn_away(a, x, ret->route);
	} else {
		unknown = route_unknown_parameter(ret->route, &r->target);
		if (!unknown)
			return 0;
		family_refuse(x, 400, "unknown query parameter %s; %s %s knows: %s", unknown,
			request_method_name(r->method), ret->route->pattern,
			ret->route->query[0] ? ret->route->query : "none");
	}
	return -EINVAL;
}

static void on_admit(void *user, struct exchange *x)
{
	struct route_match m;

	find_route(user, x, &m);
}

/* A request that came before the store was read. */
struct early {
	struct family_wait wait; /* first: found from it */
	struct exchange *x;
	struct route_match match; /* its texts live as long as x */
};

static bool has_picture(struct family_wait *w)
{
	const struct picture *p = w->api->site.picture;

	return p->is_loaded || strcmp(p->store.state, "away") == 0;
}

static void on_picture(struct family_wait *w, bool is_timed_out)
{
	struct early *e = (struct early *)w;

	(void)is_timed_out;
	if (w->api->is_leaving)
		family_refuse(e->x, 503, "this ballast-control is leaving");
	else
		handlers[e->match.route->id](w->api, e->x, &e->match);
	free(e);
}

static bool needs_picture(enum route_id id)
{
	return id != ROUTE_HEALTHZ && id != ROUTE_READYZ && id != ROUTE_METRICS &&
	       id != ROUTE_OPENAPI && id != ROUTE_EVENTS;
}

/* In the first moments of the process a request waits until the store was read, or is known to be
 * away. */
static void handle(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct early *e;

	if (a->site.picture->is_loaded || !needs_picture(m->route->id)) {
		handlers[m->route->id](a, x, m);
		return;
	}
	e = calloc(1, sizeof *e);
	if (!e) {
		family_refuse(x, 503, "out of memory: try again");
		return;
	}
	e->x = x;
	e->match = *m;
	e->wait = (struct family_wait){.is_over = has_picture, .over = on_picture};
	family_wait(a, &e->wait, API_EARLY_MS);
}

static void on_handle(void *user, struct exchange *x)
{
	struct api *a = user;
	struct route_match m;

	if (a->is_leaving)
		family_refuse(x, 503, "this ballast-control is leaving");
	else if (find_route(a, x, &m) == 0)
		handle(a, x, &m);
}

/* ---- what families share ---- */

void family_refuse(struct exchange *x, int status, const char *format, ...)
{
	struct answer answer = {0};
	char detail[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	answer_problem_list(&answer, status, NULL, detail);
	exchange_answer(x, &answer);
}

void family_answer(struct exchange *x, int status, json_t *body, uint64_t etag)
{
	struct answer answer = {0};

	if (exchange_request(x)->wants_yaml)
		answer_yaml(&answer, status, body);
	else
		answer_json(&answer, status, body);
	if (etag)
		answer_set_etag(&answer, etag);
	exchange_answer(x, &answer);
}

const struct picture_stack *family_stack(struct api *a, struct exchange *x, const char *name)
{
	const struct picture_stack *s = picture_stack(a->site.picture, name);

	if (s && !s->is_deleted && s->conf)
		return s;
	family_refuse(x, 404, "there is no stack %.64s%s", name,
		a->site.picture->is_loaded ? "" : "; the store has not been read yet");
	return NULL;
}

int family_page(struct exchange *x, size_t most, size_t *ret_limit, uint64_t *ret_before)
{
	const struct target *t = &exchange_request(x)->target;
	uint64_t limit = most < 100 ? most : 100, before = 0;

	if (target_query_number(t, "limit", most, &limit) < 0 || limit == 0) {
		family_refuse(x, 400, "limit must be a number from 1 to %zu", most);
		return -EINVAL;
	}
	if (target_query_number(t, "before", INT64_MAX, &before) < 0) {
		family_refuse(x, 400, "before must be a number");
		return -EINVAL;
	}
	*ret_limit = (size_t)limit;
	*ret_before = before;
	return 0;
}

bool family_is_store_away(struct exchange *x, const struct store_answer *answer)
{
	if (answer->outcome == STORE_AWAY)
		family_refuse(x, 503, "%s", answer->why); /* a whole sentence */
	else if (answer->outcome == STORE_UNKNOWN)
		family_refuse(x, 503,
			"the store was lost while it was asked, so the outcome is not known: look "
			"at what is "
			"there, or repeat with the same Idempotency-Key");
	else
		return false;
	return true;
}

void family_later(struct api *a, struct exchange *x, const struct route_match *m)
{
	(void)a;
	family_refuse(x, 501, "%s %s is not there yet in this version",
		request_method_name(m->route->method), m->route->pattern);
}

/* ---- waiting ---- */

static int64_t loop_ms(const struct api *a)
{
	return (int64_t)uv_now(a->site.loop);
}

static void end_wait(struct family_wait *w, bool is_timed_out)
{
	list_unlink(&w->link);
	w->over(w, is_timed_out);
}

static void on_deadline(uv_timer_t *t);

static void arm(struct api *a)
{
	int64_t next = INT64_MAX, now = loop_ms(a);

	list_for_each (it, &a->waits) {
		struct family_wait *w = list_entry(it, struct family_wait, link);

		next = w->until_ms < next ? w->until_ms : next;
	}
	if (next == INT64_MAX)
		uv_timer_stop(&a->deadline);
	else
		uv_timer_start(
			&a->deadline, on_deadline, (uint64_t)(next > now ? next - now : 0), 0);
}

/* What ends may begin to wait for something else: such newcomers are looked at once more. */
static void look_at_waits(struct api *a)
{
	struct list old;
	int64_t now = loop_ms(a);

	list_init(&old);
	while (!list_is_empty(&a->waits)) {
		struct list *first = a->waits.next;

		list_unlink(first);
		list_push_back(&old, first);
	}
	while (!list_is_empty(&old)) {
		struct family_wait *w = list_entry(old.next, struct family_wait, link);

		list_unlink(&w->link);
		list_push_back(&a->waits, &w->link);
		if (w->is_over(w))
			end_wait(w, false);
		else if (w->until_ms <= now)
			end_wait(w, true);
	}
	arm(a);
}

static void on_deadline(uv_timer_t *t)
{
	look_at_waits(t->data);
}

void family_wait(struct api *a, struct family_wait *w, int64_t ms)
{
	w->api = a;
	list_init(&w->link);
	if (a->is_leaving || w->is_over(w)) {
		w->over(w, a->is_leaving);
		return;
	}
	w->until_ms = loop_ms(a) + ms;
	list_push_back(&a->waits, &w->link);
	arm(a);
}

void api_changed(struct api *a)
{
	look_at_waits(a);
}

/* ---- opening and closing ---- */

void api_events(struct api *a)
{
	server_wake(a->server, false);
}

static void on_heartbeat(uv_timer_t *t)
{
	struct api *a = t->data;

	server_wake(a->server, true);
}

static int open_server(struct api *a)
{
	const struct nodefile *n = a->site.nodefile;
	char path[4096];
	struct server_spec spec = {
		.unix_path = n->api_unix ? path : NULL,
		.unix_group = API_GROUP,
		.addresses = n->api_listen,
		.addresses_count = n->api_listen_count,
		.tls_certificate = n->api_tls_certificate,
		.tls_key = n->api_tls_key,
		.unix_role = ACCESS_ADMIN,
		.admit = on_admit,
		.handle = on_handle,
		.user = a,
		.inherit = a->site.inherit,
		.inherit_user = a->site.inherit_user,
	};

	snprintf(path, sizeof path, "%s/api.sock", n->run_dir);
	if (n->api_unix_role && access_role_parse(n->api_unix_role, &spec.unix_role) < 0)
		return -EINVAL;
	return server_open(a->site.loop, &spec, &a->server);
}

void api_each_socket(
	const struct api *a, void (*visit)(void *user, const char *name, int fd), void *user)
{
	server_each_socket(a->server, visit, user);
}

int api_open(const struct api_site *site, struct api **ret)
{
	struct api *a = calloc(1, sizeof *a);
	int rc;

	if (!a)
		return -ENOMEM;
	a->site = *site;
	list_init(&a->waits);
	rc = open_server(a);
	if (rc < 0) {
		free(a);
		return rc;
	}
	uv_timer_init(site->loop, &a->heartbeat);
	uv_timer_init(site->loop, &a->deadline);
	a->heartbeat.data = a->deadline.data = a;
	uv_timer_start(&a->heartbeat, on_heartbeat, API_HEARTBEAT_MS, API_HEARTBEAT_MS);
	*ret = a;
	return 0;
}

static void forget_part(struct api *a)
{
	if (--a->handles_open > 0)
		return;
	if (a->closed)
		a->closed(a->closed_user);
	free(a);
}

static void on_timer_closed(uv_handle_t *handle)
{
	forget_part(handle->data);
}

static void on_server_closed(void *user)
{
	forget_part(user);
}

void api_leave(struct api *a)
{
	a->is_leaving = true;
	while (!list_is_empty(&a->waits))
		end_wait(list_entry(a->waits.next, struct family_wait, link), true);
}

void api_close(struct api *a, void (*closed)(void *user), void *user)
{
	a->closed = closed;
	a->closed_user = user;
	a->handles_open = 3;
	uv_close((uv_handle_t *)&a->heartbeat, on_timer_closed);
	uv_close((uv_handle_t *)&a->deadline, on_timer_closed);
	server_close(a->server, on_server_closed, a);
}
