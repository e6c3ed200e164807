/* See field_value.h: one reader for each type of value, and the table of types. */
#include "common/field_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/field_text.h"
#include "common/nearest.h"
#include "common/quantity.h"

#define TEXT_MAX 1024 /* bytes of one text, where the table says nothing */
#define LINES_MAX 65536
#define TEXT_MAP_MAX 64 /* entries, where the table says nothing */
#define INTEGER_MAX 2147483647
#define DURATION_MAX (366ll * 86400000)
#define QUANTITY_MAX (1ll << 53) /* what JSON carries exactly everywhere */

json_t *field_value_refuse(struct field_reader *r, const struct field_place *at,
	const char *expected, const json_t *found)
{
	char quote[FIELD_QUOTE_SIZE];

	switch (json_typeof(found)) {
	case JSON_STRING:
		field_problem(r, at, "expected %s, not \"%s\"", expected,
			field_quote(json_string_value(found), quote));
		break;
	case JSON_INTEGER:
		field_problem(r, at, "expected %s, not %lld", expected,
			(long long)json_integer_value(found));
		break;
	case JSON_REAL:
		field_problem(r, at, "expected %s, not %g", expected, json_real_value(found));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		field_problem(r, at, "expected %s, not %s", expected,
			json_is_true(found) ? "true" : "false");
		break;
	case JSON_OBJECT:
		field_problem(r, at, "expected %s, not an object", expected);
		break;
	case JSON_ARRAY:
		field_problem(r, at, "expected %s, not a list", expected);
		break;
	case JSON_NULL:
		field_problem(r, at, "expected %s, not null", expected);
		break;
	}
	return NULL;
}

static bool text_is_valid(enum field_type type, const char *text)
{
	static bool (*const tests[FIELD_TYPES])(const char *) = {
		[FIELD_TEXT] = field_text_is_line,
		[FIELD_LINES] = field_text_is_any,
		[FIELD_NAME] = conf_name_is_valid,
		[FIELD_HOST] = field_text_is_host,
		[FIELD_HOST_PORT] = field_text_is_host_port,
		[FIELD_INTERFACE] = field_text_is_interface,
		[FIELD_PATH] = field_text_is_path,
		[FIELD_TARGET] = field_text_is_target,
		[FIELD_TOKEN] = field_text_is_token,
	};

	assert(tests[type]);
	return tests[type](text);
}

/* A malformed name is stored all the same, so that what refers to it is not reported as well. */
static json_t *read_text(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	const char *text = json_string_value(value), **ret = target;
	size_t maximum = f->maximum               ? (size_t)f->maximum
			 : f->type == FIELD_LINES ? LINES_MAX
						  : TEXT_MAX;

	if (!text)
		return field_value_refuse(r, at, field_value_type(f->type)->expected, value);
	if (strlen(text) > maximum) {
		field_problem(
			r, at, "has %zu bytes; at most %zu are possible", strlen(text), maximum);
		return NULL;
	}
	*ret = arena_text(r->arena, text);
	if (!*ret)
		r->is_out_of_memory = true;
	if (!text_is_valid(f->type, text))
		return field_value_refuse(r, at, field_value_type(f->type)->expected, value);
	return json_string(text);
}

static json_t *read_bool(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	if (!json_is_boolean(value))
		return field_value_refuse(r, at, field_value_type(f->type)->expected, value);
	*(bool *)target = json_is_true(value);
	return json_boolean(json_is_true(value));
}

void field_value_range(const struct field *f, int64_t *ret_minimum, int64_t *ret_maximum)
{
	bool is_open = f->minimum == 0 && f->maximum == 0;
	int64_t widest = f->type == FIELD_INTEGER    ? INTEGER_MAX
			 : f->type == FIELD_DURATION ? DURATION_MAX
						     : QUANTITY_MAX;

	*ret_minimum = f->minimum;
	*ret_maximum = is_open ? widest : f->maximum;
}

static json_t *number_print(enum field_type type, int64_t n)
{
	char text[QUANTITY_TEXT_SIZE];

	if (type == FIELD_INTEGER)
		return json_integer(n);
	if (type == FIELD_DURATION)
		return json_string(quantity_print_duration(n, text));
	if (type == FIELD_RATE)
		quantity_print_rate(n, text);
	else
		quantity_print_size(n, text);
	return strspn(text, "0123456789") == strlen(text) ? json_integer(n) : json_string(text);
}

