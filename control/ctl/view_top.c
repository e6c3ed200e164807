/* See view_top.h. */
#include "control/ctl/view_top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_LINES 6 /* headings and blank lines between three tables */

static const char *const sorts[TOP_SORTS] = {[TOP_BY_REQUESTS] = "requests",
	[TOP_BY_ERRORS] = "errors",
	[TOP_BY_TIME] = "time",
	[TOP_BY_CONNECTIONS] = "connections",
	[TOP_BY_BYTES] = "bytes",
	[TOP_BY_NAME] = "name"};

const char *top_sort_name(enum top_sort sort)
{
	return sorts[sort];
}

enum top_sort top_sort_of(const char *name)
{
	int i = 0;

	while (i < TOP_SORTS && strcmp(sorts[i], name) != 0)
		i++;
	return (enum top_sort)i;
}

/* Rates */

static double rate(const struct scrape_object *before, const struct scrape_object *after,
	enum scrape_figure figure, double seconds)
{
	double grown = after->figures[figure] - (before ? before->figures[figure] : 0);

	return grown > 0 ? grown / seconds : 0; /* less: counted anew */
}

static void fill_row(struct top_row *r, const struct scrape *before, const struct scrape *after,
	const struct scrape_object *o, double seconds)
{
	const struct scrape_object *b = scrape_find(before, o->kind, o->name);

	*r = (struct top_row){.object = o,
		.requests = rate(b, o, SCRAPE_REQUESTS, seconds),
		.failed = rate(b, o, SCRAPE_FAILED, seconds),
		.errors = rate(b, o, SCRAPE_ERRORS, seconds),
		.accepted = rate(b, o, SCRAPE_ACCEPTED, seconds),
		.bytes_in = rate(b, o, SCRAPE_BYTES_IN, seconds),
		.bytes_out = rate(b, o, SCRAPE_BYTES_OUT, seconds),
		.p50 = scrape_quantile(after, b, o, SCRAPE_RESPONSE, 0.5),
		.p99 = scrape_quantile(after, b, o, SCRAPE_RESPONSE, 0.99),
		.queue_p99 = scrape_quantile(after, b, o, SCRAPE_QUEUE, 0.99)};
}

/* What a pool's servers do is what it does. */
static void add_to_pool(struct top_row *rows, const struct scrape *after, const struct top_row *r)
{
	char name[SCRAPE_NAME_SIZE];
	const struct scrape_object *pool;
	struct top_row *p;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(r->object->name, "/"), r->object->name);
	pool = scrape_find(after, SCRAPE_POOL, name);
	if (!pool)
		return;
	p = &rows[pool - after->objects];
	p->requests += r->requests;
	p->failed += r->failed;
	p->errors += r->errors;
	p->bytes_in += r->bytes_in;
	p->bytes_out += r->bytes_out;
	p->servers++;
	p->usable += strcmp(r->object->state, "up") == 0 ||
		     strcmp(r->object->state, "unchecked") == 0;
}

static double key_of(const struct top_row *r, enum top_sort sort)
{
	switch (sort) {
	case TOP_BY_REQUESTS:
		return r->requests > 0 ? r->requests : r->accepted / 1e6;
	case TOP_BY_ERRORS:
		return r->failed + r->errors;
	case TOP_BY_TIME:
		return r->p99;
	case TOP_BY_CONNECTIONS:
		return r->object->figures[SCRAPE_CONNECTIONS] + r->object->figures[SCRAPE_WAITING];
	case TOP_BY_BYTES:
		return r->bytes_in + r->bytes_out;
	case TOP_BY_NAME:
	case TOP_SORTS:
		break;
	}
	return 0;
}

static int compare(const void *left, const void *right, void *user)
{
	const struct top_row *a = left, *b = right;
	const struct top_look *look = user;
	double x = key_of(a, look->sort), y = key_of(b, look->sort);
	int order = x > y ? -1 : x < y ? 1 : strcmp(a->object->name, b->object->name);

	if (a->object->kind != b->object->kind)
		return a->object->kind < b->object->kind ? -1 : 1;
	return look->is_reversed ? -order : order;
}

