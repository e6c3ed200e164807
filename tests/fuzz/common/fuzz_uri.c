/* Hosts and paths: any bytes; a normal form is its own, and no reading of it has a dot segment. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_segments(const char *path, size_t len)
{
	assert(len > 0 && path[0] == '/');
	for (size_t at = 0, end; at < len; at = end) {
		const char *slash = memchr(path + at + 1, '/', len - at - 1);

		end = slash ? (size_t)(slash - path) : len;
		assert(end > at + 1 || end == len); /* no empty segment but the last */
		assert(end - at != 2 || path[at + 1] != '.');
		assert(end - at != 3 || path[at + 1] != '.' || path[at + 2] != '.');
	}
}

static void check_path(const char *text, size_t len)
{
	static char out[URI_PATH_MAX], again[URI_PATH_MAX], loose[URI_PATH_MAX];
	struct uri_path p, q;
	char *path;

	if (len == 0 || len > URI_PATH_MAX || text[0] != '/')
		return;
	path = malloc(len);
	assert(path);
	memcpy(path, text, len);
	if (uri_path(path, len, out, &p) == URI_FAULT_NONE) {
		assert(p.len <= len);
		check_segments(p.text, p.len);
		assert(uri_path(p.text, p.len, again, &q) == URI_FAULT_NONE);
		assert(q.len == p.len && memcmp(q.text, p.text, p.len) == 0);
		assert(!q.has_dots && q.is_loose == p.is_loose);
		check_segments(loose, uri_path_loosen(p.text, p.len, loose));
		if (!p.has_dots)
			assert(uri_path_after(path, len, p.text, p.len) <= len);
	}
	free(path);
}

static void check_host(const char *text, size_t len)
{
	char host[URI_HOST_SIZE], again[URI_HOST_SIZE];
	size_t n = uri_host(text, len, host);

	assert(n < URI_HOST_SIZE && n <= len);
	if (n && !memchr(host, ':', n) && host[n - 1] != '.' && host[0] != '[' &&
		!memchr(host, ']', n))
		assert(uri_host(host, n, again) == n && memcmp(host, again, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char name[16];

	check_path(text, size);
	check_host(text, size);
	if (size < 1 || memchr(text, '\0', size))
		return 0;
	memcpy(name, text, size < 15 ? size : 15);
	name[size < 15 ? size : 15] = '\0';
	uri_query_has(text, size, name, "1");
	uri_host_pattern_is_valid(name);
	return 0;
}
