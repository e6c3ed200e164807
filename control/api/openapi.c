/*
 * openapi: nothing is described twice. Paths come from route.c, resources from
 * the field tables of common; so what is printed here is what is checked.
 */
#include "control/api/openapi.h"

#include <stdio.h>
#include <string.h>

#include "common/field.h"
#include "control/api/route.h"

/* ---- resources ---- */

static json_t *schema_of_kind(const struct field_kind *kind, int depth);

static json_t *words_of(const struct field_word *words)
{
	json_t *list = json_array();

	for (; words && words->word; words++)
		json_array_append_new(list, json_string(words->word));
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *schema_of_form(const struct field_form *form)
{
	json_t *schema = form && form->schema ? json_loads(form->schema, 0, NULL) : NULL;

	return schema ? schema : json_object();
}

static json_t *schema_of_text(const char *format)
{
	return json_pack("{s:s, s:s*}", "type", "string", "format", format);
}

/* One value of a field, not a list of them. */
static json_t *schema_of_value(const struct field *f, int depth)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LINES:
	case FIELD_HOST:
	case FIELD_HOST_PORT:
	case FIELD_INTERFACE:
	case FIELD_PATH:
	case FIELD_TARGET:
	case FIELD_TOKEN:
	case FIELD_IP:
	case FIELD_IP_PORT:
	case FIELD_PREFIX:
		return schema_of_text(NULL);
	case FIELD_NAME:
		return json_pack("{s:s, s:s}", "type", "string", "pattern",
			"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$");
	case FIELD_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case FIELD_INTEGER:
		return json_pack("{s:s}", "type", "integer");
	case FIELD_DURATION:
	case FIELD_RATE:
	case FIELD_SIZE:
		return json_pack("{s:[s,s]}", "type", "string", "integer");
	case FIELD_WORD:
		return words_of(f->words);
	case FIELD_OBJECT:
		return schema_of_kind(f->kind, depth + 1);
	case FIELD_TEXT_MAP:
		return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
			"string");
	case FIELD_FORM:
		return schema_of_form(f->form);
	case FIELD_TYPES:
		break;
	}
	return json_object();
}

static json_t *schema_of_field(const struct field *f, int depth)
{
	json_t *schema = schema_of_value(f, depth);

	if (f->is_list)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	if (f->help)
		json_object_set_new(schema, "description", json_string(f->help));
	if (f->initial)
		json_object_set_new(schema, "default", json_string(f->initial));
	if (f->is_later)
		json_object_set_new(schema, "x-later", json_true());
	return schema;
}

static json_t *schema_of_kind(const struct field_kind *kind, int depth)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct field *f = kind->fields; f && f->name && depth < 8; f++) {
		json_object_set_new(properties, f->name, schema_of_field(f, depth));
		if (f->is_required)
			json_array_append_new(required, json_string(f->name));
	}
	return json_pack("{s:s, s:b, s:s*, s:o, s:o}", "type", "object", "additionalProperties", 0,
		"description", kind->help, "required", required, "properties", properties);
}

static json_t *print_schemas(void)
{
	json_t *schemas = json_object();

	json_object_set_new(schemas, "document", schema_of_kind(&field_document, 0));
	for (const struct field_kind *const *k = field_kinds; *k; k++)
		json_object_set_new(schemas, (*k)->name, schema_of_kind(*k, 0));
	return schemas;
}

/* ---- paths ---- */

static void add_path_parameters(json_t *list, const char *pattern)
{
	for (const char *p = strchr(pattern, '{'); p; p = strchr(p + 1, '{')) {
		size_t len = strcspn(p + 1, "}");

		json_array_append_new(
			list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", p + 1, len, "in",
				      "path", "required", 1, "schema", "type", "string"));
	}
}

static void add_query_parameters(json_t *list, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		json_array_append_new(
			list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", words, len, "in",
				      "query", "required", 0, "schema", "type", "string"));
		words += len;
		words += *words == ' ';
	}
}

static json_t *print_operation(const struct route *r)
{
	json_t *parameters = json_array();

	add_path_parameters(parameters, r->pattern);
	add_query_parameters(parameters, r->query);
	return json_pack("{s:s, s:s, s:o, s:{s:{s:s}, s:{s:s}}}", "summary", r->summary, "x-role",
		access_role_name(r->role), "parameters", parameters, "responses",
		r->id == ROUTE_LATER ? "501" : "200", "description",
		r->id == ROUTE_LATER ? "not there yet" : "done", "default", "description",
		"a problem (RFC 9457)");
}

static json_t *print_paths(void)
{
	json_t *paths = json_object();
	size_t count;
	const struct route *routes = route_table(&count);

	for (size_t i = 0; i < count; i++) {
		json_t *path = json_object_get(paths, routes[i].pattern);
		char method[8] = "";

		if (!path) {
			path = json_object();
			json_object_set_new(paths, routes[i].pattern, path);
		}
		for (size_t j = 0;
			j + 1 < sizeof method && request_method_name(routes[i].method)[j]; j++)
			method[j] = (char)(request_method_name(routes[i].method)[j] | 0x20);
		json_object_set_new(path, method, print_operation(&routes[i]));
	}
	return paths;
}

json_t *openapi_print(const char *version)
{
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s}}, s:o, s:{s:o}}", "openapi", "3.1.0", "info",
		"title", "Ballast", "version", version, "license", "name", "Apache-2.0", "paths",
		print_paths(), "components", "schemas", print_schemas());
}
