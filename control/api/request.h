#pragma once
/*
 * One request as the resource families see it: method, target, the few headers
 * that matter, the whole body, and who asks. Filled by exchange from what the
 * HTTP server read; everything here is bounded and checked. Pure.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/field.h"
#include "control/access.h"
#include "control/api/etag.h"
#include "control/api/target.h"

#define REQUEST_BODY_MAX CONF_DOCUMENT_MAX /* bytes */
#define REQUEST_WAIT_MAX_MS 600000
#define REQUEST_ID_MAX 128 /* bytes of an Idempotency-Key */

enum request_method {
	REQUEST_GET, /* HEAD too: the server leaves the body out */
	REQUEST_PUT,
	REQUEST_POST,
	REQUEST_DELETE,
	REQUEST_METHODS
};

enum request_body { REQUEST_BODY_GUESS, REQUEST_BODY_JSON, REQUEST_BODY_YAML };

struct request {
	enum request_method method;
	struct target target;
	struct etag_match if_match;
	enum request_body body_type;
	bool wants_yaml; /* Accept prefers YAML */
	bool has_last_event_id;
	uint64_t last_event_id;
	char idempotency_key[REQUEST_ID_MAX + 1]; /* "" when absent */
	const char *body;                         /* borrowed; "" when none */
	size_t body_len;
	struct access access;
};

/* "GET" and so on: 0, or -EINVAL for a method that nothing here answers. */
int request_method_parse(const char *text, enum request_method *ret);
const char *request_method_name(enum request_method m);

/* The values of headers, NULL when absent; as sent. */
struct request_headers {
	const char *if_match, *content_type, *accept, *last_event_id, *idempotency_key;
};

/* Fills what comes from headers: 0; or an HTTP status to refuse with and a sentence in *ret_why
 * (static). */
int request_read_headers(struct request *r, const struct request_headers *h, const char **ret_why);

/* The body as a conf document: as conf_parse(). A body of unknown type is JSON when it begins like
 * an object. */
int request_document(const struct request *r, struct conf_problems *problems, struct conf **ret);

/*
 * The body as one object: 0 and an owned value, or -EINVAL with a sentence in
 * why. With a kind (borrowed) YAML is fine too and gets that kind's types; NULL: JSON only.
 */
#define REQUEST_WHY_SIZE 512
int request_object(const struct request *r, const struct field_kind *kind, json_t **ret,
	char why[REQUEST_WHY_SIZE]);
