/* See client.h. */
#include "control/ctl/client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#define CONNECT_TIMEOUT_MS 5000l
#define URL_SIZE 4096
#define KEEPALIVE_S 30l

struct client {
	CURL *curl;
	char *server;        /* as given, for messages */
	char *base;          /* "http://localhost" */
	char *socket_path;   /* NULL: not a unix socket */
	char *authorization; /* a header line, or NULL */
};

/* Where an answer goes: a stream while its status is 200, else the body. */
struct sink {
	struct client *client;
	struct buf body;
	void (*take)(void *user, const char *bytes, size_t len); /* NULL: no stream */
	void *user;
};

static int set_server(struct client *c, const char *server, char why[CLIENT_WHY_SIZE])
{
	size_t len = strlen(server);

	c->server = strdup(server);
	if (strncmp(server, "unix:", 5) == 0 && server[5]) {
		c->socket_path = strdup(server + 5);
		c->base = strdup("http://localhost");
	} else if (strncmp(server, "http://", 7) == 0 || strncmp(server, "https://", 8) == 0) {
		while (len > 0 && server[len - 1] == '/')
			len--;
		c->base = strndup(server, len);
	} else {
		snprintf(why, CLIENT_WHY_SIZE,
			"the server is unix:PATH or http(s)://HOST:PORT, not %.200s", server);
		return -EINVAL;
	}
	return 0;
}

static int set_token(struct client *c, const char *token, char why[CLIENT_WHY_SIZE])
{
	if (!token)
		return 0;
	if (strpbrk(token, "\r\n") ||
		asprintf(&c->authorization, "Authorization: Bearer %s", token) < 0) {
		c->authorization = NULL;
		snprintf(why, CLIENT_WHY_SIZE, "the token must be one line");
		return -EINVAL;
	}
	return 0;
}

int client_open(
	const char *server, const char *token, struct client **ret, char why[CLIENT_WHY_SIZE])
{
	struct client *c = calloc(1, sizeof *c);

	assert(c);
	c->curl = curl_easy_init();
	assert(c->curl);
	if (set_server(c, server, why) < 0 || set_token(c, token, why) < 0) {
		client_close(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c->server);
	free(c->base);
	free(c->socket_path);
	free(c->authorization);
	free(c);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *user)
{
	struct sink *sink = user;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(sink->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (sink->take && status == 200)
		sink->take(sink->user, bytes, len);
	else
		buf_add(&sink->body, bytes, len);
	return sink->body.failed ? 0 : len;
}

static struct curl_slist *headers_of(
	const struct client *c, const char *content_type, const char *event_id)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	char line[256];

	if (c->authorization)
		list = curl_slist_append(list, c->authorization);
	if (content_type) {
		snprintf(line, sizeof line, "Content-Type: %s", content_type);
		list = curl_slist_append(list, line);
	}
	if (event_id && *event_id) {
		snprintf(line, sizeof line, "Last-Event-ID: %s", event_id);
		list = curl_slist_append(list, line);
	}
	return list;
}

static void prepare(struct client *c, const char *path, struct sink *sink)
{
	char url[URL_SIZE];

	curl_easy_reset(c->curl);
	snprintf(url, sizeof url, "%s%s", c->base, path);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	if (c->socket_path) {
		curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket_path);
		curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
	}
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "ballastctl/" BALLAST_VERSION);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, sink);
}

static const char *advice(const struct client *c, CURLcode code)
{
	if (code == CURLE_COULDNT_CONNECT && c->socket_path)
		return " (is ballast-control running, and may you open its socket?)";
	if (code == CURLE_COULDNT_CONNECT)
		return " (is ballast-control running, and does it listen there?)";
	return "";
}

/* Performs what is prepared: the answer's body is in sink. */
static int perform(struct client *c, struct curl_slist *headers, struct sink *sink,
	struct client_answer *ret, char why[CLIENT_WHY_SIZE])
{
	long status = 0;
	CURLcode code;

	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(c->curl);
	curl_slist_free_all(headers);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK && !(sink->take && status == 200)) {
		snprintf(why, CLIENT_WHY_SIZE, "no answer from the API at %.200s: %s%s", c->server,
			curl_easy_strerror(code), advice(c, code));
		return -ECONNREFUSED;
	}
	ret->status = status;
	ret->json = json_loadb(buf_text(&sink->body), sink->body.len, JSON_DECODE_ANY, NULL);
	if (!ret->json) {
		ret->text = sink->body.data; /* taken */
		buf_init(&sink->body, CLIENT_BODY_MAX);
	}
	return 0;
}

int client_ask(struct client *c, const struct client_request *request, struct client_answer *ret,
	char why[CLIENT_WHY_SIZE])
{
	struct sink sink = {.client = c};
	int rc;

	buf_init(&sink.body, CLIENT_BODY_MAX);
	prepare(c, request->path, &sink);
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	if (request->content_type) {
		curl_easy_setopt(
			c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, request->body);
	}
	rc = perform(c, headers_of(c, request->content_type, NULL), &sink, ret, why);
	buf_fini(&sink.body);
	return rc;
}

void client_answer_fini(struct client_answer *a)
{
	json_decref(a->json);
	free(a->text);
	*a = (struct client_answer){0};
}

int client_follow(struct client *c, const char *path, const char *last_event_id,
	void (*take)(void *user, const char *bytes, size_t len), void *user,
	struct client_answer *ret, char why[CLIENT_WHY_SIZE])
{
	struct sink sink = {.client = c, .take = take, .user = user};
	int rc;

	buf_init(&sink.body, CLIENT_BODY_MAX);
	prepare(c, path, &sink);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPALIVE, 1l);
	curl_easy_setopt(c->curl, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	rc = perform(c, headers_of(c, NULL, last_event_id), &sink, ret, why);
	buf_fini(&sink.body);
	return rc;
}
