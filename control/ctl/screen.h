#pragma once
/*
 * Shell: a terminal that is drawn anew again and again: the alternate screen,
 * keys as they are pressed, its size as it changes. Plain escape sequences of
 * ECMA-48 that every terminal understands. One at a time.
 */
#include <stdbool.h>
#include <stddef.h>

/* Keys beside characters. */
enum screen_key {
	SCREEN_NOTHING = 0, /* the time is over, or the size changed */
	SCREEN_UP = 256,
	SCREEN_DOWN,
	SCREEN_PAGE_UP,
	SCREEN_PAGE_DOWN,
	SCREEN_HOME,
	SCREEN_OTHER,
	SCREEN_END /* the terminal or its user is gone: INT, TERM, HUP, or the end of input */
};

/* Takes the terminal over: 0, or a negative errno: it is none. */
int screen_open(void);
/* Gives it back as it was; also after screen_open() failed. */
void screen_close(void);

void screen_size(size_t *ret_lines, size_t *ret_columns);
/* Shows text from the upper left corner; lines end with \n, and what was there before goes. */
void screen_draw(const char *text, size_t len);
/* The next key, within so many milliseconds. */
int screen_key(int timeout_ms);
