#pragma once
/*
 * One value of a field: from JSON to its C type and back to canonical JSON.
 * Private to field: field_read.c walks objects and lists and asks here for what
 * stands in them; forms use the readers for their parts.
 */
#include "common/field.h"

struct field_value_type {
	const char *text;     /* for people: "duration" */
	const char *expected; /* in a problem: "a duration, such as 500ms, 5s or 10m" */
	const char *schema;   /* JSON Schema of one value; NULL: made by field_schema.c */
	size_t size;          /* of one stored value */
	/* As field_form.read, with the place of the value alone. NULL for objects and forms. */
	json_t *(*read)(struct field_reader *r, const struct field *f, const json_t *value,
		const struct field_place *at, void *target);
};

const struct field_value_type *field_value_type(enum field_type type);

/* Bytes of one stored value of f. */
size_t field_value_size(const struct field *f);
/* The range of a number of that field, with the limits of its type where the table says none. */
void field_value_range(const struct field *f, int64_t *ret_minimum, int64_t *ret_maximum);
/* Adds "expected …, not …" for what was found. Returns NULL, for readers to return. */
json_t *field_value_refuse(struct field_reader *r, const struct field_place *at,
	const char *expected, const json_t *found);
