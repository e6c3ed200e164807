/* Stacks, generations, and what a write answers: see view.h. */
#include "control/ctl/view.h"

#include <stdio.h>
#include <string.h>

#include "control/ctl/age.h"
#include "control/ctl/plain.h"

#define DIGEST_SHOWN 19 /* "sha256:" and twelve digits */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static struct table *add_age(struct table *t, const struct view *v, const char *date)
{
	char text[AGE_TEXT_SIZE];

	return table_add(t, age_print_date(date, v->now, text));
}

void view_stacks(const struct view *v, const json_t *stacks, struct buf *out)
{
	static const char *const headings[] = {
		"STACK", ">GENERATION", "CHANGED", "WHO", "DESCRIPTION"};
	const json_t *stack;
	struct table t;
	size_t i;

	table_init(&t, headings, 5);
	json_array_foreach(stacks, i, stack)
	{
		table_add(&t, text_of(stack, "name"));
		table_add_number(&t, json_integer_value(json_object_get(stack, "generation")));
		add_age(&t, v, text_of(stack, "time"));
		table_add(table_add(&t, text_of(stack, "who")), text_of(stack, "description"));
	}
	table_print(&t, &v->look, out);
	table_fini(&t);
}

void view_generations(const struct view *v, const json_t *generations, struct buf *out)
{
	static const char *const headings[] = {">GENERATION", "AGE", "WHO", "DIGEST", "WHY"};
	const json_t *generation;
	struct table t;
	size_t i;

	table_init(&t, headings, 5);
	json_array_foreach(generations, i, generation)
	{
		const char *digest = text_of(generation, "digest");
		char shown[DIGEST_SHOWN + 1];

		snprintf(shown, sizeof shown, "%s", digest && *digest ? digest : "deleted");
		table_add_number(&t, json_integer_value(json_object_get(generation, "generation")));
		add_age(&t, v, text_of(generation, "time"));
		table_add(table_add(&t, text_of(generation, "who")), shown);
		table_add(&t, text_of(generation, "why"));
	}
	table_print(&t, &v->look, out);
	table_fini(&t);
}

static void print_acknowledgements(const struct view *v, const json_t *nodes, struct buf *out)
{
	static const char *const headings[] = {"NODE", "DAEMON", "STATE", ">GENERATION", "WHY"};
	const char *node, *daemon;
	json_t *daemons, *row;
	struct table t;

	table_init(&t, headings, 5);
	json_object_foreach((json_t *)nodes, node, daemons)
		json_object_foreach(daemons, daemon, row)
	{
		table_add(table_add(&t, node), daemon);
		table_add_state(&t, text_of(row, "state"));
		table_add_number(&t, json_integer_value(json_object_get(row, "generation")));
		table_add(&t, text_of(row, "reason"));
	}
	table_print(&t, &v->look, out);
	table_fini(&t);
}

static void print_away(const json_t *away, struct buf *out)
{
	const json_t *name;
	size_t i;

	json_array_foreach(away, i, name)
	{
		buf_add_text(out, i ? ", " : "did not answer, and will run it when it is back: ");
		plain_add(out, json_string_value(name));
	}
	if (json_array_size(away) > 0)
		buf_add_text(out, "\n");
}

void view_write(const struct view *v, const char *stack, const json_t *body, bool has_waited,
	struct buf *out)
{
	const json_t *nodes = json_object_get(body, "nodes");
	const char *why = text_of(body, "why");

	buf_printf(out, "stack %s: generation %lld%s\n", stack,
		(long long)json_integer_value(json_object_get(body, "generation")),
		json_is_true(json_object_get(body, "unchanged")) ? ", unchanged" : "");
	print_away(json_object_get(body, "away"), out);
	if (!has_waited)
		return;
	if (json_object_size(nodes) > 0)
		print_acknowledgements(v, nodes, out);
	plain_add(out, why);
	if (why && *why)
		buf_add_text(out, "\n");
}

/* "changed: 100 -> 50" as "~ where: 100 -> 50". */
static void print_change(const struct view *v, const json_t *change, struct buf *out)
{
	static const struct {
		const char *word;
		char sign;
		enum paint paint;
	} words[] = {{"added", '+', PAINT_GOOD}, {"removed", '-', PAINT_BAD},
		{"changed", '~', PAINT_CARE}};
	const char *where = text_of(change, "where"), *what = text_of(change, "what");

	where = where ? where : "-";
	what = what ? what : "";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t len = strlen(words[i].word);
		enum paint paint = v->look.is_coloured ? words[i].paint : PAINT_NONE;

		if (strncmp(what, words[i].word, len) != 0 || (what[len] && what[len] != ':'))
			continue;
		buf_printf(out, "%s%c ", paint_begin(paint), words[i].sign);
		plain_add(out, where);
		plain_add(out, what + len);
		buf_printf(out, "%s\n", paint_end(paint));
		return;
	}
}

size_t view_changes(const struct view *v, const json_t *body, struct buf *out)
{
	const json_t *changes = json_object_get(body, "changes"), *change;
	size_t i;

	json_array_foreach(changes, i, change) print_change(v, change, out);
	return json_array_size(changes);
}
