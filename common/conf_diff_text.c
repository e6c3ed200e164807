/* The differences of two documents as lines for people: conf_diff_text() of conf_diff.h. */
#include "common/conf_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/field.h"

#define PATH_SIZE 512

struct printer {
	struct buf *out;
	size_t lines;
};

static void print_value(struct buf *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (json_is_string(value))
		buf_add_text(out, json_string_value(value));
	else if (text)
		buf_add_text(out, text);
	free(text);
}

/* One line: "~ path: a -> b", "+ path: b", "- path: a"; a and b NULL for an object of the model by
 * its name alone. */
static void print_line(
	struct printer *p, char sign, const char *path, const json_t *a, const json_t *b)
{
	p->lines++;
	buf_printf(p->out, "%c %s", sign, path);
	if (a || b)
		buf_add_text(p->out, ": ");
	if (a)
		print_value(p->out, a);
	if (a && b)
		buf_add_text(p->out, " -> ");
	if (b)
		print_value(p->out, b);
	buf_add_text(p->out, "\n");
}

static const char *name_of(const json_t *object)
{
	return json_string_value(json_object_get(object, "name"));
}

/* By name, for lists of any length: an owned object of name to (borrowed and counted) entry. */
static json_t *index_of(const json_t *list)
{
	json_t *out = json_object(), *each;
	size_t i;

	json_array_foreach(list, i, each) if (name_of(each))
		json_object_set(out, name_of(each), each);
	return out;
}

static void diff_object(struct printer *p, const struct field_kind *kind, const char *path,
	const json_t *a, const json_t *b);

static void diff_named(struct printer *p, const struct field *f, const char *path, const json_t *a,
	const json_t *b)
{
	json_t *before = index_of(a), *after = index_of(b), *each;
	char place[PATH_SIZE + CONF_NAME_SIZE + 2];
	const char *name;

	json_object_foreach(before, name, each)
	{
		snprintf(place, sizeof place, "%s[%s]", path, name);
		if (!json_object_get(after, name))
			print_line(p, '-', place, NULL, NULL);
	}
	json_object_foreach(after, name, each)
	{
		const json_t *old = json_object_get(before, name);

		snprintf(place, sizeof place, "%s[%s]", path, name);
		if (!old)
			print_line(p, '+', place, NULL, NULL);
		else if (!json_equal((json_t *)old, each))
			diff_object(p, f->kind, place, old, each);
	}
	json_decref(before);
	json_decref(after);
}

/* A field that is written on one side only is compared with its default, and shown with it. */
static void diff_plain(struct printer *p, const struct field *f, const char *path, const json_t *a,
	const json_t *b)
{
	json_t *initial = a && b ? NULL : field_initial(f);

	if (!a)
		a = initial;
	if (!b)
		b = initial;
	print_line(p, a && b ? '~' : a ? '-' : '+', path, a, b);
	json_decref(initial);
}

static void diff_field(
	struct printer *p, const struct field *f, const char *up, const json_t *a, const json_t *b)
{
	char path[PATH_SIZE];
	json_t *empty;

	if (field_is_same_value(f, a, b))
		return;
	snprintf(path, sizeof path, "%s%s%s", up, *up ? "." : "", f->name);
	if (f->type != FIELD_OBJECT) {
		diff_plain(p, f, path, a, b);
	} else if (f->is_list && field_find(f->kind, "name")) {
		diff_named(p, f, path, a, b);
	} else if (f->is_list || (f->is_optional && (!a || !b))) {
		diff_plain(p, f, path, a, b);
	} else {
		empty = json_object();
		diff_object(p, f->kind, path, a ? a : empty, b ? b : empty);
		json_decref(empty);
	}
}

/* Depth is that of the tables. */
static void diff_object(struct printer *p, const struct field_kind *kind, const char *path,
	const json_t *a, const json_t *b)
{
	for (const struct field *f = kind->fields; f->name; f++)
		diff_field(p, f, path, json_object_get(a, f->name), json_object_get(b, f->name));
}

size_t conf_diff_text(const json_t *before, const json_t *after, struct buf *out)
{
	struct printer p = {.out = out};

	diff_object(&p, &field_document, "", before, after);
	return p.lines;
}
