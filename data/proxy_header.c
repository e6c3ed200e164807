/* See proxy_header.h. Section numbers are those of proxy-protocol.txt. */
#include "data/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n"; /* 2.2 */
static const char text_prefix[] = "PROXY ";

#define BINARY_START 16 /* signature, version and command, family, length */
#define ADDRESSES_4 12
#define ADDRESSES_6 36

/* Version 1 (2.1) */

/* A word up to the separator; false when it is missing, or too long for out. */
static bool take_word(const char **at, char separator, char *out, size_t size)
{
	const char *end = strchr(*at, separator);
	size_t len = end ? (size_t)(end - *at) : 0;

	if (len == 0 || len >= size)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at = end + 1;
	return true;
}

static bool read_port(const char *text, uint16_t *ret)
{
	unsigned long value = 0;

	if (*text == '0' && text[1] != '\0')
		return false;
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		value = value * 10 + (unsigned long)(*c - '0');
		if (value > 65535)
			return false;
	}
	*ret = (uint16_t)value;
	return true;
}

static bool read_ip(const char *text, int family, struct addr *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->sa.sa_family = (sa_family_t)family;
	return inet_pton(family, text,
		       family == AF_INET ? (void *)&ret->in.sin_addr
					 : (void *)&ret->in6.sin6_addr) == 1;
}

/* What follows "PROXY TCP4 ", ended by a CR: source, destination, their ports. */
static int read_text_addresses(const char *at, int family, struct proxy_header *h)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], from[6], to[6];
	uint16_t from_port, to_port;

	if (!take_word(&at, ' ', source, sizeof source) ||
		!take_word(&at, ' ', destination, sizeof destination) ||
		!take_word(&at, ' ', from, sizeof from) || !take_word(&at, '\r', to, sizeof to))
		return -EPROTO;
	if (*at != '\0' || !read_ip(source, family, &h->client) ||
		!read_ip(destination, family, &h->local) || !read_port(from, &from_port) ||
		!read_port(to, &to_port))
		return -EPROTO;
	addr_set_port(&h->client, from_port);
	addr_set_port(&h->local, to_port);
	return 1;
}

/* A whole line with its CR, without its LF. */
static int read_text(const char *line, struct proxy_header *h)
{
	const char *at = line + sizeof text_prefix - 1;

	if (strncmp(at, "TCP4 ", 5) == 0)
		return read_text_addresses(at + 5, AF_INET, h);
	if (strncmp(at, "TCP6 ", 5) == 0)
		return read_text_addresses(at + 5, AF_INET6, h);
	/* Whatever follows UNKNOWN is not looked at. */
	return strncmp(at, "UNKNOWN", 7) == 0 && (at[7] == ' ' || at[7] == '\r') ? 1 : -EPROTO;
}

static int decode_text(const uint8_t *bytes, size_t len, struct proxy_header *ret)
{
	size_t seen = len < PROXY_HEADER_V1_MAX ? len : PROXY_HEADER_V1_MAX;
	const uint8_t *cr = memchr(bytes, '\r', seen);
	size_t size = cr ? (size_t)(cr - bytes) + 2 : 0;
	char line[PROXY_HEADER_V1_MAX + 1];
	struct proxy_header h = {.size = size};
	int rc;

	if (memchr(bytes, '\0', cr ? size - 2 : seen) || memchr(bytes, '\n', cr ? size - 2 : seen))
		return -EPROTO;
	if (!cr || size > len)
		return len < PROXY_HEADER_V1_MAX ? 0 : -EPROTO;
	if (size > PROXY_HEADER_V1_MAX || bytes[size - 1] != '\n')
		return -EPROTO;
	memcpy(line, bytes, size - 1);
	line[size - 1] = '\0';
	rc = read_text(line, &h);
	if (rc > 0)
		*ret = h;
	return rc;
}

/* Version 2 (2.2) */

static void take_4(const uint8_t *at, struct proxy_header *h)
{
	h->client.in.sin_family = h->local.in.sin_family = AF_INET;
	memcpy(&h->client.in.sin_addr, at, 4);
	memcpy(&h->local.in.sin_addr, at + 4, 4);
	memcpy(&h->client.in.sin_port, at + 8, 2);
	memcpy(&h->local.in.sin_port, at + 10, 2);
}

static void take_6(const uint8_t *at, struct proxy_header *h)
{
	h->client.in6.sin6_family = h->local.in6.sin6_family = AF_INET6;
	memcpy(&h->client.in6.sin6_addr, at, 16);
	memcpy(&h->local.in6.sin6_addr, at + 16, 16);
	memcpy(&h->client.in6.sin6_port, at + 32, 2);
	memcpy(&h->local.in6.sin6_port, at + 34, 2);
}

/* Bytes of addresses that we look at, or -1 for a family that is none of a stream. */
static int addresses_of(uint8_t family)
{
	switch (family) {
	case 0x00: /* UNSPEC */
	case 0x31: /* a unix socket's stream */
		return 0;
	case 0x11:
		return ADDRESSES_4;
	case 0x21:
		return ADDRESSES_6;
	default:
		return -1;
	}
}

