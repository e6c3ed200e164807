#pragma once
/*
 * Core: the flows of a udp listener in one worker, found by who talks to whom,
 * and ordered by their last datagram, so that the one that has been silent
 * longest is at hand. Entries are embedded in what the shell knows of a flow
 * (udp_flow.h). Called by udp.c.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/list.h"

/* Who talks to whom. Zero-initialise: it is compared as it lies in memory. */
struct udp_key {
	const void *port;          /* the socket it came through */
	uint8_t client[16];        /* address */
	uint8_t local[16];         /* where to; zeros where the socket has one address only */
	uint16_t client_port, families; /* of both */
	uint32_t scope;
};

void udp_key_init(struct udp_key *k, const void *port, const struct addr *client,
	const struct addr *local); /* local NULL: the socket's */

struct udp_entry {
	struct udp_key key;
	uint64_t hash;
	struct udp_entry *next; /* in its bucket */
	struct list age;        /* the newest datagram last */
	int64_t used_ms;
};

struct udp_table {
	struct udp_entry **buckets; /* a power of two of them */
	size_t size, count;
	uint64_t seed;
	struct list ages;
};

void udp_table_init(struct udp_table *t, uint64_t seed);
void udp_table_fini(struct udp_table *t); /* must be empty */

struct udp_entry *udp_table_find(const struct udp_table *t, const struct udp_key *key);
/* A key that is not there: 0, or -ENOMEM. */
int udp_table_add(
	struct udp_table *t, struct udp_entry *e, const struct udp_key *key, int64_t now_ms);
void udp_table_remove(struct udp_table *t, struct udp_entry *e);
/* A datagram came or went. */
void udp_table_touch(struct udp_table *t, struct udp_entry *e, int64_t now_ms);
/* The one that has been silent longest; NULL: none is there. */
struct udp_entry *udp_table_oldest(const struct udp_table *t);
void udp_table_check(const struct udp_table *t); /* asserts every invariant; for tests */
