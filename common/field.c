/*
 * See field.h: finding kinds, fields and words, and the places that problems
 * name. Reading values is field_read.c.
 */
#include "common/field.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/field_text.h"

#define PLACE_SIZE 512

const struct field_kind *const field_kinds[] = {&field_document, &field_instance, &field_vip,
	&field_pool, &field_server, &field_check, &field_listener, &field_route, &field_limit,
	&field_certificate, &field_secret, &field_standing_check, NULL};

const struct field_kind *field_kind_find(const char *name)
{
	for (size_t i = 0; field_kinds[i]; i++) {
		const struct field_kind *k = field_kinds[i];

		if (strcmp(k->name, name) == 0 || (k->plural && strcmp(k->plural, name) == 0))
			return k;
	}
	return NULL;
}

const struct field *field_find(const struct field_kind *kind, const char *name)
{
	for (const struct field *f = kind->fields; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

const char *field_word(const struct field_word *words, int number)
{
	for (int i = 0; words[i].word; i++)
		if (i == number)
			return words[i].word;
	assert(!"a number without a word");
	return "";
}

static bool is_whole_number(const char *text)
{
	size_t digits = strspn(text + (*text == '-'), "0123456789");

	return digits > 0 && digits < 19 && text[digits + (*text == '-')] == '\0';
}

/* The types whose plain scalars are more than text. */
static bool may_be_bool(enum field_type type)
{
	return type == FIELD_BOOL || type == FIELD_FORM;
}

static bool may_be_number(enum field_type type)
{
	return type == FIELD_INTEGER || type == FIELD_DURATION || type == FIELD_RATE ||
	       type == FIELD_SIZE || type == FIELD_FORM;
}

json_t *field_scalar(const struct field *f, const char *text)
{
	enum field_type type = f ? f->type : FIELD_FORM;

	if (may_be_bool(type) && strcmp(text, "true") == 0)
		return json_true();
	if (may_be_bool(type) && strcmp(text, "false") == 0)
		return json_false();
	if (may_be_number(type) && is_whole_number(text))
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

/* Names of objects, and of header fields; anything else is shown by its number. */
static bool is_printable_key(const char *key)
{
	return strlen(key) < CONF_NAME_SIZE && field_text_is_token(key);
}

static void place_print(const struct field_place *at, char *text, size_t size)
{
	size_t len;

	if (!at)
		return;
	place_print(at->up, text, size);
	len = strlen(text);
	if (at->name)
		snprintf(text + len, size - len, "%s%s", len ? "." : "", at->name);
	else if (at->key && is_printable_key(at->key))
		snprintf(text + len, size - len, "[%s]", at->key);
	else
		snprintf(text + len, size - len, "[%zu]", at->index);
}

bool field_problems_are_full(const struct field_reader *r)
{
	return r->problems->count == CONF_PROBLEMS_MAX;
}

void field_pass_over(struct field_reader *r, const struct field_place *at)
{
	if (!r->passed_over[0])
		place_print(at, r->passed_over, CONF_PASSED_OVER_SIZE);
}

void field_problem(struct field_reader *r, const struct field_place *at, const char *format, ...)
{
	char where[PLACE_SIZE] = "", what[1024];
	va_list ap;

	if (field_problems_are_full(r)) {
		r->problems->dropped++;
		return;
	}
	place_print(at, where, sizeof where);
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	conf_problems_add(r->problems, where, "%s", what);
}

const char *field_quote(const char *text, char out[FIELD_QUOTE_SIZE])
{
	const size_t room = FIELD_QUOTE_SIZE - sizeof "…";
	size_t len = strlen(text);

	if (strstr(text, "PRIVATE KEY"))
		return strcpy(out, "(a private key)"); /* at the wrong place: still not shown */
	if (len >= FIELD_QUOTE_SIZE) {
		len = room;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		snprintf(out, FIELD_QUOTE_SIZE, "%.*s…", (int)len, text);
	} else {
		memcpy(out, text, len + 1);
	}
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return out;
}
