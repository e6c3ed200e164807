/* Leases as the kernel keeps them: they run out whoever has died. */
#include "tests/sim/kernel.h"

#define NS_PER_S 1000000000LL

void kernel_init(struct kernel *k)
{
	*k = (struct kernel){.expires_ns = INT64_MAX};
}

void kernel_apply(struct kernel *k, const struct lease_change *c, struct mono now, int64_t now_ns)
{
	k->has_address = c->kind != LEASE_DELETE;
	k->valid_s = c->valid_s;
	k->told = now;
	k->expires_ns = INT64_MAX;
	if (k->has_address && c->valid_s != LEASE_FOREVER)
		k->expires_ns = now_ns + c->valid_s * NS_PER_S;
}

bool kernel_expire(struct kernel *k, int64_t now_ns)
{
	if (!k->has_address || k->expires_ns > now_ns)
		return false;
	kernel_init(k);
	return true;
}
