#pragma once
/*
 * Virtual addresses are leases in the kernel (decision V1) and ownership is
 * recorded (decision V2): which addresses should be on the interfaces with
 * which lifetime, what must be done to what is there, and whether a process that
 * starts may go on as Active. Level, not edge: the same question is answered at
 * start, every LEASE_RENEW_MS, and when somebody else touches an address. It
 * talks to no kernel; netlink does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "vrrpd/vrrp.h"

#define LEASE_RENEW_MS 500
#define LEASE_FOREVER UINT32_MAX /* INFINITY_LIFE_TIME of the kernel */
#define LEASE_ADDRESSES_MAX 4096 /* of one node */

/* An address of a VIP. The list holds every address that is or was ours, held or not. */
struct lease_wish {
	int interface; /* index */
	struct addr_prefix address;
	bool is_held;     /* vrrp_holds() */
	uint32_t valid_s; /* lease_valid_s(), when held */
};

/* An address as the kernel has it. */
struct lease_seen {
	int interface;
	struct addr_prefix address;
	uint32_t valid_s; /* remaining as last told, or LEASE_FOREVER */
	struct mono told; /* when it was told */
};

enum lease_change_kind { LEASE_ADD, LEASE_RENEW, LEASE_DELETE };

struct lease_change {
	enum lease_change_kind kind;
	int interface;
	struct addr_prefix address;
	uint32_t valid_s; /* ADD and RENEW. preferred_lft is 0 for IPv6, valid_s for IPv4 */
};

/*
 * The lifetime for an address that is held: with a live peer Active-down
 * (vrrp_lease_ns()) rounded up to seconds plus 1, 2 at least; else for ever.
 */
uint32_t lease_valid_s(int64_t active_down_ns, bool has_live_peer);

/*
 * What makes `seen` what `wished` says: deletions first, then additions, then
 * renewals. Addresses that nobody wishes are strangers and left alone. An
 * address seen with another prefix length is deleted and added. A lease is
 * renewed when a renewal interval of it has passed, or when its kind (finite,
 * for ever) has changed. Writes at most max changes and returns their number; what did not fit
 * comes with the next call. An address must not be wished twice on one interface.
 */
size_t lease_reconcile(const struct lease_wish *wished, size_t wished_count,
	const struct lease_seen *seen, size_t seen_count, struct mono now,
	struct lease_change *changes, size_t max);

#define LEASE_BOOT_ID_SIZE 40

/* The ownership record of one VIP: mapped in run_dir, rewritten with each advertisement sent. */
struct lease_record {
	uint32_t magic;                   /* LEASE_MAGIC */
	uint32_t is_active;               /* 0 after an orderly release */
	char boot_id[LEASE_BOOT_ID_SIZE]; /* text, NUL-terminated */
	int64_t sent_ns;                  /* CLOCK_BOOTTIME of the last advertisement sent */
	int64_t patience_ns;              /* then in force: vrrp_patience_ns() */
	int64_t spent_move, agreed_move;  /* as role knew them (V4) */
	uint32_t had_peer;                /* a peer was known to live */
	uint32_t checksum;                /* lease_record_seal() */
};

#define LEASE_MAGIC 0x424c5653u

/* Sets magic and checksum. The record must have been zeroed once, padding included. */
void lease_record_seal(struct lease_record *r);

/*
 * How to start, from the record found (NULL: none): RESUME when it is whole, of
 * this boot, of an Active, and younger than Active-down minus one interval;
 * when it is older, KEEP if no peer was alive and LATE if one was; else FRESH.
 * *ret_why is a static sentence.
 */
enum vrrp_start lease_judge(
	const struct lease_record *r, const char *boot_id, struct mono now, const char **ret_why);
