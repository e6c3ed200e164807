/* See template.h. */
#include "common/template.h"

#include <assert.h>
#include <string.h>

static const char *const names[TEMPLATE_VARIABLES] = {
	[TEMPLATE_CLIENT] = "client",
	[TEMPLATE_CLIENT_PORT] = "client_port",
	[TEMPLATE_HOST] = "host",
	[TEMPLATE_LISTENER] = "listener",
	[TEMPLATE_METHOD] = "method",
	[TEMPLATE_PATH] = "path",
	[TEMPLATE_PROTO] = "proto",
	[TEMPLATE_QUERY] = "query",
	[TEMPLATE_REQUEST_ID] = "request_id",
	[TEMPLATE_ROUTE] = "route",
	[TEMPLATE_SERVER] = "server",
};

const char *template_variable_name(enum template_variable v)
{
	assert(v < TEMPLATE_VARIABLES);
	return names[v];
}

static int take_variable(const char **at, struct template_piece *ret)
{
	const char *name = *at + 2, *end = strchr(name, '}');

	if (!end)
		return TEMPLATE_UNCLOSED;
	*ret = (struct template_piece){.text = name, .len = (size_t)(end - name)};
	*at = end + 1;
	for (int v = TEMPLATE_TEXT + 1; v < TEMPLATE_VARIABLES; v++)
		if (strlen(names[v]) == ret->len && memcmp(names[v], name, ret->len) == 0) {
			ret->variable = (enum template_variable)v;
			return 0;
		}
	return TEMPLATE_UNKNOWN;
}

int template_next(const char **at, struct template_piece *ret)
{
	const char *p = *at;

	if (!*p)
		return TEMPLATE_END;
	if (strncmp(p, "${", 2) == 0)
		return take_variable(at, ret);
	if (strncmp(p, "$${", 3) == 0) {
		*ret = (struct template_piece){.text = p + 1, .len = 2};
		*at = p + 3;
		return 0;
	}
	while (*p && strncmp(p, "${", 2) != 0 && (p == *at || strncmp(p, "$${", 3) != 0))
		p++;
	*ret = (struct template_piece){.text = *at, .len = (size_t)(p - *at)};
	*at = p;
	return 0;
}
