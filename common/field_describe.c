/* The tables of fields for people and programs: types in words, and JSON Schema. See field.h. */
#include "common/field.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/field_value.h"
#include "common/quantity.h"

static void print_words(const struct field_word *words, struct buf *out)
{
	for (const struct field_word *w = words; w->word; w++)
		buf_printf(out, "%s%s%s", w == words ? "" : " | ", w->word, w->is_later ? "*" : "");
}

static void print_number(enum field_type type, int64_t n, struct buf *out)
{
	char text[QUANTITY_TEXT_SIZE];

	if (type == FIELD_DURATION)
		buf_add_text(out, quantity_print_duration(n, text));
	else if (type == FIELD_RATE)
		buf_add_text(out, quantity_print_rate(n, text));
	else if (type == FIELD_SIZE)
		buf_add_text(out, quantity_print_size(n, text));
	else
		buf_printf(out, "%lld", (long long)n);
}

static bool is_number(const struct field *f)
{
	return f->type == FIELD_INTEGER || f->type == FIELD_DURATION || f->type == FIELD_RATE ||
	       f->type == FIELD_SIZE;
}

void field_print_type(const struct field *f, struct buf *out)
{
	if (f->is_list)
		buf_add_text(out, "list of ");
	if (f->type == FIELD_WORD)
		print_words(f->words, out);
	else if (f->type == FIELD_FORM)
		buf_add_text(out, f->form->text);
	else if (f->type == FIELD_OBJECT)
		buf_add_text(out, f->kind->name);
	else
		buf_add_text(out, field_value_type(f->type)->text);
	if (is_number(f) && (f->minimum || f->maximum)) {
		buf_add_text(out, ", ");
		print_number(f->type, f->minimum, out);
		buf_add_text(out, " to ");
		print_number(f->type, f->maximum, out);
	}
}

static json_t *schema_of_words(const struct field_word *words)
{
	json_t *list = json_array();

	for (const struct field_word *w = words; w->word; w++)
		if (!w->is_later)
			json_array_append_new(list, json_string(w->word));
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *schema_of_one(const struct field *f)
{
	if (f->type == FIELD_OBJECT)
		return field_schema(f->kind);
	if (f->type == FIELD_WORD)
		return schema_of_words(f->words);
	return json_loads(
		f->type == FIELD_FORM ? f->form->schema : field_value_type(f->type)->schema, 0,
		NULL);
}

static json_t *schema_of(const struct field *f)
{
	json_t *schema = schema_of_one(f), *initial = field_initial(f);

	if (f->type == FIELD_INTEGER && (f->minimum || f->maximum)) {
		json_object_set_new(schema, "minimum", json_integer(f->minimum));
		json_object_set_new(schema, "maximum", json_integer(f->maximum));
	}
	if (f->is_list)
		schema = json_pack("{s:s, s:o, s:I}", "type", "array", "items", schema, "maxItems",
			(json_int_t)f->most);
	json_object_set_new(schema, "description", json_string(f->help));
	if (initial)
		json_object_set_new(schema, "default", initial);
	if (f->is_later)
		json_object_set_new(schema, "x-later", json_true());
	return schema;
}

json_t *field_schema(const struct field_kind *kind)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct field *f = kind->fields; f->name; f++) {
		json_object_set_new(properties, f->name, schema_of(f));
		if (f->is_required)
			json_array_append_new(required, json_string(f->name));
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "type", "object", "description", kind->help,
		"properties", properties, "required", required, "additionalProperties", 0);
}
