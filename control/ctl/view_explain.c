/* Why something is as it is, and what happened: see view.h. */
#include "control/ctl/view.h"

#include <stdio.h>
#include <string.h>

#include "control/ctl/age.h"
#include "control/ctl/plain.h"

#define EVENT_TIME_WIDTH 20
#define EVENT_KIND_WIDTH 10
#define EVENT_OBJECT_WIDTH 20

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

static void print_painted(const struct view *v, const char *state, struct buf *out)
{
	enum paint paint = v->look.is_coloured ? paint_of_state(state) : PAINT_NONE;

	buf_add_text(out, paint_begin(paint));
	plain_add(out, state);
	buf_add_text(out, paint_end(paint));
}

static void add_date(struct table *t, const struct view *v, const json_t *row)
{
	char text[AGE_TEXT_SIZE];

	table_add(t, age_print_date(json_string_value(json_object_get(row, "time")), v->now, text));
}

static void print_evidence(const struct view *v, const json_t *list, struct buf *out)
{
	static const char *const headings[] = {"AGE", "EVIDENCE"};
	const json_t *row;
	struct table t;
	size_t i;

	table_init(&t, headings, 2);
	json_array_foreach(list, i, row)
	{
		add_date(&t, v, row);
		table_add(&t, text_of(row, "text"));
	}
	if (t.rows)
		buf_add_text(out, "\n");
	table_print(&t, &v->look, out);
	table_fini(&t);
}

static void print_history(const struct view *v, const json_t *list, struct buf *out)
{
	static const char *const headings[] = {"AGE", "FROM", "TO", "WHY"};
	const json_t *row;
	struct table t;
	size_t i;

	table_init(&t, headings, 4);
	json_array_foreach(list, i, row)
	{
		add_date(&t, v, row);
		table_add_state(table_add_state(&t, text_of(row, "from")), text_of(row, "to"));
		table_add(&t, text_of(row, "why"));
	}
	if (t.rows)
		buf_add_text(out, "\n");
	table_print(&t, &v->look, out);
	table_fini(&t);
}

void view_explanation(const struct view *v, const json_t *explanation, struct buf *out)
{
	const char *since = json_string_value(json_object_get(explanation, "since"));
	const char *why = json_string_value(json_object_get(explanation, "why"));
	char text[AGE_TEXT_SIZE];

	plain_add(out, text_of(explanation, "object"));
	buf_add_text(out, " is ");
	print_painted(v, text_of(explanation, "state"), out);
	if (since)
		buf_printf(out, ", for %s", age_print_date(since, v->now, text));
	if (why && *why)
		buf_add_text(out, ": ");
	plain_add(out, why);
	buf_add_text(out, "\n");
	print_evidence(v, json_object_get(explanation, "evidence"), out);
	print_history(v, json_object_get(explanation, "history"), out);
}

/* Padded to width, and two blanks behind it. */
static void print_padded(const char *text, size_t width, struct buf *out)
{
	size_t len = table_width_of(text);

	plain_add(out, text);
	buf_printf(out, "%*s", (int)(len < width ? width - len + 2 : 2), "");
}

/* Dates are UTC, as everywhere, without the milliseconds. */
void view_event(const struct view *v, const json_t *event, struct buf *out)
{
	const char *from = json_string_value(json_object_get(event, "from"));
	const char *to = json_string_value(json_object_get(event, "to"));
	const char *time = text_of(event, "time");
	char second[AGE_TEXT_SIZE];

	snprintf(second, sizeof second, "%.*s%s", (int)strcspn(time, "."), time,
		strchr(time, '.') ? "Z" : "");
	print_padded(second, EVENT_TIME_WIDTH, out);
	print_padded(text_of(event, "kind"), EVENT_KIND_WIDTH, out);
	print_padded(text_of(event, "object"), EVENT_OBJECT_WIDTH, out);
	if (from) {
		print_painted(v, from, out);
		buf_add_text(out, " -> ");
	}
	if (to) {
		print_painted(v, to, out);
		buf_add_text(out, "  ");
	}
	plain_add(out, text_of(event, "why"));
	buf_add_text(out, "\n");
}