struct top_row *top_rows(const struct scrape *before, const struct scrape *after, double seconds,
	const struct top_look *look, size_t ret_counts[SCRAPE_KINDS])
{
	struct top_row *rows = calloc(after->count + 1, sizeof *rows);

	memset(ret_counts, 0, SCRAPE_KINDS * sizeof *ret_counts);
	if (!rows)
		return NULL;
	for (size_t i = 0; i < after->count; i++) {
		fill_row(&rows[i], before, after, &after->objects[i], seconds);
		ret_counts[after->objects[i].kind]++;
	}
	for (size_t i = 0; i < after->count; i++)
		if (rows[i].object->kind == SCRAPE_SERVER)
			add_to_pool(rows, after, &rows[i]);
	qsort_r(rows, after->count, sizeof *rows, compare, (void *)(uintptr_t)look);
	return rows;
}

/* Tables */

void top_print_number(double n, char out[16])
{
	static const char units[] = " kMGTP";
	int unit = 0;

	for (; n >= 999.5 && unit < 5; n /= 1000)
		unit++;
	if (unit == 0 && n < 0.05)
		snprintf(out, 16, "0");
	else
		snprintf(out, 16, "%.*f%.*s", n < 9.95 ? 1 : 0, n, unit > 0, &units[unit]);
}

void top_print_time(double seconds, char out[16])
{
	double ms = seconds * 1000;

	if (ms < 0)
		snprintf(out, 16, "-");
	else if (ms < 9.95)
		snprintf(out, 16, "%.*fms", ms < 0.995 ? 2 : 1, ms);
	else if (ms < 999.5)
		snprintf(out, 16, "%.0fms", ms);
	else
		snprintf(out, 16, "%.1fs", ms / 1000);
}

static void add_rate(struct table *t, double n, enum paint paint)
{
	char text[16];

	top_print_number(n, text);
	table_add_painted(t, text, n > 0 ? paint : PAINT_NONE);
}

static void add_time(struct table *t, double seconds)
{
	char text[16];

	top_print_time(seconds, text);
	table_add(t, text);
}

static void add_gauge(struct table *t, const struct top_row *r, enum scrape_figure figure)
{
	table_add_number(t, (long long)r->object->figures[figure]);
}

/* What listeners and servers have alike. */
static void add_traffic(struct table *t, const struct top_row *r)
{
	add_rate(t, r->requests, PAINT_NONE);
	add_rate(t, r->failed, PAINT_BAD);
	add_rate(t, r->errors, PAINT_BAD);
	add_rate(t, r->bytes_in, PAINT_NONE);
	add_rate(t, r->bytes_out, PAINT_NONE);
	add_time(t, r->p50);
	add_time(t, r->p99);
}

static void add_listener(struct table *t, const struct top_row *r)
{
	table_add_state(table_add(t, r->object->name), r->object->state);
	add_gauge(t, r, SCRAPE_CONNECTIONS);
	add_rate(t, r->accepted, PAINT_NONE);
	add_traffic(t, r);
}

static void add_pool(struct table *t, const struct top_row *r)
{
	char servers[32];

	snprintf(servers, sizeof servers, "%u/%u", r->usable, r->servers);
	table_add_painted(table_add(t, r->object->name), servers,
		r->usable == r->servers ? PAINT_GOOD
		: r->usable             ? PAINT_CARE
					: PAINT_BAD);
	add_gauge(t, r, SCRAPE_WAITING);
	add_time(t, r->queue_p99);
	add_traffic(t, r);
}

static void add_server(struct table *t, const struct top_row *r)
{
	table_add_state(table_add(t, r->object->name), r->object->state);
	add_gauge(t, r, SCRAPE_CONNECTIONS);
	add_gauge(t, r, SCRAPE_WEIGHT);
	add_traffic(t, r);
}

#define TRAFFIC_HEADINGS ">REQ/s", ">5xx/s", ">ERR/s", ">IN/s", ">OUT/s", ">P50", ">P99"

