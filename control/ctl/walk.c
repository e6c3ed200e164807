/* See walk.h. */
#include "control/ctl/walk.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static const json_t *find_node(const json_t *status, const char *name)
{
	const json_t *node;
	size_t i;

	json_array_foreach(json_object_get(status, "nodes"), i, node)
		if (strcmp(text_of(node, "name"), name) == 0)
			return node;
	return NULL;
}

static bool has(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->nodes[i].name, name) == 0)
			return true;
	return false;
}

static int add(struct walk *w, const json_t *node, char why[WALK_WHY_SIZE])
{
	struct walk_node *n = &w->nodes[w->count];

	if (w->count == WALK_NODES_MAX) {
		snprintf(why, WALK_WHY_SIZE, "at most %d nodes at once: name them", WALK_NODES_MAX);
		return -1;
	}
	*n = (struct walk_node){.vips = json_integer_value(
					json_object_get(json_object_get(node, "holds"), "vips"))};
	snprintf(n->name, sizeof n->name, "%s", text_of(node, "name"));
	snprintf(n->address, sizeof n->address, "%s", text_of(node, "address"));
	w->count++;
	return 0;
}

static int add_named(const json_t *status, const char *stack, const char *name, struct walk *w,
	char why[WALK_WHY_SIZE])
{
	const json_t *node = find_node(status, name);

	if (!node || strcmp(text_of(node, "stack"), stack) != 0) {
		snprintf(why, WALK_WHY_SIZE, "stack %s has no node %.64s", stack, name);
		return -1;
	}
	if (has(w, name)) {
		snprintf(why, WALK_WHY_SIZE, "%s is named twice", name);
		return -1;
	}
	return add(w, node, why);
}

/* By insertion, so that nodes with as many stay in the order of their names. */
static void sort_by_vips(struct walk *w)
{
	for (size_t i = 1; i < w->count; i++) {
		struct walk_node n = w->nodes[i];
		size_t at = i;

		while (at > 0 && w->nodes[at - 1].vips > n.vips) {
			w->nodes[at] = w->nodes[at - 1];
			at--;
		}
		w->nodes[at] = n;
	}
}

int walk_plan(const json_t *status, const char *stack, const char *const *names, size_t count,
	struct walk *ret, char why[WALK_WHY_SIZE])
{
	const json_t *node;
	size_t i;

	*ret = (struct walk){0};
	for (i = 0; i < count; i++)
		if (add_named(status, stack, names[i], ret, why) < 0)
			return -1;
	if (count > 0)
		return 0;
	json_array_foreach(json_object_get(status, "nodes"), i, node)
		if (strcmp(text_of(node, "stack"), stack) == 0 && add(ret, node, why) < 0)
			return -1;
	sort_by_vips(ret);
	if (ret->count > 0)
		return 0;
	snprintf(why, WALK_WHY_SIZE, "stack %s has no node", stack);
	return -1;
}

void walk_print_version(const json_t *status, const char *node, struct buf *out)
{
	json_t *daemons = json_object_get(find_node(status, node), "daemons"), *row;
	const char *name, *first = NULL;
	bool are_same = true, has_begun = false;

	json_object_foreach(daemons, name, row)
	{
		if (!text_of(row, "version")[0])
			continue;
		first = first ? first : text_of(row, "version");
		are_same = are_same && strcmp(first, text_of(row, "version")) == 0;
	}
	if (!first || are_same) {
		buf_add_text(out, first ? first : "?");
		return;
	}
	json_object_foreach(daemons, name, row)
	{
		buf_printf(out, "%s%s %s", has_begun ? ", " : "", name,
			text_of(row, "version")[0] ? text_of(row, "version") : "?");
		has_begun = true;
	}
}

void walk_print_way_out(const struct walk *w, size_t at, bool is_out, struct buf *out)
{
	const char *node = w->nodes[at].name;

	if (is_out)
		buf_printf(out,
			"%s stays in maintenance. When it is mended: ballastctl maintenance stop %s "
			"--wait; ",
			node, node);
	else
		buf_printf(out, "%s is in service. ", node);
	buf_printf(out, "%zu of %zu nodes are done", at, w->count);
	if (is_out && at + 1 == w->count) {
		buf_add_text(out, ", this one is the last\n");
		return;
	}
	buf_add_text(out, "; to go on: ballastctl upgrade");
	for (size_t i = at + is_out; i < w->count; i++)
		buf_printf(out, " %s", w->nodes[i].name);
	buf_add_text(out, "\n");
}
