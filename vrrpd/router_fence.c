/* See router_parts.h: `accept: false` (accept.h), carried out by fence. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "vrrpd/accept.h"
#include "vrrpd/router_parts.h"

static void say_error(struct router *r, int rc)
{
	unsigned long held;

	if (rc < 0 && log_limit_take(&r->fence_limit, 1, mono_now(), &held))
		log_error("accept: false cannot be enforced: nftables: %s; packets to such VIPs are "
			  "taken meanwhile: keep them out with a firewall, or set accept: true",
			strerror(-rc));
}

void router_fence_set(struct router *r, const struct conf *conf)
{
	size_t count = accept_refused(conf, r->node, NULL, 0);
	struct addr *addresses = calloc(count ? count : 1, sizeof *addresses);

	if (!addresses) {
		say_error(r, -ENOMEM);
		return;
	}
	accept_refused(conf, r->node, addresses, count);
	say_error(r, fence_set(r->fence, addresses, count));
	free(addresses);
}

void router_fence_clear(struct router *r)
{
	say_error(r, fence_set(r->fence, NULL, 0));
}

void router_fence_tend(struct router *r, struct mono now)
{
	int rc = fence_tick(r->fence, now);

	say_error(r, rc);
	if (rc > 0)
		log_warn("nftables: table inet ballast-vrrpd was not as it should be and is again");
}
