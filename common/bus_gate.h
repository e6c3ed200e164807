#pragma once
/*
 * Shell: one of our own endpoints: a unix socket that speaks nng's wire, and
 * its guests. Not nng's own listener, for two faults of 1.5.2 that were
 * measured: one connection that ends during the handshake kills it for ever,
 * and every connection it accepts from then on keeps its descriptor even when
 * it is listened anew (17,000 leaked by 30 s of strangers). Here a stranger
 * costs himself alone: guests, waits and sizes are bounded, credentials are
 * looked at when he enters.
 */
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "common/clock.h"

enum bus_gate_kind { BUS_GATE_REPLY, BUS_GATE_PUBLISH };

#define BUS_GATE_GUESTS_MAX 256 /* one more puts out the one that came first and never spoke */

struct bus_gate;
struct bus_guest;

struct bus_gate_handlers {
	/* A whole message of a guest (REPLY: without its way back). Borrowed. */
	void (*message)(void *user, struct bus_guest *guest, const void *data, size_t len);
	/* Somebody was shown the door: a sentence why. */
	void (*stranger)(void *user, pid_t pid, const char *why);
};

/*
 * Listens at path (mode 0660), in place of a socket file that nobody serves: 0,
 * -EADDRINUSE when somebody does, or another negative errno. handlers and user are kept.
 */
int bus_gate_open(uv_loop_t *loop, enum bus_gate_kind kind, const char *path,
	const struct bus_gate_handlers *handlers, void *user, struct bus_gate **ret);
/* Frees it later, from the loop, and then calls closed(user). */
void bus_gate_close(struct bus_gate *g, void (*closed)(void *user), void *user);

/* Listens anew; guests stay: 0, or a negative errno (try again later). */
int bus_gate_renew(struct bus_gate *g);
/* Shows out whoever has not greeted in time. To be called every few ten milliseconds. */
void bus_gate_tick(struct bus_gate *g, struct mono now);

/* To every guest; one that reads too slowly misses it (and notices by the sequence). */
void bus_gate_publish(struct bus_gate *g, const void *data, size_t len);

/* Within message() only: the answer to it. A guest that does not read his answers is shown out. */
void bus_guest_reply(struct bus_guest *guest, const void *data, size_t len);
uid_t bus_guest_uid(const struct bus_guest *guest);
pid_t bus_guest_pid(const struct bus_guest *guest);
