/*
 * Walks a JSON document along the tables of field.h: objects, lists, defaults,
 * unknown fields, and what this version does not have. One value is
 * field_value.c. Depth is bounded by the tables: what they do not name is not entered.
 */
#include "common/field_value.h"

#include <assert.h>
#include <string.h>

#include "common/nearest.h"

static void refuse_unknown(struct field_reader *r, const struct field_kind *kind, const char *key,
	const struct field_place *at)
{
	char quote[FIELD_QUOTE_SIZE];
	struct field_place place = {.up = at, .name = field_quote(key, quote)};
	struct nearest nearest;

	if (r->passed_over) {
		field_pass_over(r, &place);
		return;
	}
	nearest_init(&nearest, key);
	for (const struct field *f = kind->fields; f->name && !field_problems_are_full(r); f++)
		nearest_look(&nearest, f->name);
	if (nearest.best)
		field_problem(r, &place, "unknown field; did you mean %s?", nearest.best);
	else
		field_problem(r, &place, "unknown field; see: ballastctl explain %s", kind->name);
}

static json_t *read_one(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	void *object = target.value;

	if (f->type == FIELD_FORM)
		return f->form->read(r, f, value, at, target);
	if (f->type != FIELD_OBJECT)
		return field_value_type(f->type)->read(r, f, value, at, target.value);
	if (f->is_optional) {
		object = arena_alloc(r->arena, 1, f->kind->size);
		*(void **)target.value = object;
	}
	if (!object) {
		r->is_out_of_memory = true;
		return NULL;
	}
	return field_read(r, f->kind, value, at, object);
}

/* target is where the pointer goes; the number of entries is returned. */
static json_t *read_list(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, void **target)
{
	size_t count = json_array_size(value), size = field_value_size(f);
	json_t *out;
	char *items;

	if (!json_is_array(value))
		return field_value_refuse(r, at, "a list", value);
	assert(f->most);
	if (count > f->most) {
		field_problem(r, at, "has %zu entries; at most %zu are possible", count, f->most);
		return NULL;
	}
	items = arena_alloc(r->arena, count, size);
	if (!items) {
		r->is_out_of_memory = true;
		return NULL;
	}
	out = json_array();
	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(value, i);
		struct field_place item = {.up = at,
			.index = i,
			.key = json_string_value(json_object_get(entry, "name"))};
		json_t *canonical = read_one(
			r, f, entry, &item, (struct field_target){items + i * size, NULL});

		if (canonical)
			json_array_append_new(out, canonical);
	}
	*target = items;
	return out;
}

/* The default as JSON, owned; NULL when there is none. */
static json_t *initial_value(const struct field *f)
{
	if (f->type == FIELD_OBJECT && !f->is_list && !f->is_optional)
		return json_object();
	if (!f->initial)
		return NULL;
	if (*f->initial == '[')
		return json_loads(f->initial, 0, NULL);
	return field_scalar(f, f->initial);
}

static json_t *read_value(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	json_t *canonical;

	if (!f->is_list)
		return read_one(r, f, value, at, target);
	canonical = read_list(r, f, value, at, target.value);
	if (canonical)
		*target.count = json_array_size(value);
	return canonical;
}

/* Fills in the default and returns its canonical form, owned; NULL when the default is to have
 * nothing. */
static json_t *read_default(struct field_reader *r, const struct field *f,
	const struct field_place *at, struct field_target target)
{
	json_t *value = initial_value(f), *canonical;

	if (!value)
		return NULL;
	canonical = read_value(r, f, value, at, target);
	assert(canonical || r->is_out_of_memory);
	json_decref(value);
	return canonical;
}

static bool is_nothing(const struct field *f, const json_t *canonical)
{
	if (f->is_list)
		return json_array_size(canonical) == 0;
	if (f->type == FIELD_TEXT_MAP)
		return json_object_size(canonical) == 0;
	return f->type == FIELD_BOOL && json_is_false(canonical);
}

json_t *field_initial(const struct field *f)
{
	union {
		max_align_t aligned;
		unsigned char bytes[256];
	} scratch = {0};
	struct conf_problems problems = {0};
	struct arena arena;
	struct field_reader r = {.arena = &arena, .problems = &problems};
	size_t count;
	json_t *canonical;

	if (!f->initial)
		return NULL;
	assert(f->is_list || field_value_size(f) <= sizeof scratch);
	arena_init(&arena);
	canonical = read_default(&r, f, NULL, (struct field_target){&scratch, &count});
	assert(problems.count == 0);
	arena_fini(&arena);
	return canonical;
}

/* Is there more than this version's only value of a field that it does not have yet? */
static bool is_of_later(const struct field *f, const json_t *value)
{
	json_t *initial = field_initial(f);
	bool is_same = initial ? json_equal(initial, value) : is_nothing(f, value);

	json_decref(initial);
	return f->is_later && !is_same;
}

/* A field of a later version may stand there with its default, and with nothing else. */
static void refuse_later(struct field_reader *r, const struct field *f, const json_t *canonical,
	const struct field_place *at)
{
	json_t *initial;

	if (!is_of_later(f, canonical))
		return;
	initial = field_initial(f);
	field_problem(r, at, "%s not available in this version",
		initial ? "another value than the default is" : "is");
	json_decref(initial);
}

/* The member's place in the struct, or a place nobody looks at. */
static void *member_target(struct field_reader *r, const struct field *f, void *ret)
{
	size_t size = f->is_list ? sizeof(void *) : field_value_size(f);

	if (f->is_stored)
		return (char *)ret + f->at;
	return arena_alloc(r->arena, 1, size);
}

static void read_member(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *up, void *ret, json_t *out)
{
	struct field_place at = {.up = up, .name = f->name};
	bool is_written = value && !json_is_null(value);
	size_t count = 0;
	struct field_target target = {member_target(r, f, ret), &count};
	json_t *canonical = NULL;

	if (!target.value) {
		r->is_out_of_memory = true;
		return;
	}
	if (is_written && r->passed_over && is_of_later(f, value)) {
		field_pass_over(r, &at);
		is_written = false;
	}
	if (is_written)
		canonical = read_value(r, f, value, &at, target);
	else if (f->is_required)
		field_problem(r, &at, "is required");
	if (canonical && f->is_later)
		refuse_later(r, f, canonical, &at);
	if (canonical)
		json_object_set_new(out, f->name, canonical);
	else
		json_decref(read_default(r, f, &at, target));
	if (f->count_at)
		*(size_t *)(void *)((char *)ret + f->count_at) = count;
}

json_t *field_read(struct field_reader *r, const struct field_kind *kind, const json_t *value,
	const struct field_place *at, void *ret)
{
	json_t *out, *member;
	const char *key;

	if (!json_is_object(value))
		return field_value_refuse(r, at, "an object", value);
	json_object_foreach ((json_t *)value, key, member)
		if (!field_find(kind, key))
			refuse_unknown(r, kind, key, at);
	out = json_object();
	for (const struct field *f = kind->fields; f->name; f++)
		read_member(r, f, json_object_get(value, f->name), at, ret, out);
	return out;
}
