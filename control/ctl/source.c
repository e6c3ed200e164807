/* See source.h. */
#include "control/ctl/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/document.h"
#include "control/ctl/ctl.h"

/* All of f up to a byte more than a document may have: 0, or -errno. */
static int read_all(FILE *f, struct source *s)
{
	s->text = malloc(CONF_DOCUMENT_MAX + 1);
	if (!s->text)
		return -ENOMEM;
	s->len = fread(s->text, 1, CONF_DOCUMENT_MAX + 1, f);
	return ferror(f) ? -errno : 0;
}

static const char *shown_path(const struct source *s)
{
	return strcmp(s->path, "-") == 0 ? "standard input" : s->path;
}

static enum outcome read_text(struct source *s)
{
	bool is_stdin = strcmp(s->path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(s->path, "re");
	int rc = f ? read_all(f, s) : -errno;

	if (f && !is_stdin)
		fclose(f);
	if (rc < 0)
		return ctl_fail(OUTCOME_FAILED, "cannot read %s: %s", shown_path(s), strerror(-rc));
	return OUTCOME_DONE;
}

/* By the file's name, else by how it begins. */
static enum conf_format format_of(const struct source *s)
{
	const char *dot = strrchr(s->path, '.');
	size_t i = 0;

	if (dot && strcmp(dot, ".json") == 0)
		return CONF_JSON;
	if (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
		return CONF_YAML;
	while (i < s->len && strchr(" \t\r\n", s->text[i]))
		i++;
	return i < s->len && s->text[i] == '{' ? CONF_JSON : CONF_YAML;
}

static enum outcome take_stack(struct source *s, const json_t *document, const char *stack)
{
	const char *own = json_string_value(json_object_get(document, "stack"));

	if (!own)
		return ctl_fail(OUTCOME_FAILED, "%s: stack: is required: the name of the stack",
			shown_path(s));
	if (!conf_name_is_valid(own))
		return ctl_fail(OUTCOME_FAILED, "%s: stack: %.64s cannot be a stack's name",
			shown_path(s), own);
	if (stack && strcmp(stack, own) != 0)
		return ctl_fail(OUTCOME_FAILED, "%s is for stack %s, and --stack says %.64s",
			shown_path(s), own, stack);
	snprintf(s->stack, sizeof s->stack, "%s", own);
	return OUTCOME_DONE;
}

static enum outcome look_into(struct source *s, const char *stack)
{
	struct conf_problems problems = {0};
	enum outcome outcome = OUTCOME_FAILED;
	json_t *document;

	if (document_parse(s->text, s->len, s->format, &field_document, &problems, &document) ==
		0) {
		outcome = take_stack(s, document, stack);
		json_decref(document);
	}
	for (size_t i = 0; i < problems.count; i++)
		ctl_fail(OUTCOME_FAILED, "%s: %s%s%s", shown_path(s), problems.items[i].where,
			*problems.items[i].where ? ": " : "", problems.items[i].what);
	conf_problems_fini(&problems);
	return outcome;
}

enum outcome source_open(const char *path, const char *stack, struct source *ret)
{
	struct source s = {.path = path};
	enum outcome outcome = read_text(&s);

	if (outcome == OUTCOME_DONE) {
		s.format = format_of(&s);
		outcome = look_into(&s, stack);
	}
	if (outcome == OUTCOME_DONE)
		*ret = s;
	else
		source_close(&s);
	return outcome;
}

void source_close(struct source *s)
{
	free(s->text);
	*s = (struct source){0};
}
