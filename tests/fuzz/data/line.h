#pragma once
/*
 * Lines: sockets of data/socket.h without descriptors. What the other end sends, ends and takes is
 * said by the fuzz target; the owner is told as the poller would tell it. line.c stands in for
 * socket.c and for source.c, which dials servers.
 */
#include <stdbool.h>
#include <stddef.h>

#include "data/socket.h"

struct line {
	struct socket socket; /* first: what its owner has */
	struct line *next;
	char *bytes; /* that the other end has sent and the owner has not received */
	size_t from, to;
	size_t room; /* what the other end still takes */
	bool is_dialled; /* by us, to a server */
	bool is_connected, is_ended, is_reset, is_closed;
};

#define LINES_MAX 256 /* open at once: dialling fails past it */

/* All lines that are there, newest first, closed ones too. */
struct line *lines_all(void);
unsigned lines_open(void);

/* One that a client has opened. Owned by lines. */
struct line *line_accept(void);
/* The number-th open line to a server, or NULL. */
struct line *line_dialled(unsigned number);

/* From the other end. */
void line_send(struct line *l, const void *data, size_t len);
void line_end(struct line *l);
void line_reset(struct line *l);
/* It takes no more than so many further bytes. */
void line_room(struct line *l, size_t bytes);

/* Tells owners what there is for them, once each: false when there was nothing. */
bool lines_turn(void);
/* Frees those that were closed: until then they may be named. */
void lines_sweep(void);
