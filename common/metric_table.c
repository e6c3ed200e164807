/*
 * metric_table: see there. Printing goes by families, as the text format wants
 * their lines together: every row has a cursor into its numbers, so that each
 * number is read once.
 */
#include "common/metric_table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Making one */

static json_t *column_encode(const struct metric_column *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "name", c->metric.name, "type",
		       metric_type_name(c->metric.type), "help", c->metric.help, "label", c->label,
		       "value", c->value),
	       *bounds;

	if (!o || c->metric.type != METRIC_HISTOGRAM)
		return o;
	bounds = json_array();
	for (size_t i = 0; i < c->bounds_count; i++)
		json_array_append_new(bounds, json_real(c->bounds[i]));
	json_object_set_new(o, "bounds", bounds);
	json_object_set_new(o, "unit", json_real(c->unit));
	return o;
}

json_t *metric_table_new(const char *name, const char *stack, const char *const *labels,
	const struct metric_column *columns, size_t count)
{
	json_t *names = json_array(), *all = json_array();

	for (; *labels; labels++)
		json_array_append_new(names, json_string(*labels));
	for (size_t i = 0; i < count; i++)
		json_array_append_new(all, column_encode(&columns[i]));
	return json_pack("{s:s, s:o, s:{s:s}, s:o, s:[]}", "name", name, "labels", names,
		"constant", "stack", stack, "columns", all, "rows");
}

void metric_table_add(json_t *table, const char *const *names, const char *numbers)
{
	size_t count = json_array_size(json_object_get(table, "labels"));
	json_t *row = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(row, json_string(names[i]));
	json_array_append_new(row, json_string(numbers));
	json_array_append_new(json_object_get(table, "rows"), row);
}

void metric_table_keep_zeros(json_t *table)
{
	json_object_set_new(table, "zeros", json_true());
}

/* Joining */

static bool is_table(const json_t *t)
{
	return json_is_string(json_object_get(t, "name")) &&
	       json_is_array(json_object_get(t, "labels")) &&
	       json_is_array(json_object_get(t, "columns")) &&
	       json_is_array(json_object_get(t, "rows"));
}

size_t metric_table_join(json_t *tables, const json_t *table)
{
	const char *name = json_string_value(json_object_get(table, "name"));
	json_t *mine;

	if (!is_table(table))
		return 1;
	mine = json_object_get(tables, name);
	if (!mine) {
		if (json_object_size(tables) >= METRIC_TABLES_MAX)
			return 1;
		mine = json_copy((json_t *)(uintptr_t)table);
		json_object_set_new(mine, "rows", json_copy(json_object_get(table, "rows")));
		json_object_set_new(tables, name, mine);
		return 0;
	}
	if (!json_equal(json_object_get(mine, "columns"), json_object_get(table, "columns")) ||
		!json_equal(json_object_get(mine, "labels"), json_object_get(table, "labels")))
		return 1;
	json_array_extend(json_object_get(mine, "rows"), json_object_get(table, "rows"));
	return 0;
}

bool metric_table_has(const json_t *tables, const char *name)
{
	const char *key;
	json_t *table, *column;
	size_t i;

	json_object_foreach ((json_t *)(uintptr_t)tables, key, table) {
		json_array_foreach (json_object_get(table, "columns"), i, column) {
			const char *text = json_string_value(json_object_get(column, "name"));

			if (text && strcmp(text, name) == 0)
				return true;
		}
	}
	return false;
}

/* Printing */

/* A column as it was read. */
struct column {
	const char *name, *type, *help, *label, *value;
	double bounds[METRIC_BOUNDS_MAX];
	size_t bounds_count;
	double unit;
	bool is_histogram;
};