static int number_parse(enum field_type type, const char *text, int64_t *ret)
{
	if (type == FIELD_DURATION)
		return quantity_parse_duration(text, ret);
	if (type == FIELD_RATE)
		return quantity_parse_rate(text, ret);
	if (type == FIELD_SIZE)
		return quantity_parse_size(text, ret);
	return -1;
}

static void refuse_range(struct field_reader *r, const struct field *f,
	const struct field_place *at, int64_t minimum, int64_t maximum)
{
	json_t *low = number_print(f->type, minimum < 0 && f->type != FIELD_INTEGER ? 0 : minimum);
	json_t *high = number_print(f->type, maximum);
	char *low_text = low ? json_dumps(low, JSON_ENCODE_ANY) : NULL;
	char *high_text = high ? json_dumps(high, JSON_ENCODE_ANY) : NULL;

	field_problem(r, at, "must be from %s to %s", low_text ? low_text : "?",
		high_text ? high_text : "?");
	free(low_text);
	free(high_text);
	json_decref(low);
	json_decref(high);
}

static json_t *read_number(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	int64_t n, minimum, maximum;

	if (json_is_integer(value))
		n = json_integer_value(value);
	else if (!json_is_string(value) || number_parse(f->type, json_string_value(value), &n) < 0)
		return field_value_refuse(r, at, field_value_type(f->type)->expected, value);
	field_value_range(f, &minimum, &maximum);
	if (n < minimum || n > maximum) {
		refuse_range(r, f, at, minimum, maximum);
		return NULL;
	}
	*(int64_t *)target = n;
	return number_print(f->type, n);
}

/* The words that this version has. */
static void words_print(const struct field_word *words, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (const struct field_word *w = words; w->word && len < size; w++)
		if (!w->is_later)
			len += (size_t)snprintf(
				text + len, size - len, "%s%s", len ? ", " : "", w->word);
}

static json_t *refuse_word(struct field_reader *r, const struct field *f, const char *text,
	const struct field_place *at)
{
	char quote[FIELD_QUOTE_SIZE], words[256];
	struct nearest nearest;

	nearest_init(&nearest, text);
	for (const struct field_word *w = f->words; w->word && !field_problems_are_full(r); w++)
		nearest_look(&nearest, w->word);
	words_print(f->words, words, sizeof words);
	if (nearest.best)
		field_problem(r, at, "unknown word \"%s\"; did you mean %s?",
			field_quote(text, quote), nearest.best);
	else
		field_problem(r, at, "unknown word \"%s\"; it is one of %s",
			field_quote(text, quote), words);
	return NULL;
}

static json_t *read_word(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	const char *text = json_string_value(value);
	char words[256];

	words_print(f->words, words, sizeof words);
	if (!text) {
		field_problem(r, at, "expected one of %s", words);
		return NULL;
	}
	for (int i = 0; f->words[i].word; i++) {
		if (strcmp(f->words[i].word, text) != 0)
			continue;
		if (f->words[i].is_later)
			field_problem(r, at, "%s is not available in this version (it has %s)",
				text, words);
		*(int *)target = i;
		return json_string(text);
	}
	return refuse_word(r, f, text, at);
}

static json_t *read_address(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	const char *in = json_string_value(value);
	char text[ADDR_TEXT_SIZE];
	bool is_good = false;

	if (in && f->type == FIELD_IP)
		is_good = addr_parse_ip(in, target) == 0 && addr_print_ip(target, text);
	else if (in && f->type == FIELD_IP_PORT)
		is_good = addr_parse_port(in, target) == 0 && addr_print_port(target, text);
	else if (in)
		is_good = addr_parse_prefix(in, target) == 0 && addr_print_prefix(target, text);
	if (!is_good)
		return field_value_refuse(r, at, field_value_type(f->type)->expected, value);
	return json_string(text);
}

