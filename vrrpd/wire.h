#pragma once
/*
 * Shell: VRRP packets in and out of one interface in one address family: a raw
 * socket of IP protocol 112 bound to the interface, and a packet socket for
 * announcements. It knows addresses and hop limits, not what a packet says:
 * that is advert.h. One wire serves all VIPs of its interface and family.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/addr.h"
#include "vrrpd/advert.h"

#define WIRE_DRAIN_MAX 1024 /* packets taken from the socket in one turn */

struct wire;

/* A packet came; what it says is borrowed. */
typedef void wire_receive(void *user, const struct advert_packet *p);

struct wire_counters {
	uint64_t received, sent, send_errors;
	uint64_t refused[ADVERT_REFUSALS]; /* before anybody was told of them */
};

/*
 * Opens the wire of an interface (family AF_INET or AF_INET6) and joins
 * 224.0.0.18 or ff02::12 (RFC 9568, 5.1.1.2 and 5.1.2.2): 0, or a negative
 * errno; -EPERM without CAP_NET_RAW. The loop and user are kept. Packets are
 * given to receive from the loop or from wire_drain().
 */
int wire_open(uv_loop_t *loop, int interface_index, int family, wire_receive *receive, void *user,
	struct wire **ret);
/* Frees w when the loop has let go of it; nothing is received any more. NULL is fine. */
void wire_close(struct wire *w);

/* Receives all that waits in the socket now, at most WIRE_DRAIN_MAX packets. */
void wire_drain(struct wire *w);

/*
 * The interface's primary address (IPv6: its link-local one), whose packets
 * are dropped as our own. Family 0: there is none.
 */
void wire_set_primary(struct wire *w, const struct addr *primary);
const struct addr *wire_primary(const struct wire *w);

/* The group of a family: 224.0.0.18 or ff02::12. */
struct addr wire_group(int family);
bool wire_is_group(const struct addr *a);

/*
 * Sends a message with hop limit 255 from one of our addresses to the group or
 * a router: 0; -EADDRNOTAVAIL when source has no family; -ENOBUFS when the
 * device's queue is full; another negative errno (-ENETUNREACH or -EINVAL: source is none of ours).
 */
int wire_send(struct wire *w, const struct addr *source, const struct addr *to, const void *data,
	size_t size);

/* Sends a whole Ethernet frame (gratuitous ARP, unsolicited neighbour advertisement): 0 or a
 * negative errno. */
int wire_send_frame(struct wire *w, const void *frame, size_t size);

const struct wire_counters *wire_counters(const struct wire *w);
