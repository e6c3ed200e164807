/* probe: any bytes as a frame of the segment. What is read as an answer names an address and a
 * host. */
#include "vrrpd/probe.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mac[ETH_ALEN];
	struct addr address;
	struct probe p;

	if (!probe_read(data, size, &address, mac))
		return 0;
	assert(addr_family(&address) == AF_INET || addr_family(&address) == AF_INET6);
	probe_begin(&p, (struct mono){1}, 1000000);
	assert(probe_answered(&p, &address, mac, (struct mono){2}));
	probe_check(&p);
	return 0;
}
