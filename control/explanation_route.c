/* See explanation_route.h. */
#include "control/explanation_route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/status.h"

#define OBJECT_SIZE 2048

/* "NAME: VALUE" as an object of one. */
static json_t *one_header(const char *text)
{
	const char *colon = strchr(text, ':'), *value;

	if (!colon || colon == text)
		return NULL;
	value = colon + 1 + strspn(colon + 1, " ");
	return json_pack("{s%:s}", text, (size_t)(colon - text), value);
}

static json_t *read_headers(const char *text)
{
	json_t *headers = *text == '{' ? json_loads(text, 0, NULL) : one_header(text);
	const char *name;
	json_t *value;

	json_object_foreach (headers, name, value)
		if (!json_is_string(value)) {
			json_decref(headers);
			return NULL;
		}
	return headers;
}

int explanation_route_ask(
	const struct explanation_route *q, json_t **ret, char why[EXPLANATION_ROUTE_WHY_SIZE])
{
	json_t *headers = q->header ? read_headers(q->header) : json_object();

	if (!headers) {
		snprintf(why, EXPLANATION_ROUTE_WHY_SIZE,
			"header is NAME: VALUE, or a JSON object of several");
		return -EINVAL;
	}
	*ret = json_pack("{s:s, s:s, s:s, s:s?, s:o}", "listener", q->listener, "url", q->url,
		"method", q->method ? q->method : "GET", "client", q->client, "headers", headers);
	if (*ret)
		return 0;
	snprintf(why, EXPLANATION_ROUTE_WHY_SIZE, "the question is not UTF-8");
	return -EINVAL;
}

static json_t *print_evidence(const json_t *texts, struct wall now)
{
	json_t *evidence = json_array(), *text;
	size_t i;

	json_array_foreach ((json_t *)texts, i, text)
		json_array_append_new(
			evidence, json_pack("{s:o, s:O}", "time", status_date(now), "text", text));
	return evidence;
}

/* "sent to pool web", "redirected (308)", "refused (421 unknown-host)". */
static const char *print_state(const json_t *reply, char state[128])
{
	const char *outcome = json_string_value(json_object_get(reply, "outcome"));
	const char *pool = json_string_value(json_object_get(reply, "pool"));
	const char *end = json_string_value(json_object_get(reply, "end"));
	int status = (int)json_integer_value(json_object_get(reply, "status"));

	if (!outcome)
		snprintf(state, 128, "unknown");
	else if (strcmp(outcome, "pool") == 0)
		snprintf(state, 128, "sent to pool %.64s", pool ? pool : "?");
	else if (strcmp(outcome, "refused") == 0)
		snprintf(state, 128, "refused (%d %.64s)", status, end ? end : "");
	else
		snprintf(state, 128, "%s (%d)",
			strcmp(outcome, "redirect") == 0 ? "redirected" : "answered", status);
	return state;
}

json_t *explanation_route_print(
	const struct explanation_route *q, const char *stack, const json_t *reply, struct wall now)
{
	json_t *request = json_copy((json_t *)reply), *result;
	const char *why = json_string_value(json_object_get(reply, "why"));
	char object[OBJECT_SIZE], state[128];

	snprintf(object, sizeof object, "%s %s at listener %s", q->method ? q->method : "GET",
		q->url, q->listener);
	json_object_del(request, "evidence");
	result = json_pack("{s:s, s:s, s:s, s:n, s:s, s:o, s:[], s:o}", "object", object, "stack",
		stack, "state", print_state(reply, state), "since", "why", why ? why : "",
		"evidence", print_evidence(json_object_get(reply, "evidence"), now), "history",
		"request", request);
	return result;
}
