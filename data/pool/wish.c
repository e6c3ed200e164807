/* See wish.h. */
#include "data/pool/wish.h"

#include "common/hash.h"

#define SEED 0x42616c6c617374u /* the same everywhere: nodes agree on where a key belongs */

uint64_t wish_hash(const void *data, size_t len)
{
	return hash_bytes(SEED, data, len);
}

uint64_t wish_hash_address(const struct addr *a)
{
	struct addr plain = *a;

	addr_unmap(&plain);
	if (addr_family(&plain) == AF_INET6)
		return wish_hash(&plain.in6.sin6_addr, sizeof plain.in6.sin6_addr);
	return wish_hash(&plain.in.sin_addr, sizeof plain.in.sin_addr);
}
