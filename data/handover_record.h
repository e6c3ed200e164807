#pragma once
/*
 * Core: a client connection on its way from a retiring worker to the one that
 * takes its place (decision D4), as bytes: all that has to be known of it besides
 * its descriptors, and what was received and not yet sent on. Sent and received
 * by handover.c; made and used by the protocols.
 *
 * A message is the length of a JSON object (4 bytes, the machine's order), the
 * object, and the stored bytes of both halves. A member that the reader does not
 * know is passed over: workers of neighbouring versions hand over to each other.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/buf.h"
#include "common/conf.h"
#include "data/l4/flow.h"

#define HANDOVER_TEXT_SIZE 513    /* of a text for the access log, with its NUL */
#define HANDOVER_STORED_MAX 16384 /* bytes stored in a half */
#define HANDOVER_HEAD_MAX 8192    /* of the JSON object */
#define HANDOVER_MESSAGE_MAX (4 + HANDOVER_HEAD_MAX + FLOW_SIDES * HANDOVER_STORED_MAX)

enum handover_kind {
	HANDOVER_TCP,      /* a tunnel of a tcp listener */
	HANDOVER_UPGRADED, /* a tunnel that began as an HTTP exchange */
	HANDOVER_IDLE,     /* an HTTP/1 client between two requests */
	HANDOVER_KINDS
};

/* What comes from one side. */
struct handover_half {
	bool is_ended;
	const void *stored; /* borrowed: of the sender, or of the message */
	size_t stored_len;
	int64_t piped; /* bytes in the pipe that goes along; 0: none does */
	int64_t carried; /* bytes passed on so far */
};

/* For a tunnel's line in the access log: the exchange that it began as; of a tcp listener's began,
 * opened, sent and retries alone. */
struct handover_exchange {
	char method[HANDOVER_TEXT_SIZE], host[HANDOVER_TEXT_SIZE], path[HANDOVER_TEXT_SIZE];
	char request_id[HANDOVER_TEXT_SIZE];
	int64_t began_us, sought_us, opened_us, sent_us, responded_us; /* CLOCK_MONOTONIC; 0: not */
	int64_t bytes_out, retries;
};

struct handover_record {
	int kind; /* enum handover_kind */
	int64_t number; /* named in the acknowledgement */
	char listener[CONF_NAME_SIZE];
	char pool[CONF_NAME_SIZE], server[CONF_NAME_SIZE]; /* "": none, as with HANDOVER_IDLE */
	struct addr client;
	struct handover_half halves[FLOW_SIDES]; /* by source */
	int64_t idle_ms; /* what is left of the idle time */
	struct handover_exchange exchange; /* but with HANDOVER_IDLE */
};

/* Descriptors that go along, in this order: the client's socket; the server's; the pipes. */
unsigned handover_record_fds(const struct handover_record *r);
#define HANDOVER_FDS_MAX 6

/* The message, appended to out; -EMSGSIZE when it does not fit. */
int handover_record_encode(const struct handover_record *r, struct buf *out);
/* 0, or -EPROTO for what is no record. ret's stored bytes lie in data. */
int handover_record_decode(const void *data, size_t len, struct handover_record *ret);
