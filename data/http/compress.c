/* See compress.h. */
#include "data/http/compress.h"

#include <assert.h>
#include <string.h>

const char *compress_coding_name(enum compress_coding c)
{
	static const char *const names[] = {
		[COMPRESS_GZIP] = "gzip", [COMPRESS_BROTLI] = "br", [COMPRESS_ZSTD] = "zstd"};

	assert(c < COMPRESS_CODINGS);
	return names[c];
}

static bool is_text(const char *data, size_t len, const char *text)
{
	return len == strlen(text) && h1_is_same(data, text, len);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes blanks off both ends. */
static void trim(const char **data, size_t *len)
{
	while (*len && is_blank(**data)) {
		(*data)++;
		(*len)--;
	}
	while (*len && is_blank((*data)[*len - 1]))
		(*len)--;
}

/* What a client takes */

void compress_wish_init(struct compress_wish *w)
{
	*w = (struct compress_wish){.identity = COMPRESS_UNSAID, .any = COMPRESS_UNSAID};
	for (int i = 0; i < COMPRESS_CODINGS; i++)
		w->codings[i] = COMPRESS_UNSAID;
}

/* "0.123" in thousandths, or -1 (RFC 9110 section 12.4.2). */
static int read_quality(const char *text, size_t len)
{
	int quality, scale = 100;

	if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') ||
		(len > 1 && text[1] != '.'))
		return -1;
	quality = (text[0] - '0') * 1000;
	for (size_t i = 2; i < len; i++, scale /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		quality += (text[i] - '0') * scale;
	}
	return quality <= 1000 ? quality : -1;
}

static int16_t *place_of(struct compress_wish *w, const char *coding, size_t len)
{
	if (is_text(coding, len, "*"))
		return &w->any;
	if (is_text(coding, len, "identity"))
		return &w->identity;
	if (is_text(coding, len, "x-gzip"))
		return &w->codings[COMPRESS_GZIP];
	for (int i = 0; i < COMPRESS_CODINGS; i++)
		if (is_text(coding, len, compress_coding_name((enum compress_coding)i)))
			return &w->codings[i];
	return NULL;
}

/* "gzip", "br;q=0.5", "* ; q=0". */
static void read_member(struct compress_wish *w, const char *member, size_t len)
{
	const char *semicolon = memchr(member, ';', len);
	size_t name_len = semicolon ? (size_t)(semicolon - member) : len;
	const char *parameter = semicolon ? semicolon + 1 : NULL;
	size_t parameter_len = semicolon ? len - name_len - 1 : 0;
	int16_t *place;
	int quality = 1000;

	trim(&member, &name_len);
	place = place_of(w, member, name_len);
	if (parameter) {
		trim(&parameter, &parameter_len);
		if (parameter_len < 2 || !h1_is_same(parameter, "q=", 2))
			return;
		quality = read_quality(parameter + 2, parameter_len - 2);
	}
	if (place && quality >= 0)
		*place = (int16_t)quality;
}

void compress_wish_read(struct compress_wish *w, const char *value, size_t len)
{
	struct h1_run member;

	for (size_t at = 0; h1_list_next(value, len, &at, &member);)
		read_member(w, value + member.start, member.len);
}

static bool has_weak_tag(const char *value, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++)
		if (memcmp(value + i, "W/\"", 3) == 0)
			return true;
	return false;
}

static bool is_field(const char *data, const struct h1_field *f, const char *name)
{
	return is_text(data + f->name.start, f->name.len, name);
}

void compress_wish_of(struct compress_wish *w, const char *data, const struct h1_head *h)
{
	compress_wish_init(w);
	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];

		if (is_field(data, f, "accept-encoding"))
			compress_wish_read(w, data + f->value.start, f->value.len);
		else if (is_field(data, f, "if-none-match"))
			w->is_weak |= has_weak_tag(data + f->value.start, f->value.len);
	}
}

