#pragma once
/*
 * Many objects of one kind with the same metrics, as they travel from a daemon
 * that counts to control, which prints them: names once a row, then numbers in
 * the order of the columns. 20,000 servers are a few MB, where samples
 * one by one (metric.h) would be a hundred.
 *
 *   {"name": "server", "labels": ["pool", "server"], "constant": {"stack": "shop"},
 *    "columns": [{"name": "ballast_server_requests_total", "type": "counter",
 *      "help": "…", "label": "code", "value": "2xx"}, …],
 *    "rows": [["web", "w1", "12 0 3"], …]}
 *
 * A histogram has "bounds" (numbers) and "unit" (that its sum is divided by), and takes one
 * number for each bound, one for what lies beyond, and the sum.
 */
#include <jansson.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/metric.h"

#define METRIC_COLUMNS_MAX 256  /* of one table */
#define METRIC_BOUNDS_MAX 64    /* of one histogram */
#define METRIC_LABELS_MAX 8     /* that name a row */
#define METRIC_ROW_MAX 8192     /* bytes of a row's labels as text */
#define METRIC_TABLES_MAX 32    /* in one set */
#define METRIC_ZEROS_MAX 200    /* tables of more rows leave out what is zero */
#define METRIC_BUCKETS_MAX 2000 /* tables of more rows print of histograms sum and count only */

struct metric_column {
	struct metric metric;      /* columns of one name stand side by side; the first has the help */
	const char *label, *value; /* what tells it from others of its name; NULL: nothing */
	const double *bounds;      /* of a histogram, rising, in the metric's unit */
	size_t bounds_count;
	double unit; /* of a histogram: its sum is divided by it */
};

/* Returns an owned table without rows; labels end with NULL. NULL without memory. */
json_t *metric_table_new(const char *name, const char *stack, const char *const *labels,
	const struct metric_column *columns, size_t count);
/* Adds a row: as many names as the table has labels, and its numbers, parted by blanks. */
void metric_table_add(json_t *table, const char *const *names, const char *numbers);
/* Zeros of it are printed however many rows there are: they mean something. */
void metric_table_keep_zeros(json_t *table);

/*
 * Moves a table of another process into a set of tables (an object by name), behind the rows that
 * are there. Returns what was left out: 1 when it is no table.
 */
size_t metric_table_join(json_t *tables, const json_t *table);
/* True when a table of the set has such a metric. */
bool metric_table_has(const json_t *tables, const char *name);
/* Prints a table as Prometheus text. Returns the number of things left out as they are malformed. */
size_t metric_table_print(const json_t *table, struct buf *out);
