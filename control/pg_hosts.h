#pragma once
/*
 * The hosts of a libpq address, one after the other. libpq's asynchronous
 * connect has no time-out of its own and would stay with a host that is silent,
 * so store_pg tries one host at a time; names are resolved by libuv, for libpq
 * would block the loop. No input or output here.
 */
#include <stdbool.h>
#include <stddef.h>

#define PG_HOSTS_MAX 16
#define PG_OPTIONS_MAX 64

struct pg_host {
	char *host, *address, *port; /* owned; "" where the URI is silent */
};

struct pg_hosts {
	struct pg_host items[PG_HOSTS_MAX];
	size_t count; /* at least 1 */
	/* All other options of the URI, and our defaults. */
	char *keywords[PG_OPTIONS_MAX], *values[PG_OPTIONS_MAX];
	size_t options;
};

/* 0, or -EINVAL for a URI that libpq does not understand, or with too many hosts. */
int pg_hosts_parse(const char *uri, struct pg_hosts *ret);
void pg_hosts_fini(struct pg_hosts *h);

/* True when the host is a name, to be resolved before connecting. */
bool pg_host_needs_name(const struct pg_host *host);

/*
 * Fills the two NULL-ended arrays for PQconnectStartParams() (borrowed from h);
 * address "" when the host is an IP or a folder of a socket.
 */
void pg_hosts_parameters(const struct pg_hosts *h, size_t at, const char *address,
	const char *keywords[PG_OPTIONS_MAX + 4], const char *values[PG_OPTIONS_MAX + 4]);
