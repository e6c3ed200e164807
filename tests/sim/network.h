#pragma once
/*
 * A seeded, lossy network in virtual time: a segment for each VIP that carries
 * advertisements and one channel between peers. It delays, reorders, loses,
 * duplicates and divides; it never damages (the codecs have tests of their own).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rand.h"
#include "tests/sim/scene.h"

#define NETWORK_PACKETS_MAX 4096
#define NETWORK_BYTES_MAX 320

enum network_path { NETWORK_SEGMENT, NETWORK_SECOND, NETWORK_CHANNEL, NETWORK_PATHS };

struct packet {
	int64_t at_ns;  /* of arrival */
	uint64_t order; /* among equal times */
	enum network_path path;
	size_t from, to, len;
	uint8_t data[NETWORK_BYTES_MAX];
};

struct network {
	struct rand_state *rand;
	size_t nodes;
	unsigned loss_permille, duplicates_permille;
	int64_t delay_ns; /* the greatest; each packet's own is drawn, so they overtake */
	unsigned side[NETWORK_PATHS][SCENE_NODES_MAX]; /* different sides do not hear each other */
	bool is_deaf[SCENE_NODES_MAX];                 /* hears nothing, but is heard */
	bool keeps_order; /* a calm segment does not reorder what one sends to another */
	int64_t last_ns[NETWORK_PATHS][SCENE_NODES_MAX]
		       [SCENE_NODES_MAX];  /* arrival of the last, from, to */
	size_t announcer[NETWORK_PATHS][SCENE_NODES_MAX]; /* whom the neighbours beside each node believe */
	uint64_t order;
	size_t count;
	struct packet packets[NETWORK_PACKETS_MAX]; /* a heap by arrival */
};

void network_init(struct network *n, struct rand_state *rand, size_t nodes, int64_t delay_ns);
/* Whole, and without loss, from now on; what is under way arrives as it was sent. */
void network_heal(struct network *n, int64_t delay_ns);
bool network_connects(const struct network *n, enum network_path path, size_t a, size_t b);

/* From one to one, or to all others that are connected. */
void network_send(struct network *n, int64_t now_ns, const struct packet *p);
void network_broadcast(struct network *n, int64_t now_ns, const struct packet *p);

/* Neighbours on that side of the segment learn where the address is. */
void network_announce(struct network *n, enum network_path path, size_t from);

/* When the next packet arrives; INT64_MAX: none is under way. */
int64_t network_next(const struct network *n);
/* Takes it: true, or false when it was cut off on its way. */
bool network_take(struct network *n, struct packet *ret);
