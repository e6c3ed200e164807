#pragma once
/*
 * Shell: one line per event to stderr, key=value after the message:
 *   <6>vrrpd: vip=web backup -> active why="active-down timer"
 * The "<N>" priority prefix is written only when stderr is the journal
 * (JOURNAL_STREAM is set); otherwise an ISO 8601 time and the level's word.
 * Control characters become '?', so that no value can forge a line; a line has
 * at most LOG_LINE_SIZE bytes. Values that need it are quoted by the caller
 * with LOG_Q. The program's name and level are process-wide and set once at
 * start; nothing else is global.
 */
#include <stdbool.h>

#include "common/clock.h"

#define LOG_LINE_SIZE 2048
#define LOG_QUOTE_SIZE 512

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_init(const char *program, enum log_level level);
int log_level_parse(const char *text, enum log_level *ret); /* 0 or -EINVAL */

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* text in double quotes with \" and \\ escaped, cut to LOG_QUOTE_SIZE: LOG_Q("a b") for one argument of a line. */
#define LOG_Q(text) log_quote((text), (char[LOG_QUOTE_SIZE]){0})
const char *log_quote(const char *text, char out[LOG_QUOTE_SIZE]);

/*
 * A budget for lines that a stranger can cause: at most `burst` lines, then one
 * per second; the first line after silence says how many were held back.
 * Zero-initialise. Pure: returns true when the caller may log at now, and then
 * sets *ret_held to the number of lines held back before.
 */
struct log_limit {
	double spent; /* lines, of burst */
	struct mono last;
	unsigned long held;
};
bool log_limit_take(struct log_limit *l, unsigned burst, struct mono now, unsigned long *ret_held);
