/*
 * metric: sets of samples, built by daemons and printed by control. Sets come
 * from another process, so printing takes nothing for granted. Pure.
 */
#include "common/metric.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

const char *metric_type_name(enum metric_type t)
{
	switch (t) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
		return "histogram";
	}
	return "untyped";
}

/* The family of a set, made when it is not there; borrowed, NULL without memory. */
static json_t *family(json_t *set, const char *name, const char *type, const char *help)
{
	json_t *f = json_object_get(set, name);

	if (f)
		return f;
	f = json_pack("{s:s, s:s, s:[]}", "type", type, "help", help, "samples");
	json_object_set_new(set, name, f);
	return f;
}

void metric_add(json_t *set, const struct metric *m, int64_t value, ...)
{
	json_t *f = family(set, m->name, metric_type_name(m->type), m->help),
	       *labels = json_object();
	const char *name;
	va_list args;

	va_start(args, value);
	while ((name = va_arg(args, const char *)))
		json_object_set_new(labels, name, json_string(va_arg(args, const char *)));
	va_end(args);
	json_array_append_new(json_object_get(f, "samples"),
		json_pack("{s:o, s:I}", "labels", labels, "value", (json_int_t)value));
}

void metric_add_real(json_t *set, const struct metric *m, double value)
{
	json_t *f = family(set, m->name, metric_type_name(m->type), m->help);

	json_array_append_new(json_object_get(f, "samples"),
		json_pack("{s:{}, s:f}", "labels", "value", value));
}

bool metric_name_is_valid(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t len = strspn(text, letters);

	return len > 0 && len <= METRIC_NAME_MAX && !text[len] && (text[0] < '0' || text[0] > '9');
}

static bool is_family(const char *name, const json_t *f)
{
	const char *type = json_string_value(json_object_get(f, "type"));

	return metric_name_is_valid(name) && type &&
	       (strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0) &&
	       json_is_array(json_object_get(f, "samples"));
}

/* Backslash, quote and newline as the text format wants them. */
void metric_print_escaped(const char *text, bool is_label, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_add_text(out, "\\n");
		else if (*text == '\\')
			buf_add_text(out, "\\\\");
		else if (*text == '"' && is_label)
			buf_add_text(out, "\\\"");
		else
			buf_add(out, text, 1);
	}
}

static size_t print_labels(const json_t *labels, struct buf *out, bool *is_first)
{
	size_t left_out = 0;
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)labels, name, value) {
		if (!metric_name_is_valid(name) || !json_is_string(value)) {
			left_out++;
			continue;
		}
		buf_printf(out, "%s%s=\"", *is_first ? "{" : ",", name);
		metric_print_escaped(json_string_value(value), true, out);
		buf_add_text(out, "\"");
		*is_first = false;
	}
	return left_out;
}

static size_t print_sample(
	const char *name, const json_t *sample, const json_t *more, struct buf *out)
{
	const json_t *value = json_object_get(sample, "value");
	bool is_first = true;
	size_t left_out;

	if (!json_is_number(value))
		return 1;
	buf_add_text(out, name);
	left_out = print_labels(more, out, &is_first);
	left_out += print_labels(json_object_get(sample, "labels"), out, &is_first);
	buf_add_text(out, is_first ? " " : "} ");
	if (json_is_integer(value))
		buf_printf(out, "%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
	else
		buf_printf(out, "%.17g\n", json_real_value(value));
	return left_out;
}

size_t metric_print(const json_t *set, const json_t *labels, struct buf *out)
{
	size_t left_out = 0, families = 0, i;
	const char *name;
	json_t *f, *sample;

	json_object_foreach ((json_t *)(uintptr_t)set, name, f) {
		const char *help = json_string_value(json_object_get(f, "help"));

		if (!is_family(name, f) || ++families > METRIC_FAMILIES_MAX) {
			left_out++;
			continue;
		}
		buf_printf(out, "# HELP %s ", name);
		metric_print_escaped(help ? help : "", false, out);
		buf_printf(out, "\n# TYPE %s %s\n", name,
			json_string_value(json_object_get(f, "type")));
		json_array_foreach (json_object_get(f, "samples"), i, sample) {
			if (i >= METRIC_SAMPLES_MAX)
				break;
			left_out += print_sample(name, sample, labels, out);
		}
	}
	return left_out;
}

size_t metric_join(json_t *set, const json_t *other)
{
	size_t left_out = 0;
	const char *name;
	json_t *f;

	json_object_foreach ((json_t *)(uintptr_t)other, name, f) {
		const char *help = json_string_value(json_object_get(f, "help"));

		if (!is_family(name, f) || json_object_size(set) >= METRIC_FAMILIES_MAX) {
			left_out++;
			continue;
		}
		json_array_extend(
			json_object_get(
				family(set, name, json_string_value(json_object_get(f, "type")),
					help ? help : ""),
				"samples"),
			json_object_get(f, "samples"));
	}
	return left_out;
}
