#pragma once
/*
 * What healthd measured of one server, as it travels: a row of the bus table
 * "verdicts"; its key is "pool/POOL/SERVER" or "check/NAME".
 */
#include <jansson.h>
#include <stdbool.h>

#include "common/addr.h"
#include "common/clock.h"

enum verdict_state { VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN, VERDICT_DRAIN, VERDICT_STANDBY };

#define VERDICT_REASON_SIZE 256
#define VERDICT_HISTORY_MAX 8

/* One earlier transition. */
struct verdict_past {
	struct wall time;
	enum verdict_state from, to;
	char reason[VERDICT_REASON_SIZE];
};

struct verdict_row {
	enum verdict_state state;
	bool is_stale; /* set by readers while healthd is away, never sent */
	struct wall since, checked; /* of the state; of the last result */
	char reason[VERDICT_REASON_SIZE]; /* why the state is so: "connect refused (3 of 3)" */
	char last_result[VERDICT_REASON_SIZE]; /* of the last single check: "200 in 3 ms" */
	bool has_address;
	struct addr address; /* what the server's name resolved to, with port */
	struct verdict_past history[VERDICT_HISTORY_MAX]; /* newest first */
	size_t history_count;
};

json_t *verdict_row_encode(const struct verdict_row *v); /* owned */
int verdict_row_decode(const json_t *value, struct verdict_row *ret); /* 0 or -EINVAL */
const char *verdict_state_name(enum verdict_state s);
int verdict_state_parse(const char *text, enum verdict_state *ret); /* 0 or -EINVAL */
