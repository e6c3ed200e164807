/* The picture of /v1/status: see view.h. */
#include "control/ctl/view.h"

#include <stdio.h>
#include <string.h>

#include "control/ctl/age.h"
#include "control/ctl/plain.h"

#define CELL_SIZE 1024

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_named(const json_t *object, const char *name)
{
	const char *text = text_of(object, "name");

	return !name || (text && strcmp(text, name) == 0);
}

static struct table *add_age(struct table *t, const struct view *v, const json_t *object)
{
	char text[AGE_TEXT_SIZE];

	return table_add(t, age_print_date(text_of(object, "since"), v->now, text));
}

/* More than one stack among these objects: then each row says which. */
static bool has_stacks(const json_t *list)
{
	const char *first = text_of(json_array_get(list, 0), "stack"), *each;

	for (size_t i = 1; i < json_array_size(list); i++) {
		each = text_of(json_array_get(list, i), "stack");
		if (first && each && strcmp(first, each) != 0)
			return true;
	}
	return false;
}

/* headings begin with STACK, which is left out where there is only one. */
static bool init_with_stack(
	struct table *t, const char *const *headings, size_t columns, const json_t *list)
{
	bool has = has_stacks(list);

	table_init(t, headings + !has, columns - !has);
	return has;
}

static size_t finish(struct table *t, const struct view *v, struct buf *out)
{
	size_t rows = t->rows;

	table_print(t, &v->look, out);
	table_fini(t);
	return rows;
}

static void add_to_cell(char cell[CELL_SIZE], const char *text)
{
	size_t len = strlen(cell);

	snprintf(cell + len, CELL_SIZE - len, "%s%.256s", len ? ", " : "", text);
}

/* "; retired 4711 holds 2 tunnels, 1 exchange": workers that only finish what they have. */
static void add_retired(char cell[CELL_SIZE], const json_t *daemon)
{
	const json_t *worker;
	size_t i, len;

	json_array_foreach(json_object_get(daemon, "retired"), i, worker)
	{
		const json_t *holds = json_object_get(worker, "holds");

		len = strlen(cell);
		snprintf(cell + len, CELL_SIZE - len, "; retired %lld holds %lld tunnels, %lld exchanges",
			(long long)json_integer_value(json_object_get(worker, "pid")),
			(long long)json_integer_value(json_object_get(holds, "tunnels")),
			(long long)json_integer_value(json_object_get(holds, "exchanges")));
	}
}

/* "control 17, data 17 lagging, vrrpd 17": the state is said where it is not running. */
static const char *print_daemons(const json_t *daemons, char cell[CELL_SIZE])
{
	const char *name;
	json_t *row;

	cell[0] = '\0';
	json_object_foreach((json_t *)daemons, name, row)
	{
		const char *state = text_of(row, "state");
		char text[256];

		snprintf(text, sizeof text, "%.32s %lld%s%.32s", name,
			(long long)json_integer_value(json_object_get(row, "generation")),
			state && strcmp(state, "running") != 0 ? " " : "",
			state && strcmp(state, "running") != 0 ? state : "");
		add_to_cell(cell, text);
	}
	add_retired(cell, json_object_get(daemons, "data"));
	return cell;
}

size_t view_nodes(const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {"NODE", "STATE", "SINCE", "ADDRESS", "DAEMONS"};
	const json_t *node;
	char cell[CELL_SIZE];
	struct table t;
	size_t i;

	table_init(&t, headings, 5);
	json_array_foreach(json_object_get(status, "nodes"), i, node)
	{
		if (!is_named(node, name))
			continue;
		table_add_state(table_add(&t, text_of(node, "name")), text_of(node, "state"));
		table_add(add_age(&t, v, node), text_of(node, "address"));
		table_add(&t, print_daemons(json_object_get(node, "daemons"), cell));
	}
	return finish(&t, v, out);
}

/* "lb-a active, lb-b backup" */
static const char *print_states(const json_t *states, char cell[CELL_SIZE])
{
	const char *node;
	json_t *state;

	cell[0] = '\0';
	json_object_foreach((json_t *)states, node, state)
	{
		char text[160];

		snprintf(text, sizeof text, "%.64s %.64s", node,
			json_is_string(state) ? json_string_value(state) : "-");
		add_to_cell(cell, text);
	}
	return cell;
}

