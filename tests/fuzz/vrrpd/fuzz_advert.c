/*
 * advert: any bytes as a packet. The first byte chooses the family and whether
 * the checksum is mended first, so that the fuzzer gets past it. What is
 * accepted must be within its bounds and encode to the same bytes again.
 */
#include "vrrpd/advert.h"

#include <assert.h>
#include <string.h>

#define MEND 2u
#define IPV6 1u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the checksum must be is what it is off by: decode twice, the second time corrected. */
static void mend(uint8_t *p, size_t len, const struct advert_packet *packet)
{
	uint32_t sum = ADVERT_PROTOCOL + (uint32_t)len;
	const uint8_t *source = (const void *)&packet->source.in6.sin6_addr;
	const uint8_t *destination = (const void *)&packet->destination.in6.sin6_addr;

	if (len < 8 || len % 2)
		return;
	p[6] = p[7] = 0;
	for (size_t i = 0; addr_family(&packet->source) == AF_INET6 && i < 16; i += 2)
		sum += (uint32_t)((source[i] << 8 | source[i + 1]) +
				  (destination[i] << 8 | destination[i + 1]));
	if (addr_family(&packet->source) == AF_INET)
		sum = 0;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	p[6] = (uint8_t)(~sum >> 8);
	p[7] = (uint8_t)~sum;
}

static void check_accepted(const struct advert *a, const struct advert_packet *p)
{
	uint8_t again[ADVERT_SIZE_MAX];
	int len;

	assert(a->version == 2 || a->version == 3);
	assert(a->virtual_router_id && a->interval_cs > 0 && a->addresses_count);
	len = advert_encode(a, again, sizeof again);
	assert(len == (int)p->len);
	/* Reserved bits and version 2's authentication data are not kept. */
	assert(memcmp(again, p->data, 4) == 0);
	assert(memcmp(again + 8, p->data + 8,
		       a->addresses_count * (a->family == AF_INET ? 4 : 16)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct advert a;
	uint8_t copy[ADVERT_SIZE_MAX + 64];
	struct advert_packet p = {.ttl = ADVERT_TTL};

	if (size < 1 || size > sizeof copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & IPV6) {
		p.data = copy;
		p.len = size - 1;
		p.source.in6.sin6_family = p.destination.in6.sin6_family = AF_INET6;
		p.source.in6.sin6_addr.s6_addr[15] = 1;
		p.destination.in6.sin6_addr.s6_addr[0] = 0xff;
	} else if (advert_open_ip4(copy, size - 1, &p) != ADVERT_OK) {
		return 0;
	}
	if (data[0] & MEND)
		mend(copy + (p.data - copy), p.len, &p);
	if (advert_decode(&p, &a) == ADVERT_OK)
		check_accepted(&a, &p);
	return 0;
}
