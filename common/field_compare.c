/* Whether two canonical values mean the same, defaults included: see field_is_same() in field.h. */
#include "common/field.h"

#include <string.h>

/* Both are written, or stand for an empty object. */
static bool is_same_list(const struct field *f, const json_t *a, const json_t *b)
{
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++)
		if (!field_is_same(f->kind, json_array_get(a, i), json_array_get(b, i), NULL))
			return false;
	return true;
}

static bool is_empty(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) == 0;
	return json_is_object(value) ? json_object_size(value) == 0 : json_is_false(value);
}

/* One that is not written against one that is. */
static bool is_default(const struct field *f, const json_t *written)
{
	json_t *initial;
	bool is_same;

	if (f->type == FIELD_OBJECT && !f->is_list) {
		initial = json_object();
		is_same = !f->is_optional && field_is_same(f->kind, initial, written, NULL);
	} else {
		initial = field_initial(f);
		is_same = initial ? field_is_same_value(f, initial, written) : is_empty(written);
	}
	json_decref(initial);
	return is_same;
}

bool field_is_same_value(const struct field *f, const json_t *a, const json_t *b)
{
	if (!a || !b)
		return a == b || is_default(f, a ? a : b);
	if (json_equal((json_t *)a, (json_t *)b))
		return true;
	if (f->type != FIELD_OBJECT)
		return false;
	return f->is_list ? is_same_list(f, a, b) : field_is_same(f->kind, a, b, NULL);
}

bool field_is_same(
	const struct field_kind *kind, const json_t *a, const json_t *b, const char *except)
{
	for (const struct field *f = kind->fields; f->name; f++) {
		if (except && strcmp(f->name, except) == 0)
			continue;
		if (!field_is_same_value(
			    f, json_object_get(a, f->name), json_object_get(b, f->name)))
			return false;
	}
	return true;
}
