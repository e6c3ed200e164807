#pragma once
/*
 * One other instance of the stack as its heartbeats show it: is it known to
 * live, can it be believed, what does it hold. And the payload of what nodes
 * say to each other: heartbeat, take, taken (decision V3). Frames are sealed and
 * opened by heartbeat, a shell, with common/seal; this core judges what was
 * inside. VRRP never waits for any of it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/conf.h"

#define PEER_VIPS_MAX 255 /* VIPs one heartbeat tells of; those beyond are not told */
#define PEER_TEXT_SIZE 128
#define PEER_PAYLOAD_MAX (512 + PEER_VIPS_MAX * (CONF_NAME_SIZE + 12))
#define PEER_SENT_MAX 16 /* own counters whose time of sending is remembered */

enum peer_kind { PEER_HEARTBEAT = 1, PEER_TAKE = 2, PEER_TAKEN = 3 };

/* What a node says of one of its VIPs. */
struct peer_vip {
	char name[CONF_NAME_SIZE];
	uint8_t state;    /* enum vrrp_state */
	uint8_t priority; /* in use, 0..255 */
	uint8_t base;     /* configured, 1..255 */
	bool is_fit;      /* not disqualified (V5) */
	int64_t spent_move; /* moves up to this number are over (V4), see role.h */
};

/* What a node says of itself as a whole. */
struct peer_condition {
	bool is_in_maintenance, is_in_bypass;
	bool is_forwarding;   /* in bypass, and letting traffic pass */
	bool is_data_well;    /* its data plane answers */
	uint32_t connections; /* that data carries: its load */
};

/* What the sender last heard of us: proves that it lives now, and gives the round trip. */
struct peer_echo {
	uint64_t session; /* ours, as it knows it; 0: it has heard nothing */
	uint64_t counter; /* the newest of ours it has heard */
	uint32_t held_us; /* how long ago */
};

struct peer_message {
	enum peer_kind kind;
	char node[CONF_NAME_SIZE];
	struct peer_echo echo;
	/* HEARTBEAT */
	uint64_t generation;
	struct peer_condition condition;
	struct peer_vip vips[PEER_VIPS_MAX];
	size_t vips_count;
	/* TAKE and TAKEN: the VIP, and a number the taker gives back */
	char vip[CONF_NAME_SIZE];
	uint64_t number;
	/* TAKE: the primary address from which the Active advertises that VIP */
	struct addr source;
	bool is_leaving;
	/* TAKEN */
	bool is_taken;
	char why[PEER_TEXT_SIZE]; /* when not */
};

/* The payload's bytes: their number, or -EMSGSIZE. */
int peer_encode(const struct peer_message *m, void *data, size_t size);
/* 0, or -EBADMSG for anything that encode does not write (then *ret is undefined). Trailing bytes
 * are refused. */
int peer_decode(const void *data, size_t len, struct peer_message *ret);

enum peer_state { PEER_UNKNOWN, PEER_HEALTHY, PEER_UNHEALTHY };

struct peer_config {
	int64_t check_interval_ms;
	int failure_threshold, recovery_threshold; /* 1 or more */
};

/* What happened to a frame that was genuine. */
enum peer_verdict {
	PEER_FRESH,    /* counts, and may be acted on */
	PEER_REPLAYED, /* heard before, far behind, or of an earlier session: drop it */
	PEER_UNPROVEN, /* a new session that has not echoed ours yet: send a heartbeat now, act on
			  nothing */
	PEER_VERDICTS
};

/* A session as heard. Frames may overtake each other: those less than 64 behind count once each. */
struct peer_session {
	uint64_t id, counter; /* counter: the greatest; id 0: none */
	uint64_t seen;        /* bit n: counter - n was heard */
	struct mono heard;    /* when counter came */
};

/* Embedded by heartbeat; read only, and only what is above the line. */
struct peer {
	struct peer_config config;
	enum peer_state state;
	struct mono since;
	char why[PEER_TEXT_SIZE]; /* of state: "3 of 3 heartbeats missed" */
	int64_t round_trip_us;    /* -1: not known */
	uint64_t generation;
	struct peer_condition condition;
	struct peer_vip vips[PEER_VIPS_MAX]; /* of its last heartbeat; kept while unhealthy */
	size_t vips_count;
	bool is_hearing; /* by its last frame it has heard ours within failure_threshold checks */
	/* ---- private ---- */
	uint64_t own_session;
	struct peer_session session, candidate;
	uint64_t echoed; /* the greatest own counter it has echoed */
	bool was_healthy; /* ever, under this process */
	int good, bad;   /* checks in a row */
	bool is_heard;   /* since the last check */
	struct mono check_at;
	struct {
		uint64_t counter;
		struct mono at;
	} sent[PEER_SENT_MAX];
};

/* own_session is the random session id of our sender (not 0). Unknown, first check one interval
 * from now. */
void peer_init(
	struct peer *p, const struct peer_config *config, uint64_t own_session, struct mono now);
void peer_configure(struct peer *p, const struct peer_config *config, struct mono now);

/* We sent it a frame with that counter. */
void peer_sent(struct peer *p, uint64_t counter, struct mono now);
/* What to put in the echo of the next frame to it. */
struct peer_echo peer_echo(const struct peer *p, struct mono now);
/*
 * A genuine frame came, sealed in session with counter: judges it, and keeps what
 * it tells when PEER_FRESH (of frames that were overtaken only TAKE and TAKEN matter).
 */
enum peer_verdict peer_heard(struct peer *p, uint64_t session, uint64_t counter,
	const struct peer_message *m, struct mono now);
/*
 * How long ago that message was sent, at most: from when we sent the frame that it echoes, less what
 * the peer held it. INT64_MAX: too long ago to know; 0: it echoes another session, so nobody knows.
 */
int64_t peer_age_ns(const struct peer *p, const struct peer_message *m, struct mono now);
/* The check that is due: true when state has changed. */
bool peer_tick(struct peer *p, struct mono now);
struct mono peer_deadline(const struct peer *p);
void peer_check(const struct peer *p);

/* Not unhealthy, and the last heartbeat that should have come has come. */
bool peer_is_fresh(const struct peer *p, struct mono now);
/* Unhealthy, and it was healthy once: not merely a node that has no key, or was never there. */
bool peer_is_lost(const struct peer *p);
/* What it says of that VIP; NULL: nothing. */
const struct peer_vip *peer_vip(const struct peer *p, const char *name);
const char *peer_state_name(enum peer_state s);
const char *peer_verdict_name(enum peer_verdict v);
