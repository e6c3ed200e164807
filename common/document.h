#pragma once
/*
 * A document as text: JSON or YAML to a JSON value and back. It knows the
 * fields only to give YAML's plain scalars the type of the field they stand
 * for (`mode: off` is the word, not a boolean); whether the content makes
 * sense is field_read()'s business. Pure; for documents of stacks, single
 * resources and node files alike.
 */
#include <jansson.h>

#include "common/buf.h"
#include "common/conf.h"
#include "common/field.h"

#define DOCUMENT_DEPTH_MAX 32 /* of YAML; JSON is bounded by jansson */

/*
 * Reads text as a document of that kind: 0 and an owned value, or -EINVAL with
 * one problem that names line and column. Refused: more than CONF_DOCUMENT_MAX
 * bytes, invalid UTF-8, NUL, a key written twice, more than one document,
 * anchors, aliases and tags, deeper nesting than DOCUMENT_DEPTH_MAX.
 */
int document_parse(const char *text, size_t len, enum conf_format format,
	const struct field_kind *kind, struct conf_problems *problems, json_t **ret);

/* Appends value as YAML that any YAML reader takes for the same value. */
void document_print_yaml(const json_t *value, struct buf *out);
