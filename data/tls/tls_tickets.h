#pragma once
/*
 * Core: the keys that session tickets are sealed with (RFC 5077, RFC 8446
 * 4.6.1): a ring on the board. The supervisor makes a new key every
 * TLS_TICKETS_ROTATE_MS; all workers seal with the newest and open with any of
 * the newest TLS_TICKETS_OPEN. So a client that any worker of this node has
 * served resumes at every other one, after a worker's death and a supervisor's
 * replacement too. The board is memory only and left out of core dumps: when
 * the last process of the wing ends, so do the keys.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TLS_TICKETS_ROTATE_MS (12ll * 3600 * 1000)
#define TLS_TICKETS_LIFETIME_S (12l * 3600) /* told to clients; a key opens for twice as long */
#define TLS_TICKETS_OPEN 3
#define TLS_TICKETS_RING 4 /* one more: the place of the next key is nobody's to read */
#define TLS_TICKET_NAME 16

struct tls_ticket_key {
	unsigned char name[TLS_TICKET_NAME];
	unsigned char cipher[32], mac[32];
	int64_t made_ms;
};

struct tls_tickets {
	_Atomic uint64_t made; /* keys so far; the newest lies at (made - 1) % TLS_TICKETS_RING */
	struct tls_ticket_key keys[TLS_TICKETS_RING];
};

/* It is time for another key (there is none, or the newest is old). Times are CLOCK_BOOTTIME. */
bool tls_tickets_is_due(const struct tls_tickets *t, int64_t now_ms);
/* A new key of these random bytes. One process at a time. */
#define TLS_TICKETS_RANDOM (TLS_TICKET_NAME + 64)
void tls_tickets_rotate(
	struct tls_tickets *t, const unsigned char random[TLS_TICKETS_RANDOM], int64_t now_ms);

/* The key to seal with, or NULL: none yet. */
const struct tls_ticket_key *tls_tickets_newest(const struct tls_tickets *t);
/* The key of that name if it still opens, else NULL; *ret_is_old: seal anew. */
const struct tls_ticket_key *tls_tickets_find(
	const struct tls_tickets *t, const unsigned char name[TLS_TICKET_NAME], bool *ret_is_old);
