/* See sticky.h. */
#include "data/http/sticky.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_field(const char *data, const struct h1_field *f, const char *name, size_t len)
{
	return f->name.len == len && h1_is_same(data + f->name.start, name, len);
}

/* The next "name=value" of a list that `end` ends, from *at: its whole run without blanks around.
 */
static bool next_pair(const char *data, uint32_t end, uint32_t *at, struct h1_run *ret)
{
	uint32_t from = *at, to;
	const char *semicolon;

	if (from >= end)
		return false;
	semicolon = memchr(data + from, ';', end - from);
	to = semicolon ? (uint32_t)(semicolon - data) : end;
	*at = to + 1;
	while (from < to && is_blank(data[from]))
		from++;
	while (to > from && is_blank(data[to - 1]))
		to--;
	*ret = (struct h1_run){(uint16_t)from, (uint16_t)(to - from)};
	return true;
}

/* The value of a pair of that name (case matters), which may lie in quotes; false: another name. */
static bool value_of(const char *data, struct h1_run pair, const char *name, struct h1_run *ret)
{
	size_t len = strlen(name);

	if (pair.len <= len || memcmp(data + pair.start, name, len) != 0 ||
		data[pair.start + len] != '=')
		return false;
	*ret = (struct h1_run){(uint16_t)(pair.start + len + 1), (uint16_t)(pair.len - len - 1)};
	return true;
}

/* Whether the value is a token, or begins with one as its mode has it. */
static bool take_token(const struct conf_sticky *s, const char *data, struct h1_run value,
	struct sticky_cookie *ret)
{
	const char *text = data + value.start;

	if (s->mode != CONF_STICKY_PREFIX)
		return token_parse(text, value.len, ret->token);
	if (value.len <= TOKEN_TEXT_SIZE || text[TOKEN_TEXT_SIZE] != STICKY_PREFIX_END)
		return false;
	ret->prefix = (struct h1_run){value.start, TOKEN_TEXT_SIZE + 1};
	return token_parse(text, TOKEN_TEXT_SIZE, ret->token);
}

static bool next_of_field(const struct conf_sticky *s, const char *data, const struct h1_field *f,
	uint32_t *at, struct sticky_cookie *ret)
{
	uint32_t end = (uint32_t)f->value.start + f->value.len;
	struct h1_run pair, value;

	if (*at < f->value.start)
		*at = f->value.start;
	while (next_pair(data, end, at, &pair))
		if (value_of(data, pair, s->name, &value) && take_token(s, data, value, ret))
			return true;
	return false;
}

bool sticky_next(const struct conf_sticky *s, const char *data, const struct h1_head *h,
	uint32_t *at, struct sticky_cookie *ret)
{
	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];

		if ((uint32_t)f->value.start + f->value.len <= *at ||
			!is_field(data, f, "cookie", 6))
			continue;
		*ret = (struct sticky_cookie){.field = (uint16_t)i};
		if (next_of_field(s, data, f, at, ret))
			return true;
	}
	return false;
}

void sticky_strip(char *data, struct h1_head *h, const struct sticky_cookie *cookie)
{
	struct h1_run *value = &h->fields[cookie->field].value;
	uint16_t before = (uint16_t)(cookie->prefix.start - value->start);

	memmove(data + value->start + cookie->prefix.len, data + value->start, before);
	memset(data + value->start, ' ', cookie->prefix.len);
	value->start = (uint16_t)(value->start + cookie->prefix.len);
	value->len = (uint16_t)(value->len - cookie->prefix.len);
}

size_t sticky_print(
	const struct conf_sticky *s, const unsigned char token[BOARD_TOKEN_SIZE], char *out)
{
	static const char *const same_sites[] = {[CONF_SAME_SITE_LAX] = "Lax",
		[CONF_SAME_SITE_STRICT] = "Strict",
		[CONF_SAME_SITE_NONE] = "None"};
	char text[TOKEN_TEXT_SIZE], age[48] = "";

	token_print(token, text);
	if (s->ttl_ms)
		snprintf(age, sizeof age, "; Max-Age=%lld", (long long)((s->ttl_ms + 999) / 1000));
	return (size_t)snprintf(out, STICKY_LINE_MAX,
		"Set-Cookie: %s=%.*s; Path=/%s%s%s; SameSite=%s\r\n", s->name, TOKEN_TEXT_SIZE,
		text, age, s->secure ? "; Secure" : "", s->http_only ? "; HttpOnly" : "",
		same_sites[s->same_site]);
}

bool sticky_find_set(const struct conf_sticky *s, const char *data, const struct h1_head *h,
	uint16_t *ret_field, struct h1_run *ret)
{
	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];
		uint32_t at = f->value.start;
		struct h1_run pair, value;

		if (!is_field(data, f, "set-cookie", 10) ||
			!next_pair(data, at + f->value.len, &at, &pair) ||
			!value_of(data, pair, s->name, &value))
			continue;
		if (s->mode == CONF_STICKY_PREFIX)
			value.len = 0;
		*ret_field = (uint16_t)i;
		*ret = value;
		return true;
	}
	return false;
}
