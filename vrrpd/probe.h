#pragma once
/*
 * Asking a segment whether somebody else has an address before it is taken:
 * ARP Probes (RFC 5227 2.1.1) and Neighbor Solicitations as duplicate address
 * detection sends them (RFC 4862 5.4) as whole Ethernet frames, what counts as
 * an answer, and when to ask. It is asked while a node that starts waits for an
 * Active, so it delays nothing; vip_probe sends and acts on it.
 */
#include <net/ethernet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"

#define PROBE_SIZE_MAX 78
#define PROBE_TIMES 3        /* RFC 5227 PROBE_NUM */
#define PROBE_AGAIN_MS 500   /* as long as somebody has the address */
#define PROBE_SILENT_TIMES 2 /* so many unanswered: it is free */
#define PROBE_MAC_TEXT_SIZE 18

enum probe_state {
	PROBE_OFF,      /* nothing to ask */
	PROBE_ASKING,   /* nobody has answered yet */
	PROBE_OCCUPIED, /* another host has one of the addresses: asked until it is free */
};

/* Zeroed: off. */
struct probe {
	enum probe_state state;
	int left;              /* asking: times to ask; occupied: times to hear nothing */
	int64_t spacing_ns;    /* between two of them */
	struct mono next_at;   /* when something is due; MONO_NEVER when off */
	struct addr address;   /* occupied: this one … */
	uint8_t mac[ETH_ALEN]; /* … by that host */
	bool was_asked;        /* occupied: again since then */
	bool is_confirmed;     /* and he has answered again */
};

/* Asks PROBE_TIMES within a time, half of it at most, and one second between two. */
void probe_begin(struct probe *p, struct mono now, int64_t within_ns);
void probe_end(struct probe *p);
/*
 * What is due: true when every address is to be asked for now. Call once for each wake-up. An
 * address that was occupied and is free is asked for as at the beginning.
 */
bool probe_step(struct probe *p, struct mono now);
/*
 * Another host has said that it has an address of ours: true when that is news, and news once more
 * when it is confirmed. Until then it may be a router that has just become Active, whose
 * announcement comes before its advertisement.
 */
bool probe_answered(
	struct probe *p, const struct addr *address, const uint8_t mac[ETH_ALEN], struct mono now);
/* When probe_step() is wanted; MONO_NEVER: not. */
struct mono probe_deadline(const struct probe *p);
void probe_check(const struct probe *p);

/* The frame that asks who has an address, from mac and from no address. Returns its length. */
size_t probe_frame(
	const struct addr *address, const uint8_t mac[ETH_ALEN], uint8_t frame[PROBE_SIZE_MAX]);
/*
 * Reads any frame: true when it is an ARP packet or a Neighbor Advertisement that says where an
 * address is. The MAC of a virtual router (RFC 9568 7.3) says so of nobody: routers are heard by
 * their advertisements.
 */
bool probe_read(const void *frame, size_t len, struct addr *ret_address, uint8_t ret_mac[ETH_ALEN]);

/* "02:00:00:00:00:0a" */
const char *probe_mac_print(const uint8_t mac[ETH_ALEN], char text[PROBE_MAC_TEXT_SIZE]);
