#pragma once
/*
 * IP addresses, with or without a port or a prefix length, as text and as a
 * sockaddr. Pure: no name is ever resolved here.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The longest text any printer here makes, with its NUL. */
#define ADDR_TEXT_SIZE 64

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

/* An IP address with a prefix length, as on an interface. */
struct addr_prefix {
	struct addr addr; /* port 0 */
	uint8_t length;   /* 0..32 or 0..128 */
};

/* "10.0.0.1" or "fd00::1": 0, or -EINVAL. The port is 0. */
int addr_parse_ip(const char *text, struct addr *ret);

/* "10.0.0.1:80", "[fd00::1]:80", or "*:80" for the IPv6 wildcard: 0, or -EINVAL. Port 1 to 65535. */
int addr_parse_port(const char *text, struct addr *ret);

/* "10.0.0.100/24"; without a slash the length is that of a single address: 0, or -EINVAL. */
int addr_parse_prefix(const char *text, struct addr_prefix *ret);

/* Splits "host:port" or "[v6]:port" where host may be a name: 0, or -EINVAL. host holds host_size bytes. */
int addr_split_port(const char *text, char *host, size_t host_size, uint16_t *ret_port);

/* The address without and with its port; returns text. */
const char *addr_print_ip(const struct addr *a, char text[ADDR_TEXT_SIZE]);
const char *addr_print_port(const struct addr *a, char text[ADDR_TEXT_SIZE]);
const char *addr_print_prefix(const struct addr_prefix *p, char text[ADDR_TEXT_SIZE]);

socklen_t addr_length(const struct addr *a);
int addr_family(const struct addr *a); /* AF_INET, AF_INET6 or 0 */
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* Same family, IP, scope and port. */
bool addr_is_equal(const struct addr *a, const struct addr *b);
/* Equal for equal addresses; for tables. */
uint64_t addr_hash(const struct addr *a);
/* The same without the port. */
bool addr_is_same_ip(const struct addr *a, const struct addr *b);
/* True when the address lies in the prefix; families must be the same. */
bool addr_prefix_has(const struct addr_prefix *p, const struct addr *a);
/* An IPv4 address in IPv6 clothes (::ffff:10.0.0.1, as a socket bound to [::] reports it) becomes plain IPv4. */
void addr_unmap(struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Order of the IP addresses as unsigned numbers, IPv4 before IPv6: <0, 0, >0. */
int addr_compare_ip(const struct addr *a, const struct addr *b);
