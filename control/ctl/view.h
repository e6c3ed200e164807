#pragma once
/*
 * What the API answers, as tables and sentences for people. Pure: JSON and the
 * time in, text appended to a buf. A member that is missing shows as "-":
 * a newer or older API must not break the view.
 */
#include <jansson.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/field.h"
#include "control/ctl/table.h"

struct view {
	struct table_look look;
	struct wall now;
};

/* GET /v1/status: everything, or one part of it. name (NULL: all) is one object's, "POOL/SERVER"
 * for servers. */
void view_status(const struct view *v, const json_t *status, struct buf *out);
/* The number of objects shown. */
size_t view_nodes(const struct view *v, const json_t *status, const char *name, struct buf *out);
size_t view_vips(const struct view *v, const json_t *status, const char *name, struct buf *out);
size_t view_pools(const struct view *v, const json_t *status, const char *name, struct buf *out);
size_t view_servers(const struct view *v, const json_t *status, const char *name, struct buf *out);
size_t view_listeners(
	const struct view *v, const json_t *status, const char *name, struct buf *out);

size_t view_certificates(
	const struct view *v, const json_t *status, const char *name, struct buf *out);

/* GET /v1/stacks and …/generations. */
void view_stacks(const struct view *v, const json_t *stacks, struct buf *out);
void view_generations(const struct view *v, const json_t *generations, struct buf *out);

/* What a write of a document answered: its generation and, when it has waited for them, who runs
 * it. */
void view_write(const struct view *v, const char *stack, const json_t *body, bool has_waited,
	struct buf *out);
/* The changes that a dry run found; returns their number. */
size_t view_changes(const struct view *v, const json_t *body, struct buf *out);

/* One event on a line. */
void view_event(const struct view *v, const json_t *event, struct buf *out);
/* GET /v1/explain. */
void view_explanation(const struct view *v, const json_t *explanation, struct buf *out);
/* The fields of a kind; path ("retry", "servers.weight") leads below it, "" for all: 0, or -ENOENT.
 */
int view_kind(
	const struct view *v, const struct field_kind *kind, const char *path, struct buf *out);
