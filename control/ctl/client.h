#pragma once
/*
 * Shell: HTTP to the API of one node, over its unix socket or http(s), and the
 * only door to libcurl. One request at a time.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define CLIENT_BODY_MAX (64u << 20) /* bytes of an answer */
#define CLIENT_WHY_SIZE 512

struct client;

struct client_request {
	const char *method;       /* "GET" */
	const char *path;         /* "/v1/status?stack=shop"; escaped where needed */
	const char *content_type; /* NULL: no body */
	const char *body;         /* borrowed */
	size_t body_len;
	long timeout_ms; /* for the whole exchange */
};

struct client_answer {
	long status;
	json_t *json; /* owned; NULL when the body is no JSON */
	char *text;   /* owned: the body when it is no JSON; NULL: empty */
};

/*
 * server: "unix:PATH" or "http(s)://HOST[:PORT]"; token: NULL, or the bearer
 * token (copied). 0 and a client, or -EINVAL with a sentence in why.
 */
int client_open(
	const char *server, const char *token, struct client **ret, char why[CLIENT_WHY_SIZE]);
void client_close(struct client *c);

/* 0 and an answer of any status; or -ECONNREFUSED with a sentence when the API gave none. */
int client_ask(struct client *c, const struct client_request *request, struct client_answer *ret,
	char why[CLIENT_WHY_SIZE]);
void client_answer_fini(struct client_answer *a);

/*
 * Follows a stream of server-sent events: take gets the bytes as they come.
 * Returns when the stream ends: 0 after it began; -ECONNREFUSED as above. A
 * refusal is an answer in *ret and nothing was taken.
 */
int client_follow(struct client *c, const char *path, const char *last_event_id,
	void (*take)(void *user, const char *bytes, size_t len), void *user,
	struct client_answer *ret, char why[CLIENT_WHY_SIZE]);
