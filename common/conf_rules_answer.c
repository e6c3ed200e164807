/* The rules about what a listener answers itself: limits and error pages. See conf_rules.h. */
#include "common/conf_rules.h"

#include <stdlib.h>
#include <string.h>

#define RATE_MAX 1000000 /* a second */
#define BURST_MAX 1000000

void conf_rules_limit(
	struct field_reader *r, const struct field_place *at, const struct conf_limit *l)
{
	struct field_place rate = {.up = at, .name = "rate"}, burst = {.up = at, .name = "burst"};

	if (l->rate.per_ms && l->rate.count == 0)
		field_problem(r, &rate, "allows nothing: use a route with respond");
	if (l->rate.per_ms && l->rate.count > RATE_MAX * (l->rate.per_ms / 1000))
		field_problem(r, &rate, "must be at most %d/s", RATE_MAX);
	if (l->burst > BURST_MAX)
		field_problem(r, &burst, "must be at most %d", BURST_MAX);
}

/* The statuses that we answer with when something is wrong; the same as data/http answers. */
static bool is_error_status(const char *text)
{
	static const char *const statuses[] = {"400", "404", "408", "413", "414", "417", "421",
		"429", "431", "500", "501", "502", "503", "504", "505"};

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (strcmp(statuses[i], text) == 0)
			return true;
	return false;
}

static void check_error_pages(
	struct field_reader *r, const struct field_place *up, const struct conf_listener *l)
{
	struct field_place list = {.up = up, .name = "error_pages"};

	for (size_t i = 0; i < l->error_pages.count; i++) {
		const struct conf_text *page = &l->error_pages.items[i];
		struct field_place at = {.up = &list, .key = page->name, .index = i};
		size_t len = strlen(page->value);

		if (!is_error_status(page->name))
			field_problem(r, &at,
				"is no status that a listener answers an error with: 400, 404, "
				"408, 413, 414, 417, 421, 429, 431, 500 to 505");
		if (len > CONF_ANSWER_BODY_MAX)
			field_problem(r, &at, "has %zu bytes; at most %d are possible", len,
				CONF_ANSWER_BODY_MAX);
	}
}

void conf_rules_answers(const struct conf *c, struct field_reader *r, size_t listener)
{
	const struct conf_listener *l = &c->listeners[listener];
	struct field_place list = {.name = "listeners"};
	struct field_place at = {.up = &list, .key = l->name, .index = listener};
	struct field_place limit = {.up = &at, .name = "limit"};
	bool is_http = l->protocol == CONF_LISTENER_HTTP || l->protocol == CONF_LISTENER_HTTPS;

	if (l->limit && !is_http)
		field_problem(r, &limit, "is only for listeners of protocol http");
	if (l->limit)
		conf_rules_limit(r, &limit, l->limit);
	check_error_pages(r, &at, l);
}