struct printer {
	const json_t *labels, *constant, *rows;
	const char **cursors; /* by row: the next number; NULL: malformed */
	struct buf *out;
	bool has_zeros, has_buckets;
	size_t left_out;
	char row[METRIC_ROW_MAX]; /* its labels as text */
	size_t row_len;
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool read_bounds(struct column *c, const json_t *column)
{
	const json_t *bounds = json_object_get(column, "bounds");

	c->bounds_count = json_array_size(bounds);
	c->unit = json_number_value(json_object_get(column, "unit"));
	if (c->bounds_count == 0 || c->bounds_count > METRIC_BOUNDS_MAX || c->unit <= 0)
		return false;
	for (size_t i = 0; i < c->bounds_count; i++)
		c->bounds[i] = json_number_value(json_array_get(bounds, i));
	return true;
}

static bool read_column(struct column *c, const json_t *column)
{
	*c = (struct column){.name = text_of(column, "name"),
		.type = text_of(column, "type"),
		.help = text_of(column, "help"),
		.label = text_of(column, "label"),
		.value = text_of(column, "value")};
	if (!c->name || !c->type || !metric_name_is_valid(c->name) ||
		(c->label && !metric_name_is_valid(c->label)) || !c->label != !c->value)
		return false;
	c->is_histogram = strcmp(c->type, "histogram") == 0;
	if (c->is_histogram)
		return read_bounds(c, column);
	return strcmp(c->type, "counter") == 0 || strcmp(c->type, "gauge") == 0;
}

static void add_label(struct printer *p, const char *name, const char *value)
{
	struct buf text;

	if (!name || !value || !metric_name_is_valid(name)) {
		p->left_out++;
		return;
	}
	buf_init(&text, METRIC_ROW_MAX);
	metric_print_escaped(value, true, &text);
	p->row_len += (size_t)snprintf(p->row + p->row_len, sizeof p->row - p->row_len,
		"%s%s=\"%.*s\"", p->row_len ? "," : "", name, (int)text.len,
		text.data ? text.data : "");
	if (p->row_len >= sizeof p->row)
		p->row_len = sizeof p->row - 1;
	buf_fini(&text);
}

/* The labels of a row into p->row. */
static void read_row(struct printer *p, const json_t *row)
{
	size_t count = json_array_size(p->labels);
	const char *name;
	json_t *value;

	p->row_len = 0;
	json_object_foreach ((json_t *)(uintptr_t)p->constant, name, value)
		add_label(p, name, json_string_value(value));
	for (size_t i = 0; i < count && i < METRIC_LABELS_MAX; i++)
		add_label(p, json_string_value(json_array_get(p->labels, i)),
			json_string_value(json_array_get(row, i)));
}

/* The next number of a row: false, and the row is over, when there is none. */
static bool next_number(struct printer *p, size_t row, uint64_t *ret)
{
	const char *at = p->cursors[row];
	char *end;

	if (!at)
		return false;
	*ret = strtoull(at, &end, 10);
	if (end == at || *at == '-') {
		p->cursors[row] = NULL;
		p->left_out++;
		return false;
	}
	p->cursors[row] = end;
	return true;
}

static void print_line(struct printer *p, const struct column *c, const char *suffix,
	const char *label, const char *value)
{
	buf_add_text(p->out, c->name);
	buf_add_text(p->out, suffix);
	if (p->row_len || label)
		buf_add_text(p->out, "{");
	buf_add(p->out, p->row, p->row_len);
	if (label)
		buf_printf(p->out, "%s%s=\"%s\"", p->row_len ? "," : "", label, value);
	if (p->row_len || label)
		buf_add_text(p->out, "}");
}

static void print_number(struct printer *p, const struct column *c, size_t row)
{
	uint64_t number;

	if (!next_number(p, row, &number) || (number == 0 && !p->has_zeros))
		return;
	print_line(p, c, "", c->label, c->value);
	buf_printf(p->out, " %" PRId64 "\n", (int64_t)number);
}

static void print_buckets(struct printer *p, const struct column *c, const uint64_t *buckets)
{
	uint64_t below = 0;
	char bound[32];

	for (size_t i = 0; i <= c->bounds_count; i++) {
		below += buckets[i];
		if (i < c->bounds_count)
			snprintf(bound, sizeof bound, "%.12g", c->bounds[i]);
		else
			snprintf(bound, sizeof bound, "+Inf");
		print_line(p, c, "_bucket", "le", bound);
		buf_printf(p->out, " %" PRIu64 "\n", below);
	}
}

static void print_histogram(struct printer *p, const struct column *c, size_t row)
{
	uint64_t buckets[METRIC_BOUNDS_MAX + 1], sum, count = 0;

	for (size_t i = 0; i <= c->bounds_count; i++) {
		if (!next_number(p, row, &buckets[i]))
			return;
		count += buckets[i];
	}
	if (!next_number(p, row, &sum) || (count == 0 && !p->has_zeros))
		return;
	if (p->has_buckets)
		print_buckets(p, c, buckets);
	print_line(p, c, "_sum", NULL, NULL);
	buf_printf(p->out, " %.12g\n", (double)sum / c->unit);
	print_line(p, c, "_count", NULL, NULL);
	buf_printf(p->out, " %" PRIu64 "\n", count);
}

/* All lines of one name: its columns are [from, to). */
static void print_family(struct printer *p, const struct column *from, const struct column *to)
{
	size_t count = json_array_size(p->rows);

	buf_printf(p->out, "# HELP %s ", from->name);
	metric_print_escaped(from->help ? from->help : "", false, p->out);
	buf_printf(p->out, "\n# TYPE %s %s\n", from->name, from->type);
	for (size_t row = 0; row < count; row++) {
		read_row(p, json_array_get(p->rows, row));
		for (const struct column *c = from; c < to; c++) {
			if (c->is_histogram)
				print_histogram(p, c, row);
			else
				print_number(p, c, row);
		}
	}
}

/* Where the numbers of each row begin; NULL without memory. */
static const char **begin_rows(struct printer *p)
{
	size_t count = json_array_size(p->rows), labels = json_array_size(p->labels);

	p->cursors = calloc(count + 1, sizeof *p->cursors);
	for (size_t i = 0; p->cursors && i < count; i++) {
		p->cursors[i] = json_string_value(
			json_array_get(json_array_get(p->rows, i), labels));
		p->left_out += !p->cursors[i];
	}
	return p->cursors;
}

/* The columns as far as they are good; those behind a bad one could not be told apart. */
static size_t read_columns(struct printer *p, const json_t *table, struct column *columns)
{
	const json_t *all = json_object_get(table, "columns");
	size_t count = json_array_size(all), i;

	for (i = 0; i < count && i < METRIC_COLUMNS_MAX; i++)
		if (!read_column(&columns[i], json_array_get(all, i)))
			break;
	p->left_out += count - i;
	return i;
}

size_t metric_table_print(const json_t *table, struct buf *out)
{
	struct printer *p = calloc(1, sizeof *p);
	struct column *columns = calloc(METRIC_COLUMNS_MAX, sizeof *columns);
	size_t left_out = 1, count;

	if (p && columns && is_table(table)) {
		p->out = out;
		p->labels = json_object_get(table, "labels");
		p->constant = json_object_get(table, "constant");
		p->rows = json_object_get(table, "rows");
		p->has_zeros = json_array_size(p->rows) <= METRIC_ZEROS_MAX ||
			       json_is_true(json_object_get(table, "zeros"));
		p->has_buckets = json_array_size(p->rows) <= METRIC_BUCKETS_MAX;
		count = begin_rows(p) ? read_columns(p, table, columns) : 0;
		for (size_t i = 0, next; i < count; i = next) {
			for (next = i + 1; next < count; next++)
				if (strcmp(columns[next].name, columns[i].name) != 0)
					break;
			print_family(p, &columns[i], &columns[next]);
		}
		left_out = p->left_out;
		free(p->cursors);
	}
	free(columns);
	free(p);
	return left_out;
}
