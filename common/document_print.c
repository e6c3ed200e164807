/* JSON to YAML on libyaml's emitter, as people write it: see document_print_yaml() in document.h.
 */
#include "common/document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#define FLAT_MEMBERS_MAX 6 /* an object with more gets a line for each */

static int write_out(void *user, unsigned char *data, size_t len)
{
	buf_add(user, data, len);
	return 1;
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
	yaml_emitter_emit(emitter, event); /* fails only without memory: the text is cut short */
}

/* Words that other readers of YAML take for something else than a text. */
static bool is_plain_safe(const char *text)
{
	static const char *const words[] = {
		"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/_";
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.- ";

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	return *text && strchr(first, *text) && text[strspn(text, rest)] == '\0';
}

/* "500ms", "10.0.0.100/24": begins with a digit, and yet no reader takes it for a number. */
static bool is_plain_quantity(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	size_t dotted = strspn(text, "0123456789.");

	if (digits == 0 || digits == strlen(text))
		return false;
	if (text[dotted] == '/')
		return strspn(text + dotted + 1, "0123456789") == strlen(text + dotted + 1);
	return strchr("smhdkMGT", text[digits]) &&
	       strspn(text + digits, "smhdkMGTiB") == strlen(text + digits);
}

static void print_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	if (yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)text,
		    (int)strlen(text), 1, 1, style))
		emit(emitter, &event);
}

static void print_text(yaml_emitter_t *emitter, const char *text)
{
	bool is_plain = is_plain_safe(text) || is_plain_quantity(text);

	print_scalar(emitter, text,
		is_plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void print_number(yaml_emitter_t *emitter, const json_t *value)
{
	char text[64];

	if (json_is_integer(value))
		snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(text, sizeof text, "%.17g", json_real_value(value));
	print_scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
}

static bool is_scalar(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

/* Fit for one line: {name: w1, address: "10.0.1.1:8080"}. */
static bool is_flat(const json_t *value)
{
	const json_t *each;
	const char *key;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach(value, i, each) if (!is_scalar(each)) return false;
		return true;
	}
	json_object_foreach((json_t *)value, key, each) if (!is_scalar(each)) return false;
	return json_object_size(value) <= FLAT_MEMBERS_MAX;
}

static void print_value(yaml_emitter_t *emitter, const json_t *value, bool may_be_flat);

static void print_array(yaml_emitter_t *emitter, const json_t *value)
{
	yaml_sequence_style_t style = is_flat(value) ? YAML_FLOW_SEQUENCE_STYLE
						     : YAML_BLOCK_SEQUENCE_STYLE;
	const json_t *each;
	yaml_event_t event;
	size_t i;

	if (yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style))
		emit(emitter, &event);
	json_array_foreach(value, i, each) print_value(emitter, each, true);
	if (yaml_sequence_end_event_initialize(&event))
		emit(emitter, &event);
}

static void print_object(yaml_emitter_t *emitter, const json_t *value, bool may_be_flat)
{
	yaml_mapping_style_t style = may_be_flat && is_flat(value) ? YAML_FLOW_MAPPING_STYLE
								   : YAML_BLOCK_MAPPING_STYLE;
	const json_t *each;
	yaml_event_t event;
	const char *key;

	if (yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style))
		emit(emitter, &event);
	json_object_foreach((json_t *)value, key, each)
	{
		print_text(emitter, key);
		print_value(emitter, each, true);
	}
	if (yaml_mapping_end_event_initialize(&event))
		emit(emitter, &event);
}

/* Recursion is as deep as the value, which came through a reader that limits it. */
static void print_value(yaml_emitter_t *emitter, const json_t *value, bool may_be_flat)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		print_object(emitter, value, may_be_flat);
		break;
	case JSON_ARRAY:
		print_array(emitter, value);
		break;
	case JSON_STRING:
		print_text(emitter, json_string_value(value));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		print_number(emitter, value);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		print_scalar(
			emitter, json_is_true(value) ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
		break;
	case JSON_NULL:
		print_scalar(emitter, "null", YAML_PLAIN_SCALAR_STYLE);
		break;
	}
}

void document_print_yaml(const json_t *value, struct buf *out)
{
	yaml_emitter_t emitter;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&emitter))
		return;
	yaml_emitter_set_output(&emitter, write_out, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, 110);
	if (yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING))
		emit(&emitter, &event);
	if (yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1))
		emit(&emitter, &event);
	print_value(&emitter, value, false);
	if (yaml_document_end_event_initialize(&event, 1))
		emit(&emitter, &event);
	if (yaml_stream_end_event_initialize(&event))
		emit(&emitter, &event);
	yaml_emitter_flush(&emitter);
	yaml_emitter_delete(&emitter);
}
