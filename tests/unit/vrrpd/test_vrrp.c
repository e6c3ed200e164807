/*
 * vrrp: the machine of RFC 9568 6.4 as stories, each a table of events with the
 * state, the actions and the deadline expected after each. vrrp_check() runs
 * after every step.
 */
#include "vrrpd/vrrp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

#define NEVER (-1)
#define STEPS_MAX 12

/* One event, and what must follow. Times in milliseconds; deadline in microseconds (NEVER: none).
 */
struct step {
	int64_t at_ms;
	struct vrrp_event ev;
	enum vrrp_state state;
	const char *actions; /* letters, see letter() */
	int64_t deadline_us;
	int times; /* in a row, each with that; 0: once */
};

struct story {
	const char *name;
	int priority;
	int interval_cs; /* 0: 100 */
	int version;     /* 0: 3 */
	bool no_preempt, has_peer;
	int64_t preempt_delay_ms;
	struct step steps[STEPS_MAX];
};

/*
 * C changed, + acquire, - release, N announce, A advertise, 0 advertise priority 0, K ask,
 * k ask and leaving, Y accept, R reject, G gave up, L left.
 */
static char letter(const struct vrrp_action *a)
{
	switch (a->kind) {
	case VRRP_CHANGED:
		return 'C';
	case VRRP_ACQUIRE:
		return '+';
	case VRRP_RELEASE:
		return '-';
	case VRRP_ANNOUNCE:
		return 'N';
	case VRRP_ADVERTISE:
		return a->priority ? 'A' : '0';
	case VRRP_ASK:
		return a->is_leaving ? 'k' : 'K';
	case VRRP_ACCEPT:
		return 'Y';
	case VRRP_REJECT:
		return 'R';
	case VRRP_GAVE_UP:
		return 'G';
	case VRRP_LEFT:
		return 'L';
	}
	return '?';
}

static struct addr ip(int last)
{
	return (struct addr){
		.in = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000000u | (unsigned)last)}}};
}

/* Ours is 10.0.0.2. */
#define HEARD(last, prio, cs)                                                                      \
	{                                                                                          \
		.kind = VRRP_HEARD,                                                                \
		.source = {.in = {.sin_family = AF_INET, .sin_addr = {0}, .sin_port = (last)}},    \
		.priority = (prio), .interval_cs = (cs)                                            \
	}
#define TAKE(last, leaving)                                                                        \
	{                                                                                          \
		.kind = VRRP_TAKE,                                                                 \
		.source = {.in = {.sin_family = AF_INET, .sin_addr = {0}, .sin_port = (last)}},    \
		.is_leaving = (leaving)                                                            \
	}
#define OLD_TAKE(last, leaving, old_ns)                                                            \
	{                                                                                          \
		.kind = VRRP_TAKE,                                                                 \
		.source = {.in = {.sin_family = AF_INET, .sin_addr = {0}, .sin_port = (last)}},    \
		.is_leaving = (leaving), .age_ns = (old_ns)                                        \
	}
#define START(how)                                                                                 \
	{                                                                                          \
		.kind = VRRP_START, .start = (how)                                                 \
	}
#define TIMER                                                                                      \
	{                                                                                          \
		.kind = VRRP_TIMER                                                                 \
	}
#define WISH(prio, preempt, hold, peer)                                                            \
	{                                                                                          \
		.kind = VRRP_WISH, .wish = {(prio), (preempt), (hold), (peer) }                    \
	}
#define WITH(what, taker)                                                                          \
	{                                                                                          \
		.kind = (what), .has_taker = (taker)                                               \
	}
#define END                                                                                        \
	{                                                                                          \
		.at_ms = -1                                                                        \
	}