size_t view_vips(const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {"STACK", "VIP", "HOLDER", "SINCE", "STATES", "WHY"};
	const json_t *list = json_object_get(status, "vips"), *vip;
	char cell[CELL_SIZE];
	struct table t;
	size_t i;
	bool with_stack = init_with_stack(&t, headings, 6, list);

	json_array_foreach(list, i, vip)
	{
		if (!is_named(vip, name))
			continue;
		if (with_stack)
			table_add(&t, text_of(vip, "stack"));
		table_add(&t, text_of(vip, "name"));
		table_add_painted(&t, text_of(vip, "holder"),
			text_of(vip, "holder") ? PAINT_GOOD : PAINT_BAD);
		table_add(add_age(&t, v, vip), print_states(json_object_get(vip, "states"), cell));
		table_add(&t, text_of(vip, "why"));
	}
	return finish(&t, v, out);
}

static void add_server(
	struct table *t, const struct view *v, const json_t *pool, const json_t *server)
{
	char name[160];

	snprintf(name, sizeof name, "%.64s/%.64s",
		text_of(pool, "name") ? text_of(pool, "name") : "-",
		text_of(server, "name") ? text_of(server, "name") : "-");
	table_add(table_add(t, name), text_of(server, "address"));
	add_age(table_add_state(t, text_of(server, "state")), v, server);
	table_add_number(t, json_integer_value(json_object_get(server, "weight")));
	table_add_number(t, json_integer_value(json_object_get(server, "connections")));
	table_add(t, text_of(server, "why"));
}

/* name is NULL, "POOL/" for all of a pool, or "POOL/SERVER". */
static bool is_server_named(const json_t *pool, const json_t *server, const char *name)
{
	const char *slash = name ? strchr(name, '/') : NULL, *text = text_of(pool, "name");
	size_t len = slash ? (size_t)(slash - name) : name ? strlen(name) : 0;

	if (!name)
		return true;
	if (!text || strlen(text) != len || memcmp(text, name, len) != 0)
		return false;
	return !slash || !slash[1] || is_named(server, slash + 1);
}

size_t view_servers(const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {
		"STACK", "SERVER", "ADDRESS", "STATE", "SINCE", ">WEIGHT", ">CONNECTIONS", "WHY"};
	const json_t *list = json_object_get(status, "pools"), *pool, *server;
	struct table t;
	size_t i, j;
	bool with_stack = init_with_stack(&t, headings, 8, list);

	json_array_foreach(list, i, pool)
		json_array_foreach(json_object_get(pool, "servers"), j, server)
	{
		if (!is_server_named(pool, server, name))
			continue;
		if (with_stack)
			table_add(&t, text_of(pool, "stack"));
		add_server(&t, v, pool, server);
	}
	return finish(&t, v, out);
}

/* "3 up, 1 drain", in the order in which states first occur. */
static const char *count_states(const json_t *servers, char cell[CELL_SIZE])
{
	json_t *counts = json_object(), *count;
	const json_t *server;
	const char *state;
	char text[96];
	size_t i;

	cell[0] = '\0';
	json_array_foreach(servers, i, server)
	{
		state = text_of(server, "state");
		count = json_object_get(counts, state ? state : "-");
		json_object_set_new(
			counts, state ? state : "-", json_integer(json_integer_value(count) + 1));
	}
	json_object_foreach(counts, state, count)
	{
		snprintf(text, sizeof text, "%lld %.64s", (long long)json_integer_value(count),
			state);
		add_to_cell(cell, text);
	}
	json_decref(counts);
	return cell;
}

size_t view_pools(const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {
		"STACK", "POOL", ">SERVERS", ">CONNECTIONS", "STATES"};
	const json_t *list = json_object_get(status, "pools"), *pool, *server;
	char cell[CELL_SIZE];
	struct table t;
	size_t i, j;
	bool with_stack = init_with_stack(&t, headings, 5, list);

	json_array_foreach(list, i, pool)
	{
		const json_t *servers = json_object_get(pool, "servers");
		long long connections = 0;

		if (!is_named(pool, name))
			continue;
		json_array_foreach(servers, j, server)
			connections += json_integer_value(json_object_get(server, "connections"));
		if (with_stack)
			table_add(&t, text_of(pool, "stack"));
		table_add_number(
			table_add(&t, text_of(pool, "name")), (long long)json_array_size(servers));
		table_add(table_add_number(&t, connections), count_states(servers, cell));
	}
	return finish(&t, v, out);
}