static json_t *read_text_map(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void *target)
{
	size_t most = f->most ? f->most : TEXT_MAP_MAX;
	struct conf_texts *texts = target;
	json_t *out, *each;
	const char *key;

	if (!json_is_object(value))
		return field_value_refuse(r, at, "an object of texts", value);
	if (json_object_size(value) > most) {
		field_problem(r, at, "has %zu entries; at most %zu are possible",
			json_object_size(value), most);
		return NULL;
	}
	texts->items = arena_alloc(r->arena, json_object_size(value), sizeof *texts->items);
	out = json_object();
	json_object_foreach ((json_t *)value, key, each) {
		struct field_place item = {.up = at, .key = key};
		struct conf_text text = {arena_text(r->arena, key)};

		if (!json_is_string(each)) {
			field_value_refuse(r, &item, "a text", each);
			continue;
		}
		text.value = arena_text(r->arena, json_string_value(each));
		if (!texts->items || !text.name || !text.value)
			r->is_out_of_memory = true;
		else
			texts->items[texts->count++] = text;
		json_object_set(out, key, each);
	}
	return out;
}

#define TEXT "{\"type\":\"string\"}"
#define TEXT_OR_INTEGER "{\"type\":[\"string\",\"integer\"]}"

/* clang-format off */
static const struct field_value_type types[FIELD_TYPES] = {
	[FIELD_TEXT] = {"text", "a text of one line", TEXT, sizeof(char *), read_text},
	[FIELD_LINES] = {"text", "a text", TEXT, sizeof(char *), read_text},
	[FIELD_NAME] = {"name", "a name (letters a-z, digits and - inside, at most 63)",
		"{\"type\":\"string\",\"pattern\":\"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$\"}",
		sizeof(char *), read_text},
	[FIELD_HOST] = {"host", "an IP address or a host name", TEXT, sizeof(char *), read_text},
	[FIELD_HOST_PORT] = {"host:port", "host:port, such as 10.0.0.1:8080, [fd00::1]:8080 or app.internal:8080",
		TEXT, sizeof(char *), read_text},
	[FIELD_INTERFACE] = {"interface", "the name of a network interface, such as eth0", TEXT,
		sizeof(char *), read_text},
	[FIELD_PATH] = {"path", "an absolute path", TEXT, sizeof(char *), read_text},
	[FIELD_TARGET] = {"request target", "a request target, such as /health", TEXT, sizeof(char *), read_text},
	[FIELD_TOKEN] = {"token", "a word of letters, digits and !#$%&'*+-.^_`|~", TEXT, sizeof(char *), read_text},
	[FIELD_BOOL] = {"boolean", "true or false", "{\"type\":\"boolean\"}", sizeof(bool), read_bool},
	[FIELD_INTEGER] = {"integer", "a whole number", "{\"type\":\"integer\"}", sizeof(int64_t), read_number},
	[FIELD_DURATION] = {"duration", "a duration with its unit, such as 500ms, 5s or 10m",
		TEXT_OR_INTEGER, sizeof(int64_t), read_number},
	[FIELD_RATE] = {"bit/s", "a rate, such as 500k, 10M or 1G", TEXT_OR_INTEGER, sizeof(int64_t), read_number},
	[FIELD_SIZE] = {"size", "a size, such as 64KiB, 10MiB or 1G", TEXT_OR_INTEGER, sizeof(int64_t), read_number},
	[FIELD_WORD] = {"word", "a word", NULL, sizeof(int), read_word},
	[FIELD_IP] = {"IP", "an IP address", TEXT, sizeof(struct addr), read_address},
	[FIELD_IP_PORT] = {"IP:port", "IP:port, such as 10.0.0.100:443, [fd00::1]:443 or *:443", TEXT,
		sizeof(struct addr), read_address},
	[FIELD_PREFIX] = {"IP/length", "an IP address with its prefix length, such as 10.0.0.100/24", TEXT,
		sizeof(struct addr_prefix), read_address},
	[FIELD_OBJECT] = {"object", "an object", NULL, 0, NULL},
	[FIELD_TEXT_MAP] = {"map of texts", "an object of texts",
		"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}",
		sizeof(struct conf_texts), read_text_map},
	[FIELD_FORM] = {"", "", NULL, 0, NULL},
};
/* clang-format on */

const struct field_value_type *field_value_type(enum field_type type)
{
	assert(type < FIELD_TYPES);
	return &types[type];
}

size_t field_value_size(const struct field *f)
{
	if (f->is_optional)
		return sizeof(void *);
	if (f->type == FIELD_OBJECT)
		return f->kind->size;
	if (f->type == FIELD_FORM)
		return f->form->size;
	return types[f->type].size;
}