// clang-format off
static const struct story stories[] = {
{"a backup takes over at exactly three intervals and the skew", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{1000, HEARD(9, 200, 100), VRRP_BACKUP, "", 4609375},
	{4609, TIMER, VRRP_BACKUP, "", 4609375},
	{4610, TIMER, VRRP_ACTIVE, "C+NA", 5610000},
	{5610, TIMER, VRRP_ACTIVE, "A", 6610000}, END}},
{"a raised priority is told at once, so that a rival need not be answered twice", .priority = 1, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3996093},
	{3997, TIMER, VRRP_ACTIVE, "C+NA", 4997000},
	{4000, WISH(200, true, true, false), VRRP_ACTIVE, "A", 5000000},
	{4010, WISH(100, true, true, false), VRRP_ACTIVE, "", 5000000}, END}},
{"the interval is learned from the Active (6.1)", .priority = 254, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3007812},
	{10, HEARD(9, 255, 10), VRRP_BACKUP, "", 310781},
	{20, HEARD(9, 255, 1), VRRP_BACKUP, "", 50078},
	{51, TIMER, VRRP_ACTIVE, "C+NA", 1051000}, END}},
{"version 2: own interval, skew of one second",
	.priority = 128, .version = 2, .interval_cs = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 6500000},
	{1000, HEARD(9, 200, 200), VRRP_BACKUP, "", 7500000}, END}},
{"priority 0 is answered after the skew alone (6.4.2)", .priority = 192, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3250000},
	{500, HEARD(9, 200, 100), VRRP_BACKUP, "", 3750000},
	{600, HEARD(9, 0, 100), VRRP_BACKUP, "", 850000},
	{850, TIMER, VRRP_ACTIVE, "C+NA", 1850000}, END}},
{"a late farewell of an earlier Active changes nothing", .priority = 192, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3250000},
	{500, HEARD(9, 200, 100), VRRP_BACKUP, "", 3750000},
	{600, HEARD(8, 0, 100), VRRP_BACKUP, "", 3750000}, END}},
{"a farewell is followed by a newcomer", .priority = 192, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3250000},
	{500, HEARD(9, 200, 100), VRRP_BACKUP, "", 3750000},
	{600, HEARD(9, 0, 100), VRRP_BACKUP, "", 850000},
	{700, HEARD(8, 192, 100), VRRP_BACKUP, "", 3950000}, END}},
{"lower priorities are discarded: preemption", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750},
	{2000, HEARD(9, 199, 100), VRRP_BACKUP, "", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000}, END}},
{"an equal priority is not preempted", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{1000, HEARD(1, 100, 100), VRRP_BACKUP, "", 4609375}, END}},
{"preempt: false keeps a newcomer back", .priority = 200, .no_preempt = true, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 4218750},
	{2000, HEARD(9, 2, 100), VRRP_BACKUP, "", 5218750}, END}},
{"preempt: false does not protect an Active that sinks below us",
	.priority = 150, .no_preempt = true, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3414062},
	{1000, HEARD(9, 200, 100), VRRP_BACKUP, "", 4414062},
	{2000, HEARD(9, 140, 100), VRRP_BACKUP, "", 4414062},
	{4415, TIMER, VRRP_ACTIVE, "C+NA", 5415000}, END}},
{"preempt: false restrains one that recovered under it",
	.priority = 100, .no_preempt = true, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{1000, HEARD(9, 150, 100), VRRP_BACKUP, "", 4609375},
	{1500, WISH(200, true, true, false), VRRP_BACKUP, "", 4218750},
	{2000, HEARD(9, 150, 100), VRRP_BACKUP, "", 5218750}, END}},
{"preempt: false does not protect a last resort", .priority = 200, .no_preempt = true, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 1, 100), VRRP_BACKUP, "", 3218750}, END}},
{"barred: a lower Active is left alone, but a silent segment is not", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{10, WISH(200, false, true, false), VRRP_BACKUP, "", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 4218750},
	{1500, WISH(200, true, true, false), VRRP_BACKUP, "", 4218750},
	{2000, HEARD(9, 100, 100), VRRP_BACKUP, "", 4218750},
	{2500, WISH(200, false, true, false), VRRP_BACKUP, "", 5218750},
	{5219, TIMER, VRRP_ACTIVE, "C+NA", 6219000}, END}},
{"what was discarded and counts after all does so with its own interval", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 300), VRRP_BACKUP, "", 3218750},
	{1500, WISH(200, false, true, false), VRRP_BACKUP, "", 10656250}, END}},
{"preempt_delay counts from the first lower advertisement",
	.priority = 200, .preempt_delay_ms = 1500, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 4218750},
	{2000, HEARD(9, 100, 100), VRRP_BACKUP, "", 5218750},
	{3000, HEARD(9, 100, 100), VRRP_BACKUP, "", 5218750},
	{5219, TIMER, VRRP_ACTIVE, "C+NA", 6219000}, END}},
{"the owner is Active from the start", .priority = 255, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_ACTIVE, "C+NA", 1000000}, END}},
{"a priority of 255 makes a Backup the owner", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{10, WISH(255, false, true, false), VRRP_ACTIVE, "C+NA", 1010000}, END}},
{"two Actives: the lower yields, and makes the winner hear of it", .priority = 100, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{500, HEARD(1, 101, 50), VRRP_BACKUP, "C-A", 2304687}, END}},
{"two Actives: the higher asserts and announces, now and when the rival is silent",
	.priority = 100, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{500, HEARD(9, 99, 100), VRRP_ACTIVE, "AN", 1500000},
	{600, HEARD(9, 99, 100), VRRP_ACTIVE, "A", 1600000},
	{1600, TIMER, VRRP_ACTIVE, "AN", 2600000}, END}},
{"equal priorities: the higher address stays", .priority = 100, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{500, HEARD(1, 100, 100), VRRP_ACTIVE, "AN", 1500000}, END}},
{"equal priorities: the lower address yields", .priority = 100, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{500, HEARD(3, 100, 100), VRRP_BACKUP, "C-A", 4109375}, END}},
{"an Active answers a farewell at once (6.4.3)", .priority = 100, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{500, HEARD(9, 0, 100), VRRP_ACTIVE, "AN", 1500000}, END}},
{"stop with no peer: priority 0, and the addresses stay for the longest skew and one interval",
	.priority = 192, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{100, WITH(VRRP_LEAVE, false), VRRP_YIELDING, "C0", 2100000},
	{200, HEARD(9, 0, 100), VRRP_YIELDING, "", 2100000},
	{2100, TIMER, VRRP_INITIALIZE, "C-L", NEVER},
	{1400, HEARD(9, 100, 100), VRRP_INITIALIZE, "", NEVER}, END}},
{"stop with no peer: the successor's advertisement ends it", .priority = 192, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{100, WITH(VRRP_LEAVE, false), VRRP_YIELDING, "C0", 2100000},
	{200, HEARD(9, 100, 100), VRRP_INITIALIZE, "C-L", NEVER}, END}},
{"stop with a taker: asked, then let go at its first advertisement",
	.priority = 200, .has_peer = true, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{100, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "Ck", 1000000},
	{101, HEARD(9, 100, 100), VRRP_INITIALIZE, "AC-L", NEVER}, END}},
{"stop with a silent taker: advertises on, then plain RFC 9568",
	.priority = 192, .has_peer = true, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{100, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "Ck", 1000000},
	{1000, TIMER, VRRP_HANDING_OVER, "A", 1100000},
	{1100, TIMER, VRRP_YIELDING, "C0", 3100000},
	{3100, TIMER, VRRP_INITIALIZE, "C-L", NEVER}, END}},
{"stop with a taker that refuses", .priority = 192, .has_peer = true, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{100, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "Ck", 1000000},
	{110, {.kind = VRRP_REFUSED}, VRRP_YIELDING, "C0", 2110000}, END}},
{"a move to a silent taker is given up",
	.priority = 200, .interval_cs = 1, .has_peer = false, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 10000},
	{5, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 10000},
	{10, TIMER, VRRP_HANDING_OVER, "A", 20000},
	{55, TIMER, VRRP_ACTIVE, "CG", 20000}, END}},
{"a move succeeds: Backup below the taker", .priority = 1, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{5, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 1000000},
	{6, HEARD(9, 100, 100), VRRP_BACKUP, "AC-", 4002093}, END}},
{"a move without a taker is given up at once", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{5, WITH(VRRP_STEP_DOWN, false), VRRP_ACTIVE, "G", 1000000}, END}},
{"a stop during a move becomes a stop", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{5, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 1000000},
	{6, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "k", 1000000},
	{7, HEARD(9, 100, 100), VRRP_INITIALIZE, "AC-L", NEVER}, END}},
{"the taker is Active at once and lets the giver's late words pass, announcing itself again", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, true), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, TAKE(9, true), VRRP_ACTIVE, "Y", 1200000},
	{300, HEARD(9, 200, 100), VRRP_ACTIVE, "AN", 1300000},
	{400, HEARD(8, 99, 100), VRRP_ACTIVE, "A", 1400000},
	{1200, HEARD(9, 200, 100), VRRP_BACKUP, "C-A", 4809375}, END}},
{"a giver that goes on advertising is believed in the end", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, true), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, HEARD(9, 200, 100), VRRP_ACTIVE, "AN", 1201000},
	{204, HEARD(9, 200, 100), VRRP_ACTIVE, "A", 1204000, 7},
	{205, HEARD(9, 200, 100), VRRP_BACKUP, "C-A", 3814375}, END}},
{"a giver that is below its taker is a rival", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, false), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, HEARD(9, 1, 100), VRRP_ACTIVE, "AN", 1201000}, END}},
{"who hands on at once what it was just given does not take a late word for the taker's",
	.priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, false), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 1200000},
	{202, HEARD(9, 200, 100), VRRP_HANDING_OVER, "A", 1201000},
	{203, {.kind = VRRP_ACCEPTED}, VRRP_HANDING_OVER, "A", 1201000},
	{204, HEARD(8, 99, 100), VRRP_BACKUP, "AC-", 3813375}, END}},
{"a hand-over that is refused leaves nobody unanswered who was let pass", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, false), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 1200000},
	{202, HEARD(9, 200, 100), VRRP_HANDING_OVER, "A", 1201000},
	{203, {.kind = VRRP_REFUSED}, VRRP_ACTIVE, "CGA", 1202000},
	{1202, TIMER, VRRP_ACTIVE, "N", 1203000}, END}},
{"who was just given it takes nobody's late word for the taker's: there may have been a giver before its giver",
	.priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 150, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, false), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 1200000},
	{202, HEARD(8, 200, 100), VRRP_HANDING_OVER, "A", 1201000},
	{203, {.kind = VRRP_ACCEPTED}, VRRP_HANDING_OVER, "A", 1201000},
	{204, HEARD(7, 99, 100), VRRP_BACKUP, "AC-", 3813375}, END}},
{"who preempted and hands over at once does not either", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000},
	{3220, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "Ck", 4219000},
	{3221, HEARD(9, 100, 100), VRRP_HANDING_OVER, "A", 4220000, 8},
	{3223, HEARD(9, 100, 100), VRRP_INITIALIZE, "AC-L", NEVER}, END}},
{"who was just given it and leaves alone asks whether a late word was its successor's",
	.priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, false), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, WITH(VRRP_LEAVE, false), VRRP_YIELDING, "C0", 2201000},
	{202, HEARD(9, 200, 100), VRRP_YIELDING, "0", 2201000, 8},
	{204, HEARD(9, 200, 100), VRRP_INITIALIZE, "C-L", NEVER}, END}},
{"who sinks when it has just become Active lets the word of one it outranked pass, saying how low it is", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000},
	{3220, WISH(50, true, true, true), VRRP_ACTIVE, "", 4219000},
	{3221, HEARD(9, 100, 100), VRRP_ACTIVE, "AN", 4221000},
	{3222, HEARD(8, 201, 100), VRRP_BACKUP, "C-A", 7026687}, END}},
{"but not for long", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000},
	{3220, WISH(50, true, true, true), VRRP_ACTIVE, "", 4219000},
	{4219, HEARD(9, 100, 100), VRRP_BACKUP, "C-A", 8023687}, END}},
{"who becomes owner and leaves at once asks whether a late word was its successor's", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{200, WISH(255, true, true, true), VRRP_ACTIVE, "C+NA", 1200000},
	{201, WITH(VRRP_LEAVE, false), VRRP_YIELDING, "C0", 2201000},
	{202, HEARD(9, 200, 100), VRRP_YIELDING, "0", 2201000}, END}},
{"a rival is none of those whose late words are let pass", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000},
	{3220, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 4219000},
	{3221, HEARD(8, 253, 100), VRRP_BACKUP, "AC-", 6439750}, END}},
{"nor is a lower one its taker, so soon: it is told who holds, and announced beside when the hand-over fails", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{1000, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000},
	{3220, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 4219000},
	{3221, HEARD(8, 199, 100), VRRP_HANDING_OVER, "A", 4220000},
	{3222, {.kind = VRRP_REFUSED}, VRRP_ACTIVE, "CGA", 4221000},
	{4222, TIMER, VRRP_ACTIVE, "AN", 5222000}, END}},
{"a rival of before is announced beside when a hand-over fails", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{1500, TIMER, VRRP_ACTIVE, "A", 2500000},
	{1501, HEARD(9, 100, 100), VRRP_ACTIVE, "AN", 2501000},
	{1502, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 2501000},
	{1503, {.kind = VRRP_REFUSED}, VRRP_ACTIVE, "CG", 2501000},
	{2501, TIMER, VRRP_ACTIVE, "AN", 3501000}, END}},
{"a yes to one hand-over is none to the next", .priority = 200, .interval_cs = 10, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 321875},
	{100, HEARD(9, 100, 10), VRRP_BACKUP, "", 321875},
	{322, TIMER, VRRP_ACTIVE, "C+NA", 422000},
	{323, WITH(VRRP_STEP_DOWN, true), VRRP_HANDING_OVER, "CK", 422000},
	{324, {.kind = VRRP_ACCEPTED}, VRRP_HANDING_OVER, "", 422000},
	{325, WITH(VRRP_LEAVE, true), VRRP_HANDING_OVER, "k", 422000},
	{326, HEARD(9, 100, 10), VRRP_HANDING_OVER, "A", 425000}, END}},
{"a taker lets late words of others pass too", .priority = 100, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{100, HEARD(9, 150, 100), VRRP_BACKUP, "", 3709375},
	{200, TAKE(9, true), VRRP_ACTIVE, "C+NAY", 1200000},
	{201, HEARD(8, 200, 100), VRRP_ACTIVE, "AN", 1201000}, END}},
{"a take from any but the Active heard is refused", .priority = 100, .steps = {
	{0, TAKE(9, true), VRRP_INITIALIZE, "R", NEVER},
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3609375},
	{1, TAKE(9, true), VRRP_BACKUP, "R", 3609375},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 3709375},
	{101, TAKE(8, true), VRRP_BACKUP, "R", 3709375}, END}},
{"a take that was kept on the way is refused: the giver has given up, or is back", .priority = 100,
	.interval_cs = 10, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 360937},
	{100, HEARD(9, 200, 10), VRRP_BACKUP, "", 460937},
	{101, OLD_TAKE(9, true, 100000001), VRRP_BACKUP, "R", 460937},
	{102, OLD_TAKE(9, true, INT64_MAX), VRRP_BACKUP, "R", 460937},
	{103, OLD_TAKE(9, true, 100000000), VRRP_ACTIVE, "C+NAY", 203000}, END}},
{"a last resort takes only from one that leaves", .priority = 1, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3996093},
	{100, HEARD(9, 200, 100), VRRP_BACKUP, "", 4096093},
	{101, TAKE(9, false), VRRP_BACKUP, "R", 4096093},
	{102, TAKE(9, true), VRRP_ACTIVE, "C+NAY", 1102000}, END}},
{"a stalled Active with a live peer lets go first", .priority = 200, .has_peer = true, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{2219, HEARD(9, 100, 100), VRRP_BACKUP, "C-0", 5437750}, END}},
{"who was Active too long ago says farewell", .priority = 200, .steps = {
	{0, START(VRRP_START_LATE), VRRP_BACKUP, "C-0", 3218750},
	{100, HEARD(9, 100, 100), VRRP_BACKUP, "", 3218750}, END}},
{"a short stall is no stall", .priority = 200, .has_peer = true, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{2218, TIMER, VRRP_ACTIVE, "A", 3218000}, END}},
{"a stalled Active without a peer goes on", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{9000, TIMER, VRRP_ACTIVE, "A", 10000000}, END}},
{"a late Backup listens once more, and only once", .priority = 200, .steps = {
	{0, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3218750},
	{4219, TIMER, VRRP_BACKUP, "", 7437750},
	{9000, TIMER, VRRP_ACTIVE, "C+NA", 10000000}, END}},
{"no node is fit: let go, and take nothing until one is", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{10, WISH(1, true, false, true), VRRP_BACKUP, "0C-", NEVER},
	{9000, TIMER, VRRP_BACKUP, "", NEVER},
	{9010, WISH(200, true, true, true), VRRP_BACKUP, "", 12228750}, END}},
{"addresses kept over a long restart stay until another is heard", .priority = 200, .steps = {
	{0, START(VRRP_START_KEEP), VRRP_BACKUP, "C+", 3218750},
	{10, HEARD(9, 0, 100), VRRP_BACKUP, "", 228750},
	{20, HEARD(9, 100, 100), VRRP_BACKUP, "-", 228750}, END}},
{"addresses kept over a long restart become ours again", .priority = 200, .steps = {
	{0, START(VRRP_START_KEEP), VRRP_BACKUP, "C+", 3218750},
	{3219, TIMER, VRRP_ACTIVE, "C+NA", 4219000}, END}},
{"a stopped Backup is gone at once", .priority = 200, .steps = {
	{0, START(VRRP_START_KEEP), VRRP_BACKUP, "C+", 3218750},
	{1, WITH(VRRP_LEAVE, true), VRRP_INITIALIZE, "C-L", NEVER},
	{2, WITH(VRRP_LEAVE, true), VRRP_INITIALIZE, "L", NEVER}, END}},
{"a lost interface ends it at once, asking a peer by the other path", .priority = 200, .steps = {
	{0, START(VRRP_START_RESUME), VRRP_ACTIVE, "C+NA", 1000000},
	{1, WITH(VRRP_HALT, true), VRRP_INITIALIZE, "0kC-L", NEVER},
	{2, START(VRRP_START_FRESH), VRRP_BACKUP, "C-", 3220750},
	{3, WITH(VRRP_HALT, true), VRRP_INITIALIZE, "CL", NEVER}, END}},
};
// clang-format on