static const char *print_binds(const json_t *binds, char cell[CELL_SIZE])
{
	const json_t *bind;
	size_t i;

	cell[0] = '\0';
	json_array_foreach(binds, i, bind) if (json_is_string(bind))
		add_to_cell(cell, json_string_value(bind));
	return cell;
}

size_t view_listeners(const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {
		"STACK", "LISTENER", "BIND", "STATE", ">CONNECTIONS", "WHY"};
	const json_t *list = json_object_get(status, "listeners"), *listener;
	char cell[CELL_SIZE];
	struct table t;
	size_t i;
	bool with_stack = init_with_stack(&t, headings, 6, list);

	json_array_foreach(list, i, listener)
	{
		if (!is_named(listener, name))
			continue;
		if (with_stack)
			table_add(&t, text_of(listener, "stack"));
		table_add(&t, text_of(listener, "name"));
		table_add(&t, print_binds(json_object_get(listener, "bind"), cell));
		table_add_state(&t, text_of(listener, "state"));
		table_add_number(&t, json_integer_value(json_object_get(listener, "connections")));
		table_add(&t, text_of(listener, "why"));
	}
	return finish(&t, v, out);
}

size_t view_certificates(
	const struct view *v, const json_t *status, const char *name, struct buf *out)
{
	static const char *const headings[] = {
		"STACK", "CERTIFICATE", "SUBJECT", "EXPIRES", "KEY"};
	const json_t *list = json_object_get(status, "certificates"), *each;
	struct table t;
	size_t i;
	bool with_stack = init_with_stack(&t, headings, 5, list);

	json_array_foreach (list, i, each) {
		if (!is_named(each, name))
			continue;
		if (with_stack)
			table_add(&t, text_of(each, "stack"));
		table_add(&t, text_of(each, "name"));
		table_add(&t, text_of(each, "subject"));
		table_add(&t, text_of(each, "expires"));
		table_add(&t, json_is_true(json_object_get(each, "key")) ? "yes" : "no");
	}
	return finish(&t, v, out);
}

static void print_head(const json_t *status, struct buf *out)
{
	const json_t *store = json_object_get(status, "store");
	const char *node = text_of(status, "node"), *state = text_of(store, "state");
	const char *durability = text_of(store, "durability");

	buf_printf(out, "node %s, generation %lld, store %s %s", node ? node : "-",
		(long long)json_integer_value(json_object_get(status, "generation")),
		text_of(store, "kind") ? text_of(store, "kind") : "-", state ? state : "-");
	if (durability && strcmp(durability, "async") == 0)
		buf_add_text(out, " (asynchronous)");
	buf_add_text(out, "\n");
}

/* A problem is a sentence, or {"object","what","since"}. */
static void print_problem(const struct view *v, const json_t *problem, struct buf *out)
{
	const char *object = text_of(problem, "object"), *what = text_of(problem, "what");
	const char *since = text_of(problem, "since");
	char text[AGE_TEXT_SIZE];

	if (json_is_string(problem))
		what = json_string_value(problem);
	buf_add_text(out, "  ");
	plain_add(out, object);
	buf_add_text(out, object ? ": " : "");
	plain_add(out, what);
	if (since)
		buf_printf(out, " (%s)", age_print_date(since, v->now, text));
	buf_add_text(out, "\n");
}

static void print_problems(const struct view *v, const json_t *problems, struct buf *out)
{
	const char *begin = v->look.is_coloured ? paint_begin(PAINT_BAD) : "";
	const char *end = v->look.is_coloured ? paint_end(PAINT_BAD) : "";
	const json_t *problem;
	size_t i;

	if (json_array_size(problems) == 0) {
		buf_add_text(out, "\nno problems\n");
		return;
	}
	buf_printf(out, "\n%sproblems:%s\n", begin, end);
	json_array_foreach(problems, i, problem) print_problem(v, problem, out);
}

void view_status(const struct view *v, const json_t *status, struct buf *out)
{
	static size_t (*const parts[])(const struct view *, const json_t *, const char *,
		struct buf *) = {view_nodes, view_vips, view_servers, view_listeners};

	print_head(status, out);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct buf part;

		buf_init(&part, out->maximum);
		if (parts[i](v, status, NULL, &part) > 0)
			buf_printf(out, "\n%s", buf_text(&part));
		buf_fini(&part);
	}
	print_problems(v, json_object_get(status, "problems"), out);
}