static const struct {
	const char *headings[TABLE_COLUMNS_MAX];
	size_t columns;
	void (*add)(struct table *t, const struct top_row *r);
} tables[SCRAPE_KINDS] = {
	[SCRAPE_LISTENER] = {{"LISTENER", "STATE", ">CONN", ">CONN/s", TRAFFIC_HEADINGS}, 11,
		add_listener},
	[SCRAPE_POOL] = {{"POOL", "USABLE", ">WAIT", ">QUEUE P99", TRAFFIC_HEADINGS}, 11, add_pool},
	[SCRAPE_SERVER] = {{"SERVER", "STATE", ">CONN", ">WEIGHT", TRAFFIC_HEADINGS}, 11,
		add_server},
};

/* Rows of each table when they share so many lines: listeners and pools get a third at most. */
static size_t rows_shown(
	const size_t counts[SCRAPE_KINDS], enum scrape_kind kind, const struct top_look *look)
{
	size_t lines = look->lines > FRAME_LINES + 3 ? look->lines - FRAME_LINES : 3;
	size_t third = lines / 3, listeners, pools;

	if (look->lines == 0)
		return counts[kind];
	listeners = counts[SCRAPE_LISTENER] < third ? counts[SCRAPE_LISTENER] : third;
	pools = counts[SCRAPE_POOL] < third ? counts[SCRAPE_POOL] : third;
	if (kind == SCRAPE_LISTENER)
		return listeners;
	return kind == SCRAPE_POOL ? pools : lines - listeners - pools;
}

static void print_table(const struct top_row *rows, size_t count, enum scrape_kind kind,
	size_t shown, const struct top_look *look, struct buf *out)
{
	size_t first = kind == SCRAPE_SERVER && look->first < count ? look->first : 0;
	struct table t;

	if (count == 0)
		return;
	table_init(&t, tables[kind].headings, tables[kind].columns);
	for (size_t i = first; i < count && i < first + shown; i++)
		tables[kind].add(&t, &rows[i]);
	table_print(&t, &look->look, out);
	table_fini(&t);
	if (kind != SCRAPE_SERVER)
		buf_add_text(out, "\n");
}

void view_top(const struct top_row *rows, const size_t counts[SCRAPE_KINDS],
	const struct top_look *look, struct buf *out)
{
	for (int kind = 0; kind < SCRAPE_KINDS; kind++) {
		print_table(rows, counts[kind], (enum scrape_kind)kind,
			rows_shown(counts, (enum scrape_kind)kind, look), look, out);
		rows += counts[kind];
	}
}

/* JSON */

static void set_number(json_t *o, const char *name, double value)
{
	json_object_set_new(o, name, value < 0 ? json_null() : json_real(value));
}

static json_t *row_value(const struct top_row *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(r->object->name));
	if (r->object->kind == SCRAPE_POOL) {
		set_number(o, "waiting", r->object->figures[SCRAPE_WAITING]);
		set_number(o, "queue_p99_s", r->queue_p99);
		json_object_set_new(o, "servers", json_integer(r->servers));
		json_object_set_new(o, "usable", json_integer(r->usable));
	} else {
		json_object_set_new(o, "state", json_string(r->object->state));
		set_number(o, "connections", r->object->figures[SCRAPE_CONNECTIONS]);
	}
	if (r->object->kind == SCRAPE_LISTENER)
		set_number(o, "accepted", r->accepted);
	if (r->object->kind == SCRAPE_SERVER)
		set_number(o, "weight", r->object->figures[SCRAPE_WEIGHT]);
	set_number(o, "requests", r->requests);
	set_number(o, "failed", r->failed);
	set_number(o, "errors", r->errors);
	set_number(o, "bytes_in", r->bytes_in);
	set_number(o, "bytes_out", r->bytes_out);
	set_number(o, "p50_s", r->p50);
	set_number(o, "p99_s", r->p99);
	return o;
}

json_t *view_top_value(const struct top_row *rows, const size_t counts[SCRAPE_KINDS])
{
	static const char *const names[SCRAPE_KINDS] = {"listeners", "pools", "servers"};
	json_t *all = json_object();

	for (int kind = 0; kind < SCRAPE_KINDS; kind++) {
		json_t *list = json_array();

		for (size_t i = 0; i < counts[kind]; i++)
			json_array_append_new(list, row_value(rows++));
		json_object_set_new(all, names[kind], list);
	}
	return all;
}
