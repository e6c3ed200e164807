/* etag: generations as entity tags, and the If-Match list. Pure; called by request and the writing
 * families. */
#include "control/api/etag.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *etag_print(uint64_t generation, char text[ETAG_TEXT_SIZE])
{
	snprintf(text, ETAG_TEXT_SIZE, "\"%" PRIu64 "\"", generation);
	return text;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* One tag at *p, which is moved behind it: 0, 1 for a weak one, or -EINVAL. */
static int parse_tag(const char **p, uint64_t *ret)
{
	const char *s = *p;
	bool is_weak = strncmp(s, "W/", 2) == 0;
	uint64_t value = 0;
	size_t digits;

	s += is_weak ? 2 : 0;
	if (*s++ != '"')
		return -EINVAL;
	digits = strspn(s, "0123456789");
	if (digits < 1 || digits > 19 || s[digits] != '"')
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(s[i] - '0');
	*p = s + digits + 1;
	*ret = value;
	return is_weak;
}

static int parse_list(const char *p, struct etag_match *m)
{
	for (;;) {
		uint64_t generation = 0;
		int rc = parse_tag(&p, &generation);

		if (rc < 0)
			return rc;
		if (rc == 0 && m->generations_count == ETAG_MATCHES_MAX)
			return -EINVAL;
		if (rc == 0)
			m->generations[m->generations_count++] = generation;
		p = skip_space(p);
		if (!*p)
			return 0;
		if (*p != ',')
			return -EINVAL;
		p = skip_space(p + 1);
	}
}

int etag_parse_match(const char *value, struct etag_match *ret)
{
	struct etag_match m = {.is_given = value != NULL};
	int rc = 0;

	if (value) {
		value = skip_space(value);
		m.is_any = value[0] == '*' && !*skip_space(value + 1);
		if (!m.is_any)
			rc = parse_list(value, &m);
	}
	if (rc == 0)
		*ret = m;
	return rc;
}

bool etag_matches(const struct etag_match *m, uint64_t generation)
{
	if (!m->is_given)
		return true;
	if (generation == 0)
		return false;
	for (size_t i = 0; i < m->generations_count; i++) {
		if (m->generations[i] == generation)
			return true;
	}
	return m->is_any;
}
