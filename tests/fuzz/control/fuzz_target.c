/* The head of an API request: target, If-Match and the other headers, parted by newlines. */
#include <stdlib.h>
#include <string.h>

#include "control/api/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line of text, cut in place; NULL at the end. */
static char *next_line(char **rest)
{
	return *rest ? strsep(rest, "\n") : NULL;
}

static void use_target(const struct target *t)
{
	struct route_match m;
	uint64_t number;
	int64_t ms;
	bool flag;

	for (size_t i = 0; i < t->segments_count; i++) {
		if (memchr(t->segments[i], '\n', strlen(t->segments[i])))
			abort();
	}
	for (size_t i = 0; i < t->query_count; i++) {
		target_query_flag(t, t->query[i].name, &flag);
		if (target_query_number(t, t->query[i].name, 1000, &number) == 0 && number > 1000)
			abort();
		if (target_query_duration(t, t->query[i].name, 600000, &ms) == 0 &&
			(ms < 0 || ms > 600000))
			abort();
	}
	for (size_t i = 0; i < REQUEST_METHODS; i++) {
		if (route_match((enum request_method)i, t, &m) == 0)
			route_unknown_parameter(m.route, t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *rest = text;
	static struct target t;
	static struct request r;
	struct request_headers h;
	const char *why = NULL, *line;

	if (!text)
		return 0;
	memcpy(text, data, size);
	line = next_line(&rest);
	if (line && target_parse(line, &t, &why) == 0)
		use_target(&t);
	else if (line && !why)
		abort();
	h.if_match = next_line(&rest);
	h.content_type = next_line(&rest);
	h.accept = next_line(&rest);
	h.last_event_id = next_line(&rest);
	h.idempotency_key = next_line(&rest);
	r = (struct request){.body = "", .body_len = 1};
	request_read_headers(&r, &h, &why);
	free(text);
	return 0;
}
