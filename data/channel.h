#pragma once
/*
 * Shell: records and descriptors between the processes of the data wing over
 * unix sockets of records (SOCK_SEQPACKET): the supervisor's line to each
 * worker and to the agent, and the private sockets by which a new supervisor
 * finds them again (decision S4). Fixed-size records; both ends are ours, and
 * of a version that the record names. Nothing here queues: a sender that finds
 * the line full sends later what is then true.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/addr.h"
#include "data/board.h"

#define CHANNEL_VERSION 1
#define CHANNEL_TEXT_SIZE 512
#define CHANNEL_FDS_MAX 2
#define CHANNEL_PLACES_MAX 64 /* workers that accept */

enum channel_kind {
	/* To a worker or the agent, once: fd: the board; number: its column; places: bit of its
	   place; role. */
	CHANNEL_WELCOME = 1,
	/* To a worker: fd: the listening socket of `place` number at addr. */
	CHANNEL_SOCKET,
	/* To a worker and the agent: fds: the snapshot and its slots. From the agent: fd: a new
	   snapshot. */
	CHANNEL_SNAPSHOT,
	/* To a worker: poll the sockets of these places, and no others. */
	CHANNEL_PLACES,
	CHANNEL_RETIRE, /* to a worker: take nothing new, end when idle; number 1: a successor comes */
	CHANNEL_REOPEN, /* to a worker: open log files anew */
	/* To the supervisor: the generation of the last snapshot is in force, or was refused: text
	   says why. */
	CHANNEL_RUNS,
	CHANNEL_REFUSES,
	/* To the agent: every accepting worker runs `generation`; text: why it lags, "" when it
	   does not. */
	CHANNEL_ACKNOWLEDGED,
	/* To the agent: number of listening addresses that could not be had (addr, text), sent
	   whole after any change; of each that failed number says whether it is a udp one. */
	CHANNEL_BINDINGS,
	CHANNEL_BINDING_FAILED,
	/* To a private socket: I am the supervisor now. Answered with WELCOME, SOCKET…, SNAPSHOT,
	   ADOPTED. */
	CHANNEL_ADOPT,
	CHANNEL_ADOPTED,
	/* To a retired worker: number: the column of the one that has its place now. */
	CHANNEL_SUCCESSOR,
	/* To a private socket, once: what follows on this connection is a hand-over (handover.h). */
	CHANNEL_HANDOVER
};

enum channel_role { CHANNEL_AGENT, CHANNEL_WORKER };

struct channel_record {
	uint32_t version; /* set by channel_send() */
	uint32_t kind;
	uint32_t number, role;
	uint64_t generation;
	uint64_t places; /* bits */
	int64_t pid;
	struct addr addr;
	char text[CHANNEL_TEXT_SIZE];
};

struct channel;

struct channel_handlers {
	/* A record came; fds are the handler's to keep or close, -1 where there is none. */
	void (*record)(void *user, const struct channel_record *r, int fds[CHANNEL_FDS_MAX]);
	/* The other end is gone. The channel stays the owner's, to be closed (here or later). */
	void (*gone)(void *user);
	/* After channel_want_room(): there is room again. May be NULL. */
	void (*room)(void *user);
};

/* Takes fd (closed on failure); handlers and user are kept: 0, or a negative errno. */
int channel_open(uv_loop_t *loop, int fd, const struct channel_handlers *handlers, void *user,
	struct channel **ret);
/* NULL is fine. No handler is called from now on. */
void channel_close(struct channel *c);
/* Borrows fds (-1: none): 0, -EAGAIN when the line is full (room() will tell), or another negative
 * errno. */
int channel_send(struct channel *c, struct channel_record *r, int fd0, int fd1);
int channel_fd(const struct channel *c);
/* While it is held no handler is told of records, or of the other end's leaving: they wait in order. */
void channel_hold(struct channel *c, bool is_held);

#define CHANNEL_ROOM_MS 200 /* the other end reads at once, or it is not well */

/*
 * The same on a bare descriptor, waiting at most CHANNEL_ROOM_MS for room and timeout_ms for a
 * record: for the collecting of a new supervisor.
 */
int channel_send_bare(int fd, struct channel_record *r, int fd0, int fd1);
int channel_recv_bare(
	int fd, int timeout_ms, struct channel_record *ret, int ret_fds[CHANNEL_FDS_MAX]);
