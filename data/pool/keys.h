#pragma once
/*
 * Core: the servers of a pool by what its clients know them by: the tokens of
 * cookies (board.h) and the hashes of the table of clients (stick.h). Built for
 * each generation of a pool that is sticky; servers that were removed are not in it.
 */
#include <stddef.h>
#include <stdint.h>

struct pool;
struct server;

struct key {
	uint64_t key;
	struct server *server;
};

struct keys {
	struct key *items; /* in order of key */
	size_t count, capacity;
};

int keys_build(struct keys *k, struct pool *p); /* 0 or -ENOMEM */
void keys_fini(struct keys *k);

/* BOARD_TOKEN_SIZE bytes: the server, or NULL. */
struct server *keys_find_token(const struct keys *k, const unsigned char *token);
struct server *keys_find_hash(const struct keys *k, uint32_t hash);
/* What stick.h remembers a server by. */
uint32_t keys_hash_of(const struct server *s);
