/* The fields of routes and limits: what an HTTP listener does with a request. See field.h. */
#include "common/field.h"

#include <stdlib.h>
#include <string.h>

#include "common/field_text.h"
#include "common/field_value.h"

#define METHODS_MAX 32
#define EDITS_MAX 64

/* "10/s", "600/m", "5000/h". */
static json_t *read_frequency(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	const char *text = json_string_value(value);
	size_t digits = text ? strspn(text, "0123456789") : 0;
	const char *unit = text ? text + digits : "";

	if (digits == 0 || digits > 9 ||
		(strcmp(unit, "/s") != 0 && strcmp(unit, "/m") != 0 && strcmp(unit, "/h") != 0))
		return field_value_refuse(r, at, f->form->text, value);
	*(struct conf_frequency *)target.value = (struct conf_frequency){
		.count = strtoll(text, NULL, 10),
		.per_ms = unit[1] == 's'   ? FIELD_SECOND
			  : unit[1] == 'm' ? 60 * FIELD_SECOND
					   : FIELD_HOUR};
	return json_string(text);
}

static const struct field_form frequency = {"a number per second, minute or hour, such as 10/s",
	"{\"type\":\"string\"}", sizeof(struct conf_frequency), read_frequency};

/* "client", "header:x-api-key", "cookie:session". */
static json_t *read_limit_key(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const char *const sources[] = {
		[CONF_LIMIT_HEADER] = "header:", [CONF_LIMIT_COOKIE] = "cookie:"};
	struct conf_limit_key *key = target.value;
	const char *text = json_string_value(value);

	if (text && strcmp(text, "client") == 0)
		return json_string(text);
	for (int source = CONF_LIMIT_HEADER; text && source <= CONF_LIMIT_COOKIE; source++) {
		size_t len = strlen(sources[source]);

		if (strncmp(text, sources[source], len) != 0 || !field_text_is_token(text + len))
			continue;
		key->source = source;
		key->name = arena_text(r->arena, text + len);
		if (!key->name)
			r->is_out_of_memory = true;
		return json_string(text);
	}
	return field_value_refuse(r, at, f->form->text, value);
}

static const struct field_form limit_key = {"client, header:NAME or cookie:NAME",
	"{\"type\":\"string\"}", sizeof(struct conf_limit_key), read_limit_key};

static const struct field_word actions[] = {[CONF_LIMIT_REJECT] = {"reject"},
	[CONF_LIMIT_DELAY] = {"delay", .is_later = true},
	[CONF_LIMIT_LOG] = {"log"},
	{NULL}};

/* clang-format off */
static const struct field limit_fields[] = {
	{"key", FIELD_FORM, FIELD_AT(conf_limit, key), .form = &limit_key, .is_required = true, .example = "client",
		.help = "What requests are counted by: client, header:NAME or cookie:NAME; those without it by client."},
	{"rate", FIELD_FORM, FIELD_AT(conf_limit, rate), .form = &frequency, .is_required = true, .example = "100/s",
		.help = "Requests allowed over time."},
	{"burst", FIELD_INTEGER, FIELD_AT(conf_limit, burst), .initial = "0", .help = "Requests allowed at once on top."},
	{"action", FIELD_WORD, FIELD_AT(conf_limit, action), .words = actions, .initial = "reject",
		.help = "What happens to the rest: reject answers 429, log only counts and logs."},
	{0}
};

static const struct field match_fields[] = {
	{"host", FIELD_TEXT, FIELD_AT(conf_match, host), .help = "The request's host; *.shop.example for any below it."},
	{"path", FIELD_TARGET, FIELD_AT(conf_match, path), .help = "Exactly this path."},
	{"path_prefix", FIELD_TARGET, FIELD_AT(conf_match, path_prefix), .help = "This path and all below it."},
	{"methods", FIELD_TOKEN, FIELD_LIST(conf_match, methods), .most = METHODS_MAX,
		.help = "Any of these methods."},
	{"headers", FIELD_TEXT_MAP, FIELD_AT(conf_match, headers), .help = "All of these header fields with these values."},
	{"query", FIELD_TEXT_MAP, FIELD_AT(conf_match, query), .help = "All of these query parameters with these values."},
	{0}
};
static const struct field_kind match = {"match", NULL, "Which requests a route takes.", sizeof(struct conf_match), match_fields};

