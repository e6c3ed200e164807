#pragma once
/* Core: the API described as OpenAPI 3, from the table of routes and the tables of fields. */
#include <jansson.h>

/* Returns owned. */
json_t *openapi_print(const char *version);
