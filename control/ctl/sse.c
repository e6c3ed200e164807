/* See sse.h: the fields data and id; lines end with LF or CRLF; others and comments are passed
 * over. */
#include "control/ctl/sse.h"

#include <stdio.h>
#include <string.h>

void sse_init(struct sse *s)
{
	*s = (struct sse){0};
	buf_init(&s->line, SSE_EVENT_MAX);
	buf_init(&s->data, SSE_EVENT_MAX);
}

void sse_fini(struct sse *s)
{
	buf_fini(&s->line);
	buf_fini(&s->data);
}

void sse_reset(struct sse *s)
{
	buf_clear(&s->line);
	buf_clear(&s->data);
}

/* The value of "name: value" when the line is that field, else NULL. */
static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + (line[len + 1] == ' ');
}

static void end_line(struct sse *s, void (*event)(void *, const char *), void *user)
{
	const char *line = buf_text(&s->line), *value;

	if (s->line.len == 0) {
		if (s->data.len > 0 && !s->data.failed)
			event(user, buf_text(&s->data));
		buf_clear(&s->data);
	} else if ((value = value_of(line, "data"))) {
		if (s->data.len > 0)
			buf_add_text(&s->data, "\n");
		buf_add_text(&s->data, value);
		s->data.failed |= s->line.failed;
	} else if ((value = value_of(line, "id"))) {
		snprintf(s->id, sizeof s->id, "%s", value);
	}
	buf_clear(&s->line);
}

void sse_take(struct sse *s, const char *bytes, size_t len,
	void (*event)(void *user, const char *data), void *user)
{
	for (const char *end = bytes + len; bytes < end;) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline ? newline : end;

		buf_add(&s->line, bytes, (size_t)(stop - bytes));
		if (!newline)
			return;
		if (s->line.len > 0 && s->line.data[s->line.len - 1] == '\r')
			s->line.data[--s->line.len] = '\0';
		end_line(s, event, user);
		bytes = newline + 1;
	}
}
