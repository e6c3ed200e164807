/* See limit.h. */
#include "data/http/limit.h"

#include <string.h>
#include <strings.h>

#include "common/hash.h"

#define KEY_MAX 512 /* bytes of a value that are looked at */

uint64_t limit_scope(const char *listener, uint64_t match, const struct conf_limit_key *key)
{
	uint64_t scope = hash_text(match, listener);

	return hash_text(scope + (uint64_t)key->source, key->name ? key->name : "");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* In one field: "a=1; b=2" (RFC 6265 section 4.2.1). */
static struct rewrite_run find_cookie(const char *p, const char *end, const char *name, size_t len)
{
	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p)), *value;

		stop = stop ? stop : end;
		while (p < stop && is_blank(*p))
			p++;
		if ((size_t)(stop - p) > len && p[len] == '=' && memcmp(p, name, len) == 0) {
			value = p + len + 1;
			while (stop > value && is_blank(stop[-1]))
				stop--;
			return (struct rewrite_run){value, (size_t)(stop - value)};
		}
		p = stop + 1;
	}
	return (struct rewrite_run){NULL, 0};
}

struct rewrite_run limit_cookie(const char *data, const struct h1_head *head, const char *name)
{
	struct rewrite_run found = {NULL, 0};

	for (size_t i = 0; i < head->fields_count && !found.text; i++) {
		const struct h1_field *f = &head->fields[i];
		const char *value = data + f->value.start;

		if (f->name.len == 6 && h1_is_same(data + f->name.start, "cookie", 6))
			found = find_cookie(value, value + f->value.len, name, strlen(name));
	}
	return found;
}

static struct rewrite_run find_header(
	const char *data, const struct h1_head *head, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < head->fields_count; i++) {
		const struct h1_field *f = &head->fields[i];

		if (f->name.len == len && h1_is_same(data + f->name.start, name, len))
			return (struct rewrite_run){data + f->value.start, f->value.len};
	}
	return (struct rewrite_run){NULL, 0};
}

/* The client as bytes: returns how many. */
static size_t put_client(const struct addr *client, unsigned char *out)
{
	struct addr plain = *client;

	addr_unmap(&plain);
	if (addr_family(&plain) == AF_INET) {
		memcpy(out, &plain.in.sin_addr, 4);
		return 4;
	}
	memcpy(out, &plain.in6.sin6_addr, 8);
	return 8;
}

uint64_t limit_key(const struct siphash_key *secret, uint64_t scope,
	const struct conf_limit_key *key, const char *data, const struct h1_head *head,
	const struct addr *client)
{
	struct {
		uint64_t scope;
		unsigned char is_client;
		unsigned char bytes[KEY_MAX];
	} __attribute__((packed)) id;
	struct rewrite_run value = {NULL, 0};
	size_t len;
	uint64_t hash;

	if (key->source == CONF_LIMIT_HEADER)
		value = find_header(data, head, key->name);
	else if (key->source == CONF_LIMIT_COOKIE)
		value = limit_cookie(data, head, key->name);
	id.scope = scope;
	id.is_client = value.len == 0;
	if (value.len) {
		len = value.len < KEY_MAX ? value.len : KEY_MAX;
		memcpy(id.bytes, value.text, len);
	} else {
		len = put_client(client, id.bytes);
	}
	hash = siphash(secret, &id, sizeof id.scope + 1 + len);
	return hash ? hash : 1;
}
