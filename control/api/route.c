/* route: the table of the API and how a path finds its row. Called by api for each request and by
 * openapi. */
#include "control/api/route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STACK "/v1/stacks/{stack}"
#define SERVER STACK "/pools/{pool}/servers/{server}"
#define WRITE "dry_run confirm_within skip wait"
#define READ ACCESS_VIEWER, ROUTE_DOOR_IDENTIFIED
#define OPERATE ACCESS_OPERATOR, ROUTE_DOOR_IDENTIFIED
#define EDIT ACCESS_EDITOR, ROUTE_DOOR_IDENTIFIED
#define ADMIN ACCESS_ADMIN, ROUTE_DOOR_IDENTIFIED

// clang-format off
static const struct route routes[] = {
	{ROUTE_HEALTHZ, REQUEST_GET, "/healthz", ACCESS_NOBODY, ROUTE_DOOR_OPEN, "", "Is this process alive?"},
	{ROUTE_READYZ, REQUEST_GET, "/readyz", ACCESS_NOBODY, ROUTE_DOOR_OPEN, "", "Does this node serve its generation?"},
	{ROUTE_METRICS, REQUEST_GET, "/metrics", ACCESS_VIEWER, ROUTE_DOOR_LOOPBACK, "", "Metrics in Prometheus text"},
	{ROUTE_OPENAPI, REQUEST_GET, "/v1/openapi.json", READ, "", "This description"},
	{ROUTE_STATUS, REQUEST_GET, "/v1/status", READ, "stack", "The whole picture"},
	{ROUTE_EXPLAIN, REQUEST_GET, "/v1/explain", READ, "object stack url method header client", "Why an object is as it is"},
	{ROUTE_EVENTS, REQUEST_GET, "/v1/events", READ, "follow since limit", "Events, as they happen (SSE) or listed"},
	{ROUTE_AUDIT, REQUEST_GET, "/v1/audit", READ, "stack before limit", "Who changed what"},
	{ROUTE_STACKS, REQUEST_GET, "/v1/stacks", READ, "", "All stacks"},
	{ROUTE_STACK_GET, REQUEST_GET, STACK, READ, "", "One stack"},
	{ROUTE_STACK_DELETE, REQUEST_DELETE, STACK, EDIT, "dry_run wait", "Delete a stack"},
	{ROUTE_DOCUMENT_GET, REQUEST_GET, STACK "/document", READ, "", "The document"},
	{ROUTE_DOCUMENT_PUT, REQUEST_PUT, STACK "/document", EDIT, WRITE, "Replace or create the document"},
	{ROUTE_GENERATIONS, REQUEST_GET, STACK "/generations", READ, "before limit", "The stack's history"},
	{ROUTE_GENERATION_GET, REQUEST_GET, STACK "/generations/{generation}", READ, "", "One generation, with its document"},
	{ROUTE_ROLLBACK, REQUEST_POST, STACK "/generations/{generation}/rollback", EDIT, WRITE, "Make an old document the newest"},
	{ROUTE_CONFIRM, REQUEST_POST, STACK "/generations/{generation}/confirm", EDIT, "", "Confirm a generation"},
	{ROUTE_OBJECTS, REQUEST_GET, STACK "/{kind}", READ, "", "All objects of a kind"},
	{ROUTE_OBJECT_GET, REQUEST_GET, STACK "/{kind}/{name}", READ, "", "One object"},
	{ROUTE_OBJECT_PUT, REQUEST_PUT, STACK "/{kind}/{name}", EDIT, WRITE, "Replace or add an object"},
	{ROUTE_OBJECT_DELETE, REQUEST_DELETE, STACK "/{kind}/{name}", EDIT, WRITE, "Remove an object"},
	{ROUTE_SERVERS, REQUEST_GET, STACK "/pools/{pool}/servers", READ, "", "All servers of a pool"},
	{ROUTE_SERVER_GET, REQUEST_GET, SERVER, READ, "", "One server"},
	{ROUTE_SERVER_PUT, REQUEST_PUT, SERVER, EDIT, WRITE, "Replace or add a server"},
	{ROUTE_SERVER_DELETE, REQUEST_DELETE, SERVER, EDIT, WRITE, "Remove a server"},
	{ROUTE_SERVER_OVERLAY_GET, REQUEST_GET, SERVER "/overlay", READ, "", "The operator's hand on a server"},
	{ROUTE_SERVER_OVERLAY_PUT, REQUEST_PUT, SERVER "/overlay", OPERATE, "force local", "Drain, disable, weigh or ready a server"},
	{ROUTE_SERVER_OVERLAY_DELETE, REQUEST_DELETE, SERVER "/overlay", OPERATE, "force local", "Take the hand off a server"},
	{ROUTE_INSTANCE_OVERLAY_GET, REQUEST_GET, "/v1/instances/{instance}/overlay", READ, "", "The operator's hand on an instance"},
	{ROUTE_INSTANCE_OVERLAY_PUT, REQUEST_PUT, "/v1/instances/{instance}/overlay", OPERATE, "force local", "Drain, disable or ready an instance"},
	{ROUTE_INSTANCE_OVERLAY_DELETE, REQUEST_DELETE, "/v1/instances/{instance}/overlay", OPERATE, "force local", "Take the hand off an instance"},
	{ROUTE_MAINTENANCE_GET, REQUEST_GET, "/v1/instances/{instance}/maintenance", READ, "", "Maintenance of an instance, and what it still holds"},
	{ROUTE_MAINTENANCE_PUT, REQUEST_PUT, "/v1/instances/{instance}/maintenance", OPERATE, "force", "Start maintenance"},
	{ROUTE_MAINTENANCE_DELETE, REQUEST_DELETE, "/v1/instances/{instance}/maintenance", OPERATE, "force", "End maintenance"},
	{ROUTE_MOVE, REQUEST_POST, STACK "/vips/{vip}/move", OPERATE, "", "Move a VIP"},
	{ROUTE_MOVE_END, REQUEST_DELETE, STACK "/vips/{vip}/move", OPERATE, "", "End a move"},
	{ROUTE_BYPASS_END, REQUEST_DELETE, "/v1/instances/{instance}/bypass", OPERATE, "", "End an instance's bypass"},
	{ROUTE_LATER, REQUEST_GET, "/v1/tokens", ADMIN, "", "All tokens"},
	{ROUTE_LATER, REQUEST_POST, "/v1/tokens", ADMIN, "", "Create a token"},
};
// clang-format on

