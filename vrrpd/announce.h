#pragma once
/*
 * Telling the segment where an address lives now: gratuitous ARP (RFC 5227 3,
 * RFC 9568 8.1.2) and unsolicited Neighbor Advertisements (RFC 4861 7.2.6, RFC 9568
 * 8.2.2) as whole Ethernet frames, and when to repeat them. It sends nothing:
 * wire does, when vrrp asks for VRRP_ANNOUNCE.
 */
#include <net/ethernet.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"

#define ANNOUNCE_ARP_SIZE 42
#define ANNOUNCE_NA_SIZE 86
#define ANNOUNCE_SIZE_MAX 86

/* Two forms of gratuitous ARP: some neighbours heed only the one, some only the other. */
enum announce_form { ANNOUNCE_REQUEST, ANNOUNCE_REPLY };

/*
 * The frame that says "address is at mac": for IPv4 an ARP of that form, for
 * IPv6 a Neighbor Advertisement with R and O set, from the address itself to
 * all nodes (form is not used). Returns the length. Never fails.
 */
size_t announce_frame(const struct addr *address, const uint8_t mac[ETH_ALEN],
	enum announce_form form, uint8_t frame[ANNOUNCE_SIZE_MAX]);

/* Of an ICMPv6 message of an even length under that header, its own field being 0 (RFC 4443 2.3). */
uint16_t announce_icmp6_checksum(const struct ip6_hdr *ip, const void *message, size_t len);

/* One repetition, counted from the moment of becoming Active. */
struct announce_repeat {
	int64_t after_ms;
	enum announce_form
		form; /* for IPv4; IPv6 sends one NA for each row with ANNOUNCE_REQUEST */
};

/* All repetitions of one announcement, in order; the first ones are due at once. */
#define ANNOUNCE_REPEATS 8
extern const struct announce_repeat announce_schedule[ANNOUNCE_REPEATS];

/* Where one VIP's announcement stands. Zeroed: nothing to announce. */
struct announce {
	struct mono began;
	size_t next; /* into announce_schedule */
	bool is_running;
};

/* Begins anew, or stops (no longer Active). */
void announce_begin(struct announce *a, struct mono now);
void announce_stop(struct announce *a);
/* When the next repetition is due; MONO_NEVER when none. */
struct mono announce_deadline(const struct announce *a);
/* Takes one due repetition: true and its form, or false when nothing is due. Call until false. */
bool announce_next(struct announce *a, struct mono now, enum announce_form *ret_form);
void announce_check(const struct announce *a);
