#pragma once
/*
 * Shell: where the ownership records of this node's VIPs lie (decision V2): a
 * file in run_dir, mapped, so that writing one costs no system call in the
 * advertising path, and what was written outlives a kill -9 (not a reboot: the
 * boot's id is in each record). lease.h says what a record means and judges it.
 */
#include <stddef.h>

#include "vrrpd/lease.h"

#define OWNERSHIP_ROWS 1024
#define OWNERSHIP_KEY_SIZE 128 /* a VIP's identity, "web/51/eth0/ipv4", and its NUL */

struct ownership;

/*
 * Maps run_dir/vrrpd.ownership, made anew when absent or of another layout: 0
 * or a negative errno; -EBUSY while another process holds it.
 */
int ownership_open(const char *run_dir, struct ownership **ret);
/*
 * Before a successor takes over: where somebody removed the file, the records are written to a new
 * one: 0, or a negative errno.
 */
int ownership_keep(const struct ownership *o, const char *run_dir);
/* Lets go of the mapping; the records stay for a successor. NULL is fine. */
void ownership_close(struct ownership *o);

/* This boot's id, for lease_judge(). Borrowed. */
const char *ownership_boot_id(const struct ownership *o);

/*
 * The newest whole record under a key: 0, or -ENOENT. Death at any instruction
 * of a write leaves the record before it readable.
 */
int ownership_read(const struct ownership *o, const char *key, struct lease_record *ret);
/*
 * The newest record of that VIP under another key than this one: 0, the key and the record, or
 * -ENOENT: it was another virtual router, and may not have been heard as this one yet (decision V8).
 */
int ownership_read_other(const struct ownership *o, const char *vip, const char *key,
	char ret_key[OWNERSHIP_KEY_SIZE], struct lease_record *ret);
/* Fills in boot id and seal and stores the record; past OWNERSHIP_ROWS the oldest one gives way. */
void ownership_write(struct ownership *o, const char *key, const struct lease_record *record);
/* Forgets a VIP; no record is fine. */
void ownership_clear(struct ownership *o, const char *key);
