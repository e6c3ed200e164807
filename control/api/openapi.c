/*
 * openapi: nothing is described twice. Paths come from route.c, resources from
 * the field tables of common; so what is printed here is what is checked.
 */
#include "control/api/openapi.h"

#include <stdio.h>
#include <string.h>

#include "common/field.h"
#include "control/api/route.h"

static json_t *print_schemas(void)
{
	json_t *schemas = json_object();

	for (const struct field_kind *const *k = field_kinds; *k; k++)
		json_object_set_new(schemas, (*k)->name, field_schema(*k));
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
