#pragma once
/*
 * A growing run of bytes with a limit, for text and messages (not for traffic:
 * workers have buffers of their own). Once an append fails for the limit or for
 * memory, the buffer is `failed`, keeps what it had and refuses more: callers
 * may append freely and test once at the end.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* owned; always followed by a NUL that len does not count */
	size_t len, capacity, maximum;
	bool failed;
};

/* An empty buffer that will hold at most maximum bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t maximum);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first n bytes; n is at most len. */
void buf_consume(struct buf *b, size_t n);

/* Borrowed text, "" when empty; valid until the next change. */
const char *buf_text(const struct buf *b);