static const struct field edit_fields[] = {
	{"set", FIELD_TEXT_MAP, FIELD_AT(conf_edit, set), .help = "Header fields to set, replacing what was there; with variables such as ${client}."},
	{"add", FIELD_TEXT_MAP, FIELD_AT(conf_edit, add), .help = "Header fields to add."},
	{"remove", FIELD_TOKEN, FIELD_LIST(conf_edit, remove), .most = EDITS_MAX,
		.help = "Header fields to remove."},
	{0}
};
static const struct field_kind edit = {"headers", NULL, "Changes to header fields.", sizeof(struct conf_edit), edit_fields};

static const struct field rewrite_fields[] = {
	{"path_prefix", FIELD_TARGET, FIELD_AT(conf_rewrite, path_prefix), .help = "What replaces the matched path or prefix."},
	{"host", FIELD_TEXT, FIELD_AT(conf_rewrite, host), .help = "The Host field sent to the server."},
	{0}
};
static const struct field_kind rewrite = {"rewrite", NULL, "Changes to the request's target.", sizeof(struct conf_rewrite), rewrite_fields};

static const struct field timeouts_fields[] = {
	{"response", FIELD_DURATION, FIELD_AT(conf_route_timeouts, response_ms), .minimum = 1, .maximum = FIELD_DAY,
		.help = "From the request's end to the response head, instead of the pool's."},
	{0}
};
static const struct field_kind timeouts = {"timeouts", NULL, "Time-outs of this route.", sizeof(struct conf_route_timeouts), timeouts_fields};

static const struct field redirect_fields[] = {
	{"to", FIELD_TEXT, FIELD_AT(conf_redirect, to), .is_required = true, .help = "Where to: an address or a path, with variables such as ${host} and ${path}; the query is kept unless this has one."},
	{"status", FIELD_INTEGER, FIELD_AT(conf_redirect, status), .minimum = 301, .maximum = 308, .initial = "308",
		.help = "The status code."},
	{0}
};
static const struct field_kind redirect = {"redirect", NULL, "An answer that sends elsewhere.", sizeof(struct conf_redirect), redirect_fields};

static const struct field respond_fields[] = {
	{"status", FIELD_INTEGER, FIELD_AT(conf_respond, status), .minimum = 200, .maximum = 599, .initial = "200",
		.help = "The status code."},
	{"body", FIELD_LINES, FIELD_AT(conf_respond, body), .maximum = CONF_ANSWER_BODY_MAX, .help = "The body; HTML where it begins with <."},
	{0}
};
static const struct field_kind respond = {"respond", NULL, "An answer of the listener's own.", sizeof(struct conf_respond), respond_fields};

static const struct field route_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_route, name), .example = "api",
		.help = "Its name, unique in the listener: routes with one are counted and logged by it."},
	{"match", FIELD_OBJECT, FIELD_AT(conf_route, match), .kind = &match,
		.help = "Which requests it takes; the most specific route wins."},
	{"pool", FIELD_NAME, FIELD_AT(conf_route, pool_name), .help = "Where they go."},
	{"redirect", FIELD_OBJECT, FIELD_OPTIONAL(conf_route, redirect), .kind = &redirect,
		.help = "Or: an answer that sends elsewhere."},
	{"respond", FIELD_OBJECT, FIELD_OPTIONAL(conf_route, respond), .kind = &respond,
		.help = "Or: an answer of our own."},
	{"request_headers", FIELD_OBJECT, FIELD_AT(conf_route, request_headers), .kind = &edit,
		.help = "Changes on the way to the server."},
	{"response_headers", FIELD_OBJECT, FIELD_AT(conf_route, response_headers), .kind = &edit, .help = "Changes on the way back."},
	{"rewrite", FIELD_OBJECT, FIELD_OPTIONAL(conf_route, rewrite), .kind = &rewrite,
		.help = "Changes to the target."},
	{"timeouts", FIELD_OBJECT, FIELD_AT(conf_route, timeouts), .kind = &timeouts, .help = "Time-outs of this route."},
	{"limit", FIELD_OBJECT, FIELD_OPTIONAL(conf_route, limit), .kind = &field_limit,
		.help = "A limit of its own."},
	{0}
};
/* clang-format on */

const struct field_kind field_limit = {
	"limit", NULL, "How often a client may ask.", sizeof(struct conf_limit), limit_fields};
const struct field_kind field_route = {"route", NULL,
	"What a listener does with the requests that match.", sizeof(struct conf_route),
	route_fields};