static int decode_binary(const uint8_t *bytes, size_t len, struct proxy_header *ret)
{
	struct proxy_header h = {0};
	size_t follows;
	int addresses;

	if (len > 12 && bytes[12] != 0x20 && bytes[12] != 0x21) /* version 2, LOCAL or PROXY */
		return -EPROTO;
	if (len < BINARY_START)
		return 0;
	/* The addresses of LOCAL are to be passed over, whatever they are. */
	addresses = bytes[12] == 0x20 ? 0 : addresses_of(bytes[13]);
	follows = (size_t)bytes[14] << 8 | bytes[15];
	h.size = BINARY_START + follows;
	if (h.size > PROXY_HEADER_MAX)
		return -EMSGSIZE;
	if (addresses < 0 || (size_t)addresses > follows)
		return -EPROTO;
	if (len < BINARY_START + (size_t)addresses)
		return 0;
	if (addresses == ADDRESSES_4)
		take_4(bytes + BINARY_START, &h);
	else if (addresses == ADDRESSES_6)
		take_6(bytes + BINARY_START, &h);
	*ret = h;
	return 1;
}

static bool begins(const uint8_t *bytes, size_t len, const void *with, size_t with_len)
{
	return memcmp(bytes, with, len < with_len ? len : with_len) == 0;
}

int proxy_header_decode(const uint8_t *bytes, size_t len, struct proxy_header *ret)
{
	if (len == 0)
		return 0;
	if (begins(bytes, len, signature, sizeof signature))
		return decode_binary(bytes, len, ret);
	if (!begins(bytes, len, text_prefix, sizeof text_prefix - 1))
		return -EPROTO;
	return decode_text(bytes, len, ret);
}

/* Writing */

/* Both as IPv6 where they are of two families. */
static bool unify(struct addr *a, struct addr *b)
{
	if (addr_family(a) == 0 || addr_family(b) == 0)
		return false;
	if (addr_family(a) == addr_family(b))
		return true;
	if (addr_family(a) == AF_INET6) {
		struct addr *swap = a;

		a = b;
		b = swap;
	}
	*a = (struct addr){.in6 = {.sin6_family = AF_INET6,
				   .sin6_port = a->in.sin_port,
				   .sin6_addr.s6_addr = {[10] = 0xff,
					   [11] = 0xff,
					   [12] = ((const uint8_t *)&a->in.sin_addr)[0],
					   [13] = ((const uint8_t *)&a->in.sin_addr)[1],
					   [14] = ((const uint8_t *)&a->in.sin_addr)[2],
					   [15] = ((const uint8_t *)&a->in.sin_addr)[3]}}};
	return true;
}

static size_t encode_text(
	bool is_known, const struct addr *client, const struct addr *local, char *out)
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];

	if (!is_known)
		return (size_t)snprintf(out, PROXY_HEADER_V1_MAX + 1, "PROXY UNKNOWN\r\n");
	return (size_t)snprintf(out, PROXY_HEADER_V1_MAX + 1, "PROXY TCP%c %s %s %u %u\r\n",
		addr_family(client) == AF_INET ? '4' : '6', addr_print_ip(client, from),
		addr_print_ip(local, to), addr_port(client), addr_port(local));
}

static size_t put_4(const struct addr *client, const struct addr *local, uint8_t *at)
{
	memcpy(at, &client->in.sin_addr, 4);
	memcpy(at + 4, &local->in.sin_addr, 4);
	memcpy(at + 8, &client->in.sin_port, 2);
	memcpy(at + 10, &local->in.sin_port, 2);
	return ADDRESSES_4;
}

static size_t put_6(const struct addr *client, const struct addr *local, uint8_t *at)
{
	memcpy(at, &client->in6.sin6_addr, 16);
	memcpy(at + 16, &local->in6.sin6_addr, 16);
	memcpy(at + 32, &client->in6.sin6_port, 2);
	memcpy(at + 34, &local->in6.sin6_port, 2);
	return ADDRESSES_6;
}

size_t proxy_header_encode(int version, bool is_datagram, const struct addr *client,
	const struct addr *local, uint8_t out[PROXY_HEADER_V1_MAX + 1])
{
	struct addr from = *client, to = *local;
	bool is_known = unify(&from, &to);
	size_t addresses = 0;

	if (version == 1)
		return encode_text(is_known, &from, &to, (char *)out);
	memcpy(out, signature, sizeof signature);
	if (is_known)
		addresses = addr_family(&from) == AF_INET ? put_4(&from, &to, out + BINARY_START)
							  : put_6(&from, &to, out + BINARY_START);
	out[12] = is_known ? 0x21 : 0x20;
	out[13] = (uint8_t)(!is_known ? 0
				      : (addresses == ADDRESSES_4 ? 0x10 : 0x20) |
						(is_datagram ? 2 : 1));
	out[14] = 0;
	out[15] = (uint8_t)addresses;
	return BINARY_START + addresses;
}
