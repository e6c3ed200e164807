/*
 * target: splits and decodes a request target in place. The whole text is
 * copied once into the struct; segments and parameters are cut out of it.
 * Called by request for each request, before anything is looked up.
 */
#include "control/api/target.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_utf8(const char *text)
{
	json_t *value = json_string(text);
	bool good = value != NULL;

	json_decref(value);
	return good;
}

/* Decodes one component in place. A plus is a space in a query only. */
static int decode(char *text, bool in_query, const char **ret_why)
{
	char *out = text;

	for (const char *in = text; *in; in++, out++) {
		int c = (unsigned char)*in;

		if (c == '%') {
			int high = hex_value(in[1]), low = high < 0 ? -1 : hex_value(in[2]);

			if (low < 0) {
				*ret_why =
					"the target has a % that no two hexadecimal digits follow";
				return -EINVAL;
			}
			c = high * 16 + low;
			in += 2;
		} else if (c == '+' && in_query) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f) {
			*ret_why = "the target has a control character";
			return -EINVAL;
		}
		*out = (char)c;
	}
	*out = '\0';
	if (is_utf8(text))
		return 0;
	*ret_why = "the target is not UTF-8";
	return -EINVAL;
}

static int split_path(struct target *t, char *path, const char **ret_why)
{
	char *rest = path + 1;

	while (rest) {
		char *segment = rest, *slash = strchr(segment, '/');

		rest = slash ? slash + 1 : NULL;
		if (slash)
			*slash = '\0';
		if (t->segments_count == TARGET_SEGMENTS_MAX) {
			*ret_why = "the path has too many parts";
			return -EINVAL;
		}
		if (decode(segment, false, ret_why) < 0)
			return -EINVAL;
		t->segments[t->segments_count++] = segment;
	}
	return 0;
}

static int add_parameter(struct target *t, char *name, const char **ret_why)
{
	char *value = strchr(name, '=');

	if (value)
		*value++ = '\0';
	else
		value = name + strlen(name);
	if (decode(name, true, ret_why) < 0 || decode(value, true, ret_why) < 0)
		return -EINVAL;
	if (target_query(t, name)) {
		*ret_why = "a query parameter is given twice";
		return -EINVAL;
	}
	if (t->query_count == TARGET_QUERY_MAX) {
		*ret_why = "there are too many query parameters";
		return -EINVAL;
	}
	t->query[t->query_count++] = (struct target_parameter){name, value};
	return 0;
}

static int split_query(struct target *t, char *rest, const char **ret_why)
{
	while (rest && *rest) {
		char *parameter = rest, *end = strchr(parameter, '&');

		rest = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		if (*parameter && add_parameter(t, parameter, ret_why) < 0)
			return -EINVAL;
	}
	return 0;
}

int target_parse(const char *text, struct target *t, const char **ret_why)
{
	size_t len = strnlen(text, TARGET_TEXT_MAX + 1);
	char *query;

	t->segments_count = t->query_count = 0;
	*ret_why = NULL;
	if (len > TARGET_TEXT_MAX)
		*ret_why = "the target is longer than 4096 bytes";
	else if (text[0] != '/')
		*ret_why = "the target does not begin with a slash";
	else if (strchr(text, '#'))
		*ret_why = "the target has a fragment (#)";
	if (*ret_why)
		return -EINVAL;
	memcpy(t->text, text, len + 1);
	query = strchr(t->text, '?');
	if (query)
		*query++ = '\0';
	if (split_path(t, t->text, ret_why) < 0)
		return -EINVAL;
	return split_query(t, query, ret_why);
}

const char *target_query(const struct target *t, const char *name)
{
	for (size_t i = 0; i < t->query_count; i++) {
		if (strcmp(t->query[i].name, name) == 0)
			return t->query[i].value;
	}
	return NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(text, *words) == 0)
			return true;
	}
	return false;
}

int target_query_flag(const struct target *t, const char *name, bool *ret)
{
	static const char *const yes[] = {"", "1", "true", "yes", NULL};
	static const char *const no[] = {"0", "false", "no", NULL};
	const char *value = target_query(t, name);

	if (!value || is_one_of(value, no))
		*ret = false;
	else if (is_one_of(value, yes))
		*ret = true;
	else
		return -EINVAL;
	return 0;
}

/* Reads digits up to maximum; *end is the first byte after them. */
static int parse_digits(const char *text, uint64_t maximum, uint64_t *ret, const char **ret_end)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (value > (maximum - digit) / 10)
			return -EINVAL;
		value = value * 10 + digit;
	}
	if (p == text || value > maximum)
		return -EINVAL;
	*ret = value;
	*ret_end = p;
	return 0;
}

int target_query_number(const struct target *t, const char *name, uint64_t maximum, uint64_t *ret)
{
	const char *value = target_query(t, name), *end;
	uint64_t number;

	if (!value)
		return 1;
	if (parse_digits(value, maximum, &number, &end) < 0 || *end)
		return -EINVAL;
	*ret = number;
	return 0;
}

int target_parse_duration(const char *text, int64_t maximum_ms, int64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	uint64_t number;
	const char *end;

	if (parse_digits(text, (uint64_t)maximum_ms, &number, &end) < 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (number > (uint64_t)maximum_ms / units[i].ms)
			return -EINVAL;
		*ret_ms = (int64_t)(number * units[i].ms);
		return 0;
	}
	return -EINVAL;
}

int target_query_duration(
	const struct target *t, const char *name, int64_t maximum_ms, int64_t *ret_ms)
{
	const char *value = target_query(t, name);

	if (!value)
		return 1;
	return target_parse_duration(value, maximum_ms, ret_ms);
}
