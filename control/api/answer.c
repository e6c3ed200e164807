/*
 * answer: bodies and problem documents of the API. Nothing here sends; every
 * family of resources fills one of these and exchange hands it to the server.
 */
#include "control/api/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/document.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{400, "Malformed request"},
	{401, "Not identified"},
	{403, "Not allowed"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{408, "Too slow"},
	{409, "Conflict"},
	{411, "Length required"},
	{412, "Precondition failed"},
	{413, "Too large"},
	{414, "Target too long"},
	{415, "Unknown content type"},
	{422, "Invalid document"},
	{500, "Internal error"},
	{501, "Not available yet"},
	{503, "Not available now"},
};

static const char *title_of(int status)
{
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Error";
}

const char *answer_type_text(enum answer_type t)
{
	switch (t) {
	case ANSWER_JSON:
		return "application/json";
	case ANSWER_YAML:
		return "application/yaml";
	case ANSWER_TEXT:
		return "text/plain; charset=utf-8";
	case ANSWER_METRICS:
		return "text/plain; version=0.0.4; charset=utf-8";
	case ANSWER_PROBLEM:
		return "application/problem+json";
	}
	return "application/octet-stream";
}

static int add_chunk(const char *data, size_t len, void *user)
{
	struct buf *out = user;

	buf_add(out, data, len);
	return out->failed ? -1 : 0;
}

static void set_body(struct answer *a, enum answer_type type, int status, json_t *body)
{
	buf_init(&a->body, ANSWER_BODY_MAX);
	a->type = type;
	a->status = status;
	if (!body || json_dump_callback(body, add_chunk, &a->body, JSON_COMPACT) < 0) {
		buf_clear(&a->body);
		a->status = 500;
		a->type = ANSWER_TEXT;
		return;
	}
	buf_add_text(&a->body, "\n");
}

void answer_json(struct answer *a, int status, json_t *body)
{
	set_body(a, ANSWER_JSON, status, body);
	json_decref(body);
}

void answer_yaml(struct answer *a, int status, json_t *body)
{
	buf_init(&a->body, ANSWER_BODY_MAX);
	a->type = ANSWER_YAML;
	a->status = body ? status : 500;
	if (body)
		document_print_yaml(body, &a->body);
	json_decref(body);
}

void answer_text(struct answer *a, int status, const char *text)
{
	buf_init(&a->body, ANSWER_BODY_MAX);
	buf_add_text(&a->body, text);
	a->type = ANSWER_TEXT;
	a->status = status;
}

void answer_problem_list(struct answer *a, int status, json_t *errors, const char *detail)
{
	json_t *body = json_pack("{s:s, s:s, s:i, s:s, s:o*}", "type", "about:blank", "title",
		title_of(status), "status", status, "detail", detail, "errors", errors);

	set_body(a, ANSWER_PROBLEM, status, body);
	json_decref(body);
}

void answer_problem(struct answer *a, int status, const char *format, ...)
{
	char detail[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	answer_problem_list(a, status, NULL, detail);
}

static json_t *places_of(const struct conf_problems *problems)
{
	json_t *errors = json_array();

	for (size_t i = 0; i < problems->count; i++)
		json_array_append_new(
			errors, json_pack("{s:s, s:s}", "where", problems->items[i].where, "what",
					problems->items[i].what));
	return errors;
}

void answer_reasons(struct answer *a, const struct conf_problems *reasons, const char *detail)
{
	answer_problem_list(a, 409, places_of(reasons), detail);
}

void answer_document_problems(struct answer *a, const struct conf_problems *problems)
{
	json_t *errors = places_of(problems);
	size_t total = problems->count + problems->dropped;
	char detail[96];

	snprintf(detail, sizeof detail, "%zu error%s%s", total, total == 1 ? "" : "s",
		problems->dropped ? ", the first 100 are listed" : "");
	answer_problem_list(a, 422, errors, detail);
}

void answer_set_etag(struct answer *a, uint64_t generation)
{
	a->has_etag = true;
	a->etag = generation;
}

void answer_fini(struct answer *a)
{
	buf_fini(&a->body);
	*a = (struct answer){0};
}
