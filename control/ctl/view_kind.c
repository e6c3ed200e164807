/* The fields of a kind, from the tables of common/field: see view.h. */
#include "control/ctl/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 256

/* A part of its own page: explained where it is asked for, not inside others. */
static bool has_own_page(const struct field *f)
{
	return f->type == FIELD_OBJECT && (f->kind->plural || f->is_list);
}

static void print_field(
	const struct view *v, const struct field *f, const char *path, struct buf *out)
{
	const char *begin = v->look.is_coloured ? "\033[1m" : "",
		   *end = v->look.is_coloured ? "\033[0m" : "";

	buf_printf(out, "\n%s%s%s  ", begin, path, end);
	field_print_type(f, out);
	if (f->is_required)
		buf_add_text(out, ", required");
	else if (f->initial)
		buf_printf(out, ", default %s", f->initial);
	if (f->example)
		buf_printf(out, ", such as %s", f->example);
	if (f->is_later)
		buf_add_text(out, " (not available in this version)");
	buf_printf(out, "\n    %s\n", f->help);
	if (has_own_page(f))
		buf_printf(out, "    See: ballastctl explain %s\n",
			f->kind->plural ? f->kind->name : path);
}

static void print_fields(
	const struct view *v, const struct field_kind *kind, const char *path, struct buf *out)
{
	for (const struct field *f = kind->fields; f->name; f++) {
		char below[PATH_SIZE];

		snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", f->name);
		print_field(v, f, below, out);
		if (f->type == FIELD_OBJECT && !has_own_page(f) && !f->is_later)
			print_fields(v, f->kind, below, out);
	}
}

/* True when some word or field is marked with *: then it is said what that means. */
static void print_mark(struct buf *out)
{
	if (strchr(buf_text(out), '*'))
		buf_add_text(out, "\n* not available in this version\n");
}

int view_kind(
	const struct view *v, const struct field_kind *kind, const char *path, struct buf *out)
{
	const struct field *f = NULL;
	char name[64];

	while (*path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof name, "%.*s", (int)len, path);
		path += len + (path[len] == '.');
		f = field_find(kind, name);
		if (!f || (*path && f->type != FIELD_OBJECT))
			return -ENOENT;
		if (f->type == FIELD_OBJECT)
			kind = f->kind;
	}
	if (f)
		print_field(v, f, f->name, out);
	else
		buf_printf(out, "%s: %s\n", kind->name, kind->help);
	if (!f || f->type == FIELD_OBJECT)
		print_fields(v, kind, f ? f->name : "", out);
	print_mark(out);
	return 0;
}
