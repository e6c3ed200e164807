#pragma once
/*
 * Shell: hears on one interface who says that he has an address, by ARP or
 * Neighbor Advertisement: a packet socket that lets nothing else in. Open only
 * as long as a VIP asks (probe.h).
 */
#include <net/ethernet.h>
#include <uv.h>

#include "common/addr.h"

#define INQUIRY_DRAIN_MAX 64 /* answers in one wake-up; the rest comes with the next */

struct inquiry;

typedef void inquiry_heard(void *user, const struct addr *address, const uint8_t mac[ETH_ALEN]);

/* 0 and an inquiry, or a negative errno. heard and user are kept. */
int inquiry_open(uv_loop_t *loop, int interface_index, inquiry_heard *heard, void *user,
	struct inquiry **ret);
/* Hears no more from now on; freed when the loop has let go of it. NULL is fine. */
void inquiry_close(struct inquiry *q);
