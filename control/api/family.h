#pragma once
/*
 * What the resource families (document, objects, overlay, …) share: the API
 * they belong to, their handlers, and a place to wait. Not for anybody outside
 * control/api.
 */
#include "control/api/api.h"
#include "control/api/exchange.h"
#include "control/api/route.h"
#include "control/api/server.h"

struct api {
	struct api_site site;
	struct server *server;
	uv_timer_t heartbeat; /* a sign of life on streams */
	uv_timer_t deadline;  /* of the waits */
	struct list waits;
	size_t handles_open;
	bool is_leaving;
	void (*closed)(void *user);
	void *closed_user;
};

/* Answers x, now or later. m is borrowed until it returns. */
typedef void family_handler(struct api *a, struct exchange *x, const struct route_match *m);

family_handler family_healthz, family_readyz, family_metrics, family_openapi, family_status,
	family_explain, family_events, family_audit, family_stacks, family_stack_get,
	family_stack_delete, family_document_get, family_document_put, family_generations,
	family_generation_get, family_rollback, family_confirm, family_objects, family_object_get,
	family_object_put, family_object_delete, family_server_overlay_get,
	family_instance_overlay_get, family_overlay_put, family_maintenance_get,
	family_maintenance_start, family_maintenance_stop, family_move, family_move_end,
	family_bypass_end, family_later;

/* Answers with a problem: one sentence. */
void family_refuse(struct exchange *x, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Takes body; etag 0: none. */
void family_answer(struct exchange *x, int status, json_t *body, uint64_t etag);

/* The stack of a request that must exist, with a document; NULL after answering 404. */
const struct picture_stack *family_stack(struct api *a, struct exchange *x, const char *name);

/* ?limit= and ?before= of lists: 0, or -EINVAL after answering 400. */
int family_page(struct exchange *x, size_t most, size_t *ret_limit, uint64_t *ret_before);

/* The stack that lists the instance; the one without instances for this very node. NULL: none. */
const struct conf *family_conf_of_instance(const struct picture *p, const char *name);

/* True and answered 503 when the store did not do it; false for STORE_OK, CONFLICT, MOVED and
 * NOT_FOUND. */
bool family_is_store_away(struct exchange *x, const struct store_answer *answer);

/* How long news of other nodes that are under way are awaited: a heartbeat, and its way. */
#define FAMILY_NEWS_MS 1500

/* A request that waits for the picture. Embedded by what waits; unlinked before `over` is called.
 */
struct family_wait {
	struct list link;
	int64_t until_ms;                       /* by the loop's clock */
	bool (*is_over)(struct family_wait *w); /* looks at the picture */
	void (*over)(struct family_wait *w, bool is_timed_out);
	struct api *api;
};
/* Calls over() once: at once when it is over already, else when the picture changed, or after `ms`.
 */
void family_wait(struct api *a, struct family_wait *w, int64_t ms);
