/* See scrape.h. */
#include "control/ctl/scrape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

#define INDEX_SIZE 65536u
#define LABELS_MAX 8
#define VALUE_MAX 1e18 /* beyond it nothing counts in earnest */

enum target { TO_FIGURE, TO_TIMES, TO_STATE, TO_AGE };

/* Where a metric's samples go; with a label, those alone whose value begins so. */
struct rule {
	const char *metric;
	enum scrape_kind kind;
	enum target target;
	int number; /* enum scrape_figure, or scrape_times */
	const char *label, *begins;
};

// clang-format off
static const struct rule rules[] = {
	{"ballast_listener_connections", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_CONNECTIONS},
	{"ballast_listener_accepted_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_ACCEPTED},
	{"ballast_listener_requests_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_REQUESTS},
	{"ballast_listener_requests_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_FAILED, "code", "5"},
	{"ballast_listener_errors_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_ERRORS},
	{"ballast_listener_bytes_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_BYTES_IN, "direction", "in"},
	{"ballast_listener_bytes_total", SCRAPE_LISTENER, TO_FIGURE, SCRAPE_BYTES_OUT, "direction", "out"},
	{"ballast_listener_request_duration_seconds_bucket", SCRAPE_LISTENER, TO_TIMES, SCRAPE_RESPONSE},
	{"ballast_listener_state", SCRAPE_LISTENER, TO_STATE, 0},
	{"ballast_pool_waiting", SCRAPE_POOL, TO_FIGURE, SCRAPE_WAITING},
	{"ballast_pool_response_duration_seconds_bucket", SCRAPE_POOL, TO_TIMES, SCRAPE_RESPONSE},
	{"ballast_pool_queue_duration_seconds_bucket", SCRAPE_POOL, TO_TIMES, SCRAPE_QUEUE},
	{"ballast_server_connections", SCRAPE_SERVER, TO_FIGURE, SCRAPE_CONNECTIONS},
	{"ballast_server_sent_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_REQUESTS},
	{"ballast_server_requests_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_FAILED, "code", "5"},
	{"ballast_server_connect_failures_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_ERRORS},
	{"ballast_server_resets_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_ERRORS},
	{"ballast_server_timeouts_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_ERRORS},
	{"ballast_server_bad_responses_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_ERRORS},
	{"ballast_server_bytes_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_BYTES_IN, "direction", "in"},
	{"ballast_server_bytes_total", SCRAPE_SERVER, TO_FIGURE, SCRAPE_BYTES_OUT, "direction", "out"},
	{"ballast_server_response_duration_seconds_bucket", SCRAPE_SERVER, TO_TIMES, SCRAPE_RESPONSE},
	{"ballast_server_state", SCRAPE_SERVER, TO_STATE, 0},
	{"ballast_server_weight", SCRAPE_SERVER, TO_FIGURE, SCRAPE_WEIGHT},
	{"ballast_scrape_age_seconds", SCRAPE_LISTENER, TO_AGE, 0},
};
// clang-format on
#define RULES (sizeof rules / sizeof *rules)

/* A piece of the text. */
struct piece {
	const char *text;
	size_t len;
};

struct line {
	struct piece name;
	struct piece labels[LABELS_MAX], values[LABELS_MAX];
	size_t labels_count;
	double value;
};

/* Objects */

static uint32_t *bucket_of(const struct scrape *s, enum scrape_kind kind, const char *name)
{
	return &s->index[hash_text((uint64_t)kind, name) % INDEX_SIZE];
}

const struct scrape_object *scrape_find(
	const struct scrape *s, enum scrape_kind kind, const char *name)
{
	uint32_t at = s->index ? *bucket_of(s, kind, name) : 0;

	for (; at; at = s->objects[at - 1].next)
		if (s->objects[at - 1].kind == kind && strcmp(s->objects[at - 1].name, name) == 0)
			return &s->objects[at - 1];
	return NULL;
}

static struct scrape_object *grow(struct scrape *s)
{
	size_t capacity = s->capacity ? s->capacity * 2 : 64;
	struct scrape_object *objects;

	if (s->count == s->capacity) {
		if (s->count >= SCRAPE_OBJECTS_MAX)
			return NULL;
		objects = realloc(s->objects, capacity * sizeof *objects);
		if (!objects)
			return NULL;
		s->objects = objects;
		s->capacity = capacity;
	}
	memset(&s->objects[s->count], 0, sizeof *s->objects);
	return &s->objects[s->count++];
}

/* The object of that name, made when it is new. NULL without memory. */
static struct scrape_object *object_at(struct scrape *s, enum scrape_kind kind, const char *name)
{
	struct scrape_object *o = (struct scrape_object *)(uintptr_t)scrape_find(s, kind, name);
	uint32_t *bucket;

	if (o)
		return o;
	o = grow(s);
	if (!o)
		return NULL;
	o->kind = kind;
	snprintf(o->name, sizeof o->name, "%s", name);
	bucket = bucket_of(s, kind, name);
	o->next = *bucket;
	*bucket = (uint32_t)s->count;
	return o;
}

/* Lines */

static bool is_piece(const struct piece *p, const char *text)
{
	return p->len == strlen(text) && memcmp(p->text, text, p->len) == 0;
}

/* 'name="value",' of labels: false when it is none. Escapes stay as they are. */
static bool read_label(struct line *l, const char **at, const char *end)
{
	const char *equals = memchr(*at, '=', (size_t)(end - *at)), *p;

	if (!equals || end - equals < 2 || equals[1] != '"' || l->labels_count == LABELS_MAX)
		return false;
	for (p = equals + 2; p < end && *p != '"'; p++)
		p += *p == '\\';
	if (p >= end)
		return false;
	l->labels[l->labels_count] = (struct piece){*at, (size_t)(equals - *at)};
	l->values[l->labels_count++] = (struct piece){equals + 2, (size_t)(p - equals - 2)};
	*at = p + 1;
	if (*at < end && **at == ',')
		++*at;
	return true;
}

static bool read_line(struct line *l, const char *text, size_t len)
{
	const char *end = text + len, *at = text;
	char number[64];
	size_t rest;

	l->labels_count = 0;
	while (at < end && *at != '{' && *at != ' ')
		at++;
	l->name = (struct piece){text, (size_t)(at - text)};
	if (at < end && *at == '{') {
		for (at++; at < end && *at != '}';)
			if (!read_label(l, &at, end))
				return false;
		at++;
	}
	if (at >= end || *at != ' ')
		return false;
	rest = (size_t)(end - at - 1);
	if (rest == 0 || rest >= sizeof number)
		return false;
	memcpy(number, at + 1, rest);
	number[rest] = '\0';
	l->value = strtod(number, NULL);
	return l->value > -VALUE_MAX && l->value < VALUE_MAX; /* NaN is not */
}

static const struct piece *label_of(const struct line *l, const char *name)
{
	for (size_t i = 0; i < l->labels_count; i++)
		if (is_piece(&l->labels[i], name))
			return &l->values[i];
	return NULL;
}

/* The name of the object that a line speaks of: false when it names none. */
static bool name_of(const struct line *l, enum scrape_kind kind, char name[SCRAPE_NAME_SIZE])
{
	const struct piece *first = label_of(l, kind == SCRAPE_LISTENER ? "listener" : "pool"),
			   *second = kind == SCRAPE_SERVER ? label_of(l, "server") : NULL;
	int n;

	if (!first || (kind == SCRAPE_SERVER && !second))
		return false;
	n = snprintf(name, SCRAPE_NAME_SIZE, "%.*s%s%.*s", (int)first->len, first->text,
		second ? "/" : "", second ? (int)second->len : 0, second ? second->text : "");
	return n > 0 && n < SCRAPE_NAME_SIZE;
}

/* The place of a bound among all, made when it is new; SCRAPE_BOUNDS_MAX: +Inf, or no room. */
static size_t bound_of(struct scrape *s, const struct piece *le)
{
	char number[32];
	double bound;
	size_t i = 0;

	if (!le || le->len >= sizeof number || is_piece(le, "+Inf"))
		return SCRAPE_BOUNDS_MAX;
	memcpy(number, le->text, le->len);
	number[le->len] = '\0';
	bound = strtod(number, NULL);
	while (i < s->bounds_count && s->bounds[i] != bound)
		i++;
	if (i == s->bounds_count && i < SCRAPE_BOUNDS_MAX)
		s->bounds[s->bounds_count++] = bound;
	return i;
}

static int take(struct scrape *s, const struct rule *r, const struct line *l)
{
	const struct piece *label = r->label ? label_of(l, r->label) : NULL;
	char name[SCRAPE_NAME_SIZE];
	struct scrape_object *o;

	if (r->target == TO_AGE) {
		s->age = l->value;
		return 0;
	}
	if (r->label && (!label || label->len < strlen(r->begins) ||
				memcmp(label->text, r->begins, strlen(r->begins)) != 0))
		return 0;
	if (!name_of(l, r->kind, name))
		return 0;
	o = object_at(s, r->kind, name);
	if (!o)
		return -ENOMEM;
	label = r->target == TO_STATE ? label_of(l, "state") : NULL;
	if (r->target == TO_FIGURE)
		o->figures[r->number] += l->value;
	else if (r->target == TO_TIMES)
		o->buckets[r->number][bound_of(s, label_of(l, "le"))] = l->value;
	else if (label && l->value > 0)
		snprintf(o->state, sizeof o->state, "%.*s", (int)label->len, label->text);
	return 0;
}

static int take_line(struct scrape *s, const char *text, size_t len, size_t *last)
{
	struct line l;
	int rc = 0;

	if (len == 0 || *text == '#' || !read_line(&l, text, len))
		return 0;
	if (!is_piece(&l.name, rules[*last].metric))
		for (*last = 0; *last + 1 < RULES && !is_piece(&l.name, rules[*last].metric);)
			++*last;
	for (size_t i = *last; rc == 0 && i < RULES && is_piece(&l.name, rules[i].metric); i++)
		rc = take(s, &rules[i], &l);
	return rc;
}

int scrape_read(struct scrape *s, const char *text, size_t len)
{
	const char *end = text + len;
	size_t last = 0;
	int rc = 0;

	s->index = calloc(INDEX_SIZE, sizeof *s->index);
	if (!s->index)
		return -ENOMEM;
	while (rc == 0 && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);

		rc = take_line(s, text, line, &last);
		text += line + 1;
	}
	return rc;
}

void scrape_fini(struct scrape *s)
{
	free(s->objects);
	free(s->index);
	*s = (struct scrape){0};
}

double scrape_quantile(const struct scrape *s, const struct scrape_object *before,
	const struct scrape_object *after, enum scrape_times times, double share)
{
	const double *now = after->buckets[times];
	const double *then = before ? before->buckets[times] : NULL;
	double all = now[SCRAPE_BOUNDS_MAX] - (then ? then[SCRAPE_BOUNDS_MAX] : 0), below = 0;

	if (all <= 0 || s->bounds_count == 0)
		return -1;
	for (size_t i = 0; i < s->bounds_count; i++) {
		double up_to = now[i] - (then ? then[i] : 0), from = i ? s->bounds[i - 1] : 0;

		if (up_to >= share * all && up_to > below)
			return from +
			       (s->bounds[i] - from) * (share * all - below) / (up_to - below);
		below = up_to > below ? up_to : below;
	}
	return s->bounds[s->bounds_count - 1];
}
