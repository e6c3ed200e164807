#pragma once
/*
 * Core: what a retired worker may do with the connections it gives away (decision D4). At
 * most HANDOVER_WINDOW are on the way at once, each under a number that is given once. While
 * one is, its taker may have it already: so another successor that is named meanwhile is not
 * called before the last is answered, or the line is gone. No input or output, no time.
 */
#include <stdbool.h>
#include <stdint.h>

#define HANDOVER_WINDOW 32
#define HANDOVER_NOBODY UINT32_MAX

struct handover_window {
	int64_t numbers[HANDOVER_WINDOW]; /* 0: free */
	int64_t last;                     /* the number given last */
	unsigned count;                   /* on the way */
	uint32_t next;                    /* the column of a successor to be called; HANDOVER_NOBODY */
	bool has_line;                    /* to a successor */
	bool is_behind;                   /* offers were passed over: all are to be looked at again */
};

enum handover_turn {
	HANDOVER_REST,  /* nothing, or nothing yet */
	HANDOVER_CALL,  /* leave the line there is, if any, and call `next` */
	HANDOVER_OFFER, /* look at all connections again */
};

void handover_window_init(struct handover_window *w);

/* The place of one more, and its number: 0 to HANDOVER_WINDOW - 1. Negative: nobody takes it now; then
 * it is remembered that somebody was passed over. */
int handover_window_find(struct handover_window *w, int64_t *ret_number);
/* What was found was sent. */
void handover_window_sent(struct handover_window *w, int place);
/* An answer: the place of that number, free from now on. Negative: no such number is on the way. */
int handover_window_answered(struct handover_window *w, int64_t number);
/* The line is gone: the place of one that was on the way, free from now on, until it is negative. */
int handover_window_lost(struct handover_window *w);
/* What is to be done now. */
enum handover_turn handover_window_turn(const struct handover_window *w);
