#pragma once
/*
 * The bytes of a connection of nng's ipc transport (SP, "scalability
 * protocols"), as our own listeners speak them: 8 bytes of handshake each way,
 * then messages, each 01 and a 64-bit length before it. Pure: what came in is
 * fed byte by byte; nothing is allocated for a length that is only claimed.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum bus_sp_protocol {
	BUS_SP_PUB = 0x20,
	BUS_SP_SUB = 0x21,
	BUS_SP_REQ = 0x30,
	BUS_SP_REP = 0x31
};

#define BUS_SP_HANDSHAKE_SIZE 8
#define BUS_SP_HEAD_SIZE 9 /* before each message */
#define BUS_SP_WAY_MAX 32 /* bytes of a request's way back: 8 hops of 4 */

enum bus_sp_state { BUS_SP_GREETING, BUS_SP_HEAD, BUS_SP_BODY };

struct bus_sp {
	enum bus_sp_state state;
	enum bus_sp_protocol peer; /* the only one that is welcome */
	unsigned char head[BUS_SP_HEAD_SIZE];
	size_t head_len;
	uint64_t wanted; /* bytes of the message under way */
	struct buf body;
};

/* Reads a connection of a peer that must speak that protocol, with messages up to maximum bytes. */
void bus_sp_init(struct bus_sp *s, enum bus_sp_protocol peer, size_t maximum);
void bus_sp_fini(struct bus_sp *s);

/*
 * Feeds up to len bytes: returns how many were used; stops after each whole
 * message, which is then in *ret_data (borrowed until the next call) and
 * *ret_len. Call again with the rest. *ret_data is NULL while there is none.
 * -EPROTO: no SP peer of that protocol; -EMSGSIZE: a message past the maximum
 * is announced; -ENOMEM. After an error the connection is of no use.
 */
long bus_sp_feed(struct bus_sp *s, const unsigned char *data, size_t len,
	const unsigned char **ret_data, size_t *ret_len);

void bus_sp_handshake(enum bus_sp_protocol own, unsigned char out[BUS_SP_HANDSHAKE_SIZE]);
void bus_sp_head(size_t len, unsigned char out[BUS_SP_HEAD_SIZE]);

/* The length of a request's way back, which its reply begins with: 4 bytes a hop, the last with its top bit set. -EPROTO. */
int bus_sp_way(const unsigned char *data, size_t len);
