/* See document.h: the JSON half, and what both formats share. YAML is document_yaml.c. */
#include "common/document.h"

#include <errno.h>
#include <string.h>

#include "common/document_yaml.h"

static int parse_json(const char *text, size_t len, struct conf_problems *problems, json_t **ret)
{
	char where[64], quote[FIELD_QUOTE_SIZE];
	json_error_t error;
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (!value) {
		snprintf(where, sizeof where, "line %d, column %d", error.line, error.column);
		conf_problems_add(problems, where, "not JSON: %s", field_quote(error.text, quote));
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* text need not end with a NUL. */
static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

int document_parse(const char *text, size_t len, enum conf_format format,
	const struct field_kind *kind, struct conf_problems *problems, json_t **ret)
{
	if (len > CONF_DOCUMENT_MAX) {
		conf_problems_add(problems, "", "has %zu bytes; at most %u are possible", len,
			CONF_DOCUMENT_MAX);
		return -EINVAL;
	}
	if (len > 0 && memchr(text, '\0', len)) { /* libyaml would take it for the end */
		conf_problems_add(problems, "", "has a NUL byte in it: not text");
		return -EINVAL;
	}
	if (is_blank(text, len)) {
		conf_problems_add(problems, "", "the document is empty");
		return -EINVAL;
	}
	if (format == CONF_JSON)
		return parse_json(text, len, problems, ret);
	return document_yaml_parse(text, len, kind, problems, ret);
}
