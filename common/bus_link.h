#pragma once
/*
 * Shell: an nng socket on a uv loop that dials another daemon, and the only
 * file that includes nng. Not the healing itself, which is decided in
 * bus_peer.c; this gives it bus_link_renew(). A raw REQ socket is used: it
 * carries any number of requests at once and resends nothing by itself.
 *
 * Surprises of nng 1.5.2 that are hidden here: a non-blocking send may be
 * refused for a moment (-EAGAIN, the caller keeps the message); its dialer dies
 * for ever when a connection ends during the handshake (renew cures; its
 * listener has that fault too: bus_gate.h); closing a socket may wait for ever
 * (so that is left to the end of the process).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum bus_link_role { BUS_LINK_ASK, BUS_LINK_SUBSCRIBE };

struct bus_link;

/* A message has arrived (borrowed). */
typedef void bus_link_handler(void *user, const void *data, size_t len);

/*
 * Opens a socket of that role for the unix socket path, and dials it if
 * somebody listens there: 0, or a negative errno. Messages are given to handler from the loop.
 */
int bus_link_open(uv_loop_t *loop, enum bus_link_role role, const char *path,
	bus_link_handler *handler, void *user, struct bus_link **ret);
/* Frees the link later, from the loop, and then calls closed(user). Nothing is delivered any more. */
void bus_link_close(struct bus_link *l, void (*closed)(void *user), void *user);

/*
 * Dials anew, which drops a live connection. With nobody there the link rests: a dialer of nng
 * that finds nobody costs 2 to 3 % of a core.
 */
void bus_link_renew(struct bus_link *l);
/* A link at rest is dialed once somebody listens: true when it was. Costs three system calls. */
bool bus_link_seek(struct bus_link *l);

/* Delivers what has arrived, at most a few hundred messages. Called by the loop, and before time-outs are judged. */
void bus_link_drain(struct bus_link *l);

/* Never waits. 0; -EAGAIN: nobody to take it just now; another negative errno. Only BUS_LINK_ASK. */
int bus_link_send(struct bus_link *l, const void *data, size_t len);
