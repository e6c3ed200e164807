#pragma once
/*
 * Metrics as they travel and as they are scraped. A daemon's reply to the verb
 * `counters` is a set: {"NAME": {"type": "counter", "help": "…", "samples":
 * [{"labels": {"pool": "web"}, "value": 12}]}}; control joins the sets of its
 * daemons and prints them as Prometheus text. Names begin with "ballast_".
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define METRIC_NAME_MAX 128        /* bytes of a name or of a label's name */
#define METRIC_FAMILIES_MAX 1024   /* in one set */
#define METRIC_SAMPLES_MAX 1000000 /* in one family */

enum metric_type {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM /* of tables (metric_table.h) alone */
};

struct metric {
	const char *name; /* "ballast_server_requests_total" */
	enum metric_type type;
	const char *help; /* one sentence */
};

/*
 * Adds one sample to a set (an object that the caller owns), making the family
 * when it is the first. labels are name, value, name, value, …, NULL.
 */
void metric_add(json_t *set, const struct metric *m, int64_t value, ...) __attribute__((sentinel));

/* The same of a number that is no count. */
void metric_add_real(json_t *set, const struct metric *m, double value);

/*
 * Prints a set; with `labels` (an object of texts, NULL for none) added to each
 * sample. What is no set, or has names that Prometheus would not take, is left
 * out. Returns the number of things left out.
 */
size_t metric_print(const json_t *set, const json_t *labels, struct buf *out);

const char *metric_type_name(enum metric_type t);
/* A name that Prometheus takes, of a metric or a label. */
bool metric_name_is_valid(const char *name);
/* Text as help, or between the quotes of a label. */
void metric_print_escaped(const char *text, bool is_label, struct buf *out);

/* Moves the samples of another set into this one, families by name. Returns what was left out: not
 * a set. */
size_t metric_join(json_t *set, const json_t *other);