const struct route *route_table(size_t *ret_count)
{
	*ret_count = sizeof routes / sizeof *routes;
	return routes;
}

bool route_is_kind(const char *text)
{
	static const char *const kinds[] = {
		"instances", "vips", "pools", "listeners", "certificates", "secrets", "checks"};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(text, kinds[i]) == 0)
			return true;
	}
	return false;
}

/* Does one segment fit one part of a pattern (len bytes)? A {…} part wants something there. */
static bool part_fits(const char *part, size_t len, const char *segment)
{
	if (part[0] != '{')
		return strlen(segment) == len && memcmp(segment, part, len) == 0;
	if (len == 6 && memcmp(part, "{kind}", 6) == 0)
		return route_is_kind(segment);
	return *segment != '\0';
}

static bool fits(const struct route *r, const struct target *t, const char **parameters)
{
	const char *part = r->pattern + 1;
	size_t count = 0;

	for (size_t i = 0; i < t->segments_count; i++) {
		size_t len = strcspn(part, "/");

		if (len == 0 || !part_fits(part, len, t->segments[i]))
			return false;
		if (part[0] == '{')
			parameters[count++] = t->segments[i];
		part += len;
		part += *part == '/';
	}
	return *part == '\0';
}

static void print_allow(unsigned methods, char allow[ROUTE_ALLOW_SIZE])
{
	size_t len = 0;

	allow[0] = '\0';
	for (size_t i = 0; i < REQUEST_METHODS; i++) {
		if (methods & (1u << i))
			len += (size_t)snprintf(allow + len, ROUTE_ALLOW_SIZE - len, "%s%s",
				len ? ", " : "",
				i == REQUEST_GET ? "GET, HEAD"
						 : request_method_name((enum request_method)i));
	}
}

int route_match(enum request_method method, const struct target *t, struct route_match *ret)
{
	struct route_match m = {0};
	unsigned methods = 0;

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (!fits(&routes[i], t, m.parameters))
			continue;
		if (routes[i].method == method) {
			m.route = &routes[i];
			*ret = m;
			return 0;
		}
		methods |= 1u << routes[i].method;
	}
	if (!methods)
		return -ENOENT;
	print_allow(methods, m.allow);
	*ret = m;
	return -ENOTSUP;
}

static bool is_word_of(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = words; *p; p += strcspn(p, " "), p += *p == ' ') {
		if (strcspn(p, " ") == len && memcmp(p, word, len) == 0)
			return true;
	}
	return false;
}

const char *route_unknown_parameter(const struct route *r, const struct target *t)
{
	for (size_t i = 0; i < t->query_count; i++) {
		if (!is_word_of(r->query, t->query[i].name))
			return t->query[i].name;
	}
	return NULL;
}
