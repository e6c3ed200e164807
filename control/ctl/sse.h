#pragma once
/* Server-sent events, byte by byte: what `events -f` reads. Pure; the bytes come from outside. */
#include <stddef.h>

#include "common/buf.h"

#define SSE_EVENT_MAX 65536 /* bytes of one event's data; a longer one is dropped */
#define SSE_ID_SIZE 64

struct sse {
	struct buf line, data;
	char id[SSE_ID_SIZE]; /* of the newest event, for Last-Event-ID; "" before the first */
};

void sse_init(struct sse *s);
void sse_fini(struct sse *s);
/* Forgets a half-read event after a connection was lost; keeps the id. */
void sse_reset(struct sse *s);
/* Takes bytes as they come and calls event for each whole event's data (borrowed text). */
void sse_take(struct sse *s, const char *bytes, size_t len,
	void (*event)(void *user, const char *data), void *user);
