#pragma once
/*
 * Core: the W3C Trace Context of a request (traceparent and tracestate,
 * https://www.w3.org/TR/trace-context/). We are no part of the trace: what is
 * good is passed on as it came, what is not is dropped, as the recommendation
 * says, so that the server begins a trace of its own. Called by request.c.
 */
#include <stdbool.h>
#include <stddef.h>

#include "data/http/h1.h"

#define TRACE_ID_LEN 32 /* hexadecimal digits */
#define TRACE_STATE_MEMBERS_MAX 32

struct trace_context {
	bool is_good;       /* there is one traceparent, and it is well-formed */
	bool is_state_good; /* and what tracestate there is, is well-formed too */
	struct h1_run id;   /* when is_good: the trace's id in data */
};

void trace_context_of(struct trace_context *t, const char *data, const struct h1_head *h);

/* A traceparent's value: version 00, or one to come that begins alike. */
bool trace_parent_is_good(const char *value, size_t len);
/* One tracestate field's value; *members counts over all fields of the request. */
bool trace_state_is_good(const char *value, size_t len, unsigned *members);