/* The tables cannot call htonl(): they carry the last byte of the address in the port. */
static struct vrrp_event prepared(const struct step *s)
{
	struct vrrp_event ev = s->ev;

	if (ev.source.sa.sa_family)
		ev.source = ip(ev.source.in.sin_port);
	return ev;
}

static struct mono at_ms(int64_t ms)
{
	return mono_add_ms((struct mono){1000}, ms);
}

static void run_step(struct vrrp *v, const struct story *story, size_t i)
{
	const struct step *s = &story->steps[i];
	struct vrrp_event ev = prepared(s);
	struct vrrp_todo todo;
	struct mono deadline;
	char actions[VRRP_TODO_MAX + 1] = "";
	int64_t deadline_us;

	for (int more = s->times; more > 1; more--) {
		vrrp_step(v, &ev, at_ms(s->at_ms), &todo);
		vrrp_check(v);
	}
	vrrp_step(v, &ev, at_ms(s->at_ms), &todo);
	vrrp_check(v);
	for (size_t k = 0; k < todo.count; k++)
		actions[k] = letter(&todo.items[k]);
	deadline = vrrp_deadline(v);
	deadline_us = mono_is_never(deadline) ? NEVER : mono_since_ns(deadline, at_ms(0)) / 1000;
	if (v->state == s->state && deadline_us == s->deadline_us && !strcmp(actions, s->actions))
		return;
	fail_msg("%s, step %zu: %s \"%s\" deadline %lld us; expected %s \"%s\" %lld us",
		story->name, i, vrrp_state_name(v->state), actions, (long long)deadline_us,
		vrrp_state_name(s->state), s->actions, (long long)s->deadline_us);
}

