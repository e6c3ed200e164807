#pragma once
/*
 * Shell: the life of one request inside libmicrohttpd, from its first byte to
 * the end of its answer: reads and bounds the body, waits while an answer is
 * being made, sends it, or streams. The families see only the upper half of
 * this header; the lower half is for server.
 */
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/list.h"
#include "control/api/answer.h"
#include "control/api/request.h"

#define EXCHANGE_DISCARD_MAX                                                                       \
	(4ull * REQUEST_BODY_MAX)       /* bytes of a refused body that are read and dropped */
#define EXCHANGE_BODIES_MAX (64u << 20) /* bytes of all bodies held at once */
#define EXCHANGE_STREAMS_MAX 64
#define EXCHANGE_STREAM_CHUNK (64u << 10) /* bytes a stream may fill at once */

struct exchange;

/* Borrowed; lives as long as the exchange. */
const struct request *exchange_request(const struct exchange *x);

/*
 * Answers, once: takes what is in a and empties it. May be called from the
 * handler or any time later from the loop; the exchange is gone afterwards for
 * its caller. A client that left meanwhile is no matter.
 */
void exchange_answer(struct exchange *x, struct answer *a);

/*
 * Makes the answer a stream of text/event-stream instead. fill appends what is
 * new since *cursor to out, moves *cursor on, and may append nothing; it is
 * called when the client has taken what was sent before and after each
 * exchange_wake(). 0, or -EBUSY when there are EXCHANGE_STREAMS_MAX (the caller
 * then answers). user is kept until the server is closed.
 */
typedef void exchange_fill(void *user, uint64_t *cursor, struct buf *out);
int exchange_stream(struct exchange *x, exchange_fill *fill, void *user, uint64_t cursor);

/* ---- for server ---- */

/* What all exchanges of a server share; the server fills the first part. */
struct exchange_desk {
	/* Before the body is read: may answer at once (refuse). */
	void (*admit)(void *user, struct exchange *x);
	/* The request is complete; must answer now or later. */
	void (*handle)(void *user, struct exchange *x);
	void *user;
	enum access_role unix_role;
	/* After a connection was resumed: the HTTP server has work. */
	void (*kick)(void *door);

	struct list streams, all;
	size_t streams_count;
	size_t bodies_bytes;
};

/* One connection, so that slow ones can be ended. Embedded by nobody: allocated by server. */
struct exchange_link {
	struct list link;
	int fd;
	int64_t since_ms; /* of what it does now, by the loop's clock */
	bool is_busy;     /* the answer is being made, or streams */
	bool is_reading;  /* a body is on its way */
	bool is_ended;    /* by us; the HTTP server will find out */
};

void exchange_desk_init(struct exchange_desk *desk);
/* Wakes all streams: something may be new; with is_sign a stream without news sends an empty
 * comment. */
void exchange_wake(struct exchange_desk *desk, bool is_sign);

/* Before the end: nothing stays suspended, answered or not. */
void exchange_abandon(struct exchange_desk *desk);

/* The callbacks of libmicrohttpd: begin and the three of MHD_start_daemon(). */
struct exchange *exchange_begin(struct exchange_desk *desk, void *door, bool is_unix,
	const char *uri, struct exchange_link *link, struct MHD_Connection *connection);
enum MHD_Result exchange_access(
	struct exchange *x, const char *method, const char *data, size_t *len);
void exchange_end(struct exchange *x);
