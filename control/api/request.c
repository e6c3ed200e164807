/*
 * request: the headers and the body of a request, judged. Called by exchange
 * when a request is complete, and by the families for their bodies.
 */
#include "control/api/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/document.h"

static const char *const method_names[] = {
	[REQUEST_GET] = "GET",
	[REQUEST_PUT] = "PUT",
	[REQUEST_POST] = "POST",
	[REQUEST_DELETE] = "DELETE",
};

int request_method_parse(const char *text, enum request_method *ret)
{
	for (size_t i = 0; i < REQUEST_METHODS; i++) {
		if (strcmp(text, method_names[i]) == 0) {
			*ret = (enum request_method)i;
			return 0;
		}
	}
	if (strcmp(text, "HEAD") != 0)
		return -EINVAL;
	*ret = REQUEST_GET;
	return 0;
}

const char *request_method_name(enum request_method m)
{
	return method_names[m];
}

/* True when a media type, without its parameters, is `name`. */
static bool is_media_type(const char *value, const char *name)
{
	size_t len = strlen(name);

	value += strspn(value, " \t");
	if (strncasecmp(value, name, len) != 0)
		return false;
	value += len;
	value += strspn(value, " \t");
	return *value == '\0' || *value == ';' || *value == ',';
}

static bool is_yaml(const char *value)
{
	return is_media_type(value, "application/yaml") ||
	       is_media_type(value, "application/x-yaml") || is_media_type(value, "text/yaml") ||
	       is_media_type(value, "text/x-yaml");
}

static int read_content_type(struct request *r, const char *value, const char **ret_why)
{
	if (!value)
		r->body_type = REQUEST_BODY_GUESS;
	else if (is_media_type(value, "application/json"))
		r->body_type = REQUEST_BODY_JSON;
	else if (is_yaml(value))
		r->body_type = REQUEST_BODY_YAML;
	else if (r->body_len == 0)
		r->body_type = REQUEST_BODY_GUESS;
	else {
		*ret_why = "the body must be sent with Content-Type: application/json or "
			   "application/yaml";
		return 415;
	}
	return 0;
}

static int read_event_id(struct request *r, const char *value)
{
	uint64_t id = 0;

	if (!value)
		return 0;
	if (!*value || strlen(value) > 19 || value[strspn(value, "0123456789")])
		return -EINVAL;
	for (; *value; value++)
		id = id * 10 + (uint64_t)(*value - '0');
	r->has_last_event_id = true;
	r->last_event_id = id;
	return 0;
}

static int read_idempotency_key(struct request *r, const char *value)
{
	size_t len = value ? strlen(value) : 0;

	if (value && (len == 0 || len > REQUEST_ID_MAX))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (value[i] <= 0x20 || value[i] > 0x7e)
			return -EINVAL;
	}
	memcpy(r->idempotency_key, value ? value : "", len + 1);
	return 0;
}

int request_read_headers(struct request *r, const struct request_headers *h, const char **ret_why)
{
	*ret_why = NULL;
	if (etag_parse_match(h->if_match, &r->if_match) < 0)
		*ret_why = "If-Match must be * or a generation in quotes, as ETag gives it: \"17\"";
	else if (read_event_id(r, h->last_event_id) < 0)
		*ret_why = "Last-Event-ID must be the number of an event";
	else if (read_idempotency_key(r, h->idempotency_key) < 0)
		*ret_why =
			"Idempotency-Key must be 1 to 128 visible ASCII characters without spaces";
	if (*ret_why)
		return 400;
	r->wants_yaml = h->accept && is_yaml(h->accept);
	return read_content_type(r, h->content_type, ret_why);
}

static bool is_json(const struct request *r)
{
	return r->body_type == REQUEST_BODY_JSON ||
	       (r->body_type == REQUEST_BODY_GUESS && r->body[strspn(r->body, " \t\r\n")] == '{');
}

int request_document(const struct request *r, struct conf_problems *problems, struct conf **ret)
{
	return conf_parse(r->body, r->body_len, is_json(r) ? CONF_JSON : CONF_YAML, problems, ret);
}

static int parse_json(const struct request *r, json_t **ret, char why[REQUEST_WHY_SIZE])
{
	json_error_t error;
	json_t *value = json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, &error);

	if (value) {
		*ret = value;
		return 0;
	}
	snprintf(why, REQUEST_WHY_SIZE, "the body is not JSON: line %d, column %d: %.160s",
		error.line, error.column, error.text);
	return -EINVAL;
}

static int parse_text(const struct request *r, const struct field_kind *kind, json_t **ret,
	char why[REQUEST_WHY_SIZE])
{
	struct conf_problems problems = {0};
	int rc;

	if (!kind)
		return parse_json(r, ret, why);
	rc = document_parse(
		r->body, r->body_len, is_json(r) ? CONF_JSON : CONF_YAML, kind, &problems, ret);
	if (rc < 0)
		snprintf(why, REQUEST_WHY_SIZE, "%s",
			problems.count ? problems.items[0].what : "the body cannot be read");
	conf_problems_fini(&problems);
	return rc;
}

int request_object(const struct request *r, const struct field_kind *kind, json_t **ret,
	char why[REQUEST_WHY_SIZE])
{
	json_t *value = NULL;

	if (r->body_len == 0) {
		snprintf(why, REQUEST_WHY_SIZE, "the body must be an object, and is empty");
		return -EINVAL;
	}
	if (parse_text(r, kind, &value, why) < 0)
		return -EINVAL;
	if (json_is_object(value)) {
		*ret = value;
		return 0;
	}
	json_decref(value);
	snprintf(why, REQUEST_WHY_SIZE, "the body must be an object");
	return -EINVAL;
}
