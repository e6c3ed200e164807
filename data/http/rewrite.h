#pragma once
/*
 * Core: what a route changes on the way: header fields that are set, added and
 * removed, with variables, the path prefix and the host. Templates are compiled
 * with the table of routes; nothing is parsed per request. Values from outside
 * can never end a line: what is no character of a field value becomes "_".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/conf.h"
#include "common/template.h"

struct rewrite_run {
	const char *text;
	size_t len;
};

/* What the variables are worth for one request; unknown ones are empty. */
struct rewrite_values {
	struct rewrite_run of[TEMPLATE_VARIABLES];
};

/* A compiled template. */
struct rewrite_text {
	struct template_piece *pieces;
	size_t count;
};

struct rewrite_line {
	struct rewrite_run name;
	struct rewrite_text value;
};

/* Changes to the fields of one head. */
struct rewrite_edit {
	uint64_t drops; /* a bit for each length of name that is taken out, to pass over others fast */
	struct rewrite_run *dropped; /* names that are taken out: removed, or set anew */
	size_t dropped_count;
	struct rewrite_line *lines; /* that are added */
	size_t lines_count;
};

struct rewrite {
	struct rewrite_edit request, response;
	struct rewrite_run path_prefix, host; /* text NULL: as it came */
	struct rewrite_text location;         /* of a redirect */
	bool keeps_query;                     /* the redirect has no query of its own */
	bool wants_target; /* response has variables that are known only while the request's head is */
};

/* What the route changes, of the arena: 0 and NULL where it changes nothing; -1 without memory. */
int rewrite_new(struct arena *a, const struct conf_route *route, struct rewrite **ret);

/* True when fields of this name are taken out. e may be NULL. */
bool rewrite_drops(const struct rewrite_edit *e, const char *name, size_t len);

/* The bytes of the lines that are added, and the lines themselves: "Name: value" CRLF each. */
size_t rewrite_size(const struct rewrite_edit *e, const struct rewrite_values *v);
size_t rewrite_print(const struct rewrite_edit *e, const struct rewrite_values *v, char *out);

/* The same for one text. */
size_t rewrite_text_size(const struct rewrite_text *t, const struct rewrite_values *v);
size_t rewrite_text_print(const struct rewrite_text *t, const struct rewrite_values *v, char *out);

/*
 * The address a redirect sends to, at most size bytes, to out: its length, or 0 when it does not
 * fit. The request's query is appended unless the document's text has one. A path never comes out
 * as "//host": a client's path cannot send to another host.
 */
size_t rewrite_location(
	const struct rewrite *w, const struct rewrite_values *v, char *out, size_t size);