static void tells_every_story(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		const struct story *s = &stories[i];
		const struct vrrp_config config = {
			.version = s->version ? s->version : 3,
			.interval_cs = s->interval_cs ? s->interval_cs : 100,
			.preempt = !s->no_preempt,
			.preempt_delay_ms = s->preempt_delay_ms,
			.primary = ip(2),
		};
		const struct vrrp_wish wish = {s->priority, true, true, s->has_peer};
		struct vrrp v;

		vrrp_init(&v, &config, &wish);
		for (size_t k = 0; k < STEPS_MAX && s->steps[k].at_ms >= 0 && s->steps[k].actions;
			k++)
			run_step(&v, s, k);
	}
}

static void applies_a_new_interval_at_once(void **state)
{
	struct vrrp_config config = {3, 10, true, 0, ip(2)};
	const struct vrrp_wish wish = {200, true, true, false};
	struct vrrp_event ev = START(VRRP_START_RESUME);
	struct vrrp_todo todo;
	struct vrrp v;

	(void)state;
	vrrp_init(&v, &config, &wish);
	vrrp_step(&v, &ev, at_ms(0), &todo);
	config.interval_cs = 100;
	ev = (struct vrrp_event){.kind = VRRP_CONFIG, .config = &config};
	vrrp_step(&v, &ev, at_ms(50), &todo);
	vrrp_check(&v);
	assert_int_equal(todo.count, 1);
	assert_int_equal(todo.items[0].kind, VRRP_ADVERTISE);
	assert_int_equal(mono_since_ms(vrrp_deadline(&v), at_ms(50)), 1000);
}

