#pragma once
/*
 * Core: what a client's cookie names its server by: 16 bytes that only a holder
 * of the key can make (HMAC-SHA256 over stack, pool and server, cut), the same
 * on all nodes of a cluster and after every restart. They are name and
 * signature in one: a worker looks them up and computes nothing, and they tell
 * nobody what the server is called or where it is. The supervisor, who alone
 * has the key, writes them on the board.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "common/seal.h"
#include "data/board.h"

#define TOKEN_TEXT_SIZE 22 /* in base64url, without padding (RFC 4648 section 5); no NUL */

/* The subkeys for tokens: the newest, and the one before it. */
struct token_keys {
	unsigned char keys[BOARD_TOKENS][SEAL_KEY_SIZE];
	unsigned count; /* 0: no tokens */
};

/* 0 or -ENOMEM. */
int token_keys_derive(const struct seal_keys *keys, struct token_keys *ret);
/* Writes the tokens of all servers of sticky pools; slots as slots_assign() gave them. */
void token_write(
	struct board *b, const struct conf *c, const uint32_t *slots, const struct token_keys *keys);

void token_make(const unsigned char key[SEAL_KEY_SIZE], const char *stack, const char *pool,
	const char *server, unsigned char ret[BOARD_TOKEN_SIZE]);
void token_print(const unsigned char token[BOARD_TOKEN_SIZE], char text[TOKEN_TEXT_SIZE]);
/* Exactly TOKEN_TEXT_SIZE characters, as token_print() writes them: true when they are one. */
bool token_parse(const char *text, size_t len, unsigned char ret[BOARD_TOKEN_SIZE]);
