#pragma once
/*
 * Shell: what the nodes of a stack say to each other beside VRRP: heartbeats
 * each peer_check_interval, and the `take` and `taken` of a hand-over (decision
 * V3), as UDP on ha.port, sealed with the cluster key. It sends, opens and
 * counts; peer.h judges. Without a cluster key nothing is sent, nobody is known
 * to live, and VRRP goes on as if alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/seal.h"
#include "vrrpd/peer.h"

#define HEARTBEAT_PEERS_MAX 64
#define HEARTBEAT_DRAIN_MAX 256 /* frames taken from the socket in one turn */

struct heartbeat;

struct heartbeat_handlers {
	/* Fills in what our next heartbeat tells: generation, vips and their count. */
	void (*compose)(void *user, struct peer_message *m);
	/* A peer's state, or what it tells, may have changed. */
	void (*changed)(void *user, const char *node);
	/* A peer that is Active asks us to take a VIP; answer with heartbeat_answer(). */
	void (*asked)(void *user, const char *node, const struct peer_message *m);
	/* A peer answers our `take`. */
	void (*answered)(void *user, const char *node, const struct peer_message *m);
};

struct heartbeat_counters {
	uint64_t sent, received, send_errors;
	uint64_t refused[SEAL_REFUSALS]; /* frames that could not be opened, by cause */
	uint64_t malformed, strangers, replayed, unproven;
};

/* 0 and a heartbeat without peers, or a negative errno. Takes keys (NULL: none); keeps the rest. */
int heartbeat_open(uv_loop_t *loop, const char *node, struct seal_keys *keys,
	const struct heartbeat_handlers *handlers, void *user, struct heartbeat **ret);
/* Frees h; no handler is called any more. Not from within a handler. NULL is fine. */
void heartbeat_close(struct heartbeat *h);

/*
 * Makes the other instances of c that serve VIPs the peers, and listens on our
 * own ha.port. Peers that stay keep what is known of them. 0, or the negative
 * errno of the socket (peers are set all the same); -E2BIG beyond HEARTBEAT_PEERS_MAX.
 */
int heartbeat_configure(struct heartbeat *h, const struct conf *c, struct mono now);

/* Receives all that waits in the socket now, at most HEARTBEAT_DRAIN_MAX frames. */
void heartbeat_drain(struct heartbeat *h);
/* Sends and judges what is due. */
void heartbeat_tick(struct heartbeat *h, struct mono now);
struct mono heartbeat_deadline(const struct heartbeat *h);

/* The peers, in the order of the document. index is below the count. Borrowed until the next
 * configure. */
size_t heartbeat_peers(const struct heartbeat *h);
/* False without a cluster key: then no peer is ever heard, or missed. */
bool heartbeat_has_key(const struct heartbeat *h);
const char *heartbeat_name(const struct heartbeat *h, size_t index);
const struct peer *heartbeat_peer(const struct heartbeat *h, size_t index);
/* peer_age_ns() of a message that has just come from node; INT64_MAX: no peer has that name. */
int64_t heartbeat_age_ns(
	const struct heartbeat *h, const char *node, const struct peer_message *m, struct mono now);
/* The first address of that family at which it is known to be reached, with its ha.port; NULL:
 * none, or its name is not resolved yet. */
const struct addr *heartbeat_address(const struct heartbeat *h, size_t index, int family);

/* Sends one TAKE or TAKEN, of which the caller fills in all but node and echo: 0, or -ENOENT for no
 * such peer, or no key. */
int heartbeat_send(struct heartbeat *h, const char *node, struct peer_message *m);

const struct heartbeat_counters *heartbeat_counters(const struct heartbeat *h);
