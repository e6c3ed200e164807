#pragma once
/*
 * The one form of a host name and of a path in which routes are compared: the
 * rules about documents and the data plane use the same, so that what a document
 * is checked for is what happens. Paths that servers read in different ways are
 * refused, or shown in both readings (RFC 3986 sections 3.3, 5.2.4 and 6.2). Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URI_HOST_SIZE 256 /* a host and its NUL */
#define URI_PATH_MAX 8192 /* bytes of a path, as of a request target */

/*
 * The host of "Name.Example.:8080" in lower case, without port, brackets and the
 * last dot, to out with a NUL: returns its length; 0 when there is none or it is too long.
 */
size_t uri_host_len(const char *host, size_t len); /* without ":port" only */
size_t uri_host(const char *host, size_t len, char out[URI_HOST_SIZE]);

/* True for a host that a route may name: an IP address, a host name, or "*." and a host name. */
bool uri_host_pattern_is_valid(const char *pattern);

/* Why a path is refused. */
enum uri_fault {
	URI_FAULT_NONE,
	URI_FAULT_ESCAPE, /* a % without two hexadecimal digits, or %00 */
	URI_FAULT_CLIMBS, /* more ".." than segments */
	URI_FAULT_DOTS,   /* ".." in a way that not every server resolves alike: "a//..", "..%2f", "..;" */
	URI_FAULTS
};

struct uri_path {
	const char *text; /* in normal form: what was shown, or out */
	size_t len;
	bool has_dots;  /* dot segments were resolved */
	bool is_loose; /* some servers would read it as uri_path_loosen() does */
};

/*
 * The normal form of a path that begins with "/" (at most URI_PATH_MAX bytes,
 * without query): escapes of unreserved characters are decoded, others in
 * capitals; dot segments are resolved, and slashes in a row are one. Encoded
 * slashes stay encoded. out holds it where it differs from path, URI_PATH_MAX bytes.
 */
enum uri_fault uri_path(const char *path, size_t len, char *out, struct uri_path *ret);

/*
 * The other reading of a normal form: encoded slashes and backslashes, plain or
 * encoded, as slashes; without ";parameters". Returns its length, at most len.
 */
size_t uri_path_loosen(const char *path, size_t len, char *out);

/*
 * Where in a path, as it came, the segments of a prefix in normal form (without a "/" at its end)
 * are over. Only where !has_dots.
 */
size_t uri_path_after(const char *path, size_t len, const char *prefix, size_t prefix_len);

/*
 * True when a query (without "?") has the parameter with that value, both compared decoded ("+" is
 * a blank); other parameters of the name may have others.
 */
bool uri_query_has(const char *query, size_t len, const char *name, const char *value);
