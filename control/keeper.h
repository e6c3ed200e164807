#pragma once
/*
 * Shell: keeps the picture in step with the store. Loads what was announced,
 * writes our heartbeat each second, brings events there and back, ends overlays
 * whose time is over, and remembers the last good snapshot for a start without
 * store. Judges nothing.
 */
#include <uv.h>

#include "common/nodefile.h"
#include "control/event.h"
#include "control/journal.h"
#include "control/picture.h"
#include "control/store.h"

#define KEEPER_EVENTS_MAX 1000 /* events waiting for the store; older ones are dropped */
#define KEEPER_CALL_MS 5000

struct keeper;

struct keeper_handlers {
	/* The picture changed: stacks, overlays, nodes, or the store's state. */
	void (*changed)(void *user);
	/* The journal has new events. */
	void (*events)(void *user);
};

/*
 * Opens the store and starts from the last good snapshot: 0, or a negative
 * errno after logging why. Loop, node file, picture, journal and handlers are
 * kept. A store that is away is no error.
 */
int keeper_open(uv_loop_t *loop, const struct nodefile *nodefile, struct picture *picture,
	struct journal *journal, const struct keeper_handlers *handlers, void *user,
	struct keeper **ret);
/* Leaves the cluster in order (others see us away at once), then closes; closed(user) follows. */
void keeper_close(struct keeper *k, void (*closed)(void *user), void *user);

struct store *keeper_store(struct keeper *k);
/* Text that no other request id has, for writes without an Idempotency-Key. */
#define KEEPER_REQUEST_SIZE 64
void keeper_request_id(struct keeper *k, char id[KEEPER_REQUEST_SIZE]);

/*
 * Sets or (row NULL) clears an overlay on this node alone, for while the store is
 * away; it is brought to the store when that is back. 0; -EBUSY with a sentence
 * when the store's own is more restrictive or was never read; a negative errno with
 * a sentence when it cannot be kept.
 */
#define KEEPER_WHY_SIZE 512
int keeper_set_local(struct keeper *k, const char *stack, const char *key, const json_t *row,
	char why[KEEPER_WHY_SIZE]);
/* Loads the store's picture soon; changed() follows. */
void keeper_load(struct keeper *k);
/* Something about us is news to others: write the heartbeat soon, and announce it. */
void keeper_announce(struct keeper *k);
/* Takes an event (NULL is fine) and brings it to the store and everybody's journal. */
void keeper_event(struct keeper *k, json_t *event);
/* Where our events happen; borrowed until the next change of the picture. */
struct event_place keeper_place(const struct keeper *k);
