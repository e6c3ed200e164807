/*
 * Reading and writing VRRP advertisements: RFC 9568 5 and 7.1, RFC 3768 5 and 7.1.
 * Pure; called by wire and router, and by the simulation.
 */
#include "vrrpd/advert.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#define HEADER_SIZE 8
#define V2_AUTHENTICATION_SIZE 8
#define TYPE_ADVERTISEMENT 1
#define INTERVAL_MAX 4095 /* 12 bits */

static uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static size_t message_size(int version, int family, size_t count)
{
	return HEADER_SIZE + count * address_size(family) +
	       (version == 2 ? V2_AUTHENTICATION_SIZE : 0);
}

/* The address's bytes as on the wire. */
static const void *address_bytes(const struct addr *a)
{
	return addr_family(a) == AF_INET ? (const void *)&a->in.sin_addr
					 : (const void *)&a->in6.sin6_addr;
}

static void set_address(struct addr *a, int family, const uint8_t *bytes)
{
	*a = (struct addr){.sa.sa_family = (sa_family_t)family};
	if (family == AF_INET)
		memcpy(&a->in.sin_addr, bytes, 4);
	else
		memcpy(&a->in6.sin6_addr, bytes, 16);
}

static uint32_t add_words(uint32_t sum, const uint8_t *p, size_t len)
{
	assert(len % 2 == 0);
	for (size_t i = 0; i < len; i += 2)
		sum += read16(p + i);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 8200 8.1; for IPv4 its counterpart with 4-byte addresses, as keepalived and FRR use it. */
static uint32_t pseudo_header(const struct addr *source, const struct addr *destination, size_t len)
{
	size_t size = address_size(addr_family(source));
	uint32_t sum = add_words(0, address_bytes(source), size);

	sum = add_words(sum, address_bytes(destination), size);
	return sum + ADVERT_PROTOCOL + (uint32_t)len;
}

/* RFC 9568 5.2.8: over IPv6 always with the pseudo-header, over IPv4 without; see
 * has_pseudo_header. */
static bool checksum_is_good(
	const struct advert_packet *p, int version, bool *ret_has_pseudo_header)
{
	uint32_t plain = add_words(0, p->data, p->len);
	uint32_t full = plain + pseudo_header(&p->source, &p->destination, p->len);
	bool is_full = fold(full) == 0xffff;

	if (version == 3 && is_full) {
		*ret_has_pseudo_header = addr_family(&p->source) == AF_INET;
		return true;
	}
	*ret_has_pseudo_header = false;
	return addr_family(&p->source) == AF_INET && fold(plain) == 0xffff;
}

enum advert_refusal advert_open_ip4(const void *packet, size_t len, struct advert_packet *ret)
{
	const uint8_t *p = packet;
	size_t header, total;

	if (len < sizeof(struct iphdr))
		return ADVERT_SHORT;
	header = (size_t)(p[0] & 0x0f) * 4;
	total = read16(p + 2);
	if (p[0] >> 4 != 4 || header < sizeof(struct iphdr) || total < header || total > len ||
		p[9] != ADVERT_PROTOCOL)
		return ADVERT_IP_HEADER;
	ret->data = p + header;
	ret->len = total - header;
	ret->ttl = p[8];
	set_address(&ret->source, AF_INET, p + 12);
	set_address(&ret->destination, AF_INET, p + 16);
	return ADVERT_OK;
}

/* Everything but the checksum and the interval, in the order of RFC 9568 7.1. */
static enum advert_refusal judge_shape(const struct advert_packet *p)
{
	int family = addr_family(&p->source);
	int version;

	if (p->ttl != ADVERT_TTL)
		return ADVERT_WRONG_TTL;
	if (p->len < HEADER_SIZE)
		return ADVERT_SHORT;
	version = p->data[0] >> 4;
	if (version != 3 && (version != 2 || family != AF_INET))
		return ADVERT_WRONG_VERSION;
	if ((p->data[0] & 0x0f) != TYPE_ADVERTISEMENT)
		return ADVERT_WRONG_TYPE;
	if (p->data[3] == 0)
		return ADVERT_NO_ADDRESS;
	if (p->len != message_size(version, family, p->data[3]))
		return ADVERT_WRONG_LENGTH;
	return ADVERT_OK;
}

static int read_interval(const uint8_t *data, int version)
{
	return version == 2 ? data[5] * 100 : read16(data + 4) & INTERVAL_MAX;
}

enum advert_refusal advert_decode(const struct advert_packet *p, struct advert *ret)
{
	int family = addr_family(&p->source);
	size_t size = address_size(family);
	enum advert_refusal refusal = judge_shape(p);
	bool has_pseudo_header;

	if (refusal != ADVERT_OK)
		return refusal;
	int version = p->data[0] >> 4;

	if (!checksum_is_good(p, version, &has_pseudo_header))
		return ADVERT_WRONG_CHECKSUM;
	if (p->data[1] == 0)
		return ADVERT_WRONG_ROUTER;
	if (version == 2 && p->data[4] != 0)
		return ADVERT_WRONG_AUTHENTICATION;
	if (read_interval(p->data, version) == 0)
		return ADVERT_WRONG_INTERVAL;
	ret->version = version;
	ret->family = family;
	ret->virtual_router_id = p->data[1];
	ret->priority = p->data[2];
	ret->interval_cs = read_interval(p->data, version);
	ret->has_pseudo_header = has_pseudo_header;
	ret->source = p->source;
	ret->destination = p->destination;
	ret->addresses_count = p->data[3];
	for (size_t i = 0; i < ret->addresses_count; i++)
		set_address(&ret->addresses[i], family, p->data + HEADER_SIZE + i * size);
	return ADVERT_OK;
}

enum advert_refusal advert_judge(const struct advert *a, const struct advert_expected *e)
{
	if (a->virtual_router_id != e->virtual_router_id)
		return ADVERT_WRONG_ROUTER;
	if (a->version != e->version)
		return ADVERT_WRONG_VERSION;
	if (addr_is_same_ip(&a->source, &e->source))
		return ADVERT_OWN_SOURCE;
	if (a->version == 2 && a->interval_cs != e->interval_cs)
		return ADVERT_WRONG_INTERVAL;
	return ADVERT_OK;
}

static bool advert_has(const struct advert *a, const struct addr *address)
{
	for (size_t i = 0; i < a->addresses_count; i++)
		if (addr_is_same_ip(&a->addresses[i], address))
			return true;
	return false;
}

static bool list_has(const struct addr_prefix *list, size_t count, const struct addr *address)
{
	for (size_t i = 0; i < count; i++)
		if (addr_is_same_ip(&list[i].addr, address))
			return true;
	return false;
}

bool advert_addresses_differ(const struct advert *a, const struct addr_prefix *ours, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (addr_family(&ours[i].addr) == a->family && !advert_has(a, &ours[i].addr))
			return true;
	for (size_t i = 0; i < a->addresses_count; i++)
		if (!list_has(ours, count, &a->addresses[i]))
			return true;
	return false;
}

static bool can_be_said(const struct advert *a)
{
	if (a->addresses_count == 0 || a->addresses_count > ADVERT_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < a->addresses_count; i++)
		if (addr_family(&a->addresses[i]) != a->family)
			return false;
	if (addr_family(&a->source) != a->family || addr_family(&a->destination) != a->family)
		return false;
	if (a->version == 2)
		return a->family == AF_INET && a->interval_cs % 100 == 0 && a->interval_cs >= 100 &&
		       a->interval_cs <= 25500;
	return a->version == 3 && a->interval_cs >= 1 && a->interval_cs <= INTERVAL_MAX;
}

static void write_header(const struct advert *a, uint8_t *p)
{
	p[0] = (uint8_t)(a->version << 4 | TYPE_ADVERTISEMENT);
	p[1] = a->virtual_router_id;
	p[2] = a->priority;
	p[3] = (uint8_t)a->addresses_count;
	if (a->version == 2) {
		p[5] = (uint8_t)(a->interval_cs / 100);
		return;
	}
	p[4] = (uint8_t)(a->interval_cs >> 8);
	p[5] = (uint8_t)a->interval_cs;
}

int advert_encode(const struct advert *a, void *data, size_t size)
{
	uint8_t *p = data;
	size_t each = address_size(a->family), len;
	uint32_t sum = 0;

	if (!can_be_said(a))
		return -EINVAL;
	len = message_size(a->version, a->family, a->addresses_count);
	if (len > size)
		return -EMSGSIZE;
	memset(p, 0, len);
	write_header(a, p);
	for (size_t i = 0; i < a->addresses_count; i++)
		memcpy(p + HEADER_SIZE + i * each, address_bytes(&a->addresses[i]), each);
	if (a->family == AF_INET6 || (a->version == 3 && a->has_pseudo_header))
		sum = pseudo_header(&a->source, &a->destination, len);
	sum = (uint16_t)~fold(add_words(sum, p, len));
	p[6] = (uint8_t)(sum >> 8);
	p[7] = (uint8_t)sum;
	return (int)len;
}

int advert_interval_cs(int version, int64_t interval_ms)
{
	int64_t unit_ms = version == 2 ? 1000 : 10;
	int64_t most = version == 2 ? 255 : INTERVAL_MAX;
	int64_t units = interval_ms <= 0 ? 1 : (interval_ms - 1) / unit_ms + 1;

	if (units > most)
		units = most;
	return (int)(version == 2 ? units * 100 : units);
}

static const struct {
	const char *name, *text;
} refusals[ADVERT_REFUSALS] = {
	[ADVERT_OK] = {"ok", "accepted"},
	[ADVERT_SHORT] = {"short", "shorter than a header"},
	[ADVERT_OVERSIZE] = {"oversize", "longer than any advertisement"},
	[ADVERT_IP_HEADER] = {"ip_header", "damaged IP header"},
	[ADVERT_WRONG_TTL] = {"wrong_ttl", "ttl is not 255: it was forwarded"},
	[ADVERT_WRONG_VERSION] = {"wrong_version", "another VRRP version than configured here"},
	[ADVERT_WRONG_TYPE] = {"wrong_type", "not an advertisement"},
	[ADVERT_WRONG_LENGTH] = {"wrong_length", "length does not fit the count of addresses"},
	[ADVERT_WRONG_CHECKSUM] = {"wrong_checksum", "wrong checksum"},
	[ADVERT_WRONG_ROUTER] = {"wrong_router", "virtual router id not configured here"},
	[ADVERT_NO_ADDRESS] = {"no_address", "it names no address"},
	[ADVERT_WRONG_AUTHENTICATION] = {"wrong_authentication",
		"VRRPv2 authentication is not supported: turn it off at the sender"},
	[ADVERT_WRONG_INTERVAL] = {"wrong_interval",
		"its advertisement interval is not ours, or 0"},
	[ADVERT_OWN_SOURCE] = {"own_source", "its source is our own address"},
};

const char *advert_refusal_text(enum advert_refusal r)
{
	return r < ADVERT_REFUSALS ? refusals[r].text : "?";
}

const char *advert_refusal_name(enum advert_refusal r)
{
	return r < ADVERT_REFUSALS ? refusals[r].name : "?";
}
