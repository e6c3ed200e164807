#pragma once
/*
 * Shell: lets traffic pass from link to link while this node is in bypass, as
 * the instance's ha.bypass says: not at all, through kernel bridges (one for
 * each link pair, with STP), or by a command of the node file, which is called
 * with one more word, `on` or `off`. Who may forward, flaps.h decides.
 */
#include <stdbool.h>
#include <uv.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/nodefile.h"
#include "vrrpd/netlink.h"

struct bypass;

/* 0 and a bypass that forwards nothing, or -ENOMEM. The rest is kept. */
int bypass_open(uv_loop_t *loop, struct netlink *n, const struct nodefile *nodefile,
	struct bypass **ret);
/* Bridges stay as they are: the bypass outlives the process. NULL is fine. */
void bypass_close(struct bypass *b);

/* NULL, or a sentence why this node cannot do what ha asks for. In text. */
const char *bypass_refuse(
	const struct nodefile *nodefile, const struct conf_ha *ha, char text[256]);

/*
 * Makes it so, now or when a command under way has ended; what failed is logged
 * and tried again every 10 s. Call it again and again with what is wanted.
 */
void bypass_want(
	struct bypass *b, const struct conf_ha *ha, bool is_forwarding, struct mono now);
/* Traffic passes, as far as we know. */
bool bypass_is_forwarding(const struct bypass *b);
