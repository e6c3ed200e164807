#pragma once
/*
 * Core: the PROXY protocol's header, version 1 (text) and 2 (binary), which a
 * proxy puts before the bytes of a connection to say who its client is (the
 * specification is HAProxy's proxy-protocol.txt). Strict: what does not follow
 * it byte for byte is refused. Reads from outside; knows no socket.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define PROXY_HEADER_V1_MAX 107  /* bytes with CRLF (section 2.1) */
#define PROXY_HEADER_MAX 4096    /* bytes of a whole header with its TLVs: ours; longer is refused */
#define PROXY_HEADER_NEED_MAX 107 /* bytes that decode never needs more of */

struct proxy_header {
	struct addr client, local; /* no family: the connection's own stand (LOCAL, UNKNOWN, UNSPEC,
				      or a unix socket) */
	size_t size; /* of the whole header. TLVs, at its end, are to be passed over unread */
};

/*
 * Looks at the first len bytes of a connection. 1: *ret is known, whether or not
 * all `size` bytes are there already. 0: not enough yet, and all len bytes belong to the
 * header. -EPROTO: this is no PROXY header, or a broken one; said as early as it shows.
 * -EMSGSIZE: longer than PROXY_HEADER_MAX.
 */
int proxy_header_decode(const uint8_t *bytes, size_t len, struct proxy_header *ret);

/*
 * Writes the header of version 1 or 2 for a stream (or, v2 only, datagrams) from client to local;
 * returns its length. UNKNOWN or LOCAL when the two are not of one family: an IPv4 address then
 * goes as ::ffff:… where the other is IPv6.
 */
size_t proxy_header_encode(int version, bool is_datagram, const struct addr *client,
	const struct addr *local, uint8_t out[PROXY_HEADER_V1_MAX + 1]);
