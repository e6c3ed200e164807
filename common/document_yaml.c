/*
 * YAML to JSON and back, on libyaml's events. Reading builds the value along
 * the tables of fields, so that a plain scalar takes its field's type; depth is
 * bounded by a stack of our own and everything that could make a small text
 * large (anchors, aliases, tags) is refused.
 */
#include "common/document_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/document.h"

/* A mapping or sequence that is not closed yet. */
struct level {
	json_t *container;             /* borrowed from the level above, or the root */
	const struct field_kind *kind; /* of a mapping that is an object of the model */
	const struct field *field; /* of a sequence or any other mapping: what its entries are */
	char *key; /* owned: of the value that comes next in a mapping; NULL: a key comes next */
};

struct reader {
	struct conf_problems *problems;
	const struct field_kind *kind;
	json_t *root; /* owned */
	struct level levels[DOCUMENT_DEPTH_MAX];
	size_t depth;
};

static int refuse(struct reader *r, const yaml_mark_t *at, const char *what, const char *detail)
{
	char where[64], quote[FIELD_QUOTE_SIZE];

	snprintf(where, sizeof where, "line %zu, column %zu", at->line + 1, at->column + 1);
	if (detail)
		conf_problems_add(r->problems, where, "%s: %s", what, field_quote(detail, quote));
	else
		conf_problems_add(r->problems, where, "%s", what);
	return -EINVAL;
}

/* True when a mapping waits for a key. */
static bool is_at_key(const struct reader *r)
{
	const struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;

	return l && json_is_object(l->container) && !l->key;
}

/* The field that the next value stands for; NULL: not known. Not at a key. */
static const struct field *field_next(const struct reader *r)
{
	const struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;

	if (!l)
		return NULL;
	if (l->kind)
		return field_find(l->kind, l->key);
	return l->field;
}

/* Takes value and puts it where the document stands. */
static int place(struct reader *r, json_t *value, const yaml_mark_t *at)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;

	if (!value)
		return refuse(r, at, "not text that can be read (invalid UTF-8?)", NULL);
	if (!l) {
		r->root = value;
	} else if (json_is_array(l->container)) {
		json_array_append_new(l->container, value);
	} else {
		json_object_set_new(l->container, l->key, value);
		free(l->key);
		l->key = NULL;
	}
	return 0;
}

static int take_key(struct reader *r, const yaml_event_t *e)
{
	struct level *l = &r->levels[r->depth - 1];
	const char *key = (const char *)e->data.scalar.value;

	if (json_object_get(l->container, key))
		return refuse(r, &e->start_mark, "this key is written twice", key);
	l->key = strdup(key);
	return l->key ? 0 : -ENOMEM;
}

static bool is_null(const char *text)
{
	return !*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

static int take_scalar(struct reader *r, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (strlen(text) != e->data.scalar.length) /* written as \0 */
		return refuse(r, &e->start_mark, "a NUL is not text", NULL);
	if (is_at_key(r))
		return take_key(r, e);
	if (!is_plain)
		return place(r, json_string(text), &e->start_mark);
	return place(
		r, is_null(text) ? json_null() : field_scalar(field_next(r), text), &e->start_mark);
}

static int begin(struct reader *r, json_t *container, const yaml_mark_t *at)
{
	struct level next = {.container = container};

	if (is_at_key(r) || r->depth == DOCUMENT_DEPTH_MAX) {
		json_decref(container);
		return refuse(
			r, at, is_at_key(r) ? "a key must be a text" : "nested too deeply", NULL);
	}
	next.field = field_next(r);
	if (json_is_array(container))
		next.kind = NULL;
	else if (r->depth == 0)
		next.kind = r->kind;
	else if (next.field && next.field->type == FIELD_OBJECT)
		next.kind = next.field->kind;
	if (place(r, container, at) < 0)
		return -EINVAL;
	r->levels[r->depth++] = next;
	return 0;
}

static bool has_anchor_or_tag(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return e->data.scalar.anchor || e->data.scalar.tag;
	if (e->type == YAML_MAPPING_START_EVENT)
		return e->data.mapping_start.anchor || e->data.mapping_start.tag;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	return e->type == YAML_ALIAS_EVENT;
}

/* 1 when the stream has ended. */
static int take(struct reader *r, const yaml_event_t *e)
{
	if (has_anchor_or_tag(e))
		return refuse(
			r, &e->start_mark, "anchors, aliases and tags are not used here", NULL);
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, e);
	case YAML_MAPPING_START_EVENT:
		return begin(r, json_object(), &e->start_mark);
	case YAML_SEQUENCE_START_EVENT:
		return begin(r, json_array(), &e->start_mark);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		return r->root ? refuse(r, &e->start_mark, "more than one document", NULL) : 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_ALIAS_EVENT:
		return 0;
	}
	return 0;
}

static int read_events(struct reader *r, yaml_parser_t *parser)
{
	yaml_event_t event;
	int rc = 0;

	while (rc == 0) {
		if (!yaml_parser_parse(parser, &event))
			return refuse(r, &parser->problem_mark, "not YAML",
				parser->problem ? parser->problem : "out of memory");
		rc = take(r, &event);
		yaml_event_delete(&event);
	}
	return rc < 0 ? rc : 0;
}

int document_yaml_parse(const char *text, size_t len, const struct field_kind *kind,
	struct conf_problems *problems, json_t **ret)
{
	struct reader r = {.problems = problems, .kind = kind};
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	rc = read_events(&r, &parser);
	yaml_parser_delete(&parser);
	for (size_t i = 0; i < r.depth; i++)
		free(r.levels[i].key);
	if (rc == 0 && !r.root) {
		conf_problems_add(problems, "", "the document is empty");
		rc = -EINVAL;
	}
	if (rc < 0)
		json_decref(r.root);
	else
		*ret = r.root;
	return rc;
}
