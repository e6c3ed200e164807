#pragma once
/*
 * Rows of text in aligned columns. The last column is as long as its text, cut
 * with … where a line would be wider than the terminal; nothing wraps, nothing
 * is padded at the end of a line. Pure: the result is appended to a buf.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/buf.h"
#include "control/ctl/paint.h"

#define TABLE_COLUMNS_MAX 12

struct table_look {
	bool is_coloured;
	size_t width; /* of the terminal, in characters; 0: no limit */
};

struct table {
	const char *const *headings; /* kept */
	size_t columns;
	struct arena arena; /* cells */
	struct table_row *first, *last;
	size_t rows;
	size_t next; /* the column of the next cell */
};

/* headings: columns titles (1 to TABLE_COLUMNS_MAX), kept; one that begins with '>' heads a column
 * of numbers, aligned right. */
void table_init(struct table *t, const char *const *headings, size_t columns);
void table_fini(struct table *t);

/*
 * The next cell, row by row; text is copied ("" or NULL shows as "-").
 * Characters that would upset a terminal are shown as '?'. Returns t.
 */
struct table *table_add(struct table *t, const char *text);
struct table *table_add_painted(struct table *t, const char *text, enum paint paint);
/* A state, in its own colour. */
struct table *table_add_state(struct table *t, const char *state);
struct table *table_add_number(struct table *t, long long n);

/* Headings and rows, appended to out. A table without rows prints nothing. */
void table_print(const struct table *t, const struct table_look *look, struct buf *out);

/* Columns that a text takes: its characters, taking each for one column wide. */
size_t table_width_of(const char *text);
