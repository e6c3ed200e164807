/* The fields of routes and limits: what an HTTP listener does with a request. See field.h. */
#include "common/field.h"

#include <stdlib.h>
#include <string.h>

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

	(void)target;
	if (digits == 0 || digits > 9 ||
		(strcmp(unit, "/s") != 0 && strcmp(unit, "/m") != 0 && strcmp(unit, "/h") != 0))
		return field_value_refuse(r, at, f->form->text, value);
	return json_string(text);
}

static const struct field_form frequency = {"a number per second, minute or hour, such as 10/s",
	"{\"type\":\"string\"}", 0, read_frequency};

static const struct field_word actions[] = {{"reject"}, {"delay"}, {"log"}, {NULL}};

/* clang-format off */
static const struct field limit_fields[] = {
	{"key", FIELD_TEXT, .is_required = true, .example = "client",
		.help = "What is counted by: client, header:NAME or cookie:NAME."},
	{"rate", FIELD_FORM, .form = &frequency, .is_required = true, .example = "100/s",
		.help = "Requests allowed over time."},
	{"burst", FIELD_INTEGER, .example = "200", .help = "Requests allowed at once on top."},
	{"action", FIELD_WORD, .words = actions, .initial = "reject",
		.help = "What happens to the rest."},
	{0}
};

static const struct field match_fields[] = {
	{"host", FIELD_TEXT, .help = "The request's host; *.example for any below it."},
	{"path", FIELD_TARGET, .help = "Exactly this path."},
	{"path_prefix", FIELD_TARGET, .help = "This path and all below it."},
	{"methods", FIELD_TOKEN, .is_list = true, .most = METHODS_MAX,
		.help = "Any of these methods."},
	{"headers", FIELD_TEXT_MAP, .help = "All of these header fields with these values."},
	{"query", FIELD_TEXT_MAP, .help = "All of these query parameters with these values."},
	{0}
};
static const struct field_kind match = {"match", NULL, "Which requests a route takes.", 0, match_fields};

static const struct field edit_fields[] = {
	{"set", FIELD_TEXT_MAP, .help = "Header fields to set, replacing what was there."},
	{"add", FIELD_TEXT_MAP, .help = "Header fields to add."},
	{"remove", FIELD_TOKEN, .is_list = true, .most = EDITS_MAX,
		.help = "Header fields to remove."},
	{0}
};
static const struct field_kind edit = {"headers", NULL, "Changes to header fields.", 0, edit_fields};

static const struct field rewrite_fields[] = {
	{"path_prefix", FIELD_TARGET, .help = "What replaces the matched prefix."},
	{"host", FIELD_TEXT, .help = "The Host field sent to the server."},
	{0}
};
static const struct field_kind rewrite = {"rewrite", NULL, "Changes to the request's target.", 0, rewrite_fields};

static const struct field timeouts_fields[] = {
	{"response", FIELD_DURATION, .minimum = 1, .maximum = FIELD_DAY,
		.help = "From the request's end to the response head, instead of the pool's."},
	{0}
};
static const struct field_kind timeouts = {"timeouts", NULL, "Time-outs of this route.", 0, timeouts_fields};

static const struct field redirect_fields[] = {
	{"to", FIELD_TEXT, .is_required = true, .help = "Where to."},
	{"status", FIELD_INTEGER, .minimum = 301, .maximum = 308, .initial = "308",
		.help = "The status code."},
	{0}
};
static const struct field_kind redirect = {"redirect", NULL, "An answer that sends elsewhere.", 0, redirect_fields};

static const struct field respond_fields[] = {
	{"status", FIELD_INTEGER, .minimum = 200, .maximum = 599, .initial = "200",
		.help = "The status code."},
	{"body", FIELD_LINES, .help = "The body."},
	{0}
};
static const struct field_kind respond = {"respond", NULL, "An answer of the listener's own.", 0, respond_fields};

static const struct field route_fields[] = {
	{"match", FIELD_OBJECT, .kind = &match,
		.help = "Which requests it takes; the first route that matches wins."},
	{"pool", FIELD_NAME, .help = "Where they go."},
	{"redirect", FIELD_OBJECT, .is_optional = true, .kind = &redirect,
		.help = "Or: an answer that sends elsewhere."},
	{"respond", FIELD_OBJECT, .is_optional = true, .kind = &respond,
		.help = "Or: an answer of our own."},
	{"request_headers", FIELD_OBJECT, .kind = &edit,
		.help = "Changes on the way to the server."},
	{"response_headers", FIELD_OBJECT, .kind = &edit, .help = "Changes on the way back."},
	{"rewrite", FIELD_OBJECT, .is_optional = true, .kind = &rewrite,
		.help = "Changes to the target."},
	{"timeouts", FIELD_OBJECT, .kind = &timeouts, .help = "Time-outs of this route."},
	{"limit", FIELD_OBJECT, .is_optional = true, .kind = &field_limit,
		.help = "A limit of its own."},
	{0}
};
/* clang-format on */

const struct field_kind field_limit = {
	"limit", NULL, "How often a client may ask.", 0, limit_fields};
const struct field_kind field_route = {
	"route", NULL, "What a listener does with the requests that match.", 0, route_fields};
