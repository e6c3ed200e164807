/* See affinity.h. */
#include "data/http/affinity.h"

#include <string.h>

#include "data/http/client.h"

/* The value of the first field of that name, or an empty run. */
static struct h1_run find_field(const struct h1_head *h, const char *data, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < h->fields_count; i++)
		if (h->fields[i].name.len == len &&
			h1_is_same(data + h->fields[i].name.start, name, len))
			return h->fields[i].value;
	return (struct h1_run){0};
}

static uint64_t key_of_address(const struct client *c)
{
	return wish_hash_address(&c->peer);
}

static void note_hash(struct client *c, const char *data)
{
	struct request *r = c->request;
	struct affinity *a = &r->origin.affinity;
	enum pool_hash kind = pool_hash_of(r->origin.pool);
	struct h1_run value = {0};

	if (kind == POOL_HASH_NONE)
		return;
	if (kind == POOL_HASH_HEADER)
		value = find_field(&r->head, data, pool_conf(r->origin.pool)->hash_header);
	a->has_hash = true;
	a->hash = value.len ? wish_hash(data + value.start, value.len) : key_of_address(c);
}

static void note_stick(struct client *c, const struct conf_sticky *s, const char *data)
{
	struct request *r = c->request;
	struct affinity *a = &r->origin.affinity;
	struct h1_run value;

	if (s->method == CONF_STICKY_SOURCE) {
		a->has_stick = true;
		a->stick = key_of_address(c);
		return;
	}
	value = find_field(&r->head, data, s->name);
	a->has_stick = value.len > 0;
	a->stick = a->has_stick ? wish_hash(data + value.start, value.len) : 0;
}

/* The first cookie that names a server of the pool; others are as if they were not there. */
static void note_cookie(struct client *c, const struct conf_sticky *s, char *data)
{
	struct request *r = c->request;
	struct affinity *a = &r->origin.affinity;
	struct sticky_cookie cookie;
	uint32_t at = 0;
	bool is_unknown = false;

	while (!a->has_token && sticky_next(s, data, &r->head, &at, &cookie)) {
		a->has_token = pool_find_token(r->origin.pool, cookie.token);
		is_unknown = !a->has_token;
		if (a->has_token)
			memcpy(a->token, cookie.token, sizeof a->token);
		if (s->mode == CONF_STICKY_PREFIX)
			sticky_strip(data, &r->head, &cookie);
	}
	if (is_unknown)
		board_add(pool_cells(r->origin.pool), BOARD_POOL_FORGED, 1);
}

void affinity_note(struct client *c)
{
	struct request *r = c->request;
	char *data = (char *)io_buffer_head(c->in);
	const struct conf_sticky *s;

	if (!r->origin.pool)
		return;
	note_hash(c, data);
	s = pool_conf(r->origin.pool)->sticky;
	if (s && s->method == CONF_STICKY_COOKIE)
		note_cookie(c, s, data);
	else if (s)
		note_stick(c, s, data);
}

void affinity_wish(const struct client *c, struct pool_wish *ret)
{
	const struct origin *o = &c->request->origin;
	const struct affinity *a = &o->affinity;

	*ret = (struct pool_wish){.has_hash = a->has_hash,
		.hash = a->hash,
		.has_stick = a->has_stick,
		.stick = a->stick,
		.is_retry = c->exchange.tries > 0};
	if (a->has_token)
		ret->before = pool_find_token(o->pool, a->token);
}

/* Whether the client is to be told of another server than it knows; its token is *ret. */
static const unsigned char *news_for(const struct client *c)
{
	static const unsigned char none[BOARD_TOKEN_SIZE];
	const struct origin *o = &c->request->origin;
	const unsigned char *token = o->use.server->object->tokens[0];

	if (o->use.is_aside || memcmp(token, none, sizeof none) == 0)
		return NULL;
	return token;
}

void affinity_answer(const struct client *c, const char *data, struct affinity_cookie *ret)
{
	const struct origin *o = &c->request->origin;
	const struct conf_sticky *s = o->pool ? pool_conf(o->pool)->sticky : NULL;
	const unsigned char *token;

	ret->lines = (struct rewrite_run){0};
	ret->splice.len = 0;
	if (!s || s->method != CONF_STICKY_COOKIE || !o->use.server)
		return;
	token = news_for(c);
	if (!token)
		return;
	if (s->mode == CONF_STICKY_INSERT) {
		if (o->affinity.has_token &&
			memcmp(token, o->affinity.token, BOARD_TOKEN_SIZE) == 0)
			return;
		ret->lines = (struct rewrite_run){ret->text, sticky_print(s, token, ret->text)};
		return;
	}
	if (!sticky_find_set(
		    s, data, &c->request->response.head, &ret->splice.field, &ret->splice.run))
		return;
	token_print(token, ret->splice.text);
	ret->splice.len = TOKEN_TEXT_SIZE;
	if (s->mode == CONF_STICKY_PREFIX)
		ret->splice.text[ret->splice.len++] = STICKY_PREFIX_END;
}
