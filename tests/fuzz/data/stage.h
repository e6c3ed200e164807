#pragma once
/*
 * The stage: one worker of data without descriptors, loop or clock, with a listener of HTTP, a pool
 * of servers that speak HTTP/1 (/…), one of those that speak HTTP/2 (/h2…) and an answer of its own
 * (/fixed). stage.c stands in for worker.c; the shells are the real ones. Made once, kept for all
 * inputs; each begins and ends with nothing under way.
 */
#include "tests/fuzz/data/line.h"

struct h2_connection;

/* A client connects; the stage is made first if it is not there. */
struct line *stage_begin(void);
/* Carries out what there is to do, until all wait for the other ends; checks what must always hold. */
void stage_run(void);
/* So much time goes by, in steps in which timers fire. */
void stage_wait(int64_t ms);
/* The listener drains its clients. */
void stage_drain(void);
/* The other ends are gone, and time goes by: asserts that nothing is left. */
void stage_end(struct line *client);

/* One frame of HTTP/2 (RFC 9113 section 4.1). */
void stage_frame(struct line *l, uint8_t type, uint8_t flags, uint32_t id, const void *payload,
	size_t len);
/* HEADERS of one of a few requests; kind: any number. */
void stage_request(struct line *client, uint32_t id, unsigned kind, bool ends);
