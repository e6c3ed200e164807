/* See accept.h. */
#include "vrrpd/accept.h"

#include "vrrpd/vrrp.h"

size_t accept_refused(const struct conf *c, const char *node, struct addr *ret, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < c->vips_count; i++) {
		const struct conf_vip *v = &c->vips[i];

		if (v->accept || conf_vip_priority(c, v, node) == VRRP_PRIORITY_OWNER)
			continue;
		for (size_t j = 0; j < v->addresses_count; j++, count++)
			if (count < max)
				ret[count] = v->addresses[j].addr;
	}
	return count;
}
