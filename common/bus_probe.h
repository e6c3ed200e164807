#pragma once
/*
 * Shell: asks one of our own listeners for an answer by a fresh connection, as
 * anybody would (decision B2): it also fails when somebody removed the socket
 * file, or when descriptors have run out. Speaks the few bytes of the handshake
 * itself. A probe is good only when a whole message came back.
 */
#include <stdbool.h>
#include <uv.h>

#include "common/clock.h"

#define BUS_PROBE_EVERY_MS 500
#define BUS_PROBE_ANSWER_MS 200
#define BUS_PROBE_FAILURES 2 /* in a row: listen anew */

enum bus_probe_kind { BUS_PROBE_REPLY, BUS_PROBE_PUBLISH };
enum bus_probe_state { BUS_PROBE_IDLE, BUS_PROBE_ASKING, BUS_PROBE_CLOSING };
enum bus_probe_advice { BUS_PROBE_NOTHING, BUS_PROBE_ANNOUNCE, BUS_PROBE_RENEW };

struct bus_probe {
	enum bus_probe_kind kind;
	enum bus_probe_state state;
	char path[108];
	uv_loop_t *loop;
	uv_pipe_t pipe;
	uv_connect_t connect;
	uv_write_t write;
	char request[512]; /* handshake and a ping, as sent */
	size_t request_len;
	unsigned char received[17]; /* the peer's handshake and the head of its first message */
	size_t received_len;
	struct mono next, deadline;
	unsigned failures;
};

/* ping: the message that a reply is expected for (BUS_PROBE_REPLY), borrowed; at most 400 bytes. -ENAMETOOLONG. */
int bus_probe_init(struct bus_probe *p, uv_loop_t *loop, enum bus_probe_kind kind, const char *path,
	const char *ping, size_t ping_len);
/*
 * To be called every few ten milliseconds. ANNOUNCE: publish something now, the
 * probe waits for it. RENEW: the listener is dead, listen anew.
 */
enum bus_probe_advice bus_probe_tick(struct bus_probe *p, struct mono now);
/* Our own loop was late: nobody else is to blame, the answer gets its full time from now. */
void bus_probe_excuse(struct bus_probe *p, struct mono now);
/* Ends a probe under way; its handle closes with the loop's next turns. */
void bus_probe_stop(struct bus_probe *p);
/* True when no handle of it is open any more: its memory may go. */
bool bus_probe_is_idle(const struct bus_probe *p);