static void counts_transitions_between_the_states_of_the_rfc(void **state)
{
	const struct vrrp_config config = {3, 100, true, 0, ip(2)};
	const struct vrrp_wish wish = {200, true, true, false};
	struct vrrp_event ev = START(VRRP_START_RESUME);
	struct vrrp_todo todo;
	struct vrrp v;

	(void)state;
	vrrp_init(&v, &config, &wish);
	vrrp_step(&v, &ev, at_ms(0), &todo);
	assert_int_equal(v.transitions, 1);
	ev = (struct vrrp_event)WITH(VRRP_LEAVE, true);
	vrrp_step(&v, &ev, at_ms(1), &todo);
	assert_int_equal(v.transitions, 1);
	assert_string_equal(v.last->why, "stopping: handing over");
	ev = (struct vrrp_event)HEARD(9, 100, 100);
	ev.source = ip(9);
	vrrp_step(&v, &ev, at_ms(2), &todo);
	assert_int_equal(v.transitions, 2);
	assert_string_equal(vrrp_cause_name(v.last->cause), "left_to_taker");
}

static void has_one_row_for_each_cause_in_a_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < vrrp_transitions_count; i++) {
		const struct vrrp_transition *t = &vrrp_transitions[i];

		assert_ptr_equal(vrrp_transition(t->from, t->cause), t);
		assert_int_not_equal(t->from, t->to);
		assert_true(t->why[0] && vrrp_cause_name(t->cause)[0]);
	}
	for (int c = 0; c < VRRP_CAUSES; c++) {
		size_t rows = 0;

		for (int s = 0; s < VRRP_STATES; s++)
			rows += vrrp_transition((enum vrrp_state)s, (enum vrrp_cause)c) != NULL;
		assert_true(rows > 0);
	}
}

/* The drawing in vrrpd/README.md is printed from the table: this finds it there, whole. */
static void is_drawn_in_the_readme(void **state)
{
	char path[512], text[65536];
	struct buf diagram;
	size_t len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s", __FILE__);
	*strstr(path, "tests/unit/") = '\0';
	strcat(path, "vrrpd/README.md");
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[len] = '\0';
	buf_init(&diagram, sizeof text);
	vrrp_diagram(&diagram);
	if (!strstr(text, buf_text(&diagram)))
		fail_msg("vrrpd/README.md should contain:\n```mermaid\n%s```", buf_text(&diagram));
	buf_fini(&diagram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_every_story),
		cmocka_unit_test(applies_a_new_interval_at_once),
		cmocka_unit_test(counts_transitions_between_the_states_of_the_rfc),
		cmocka_unit_test(has_one_row_for_each_cause_in_a_state),
		cmocka_unit_test(is_drawn_in_the_readme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
