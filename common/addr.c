/* See addr.h. */
#include "common/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

int addr_parse_ip(const char *text, struct addr *ret)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
	} else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
	} else {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

/* Decimal digits only, no sign, no leading blank: 0 or -EINVAL. */
static int number_parse(const char *text, unsigned long maximum, unsigned long *ret)
{
	unsigned long n = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		n = n * 10 + (unsigned long)(*p - '0');
		if (n > maximum)
			return -EINVAL;
	}
	*ret = n;
	return 0;
}

int addr_split_port(const char *text, char *host, size_t host_size, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':'), *begin = text;
	unsigned long port;
	size_t len;

	if (!colon || number_parse(colon + 1, 65535, &port) < 0 || port == 0)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (*text == '[') {
		if (len < 3 || text[len - 1] != ']')
			return -EINVAL;
		begin++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return -EINVAL;
	}
	if (len == 0 || len >= host_size)
		return -EINVAL;
	memcpy(host, begin, len);
	host[len] = '\0';
	*ret_port = (uint16_t)port;
	return 0;
}

int addr_parse_port(const char *text, struct addr *ret)
{
	char host[ADDR_TEXT_SIZE];
	uint16_t port;
	struct addr a;

	if (addr_split_port(text, host, sizeof host, &port) < 0)
		return -EINVAL;
	if (addr_parse_ip(strcmp(host, "*") == 0 ? "::" : host, &a) < 0)
		return -EINVAL;
	if (addr_family(&a) == AF_INET6 && text[0] != '[' && text[0] != '*')
		return -EINVAL;
	addr_set_port(&a, port);
	*ret = a;
	return 0;
}

int addr_parse_prefix(const char *text, struct addr_prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long maximum, length;
	char ip[ADDR_TEXT_SIZE];
	struct addr a;

	if (len >= sizeof ip)
		return -EINVAL;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (addr_parse_ip(ip, &a) < 0)
		return -EINVAL;
	length = maximum = addr_family(&a) == AF_INET ? 32 : 128;
	if (slash && number_parse(slash + 1, maximum, &length) < 0)
		return -EINVAL;
	*ret = (struct addr_prefix){a, (uint8_t)length};
	return 0;
}

/* Without the formatting of inet_ntop(), which costs more than the rest of an accepted connection.
 */
static void print_in(const struct in_addr *in, char *text)
{
	uint32_t ip = ntohl(in->s_addr);

	for (int shift = 24; shift >= 0; shift -= 8) {
		unsigned part = ip >> shift & 255;

		if (part >= 100)
			*text++ = (char)('0' + part / 100);
		if (part >= 10)
			*text++ = (char)('0' + part / 10 % 10);
		*text++ = (char)('0' + part % 10);
		*text++ = shift ? '.' : '\0';
	}
}

const char *addr_print_ip(const struct addr *a, char text[ADDR_TEXT_SIZE])
{
	text[0] = '\0';
	if (a->sa.sa_family == AF_INET)
		print_in(&a->in.sin_addr, text);
	else if (a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, ADDR_TEXT_SIZE);
	return text;
}

const char *addr_print_port(const struct addr *a, char text[ADDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];

	addr_print_ip(a, ip);
	if (snprintf(text, ADDR_TEXT_SIZE, a->sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip,
		    (unsigned)addr_port(a)) >= ADDR_TEXT_SIZE)
		text[0] = '\0';
	return text;
}

const char *addr_print_prefix(const struct addr_prefix *p, char text[ADDR_TEXT_SIZE])
{
	char ip[ADDR_TEXT_SIZE];

	addr_print_ip(&p->addr, ip);
	if (snprintf(text, ADDR_TEXT_SIZE, "%s/%u", ip, (unsigned)p->length) >= ADDR_TEXT_SIZE)
		text[0] = '\0';
	return text;
}

socklen_t addr_length(const struct addr *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

int addr_family(const struct addr *a)
{
	return a->sa.sa_family;
}

uint16_t addr_port(const struct addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
	assert(a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6);
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else
		a->in6.sin6_port = htons(port);
}

int addr_compare_ip(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return a->sa.sa_family < b->sa.sa_family ? -1 : 1;
	if (a->sa.sa_family == AF_INET)
		return memcmp(&a->in.sin_addr, &b->in.sin_addr, sizeof a->in.sin_addr);
	return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr);
}

bool addr_is_same_ip(const struct addr *a, const struct addr *b)
{
	if (addr_compare_ip(a, b) != 0)
		return false;
	return a->sa.sa_family != AF_INET6 || a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool addr_is_equal(const struct addr *a, const struct addr *b)
{
	return addr_is_same_ip(a, b) && addr_port(a) == addr_port(b);
}

uint64_t addr_hash(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return hash_bytes(addr_port(a), &a->in6.sin6_addr, sizeof a->in6.sin6_addr);
	return hash_bytes(addr_port(a), &a->in.sin_addr, sizeof a->in.sin_addr);
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return (ntohl(a->in.sin_addr.s_addr) >> 24) == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_prefix_has(const struct addr_prefix *p, const struct addr *a)
{
	const unsigned char *x, *y;
	unsigned whole = p->length / 8u, rest = p->length % 8u;

	if (addr_family(&p->addr) != addr_family(a))
		return false;
	if (addr_family(a) == AF_INET) {
		x = (const unsigned char *)&p->addr.in.sin_addr;
		y = (const unsigned char *)&a->in.sin_addr;
	} else {
		x = (const unsigned char *)&p->addr.in6.sin6_addr;
		y = (const unsigned char *)&a->in6.sin6_addr;
	}
	return !memcmp(x, y, whole) && (!rest || !((x[whole] ^ y[whole]) >> (8 - rest)));
}

void addr_unmap(struct addr *a)
{
	struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = a->in6.sin6_port};

	if (addr_family(a) != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	memcpy(&plain.sin_addr, &a->in6.sin6_addr.s6_addr[12], 4);
	*a = (struct addr){.in = plain};
}
