/* See token.h. */
#include "data/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define USE "sticky"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int token_keys_derive(const struct seal_keys *keys, struct token_keys *ret)
{
	struct token_keys k = {0};
	int rc;

	for (; k.count < BOARD_TOKENS; k.count++) {
		rc = seal_keys_derive(keys, k.count, USE, k.keys[k.count]);
		if (rc == SEAL_NO_KEY)
			break;
		if (rc < 0)
			return rc;
	}
	*ret = k;
	return 0;
}

void token_make(const unsigned char key[SEAL_KEY_SIZE], const char *stack, const char *pool,
	const char *server, unsigned char ret[BOARD_TOKEN_SIZE])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char text[4 * CONF_NAME_SIZE];
	unsigned len;

	/* Names hold no slash: no two triples give the same text. */
	snprintf(text, sizeof text, "%s/%s/%s", stack, pool, server);
	if (!HMAC(EVP_sha256(), key, SEAL_KEY_SIZE, (const unsigned char *)text, strlen(text), mac,
		    &len))
		abort(); /* of memory it cannot fail but for lack of memory */
	memcpy(ret, mac, BOARD_TOKEN_SIZE);
}

static void write_pool(struct board *b, const struct conf *c, const struct conf_pool *p,
	const uint32_t *slots, const struct token_keys *keys)
{
	for (size_t i = 0; i < p->servers_count; i++) {
		struct board_object *o = &b->objects[slots[i]];

		for (unsigned k = 0; k < keys->count; k++)
			token_make(
				keys->keys[k], c->stack, p->name, p->servers[i].name, o->tokens[k]);
		for (unsigned k = keys->count; k < BOARD_TOKENS; k++)
			memset(o->tokens[k], 0, BOARD_TOKEN_SIZE);
	}
}

void token_write(
	struct board *b, const struct conf *c, const uint32_t *slots, const struct token_keys *keys)
{
	slots += c->listeners_count;
	for (size_t i = 0; i < c->pools_count; i++) {
		const struct conf_pool *p = &c->pools[i];

		if (p->sticky && p->sticky->method == CONF_STICKY_COOKIE)
			write_pool(b, c, p, slots + 1, keys);
		slots += 1 + p->servers_count;
	}
}

void token_print(const unsigned char token[BOARD_TOKEN_SIZE], char text[TOKEN_TEXT_SIZE])
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (unsigned i = 0; i < BOARD_TOKEN_SIZE; i++) {
		bits = bits << 8 | token[i];
		for (held += 8; held >= 6;) {
			held -= 6;
			*text++ = digits[bits >> held & 63];
		}
	}
	*text = digits[bits << (6 - held) & 63];
}

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool token_parse(const char *text, size_t len, unsigned char ret[BOARD_TOKEN_SIZE])
{
	unsigned char token[BOARD_TOKEN_SIZE];
	uint32_t bits = 0;
	unsigned held = 0, n = 0;

	if (len != TOKEN_TEXT_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8 && n < BOARD_TOKEN_SIZE) {
			held -= 8;
			token[n++] = (unsigned char)(bits >> held);
		}
	}
	if (bits & ((1u << held) - 1)) /* another text for the same bytes */
		return false;
	memcpy(ret, token, sizeof token);
	return true;
}
