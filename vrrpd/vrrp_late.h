#pragma once
/*
 * Late words: advertisements sent before their sender heard who is Active now. They may come after the
 * new Active has spoken, and must not be taken for a rival's, nor for a taker's or a successor's. Part
 * of the machine in vrrp.h; called by vrrp.c alone.
 */
#include "vrrpd/vrrp.h"

/* RFC 9568 6.4.3 (660): a higher priority than this of ours, or the same and the higher address. */
bool vrrp_outranks(const struct vrrp *v, const struct vrrp_event *ev, int priority);

/* We have just become Active: such words may come until a taker of ours would be given up, three
 * intervals at most, since who left may be Active again by then. */
void vrrp_late_begin(struct vrrp *v, struct mono now);
/* True for eight words within that time: this one passes, and is counted. */
bool vrrp_late_pass(struct vrrp *v, struct mono now);
/* One has passed, and the time is not over. */
bool vrrp_late_has_passed(const struct vrrp *v, struct mono now);

/*
 * Said, it may be, by one who has let go since. A taker has it from one who may have had it from
 * another a moment ago: anybody's word. Who sank since it became Active: the word of one that it
 * outranked then.
 */
bool vrrp_late_may_be(const struct vrrp *v, const struct vrrp_event *ev);
/* The same of who gives it on or leaves: said by who held it before us, not by who holds it after us. */
bool vrrp_late_may_be_givers(const struct vrrp *v, const struct vrrp_event *ev);
/* The same, when we took it from one that lives: said by another who took it too and is below us. A taker
 * may be below us as well, but it says yes. */
bool vrrp_late_may_be_rivals(const struct vrrp *v, const struct vrrp_event *ev);
