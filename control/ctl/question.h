#pragma once
/*
 * Shell: a question at the terminal. Whether it is to be asked at all (--yes, no
 * terminal) is the caller's.
 */
#include <stdbool.h>

/*
 * Asks on stderr, and waits for a line that begins with y. Anything else is a no: another line, the
 * end of the input, and Ctrl-C, so that the caller can still say where things stand. What was typed
 * before the question is no answer to it.
 */
bool question_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
