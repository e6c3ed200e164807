#pragma once
/* The YAML half of document.h; private to it. */
#include <jansson.h>

#include "common/conf.h"
#include "common/field.h"

/* As document_parse(), for text whose size was checked. */
int document_yaml_parse(const char *text, size_t len, const struct field_kind *kind,
	struct conf_problems *problems, json_t **ret);