int compress_choose(const struct compress_wish *w, const int *offered, size_t count)
{
	int best = COMPRESS_NONE, best_quality = w->identity > 0 ? w->identity - 1 : 0;

	for (size_t i = 0; i < count; i++) {
		int quality = w->codings[offered[i]];

		if (quality == COMPRESS_UNSAID)
			quality = w->any;
		if (quality > best_quality) {
			best = offered[i];
			best_quality = quality;
		}
	}
	return best;
}

/* What a response says */

static bool ends_with(const char *data, size_t len, const char *end)
{
	size_t end_len = strlen(end);

	return len >= end_len && h1_is_same(data + len - end_len, end, end_len);
}

bool compress_type_is_worth(const char *value, size_t len)
{
	static const char *const types[] = {
		"application/json",
		"application/javascript",
		"application/ecmascript",
		"application/x-javascript",
		"application/xml",
		"application/wasm",
		"application/manifest+json",
		"application/x-ndjson",
		"application/graphql",
		"application/yaml",
		"application/toml",
		"application/sql",
		"application/rtf",
		"application/vnd.ms-fontobject",
		"font/otf",
		"font/ttf",
		"font/collection",
		"image/bmp",
		"image/x-icon",
		"image/vnd.microsoft.icon",
	};
	const char *semicolon = memchr(value, ';', len);

	if (semicolon)
		len = (size_t)(semicolon - value);
	trim(&value, &len);
	if (len > 5 && h1_is_same(value, "text/", 5))
		return true;
	if (len >= 16 && h1_is_same(value, "application/grpc", 16))
		return false; /* it frames, compresses and ends with trailers by itself */
	if (ends_with(value, len, "+json") || ends_with(value, len, "+xml") ||
		ends_with(value, len, "+yaml"))
		return true; /* RFC 6839: SVG, Atom, problem details, … */
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (is_text(value, len, types[i]))
			return true;
	return false;
}

/* A response is looked at field by field: what forbids it, what promises a gain. */
struct look {
	bool is_forbidden, is_worth;
};

static bool list_has(const char *data, const struct h1_field *f, const char *token)
{
	return h1_list_has(data + f->value.start, f->value.len, token, strlen(token));
}

/* Fields that say what was sent byte by byte, or would no longer be true. */
static bool is_about_bytes(const char *data, const struct h1_field *f)
{
	static const char *const names[] = {"content-range", "content-md5", "digest",
		"content-digest", "repr-digest", "trailer"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_field(data, f, names[i]))
			return true;
	return false;
}

static void look_at(
	struct look *l, struct compress_facts *facts, const char *data, const struct h1_field *f)
{
	const char *value = data + f->value.start;
	size_t len = f->value.len;

	if (is_field(data, f, "content-type")) {
		l->is_worth = compress_type_is_worth(value, len);
		facts->is_stream = len >= 17 && h1_is_same(value, "text/event-stream", 17);
	} else if (is_field(data, f, "content-encoding")) {
		l->is_forbidden |= !is_text(value, len, "identity");
	} else if (is_field(data, f, "cache-control")) {
		l->is_forbidden |= list_has(data, f, "no-transform");
	} else if (is_field(data, f, "vary")) {
		facts->varies |= list_has(data, f, "accept-encoding") || list_has(data, f, "*");
	} else if (is_field(data, f, "etag")) {
		facts->has_strong_tag = len > 0 && value[0] == '"';
	} else {
		l->is_forbidden |= is_about_bytes(data, f);
	}
}

void compress_facts_of(struct compress_facts *f, const char *data, const struct h1_head *h)
{
	struct look look = {0};
	bool is_short = h->length != H1_NO_LENGTH && h->length < COMPRESS_LENGTH_MIN;
	/* A part, a change of protocol, or nothing at all is no representation to be encoded anew.
	 */
	bool is_whole = h->status >= 200 && h->status != 204 && h->status != 205 &&
			h->status != 206 && h->status != 304;

	memset(f, 0, sizeof *f);
	for (size_t i = 0; i < h->fields_count; i++)
		look_at(&look, f, data, &h->fields[i]);
	f->is_worth = look.is_worth && !look.is_forbidden && is_whole && !is_short;
}
