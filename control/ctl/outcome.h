#pragma once
/* What an answer of the API means for ballastctl: its exit status, and what it says on stderr.
 * Pure. */
#include <jansson.h>
#include <stdbool.h>

#include "common/buf.h"

enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_FAILED = 1, /* refused, or failed */
	OUTCOME_USAGE = 2,
	OUTCOME_TIMED_OUT = 3,
	OUTCOME_PARTLY = 4, /* or differences were shown */
	OUTCOME_NO_ANSWER = 5,
	OUTCOME_CONFLICT = 6
};

/*
 * The outcome of an HTTP status. A 409 is a conflict for writes of documents;
 * for the operator's hand it is a refusal (the pool cannot spare the server).
 */
enum outcome outcome_of_status(long status, bool is_document);

/*
 * After a write of a document: DONE when every daemon runs the new generation
 * or nobody waited; PARTLY when one refused it; else TIMED_OUT. body as
 * PUT document answers.
 */
enum outcome outcome_of_write(const json_t *body, bool has_waited);

/* The sentences of a problem (body may be NULL, or no problem at all), appended to out: the detail,
 * then one line per error. */
void outcome_print_problem(long status, const json_t *body, struct buf *out);
