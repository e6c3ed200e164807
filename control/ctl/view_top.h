#pragma once
/*
 * Two scrapes of /metrics as what happens now: rates and times of listeners,
 * pools and servers, the busiest first. Pure: scrapes in, text or JSON out.
 */
#include <jansson.h>

#include "common/buf.h"
#include "control/ctl/scrape.h"
#include "control/ctl/table.h"

enum top_sort {
	TOP_BY_REQUESTS,
	TOP_BY_ERRORS,
	TOP_BY_TIME,
	TOP_BY_CONNECTIONS,
	TOP_BY_BYTES,
	TOP_BY_NAME,
	TOP_SORTS
};
/* "requests", "errors", …; TOP_SORTS when there is none of that name. */
const char *top_sort_name(enum top_sort sort);
enum top_sort top_sort_of(const char *name);

struct top_look {
	struct table_look look;
	size_t lines; /* of the screen, for all tables together; 0: no limit */
	size_t first; /* servers passed over, for scrolling */
	enum top_sort sort;
	bool is_reversed;
};

/* Of an object between two scrapes; rates are per second. */
struct top_row {
	const struct scrape_object *object;
	double requests, failed, errors, accepted, bytes_in, bytes_out;
	double p50, p99, queue_p99; /* seconds; -1: nothing was counted */
	unsigned servers, usable;   /* of a pool */
};

/*
 * One row for each object of `after`, by kind and then by sort, with *ret_counts of each kind.
 * NULL without memory; free() it. seconds between the scrapes: above 0.
 */
struct top_row *top_rows(const struct scrape *before, const struct scrape *after, double seconds,
	const struct top_look *look, size_t ret_counts[SCRAPE_KINDS]);

void view_top(const struct top_row *rows, const size_t counts[SCRAPE_KINDS],
	const struct top_look *look, struct buf *out);
/* Owned: {"listeners": [{"name", "state", "requests", …}], "pools": …, "servers": …}. */
json_t *view_top_value(const struct top_row *rows, const size_t counts[SCRAPE_KINDS]);

/* "0", "12.3", "1.2k", "3.4M": three digits at most. */
void top_print_number(double n, char out[16]);
/* "0.42ms", "12ms", "1.2s"; "-" below 0. */
void top_print_time(double seconds, char out[16]);
