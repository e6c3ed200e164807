/* See log.h. One write(2) per line, so that lines of several processes never mix. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/now.h"

static struct {
	const char *program;
	enum log_level level;
	bool is_journal;
} log_state = {"ballast", LOG_LEVEL_INFO, false};

static const struct {
	const char *word;
	int priority; /* of syslog(3), as the journal reads it */
} log_levels[] = {
	[LOG_LEVEL_ERROR] = {"error", 3},
	[LOG_LEVEL_WARN] = {"warn", 4},
	[LOG_LEVEL_INFO] = {"info", 6},
	[LOG_LEVEL_DEBUG] = {"debug", 7},
};

void log_init(const char *program, enum log_level level)
{
	log_state.program = program;
	log_state.level = level;
	log_state.is_journal = getenv("JOURNAL_STREAM") != NULL;
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof log_levels / sizeof *log_levels; i++)
		if (!strcmp(text, log_levels[i].word)) {
			*ret = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}

static size_t log_head(enum log_level level, char *line, size_t size)
{
	struct wall now = wall_now();
	time_t seconds = (time_t)(now.ms / 1000);
	struct tm tm;
	int n;

	if (log_state.is_journal) {
		n = snprintf(line, size, "<%d>%s: ", log_levels[level].priority, log_state.program);
	} else {
		gmtime_r(&seconds, &tm);
		n = snprintf(line, size,
			"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s: ", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(now.ms % 1000), log_levels[level].word, log_state.program);
	}
	return (size_t)n < size ? (size_t)n : size - 1;
}

static void log_line(enum log_level level, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void log_line(enum log_level level, const char *format, va_list ap)
{
	char line[LOG_LINE_SIZE];
	size_t len;
	int saved = errno, n;

	if (level > log_state.level)
		return;
	len = log_head(level, line, sizeof line - 1);
	n = vsnprintf(line + len, sizeof line - 1 - len, format, ap);
	if (n > 0)
		len += (size_t)n < sizeof line - 1 - len ? (size_t)n : sizeof line - 2 - len;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0) {
		/* Nobody is left to tell. */
	}
	errno = saved;
}

// clang-format off
void log_error(const char *format, ...) { va_list ap; va_start(ap, format); log_line(LOG_LEVEL_ERROR, format, ap); va_end(ap); }
void log_warn(const char *format, ...) { va_list ap; va_start(ap, format); log_line(LOG_LEVEL_WARN, format, ap); va_end(ap); }
void log_info(const char *format, ...) { va_list ap; va_start(ap, format); log_line(LOG_LEVEL_INFO, format, ap); va_end(ap); }
void log_debug(const char *format, ...) { va_list ap; va_start(ap, format); log_line(LOG_LEVEL_DEBUG, format, ap); va_end(ap); }
// clang-format on

const char *log_quote(const char *text, char out[LOG_QUOTE_SIZE])
{
	size_t n = 0;

	out[n++] = '"';
	for (; *text && n < LOG_QUOTE_SIZE - 3; text++) {
		if (*text == '"' || *text == '\\')
			out[n++] = '\\';
		out[n++] = *text;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

bool log_limit_take(struct log_limit *l, unsigned burst, struct mono now, unsigned long *ret_held)
{
	double recovered = (double)mono_since_ns(now, l->last) / 1e9;

	l->last = now;
	l->spent = recovered < l->spent ? l->spent - recovered : 0;
	if (l->spent + 1 > (double)burst) {
		l->held++;
		return false;
	}
	l->spent++;
	*ret_held = l->held;
	l->held = 0;
	return true;
}
