/* See table.h. */
#include "control/ctl/table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "control/ctl/plain.h"

#define GAP 2            /* blanks between columns */
#define CELL_MAX 65536   /* bytes; a longer text shows nothing */
#define LAST_WIDTH_MIN 8 /* of the last column, however narrow the terminal is */

struct table_row {
	struct table_row *next;
	const char *cells[TABLE_COLUMNS_MAX];
	enum paint paints[TABLE_COLUMNS_MAX];
};

void table_init(struct table *t, const char *const *headings, size_t columns)
{
	assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*t = (struct table){.headings = headings, .columns = columns};
	arena_init(&t->arena);
}

void table_fini(struct table *t)
{
	arena_fini(&t->arena);
}

static const char *clean_copy(struct arena *arena, const char *text)
{
	struct buf clean;
	char *copy;

	buf_init(&clean, CELL_MAX);
	plain_add(&clean, text && *text ? text : "-");
	copy = arena_text(arena, buf_text(&clean));
	buf_fini(&clean);
	return copy ? copy : "?";
}

static struct table_row *row_add(struct table *t)
{
	struct table_row *row = arena_alloc(&t->arena, 1, sizeof *row);

	if (!row)
		return NULL;
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
	t->rows++;
	return row;
}

struct table *table_add_painted(struct table *t, const char *text, enum paint paint)
{
	if (t->next == 0 && !row_add(t))
		return t;
	t->last->cells[t->next] = clean_copy(&t->arena, text);
	t->last->paints[t->next] = paint;
	t->next = (t->next + 1) % t->columns;
	return t;
}

struct table *table_add(struct table *t, const char *text)
{
	return table_add_painted(t, text, PAINT_NONE);
}

struct table *table_add_state(struct table *t, const char *state)
{
	return table_add_painted(t, state, paint_of_state(state ? state : ""));
}

struct table *table_add_number(struct table *t, long long n)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", n);
	return table_add(t, text);
}

size_t table_width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static bool is_right(const struct table *t, size_t column)
{
	return t->headings[column][0] == '>';
}

static const char *heading(const struct table *t, size_t column)
{
	return t->headings[column] + is_right(t, column);
}

static void measure(const struct table *t, size_t widths[TABLE_COLUMNS_MAX])
{
	for (size_t i = 0; i < t->columns; i++) {
		widths[i] = table_width_of(heading(t, i));
		for (const struct table_row *r = t->first; r; r = r->next) {
			size_t width = r->cells[i] ? table_width_of(r->cells[i]) : 0;

			if (width > widths[i])
				widths[i] = width;
		}
	}
}

static void print_blanks(struct buf *out, size_t n)
{
	buf_printf(out, "%*s", (int)n, "");
}

/* At most width characters of text, the last one … when some are left out. */
static void print_cut(struct buf *out, const char *text, size_t width)
{
	const char *end = text;

	if (table_width_of(text) <= width) {
		buf_add_text(out, text);
		return;
	}
	for (size_t n = 0; n < width - 1; n++)
		do
			end++;
		while (((unsigned char)*end & 0xc0) == 0x80);
	buf_add(out, text, (size_t)(end - text));
	buf_add_text(out, "…");
}

/* How wide the last column may be; 0: as wide as it likes. */
static size_t room_for_last(const struct table *t, const size_t widths[TABLE_COLUMNS_MAX],
	const struct table_look *look)
{
	size_t before = 0;

	if (!look->width)
		return 0;
	for (size_t i = 0; i + 1 < t->columns; i++)
		before += widths[i] + GAP;
	return before + LAST_WIDTH_MIN > look->width ? LAST_WIDTH_MIN : look->width - before;
}

struct line {
	const struct table *table;
	const size_t *widths;
	size_t room; /* of the last column */
	bool is_coloured;
};

static void print_cell(
	const struct line *l, size_t column, const char *text, enum paint paint, struct buf *out)
{
	bool is_last = column + 1 == l->table->columns;
	size_t pad = l->widths[column] - table_width_of(text);

	if (is_right(l->table, column))
		print_blanks(out, pad);
	if (l->is_coloured)
		buf_add_text(out, paint_begin(paint));
	if (is_last && l->room)
		print_cut(out, text, l->room);
	else
		buf_add_text(out, text);
	if (l->is_coloured)
		buf_add_text(out, paint_end(paint));
	if (!is_last && !is_right(l->table, column))
		print_blanks(out, pad);
	buf_add_text(out, is_last ? "\n" : "  ");
}

void table_print(const struct table *t, const struct table_look *look, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX];
	struct line line = {t, widths, 0, look->is_coloured};

	assert(t->next == 0);
	if (!t->first)
		return;
	measure(t, widths);
	line.room = room_for_last(t, widths, look);
	for (size_t i = 0; i < t->columns; i++)
		print_cell(&line, i, heading(t, i), PAINT_FAINT, out);
	for (const struct table_row *r = t->first; r; r = r->next)
		for (size_t i = 0; i < t->columns; i++)
			print_cell(&line, i, r->cells[i] ? r->cells[i] : "-", r->paints[i], out);
}
