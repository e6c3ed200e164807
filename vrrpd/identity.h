#pragma once
/*
 * What makes a VIP one virtual router and no other, and how it becomes another
 * without anybody taking over meanwhile (decision V8). It speaks under one identity;
 * it hears those that it comes from and goes to as well, so that whoever is
 * Active under any of them is known to be. Which packets belong to which is decided here;
 * vip sends, roster has the segments.
 */
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"

#define IDENTITY_FORMER_MAX 4 /* changes that overlap; the oldest gives way */
#define IDENTITY_TEXT_SIZE 96

struct identity {
	int virtual_router_id;
	char interface[IF_NAMESIZE];
	int family;  /* of the VRRP spoken */
	int version; /* 2 or 3 */
	bool is_unicast;
	int64_t interval_ms; /* not part of it, but of what is advertised under it */
};

/* Under which identity a VIP of a document is to be advertised. It has an address. */
struct identity identity_of(const struct conf_vip *v);
bool identity_is_same(const struct identity *a, const struct identity *b);
/* "virtual router 51 on eth0, version 3, multicast". Returns text. */
const char *identity_print(const struct identity *i, char text[IDENTITY_TEXT_SIZE]);

/*
 * The key under which a VIP keeps its records: "web/51/eth0/ipv4". Version and unicast are not in
 * it. Back again: false for anything that is none of that VIP; else router id, interface and family
 * are set, and the rest is left.
 */
void identity_key(const struct identity *i, const char *vip, char *ret, size_t size);
bool identity_of_key(const char *key, const char *vip, struct identity *ret);

/* Embedded by vip; read only. */
struct identities {
	struct identity spoken;
	struct identity coming; /* to be spoken when everybody hears it */
	bool has_coming;
	/* Others may be deaf to the spoken one: the coming one is spoken as well. */
	bool is_both_spoken;
	struct identity former[IDENTITY_FORMER_MAX]; /* heard still, newest first */
	struct mono former_until[IDENTITY_FORMER_MAX];
	size_t former_count;
};

void identities_init(struct identities *x, const struct identity *first);

/*
 * A generation asks for that identity. True when it is another one than before: then it is
 * heard from now on, and spoken after identities_switch(). Asking for the spoken one again
 * takes a change back; a changed interval counts at once.
 */
bool identities_want(struct identities *x, const struct identity *wanted, struct mono now);

/*
 * The machine starts. Who starts in the midst of a change cannot know who still hears the spoken one, nor
 * who hears the coming one already, and speaks both; not who resumes as Active, since nobody has gone on without it.
 */
void identities_start(struct identities *x, bool is_resuming);

/* The coming one is spoken from now on, and the one before is heard still. There is one coming. */
void identities_switch(struct identities *x, struct mono now);

/*
 * Somebody was heard under that identity; it is heard on for four of its intervals, which is
 * longer than a Backup under it waits (RFC 9568 6.1). Who speaks the coming one may not hear the
 * spoken one any more. priority: of the advertisement; 0 is a farewell and counts for nothing, for who leaves, or
 * began too late, has waited for nobody.
 */
void identities_heard(
	struct identities *x, const struct identity *i, int priority, struct mono now);

/* Drops former ones that were silent for so long, but none while a peer that lives has not
 * acknowledged: it may speak under one. */
void identities_expire(struct identities *x, bool is_acknowledged, struct mono now);

/*
 * The identity to which a packet belongs that came to an interface in a family, under that router
 * id, of that version, to the group or not; NULL: none. Where version or group differ, but the
 * rest is that of the spoken one, it is the spoken one: to be refused by name.
 */
const struct identity *identities_find(const struct identities *x, const struct identity *seen);

/* True when one of them is on that interface and family, with that router id (0: any). */
bool identities_has(
	const struct identities *x, const char *interface, int family, int virtual_router_id);

/* What must not be broken; tests call it after each step. */
void identities_check(const struct identities *x);

/* A peer as its heartbeats show it, for who has acknowledged. */
struct identity_peer {
	const char *name;
	bool is_alive;
	bool is_unknown;     /* neither heard nor missed yet: who has just started waits for it */
	uint64_t generation; /* that it runs */
};

/* The first peer that lives, or may, and is not known to run that generation; NULL: all have
 * acknowledged. */
const char *identity_lags(
	const struct identity_peer *peers, size_t count, uint64_t generation);
