#pragma once
/*
 * The VRRP advertisement on the wire: version 2 (RFC 3768) and version 3 (RFC
 * 9568), IPv4 and IPv6. Bytes in, a struct advert out, and back. It opens no
 * socket and knows no router's state; wire calls it, router hands the result to
 * vrrp.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define ADVERT_PROTOCOL 112      /* IP protocol number */
#define ADVERT_TTL 255           /* what senders set and receivers ask for */
#define ADVERT_ADDRESSES_MAX 255 /* the count is one byte */
#define ADVERT_SIZE_MAX (8 + ADVERT_ADDRESSES_MAX * 16)

struct advert {
	int version;               /* 2 or 3 */
	int family;                /* AF_INET or AF_INET6, of the packet and of every address */
	uint8_t virtual_router_id; /* 1..255 */
	uint8_t priority;          /* 0: the sender leaves; 255: it owns the addresses */
	int interval_cs; /* centiseconds: 1..4095, in version 2 whole seconds (100..25500) */
	/*
	 * Version 3 over IPv4 only: the checksum covers a pseudo-header, as RFC
	 * 5798 was read by keepalived and FRR; RFC 9568 5.2.8 says it does not.
	 * decode accepts both and tells which; answer in the style that is heard.
	 */
	bool has_pseudo_header;
	struct addr source;      /* the sender's primary address */
	struct addr destination; /* encode: for the pseudo-header */
	struct addr addresses[ADVERT_ADDRESSES_MAX];
	size_t addresses_count;
};

/* Why a packet is refused; each is a counter and a text. */
enum advert_refusal {
	ADVERT_OK,
	ADVERT_SHORT,         /* not even a header */
	ADVERT_OVERSIZE,      /* more than the most addresses there can be */
	ADVERT_IP_HEADER,     /* the IPv4 header is damaged or not of protocol 112 */
	ADVERT_WRONG_TTL,     /* not 255: it came over a router (RFC 9568 7.1) */
	ADVERT_WRONG_VERSION, /* not 2 or 3; 2 over IPv6; or not the router's own version */
	ADVERT_WRONG_TYPE,    /* not an advertisement */
	ADVERT_WRONG_LENGTH,  /* the bytes do not fit the count of addresses */
	ADVERT_WRONG_CHECKSUM,
	ADVERT_WRONG_ROUTER,         /* virtual router id 0, or not the router's */
	ADVERT_NO_ADDRESS,           /* a count of 0 */
	ADVERT_WRONG_AUTHENTICATION, /* version 2: any type but 0 (RFC 3768 5.3.6) */
	ADVERT_WRONG_INTERVAL,       /* 0; or version 2 and not the router's own (RFC 3768 7.1) */
	ADVERT_OWN_SOURCE,           /* sent by ourselves, or by somebody with our address */
	ADVERT_REFUSALS
};

/* "ttl is not 255", for logs and explain. */
const char *advert_refusal_text(enum advert_refusal r);
/* "wrong_ttl", for metric labels. */
const char *advert_refusal_name(enum advert_refusal r);

/* A packet as received: what lies behind the IP header, and what the IP header said. data is
 * borrowed. */
struct advert_packet {
	const uint8_t *data;
	size_t len;
	struct addr source, destination; /* same family, port 0 */
	int ttl;                         /* TTL or hop limit */
};

/*
 * Splits what a raw IPv4 socket delivers (it begins with the IP header; IPv6
 * sockets deliver without one and tell addresses and hop limit by cmsg).
 * ADVERT_OK and *ret pointing into packet, or ADVERT_SHORT or ADVERT_IP_HEADER.
 */
enum advert_refusal advert_open_ip4(const void *packet, size_t len, struct advert_packet *ret);

/*
 * Reads a packet, judging all that can be judged without knowing the router.
 * ADVERT_OK and *ret, or the first cause in the order of RFC 9568 7.1; *ret is
 * then untouched.
 */
enum advert_refusal advert_decode(const struct advert_packet *p, struct advert *ret);

/* What one router expects of what it hears. */
struct advert_expected {
	int version;
	uint8_t virtual_router_id;
	int interval_cs;    /* our own, for version 2 */
	struct addr source; /* our own primary address */
};

/* ADVERT_OK, or why this router has no use for the advertisement. */
enum advert_refusal advert_judge(const struct advert *a, const struct advert_expected *e);

/*
 * True when the address list is not ours as a set. RFC 9568 7.1: it is
 * reported and changes nothing in the election. Addresses of other families
 * than the advertisement's are not compared.
 */
bool advert_addresses_differ(const struct advert *a, const struct addr_prefix *ours, size_t count);

/*
 * Writes the VRRP message (no IP header: the kernel adds it; TTL 255 is the
 * socket's) with its checksum: its length, or -EMSGSIZE when size is too small,
 * or -EINVAL for a struct that cannot be said in that version (interval out of
 * range or not whole seconds in version 2, no address, mixed families).
 */
int advert_encode(const struct advert *a, void *data, size_t size);

/* Milliseconds as the wire can say them: rounded up to centiseconds (version 2: seconds), within
 * range. */
int advert_interval_cs(int version, int64_t interval_ms);
