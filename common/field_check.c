/* The fields of a check: how healthd tells whether a server is well. See field.h. */
#include "common/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/field_value.h"

#define RANGES_MAX 32
#define MAP_MAX 64
#define STATUS_FIRST 100
#define STATUS_LAST 599
#define STATUS_TEXT_SIZE 512

/* Three digits at *text, moved past: the status, or -1. */
static int status_parse(const char **text)
{
	char *end;
	long n;

	if (strspn(*text, "0123456789") != 3)
		return -1;
	n = strtol(*text, &end, 10);
	*text = end;
	return n >= STATUS_FIRST && n <= STATUS_LAST ? (int)n : -1;
}

/* "200-299,304" with blanks after commas: the number of ranges, or -1. */
static int ranges_parse(const char *text, struct conf_status_range ranges[RANGES_MAX])
{
	int count = 0;

	for (;; text += 1 + strspn(text + 1, " ")) {
		struct conf_status_range range;

		if (count == RANGES_MAX || (range.first = status_parse(&text)) < 0)
			return -1;
		range.last = range.first;
		if (*text == '-' && (text++, range.last = status_parse(&text)) < 0)
			return -1;
		if (range.last < range.first)
			return -1;
		ranges[count++] = range;
		if (*text == '\0')
			return count;
		if (*text != ',')
			return -1;
	}
}

static json_t *ranges_print(const struct conf_status_range *ranges, int count)
{
	char text[STATUS_TEXT_SIZE] = "";
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		len += (size_t)snprintf(
			text + len, sizeof text - len, "%s%d", i ? "," : "", ranges[i].first);
		if (ranges[i].last != ranges[i].first)
			len += (size_t)snprintf(
				text + len, sizeof text - len, "-%d", ranges[i].last);
	}
	return json_string(text);
}

/* A text of ranges, or one status as a number. */
static json_t *read_expect_status(struct field_reader *r, const struct field *f,
	const json_t *value, const struct field_place *at, struct field_target target)
{
	struct conf_status_range ranges[RANGES_MAX], *list;
	char number[32];
	const char *text = json_string_value(value);
	int count;

	if (json_is_integer(value)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		text = number;
	}
	count = text ? ranges_parse(text, ranges) : -1;
	if (count < 0)
		return field_value_refuse(r, at, f->form->text, value);
	list = arena_alloc(r->arena, (size_t)count, sizeof *list);
	if (!list) {
		r->is_out_of_memory = true;
		return NULL;
	}
	memcpy(list, ranges, (size_t)count * sizeof *list);
	*(struct conf_status_range **)target.value = list;
	*target.count = (size_t)count;
	return ranges_print(list, count);
}

static const struct field_word verdict_words[] = {[CONF_VERDICT_UP] = {"up"},
	[CONF_VERDICT_DOWN] = {"down"},
	[CONF_VERDICT_DRAIN] = {"drain"},
	[CONF_VERDICT_STANDBY] = {"standby"},
	{NULL}};

static int by_status(const void *a, const void *b)
{
	return ((const struct conf_status_map *)a)->status -
	       ((const struct conf_status_map *)b)->status;
}

static json_t *status_map_print(const struct conf_status_map *list, size_t count)
{
	json_t *out = json_object();
	char key[16];

	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof key, "%d", list[i].status);
		json_object_set_new(
			out, key, json_string(field_word(verdict_words, list[i].verdict)));
	}
	return out;
}

/* {"418": drain}: sorted, since the store may reorder an object. */
static json_t *read_status_map(struct field_reader *r, const struct field *f, const json_t *value,
	const struct field_place *at, struct field_target target)
{
	static const struct field word = {.type = FIELD_WORD, .words = verdict_words};
	struct conf_status_map *list;
	size_t count = 0;
	const char *key;
	json_t *each;

	if (!json_is_object(value) || json_object_size(value) > MAP_MAX)
		return field_value_refuse(r, at, f->form->text, value);
	list = arena_alloc(r->arena, json_object_size(value), sizeof *list);
	if (!list) {
		r->is_out_of_memory = true;
		return NULL;
	}
	json_object_foreach((json_t *)value, key, each)
	{
		struct field_place item = {.up = at, .key = key, .index = count};
		struct conf_status_map *m = &list[count++];
		const char *text = key;

		m->status = status_parse(&text);
		if (m->status < 0 || *text)
			field_problem(r, &item, "expected a status code from 100 to 599");
		json_decref(field_value_type(FIELD_WORD)->read(r, &word, each, &item, &m->verdict));
	}
	qsort(list, count, sizeof *list, by_status);
	*(struct conf_status_map **)target.value = list;
	*target.count = count;
	return status_map_print(list, count);
}

static const struct field_form expect_status = {"status codes, such as \"200-299,304\"",
	"{\"type\":[\"string\",\"integer\"]}", sizeof(void *), read_expect_status};
static const struct field_form status_map = {"verdicts by status code, such as {\"418\": drain}",
	"{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"up\",\"down\",\"drain\","
	"\"standby\"]}}",
	sizeof(void *), read_status_map};

static const struct field_word types[] = {[CONF_CHECK_TCP] = {"tcp"},
	[CONF_CHECK_TLS] = {"tls", .is_later = true},
	[CONF_CHECK_HTTP] = {"http"},
	[CONF_CHECK_HTTPS] = {"https", .is_later = true},
	[CONF_CHECK_POSTGRES] = {"postgres", .is_later = true},
	[CONF_CHECK_REDIS] = {"redis", .is_later = true},
	[CONF_CHECK_ELASTICSEARCH] = {"elasticsearch", .is_later = true},
	[CONF_CHECK_PING] = {"ping", .is_later = true},
	[CONF_CHECK_PATH] = {"path", .is_later = true},
	[CONF_CHECK_COMMAND] = {"command", .is_later = true},
	{NULL}};

/* clang-format off */
#define CHECK_FIELDS \
	{"type", FIELD_WORD, FIELD_AT(conf_check, type), .words = types, .is_required = true, .example = "http", \
		.help = "What is tried: a connection (tcp), a request (http)."}, \
	{"path", FIELD_TARGET, FIELD_AT(conf_check, path), .example = "/health", \
		.help = "http: the request target (/ when absent); path: the folder."}, \
	{"host", FIELD_TEXT, FIELD_AT(conf_check, host), .maximum = 255, \
		.help = "http: the Host field; the server's address when absent."}, \
	{"method", FIELD_TOKEN, FIELD_AT(conf_check, method), .maximum = 32, .initial = "GET", \
		.help = "http: the request method."}, \
	{"send", FIELD_LINES, FIELD_AT(conf_check, send), .maximum = 4096, \
		.help = "tcp: what is sent after the connection stands."}, \
	{"expect", FIELD_LINES, FIELD_AT(conf_check, expect), .maximum = 4096, \
		.help = "tcp: text that must come back."}, \
	{"body", FIELD_LINES, FIELD_AT(conf_check, body), .maximum = 4096, \
		.help = "http: text that the response body must contain."}, \
	{"command", FIELD_NAME, FIELD_AT(conf_check, command), .is_later = true, \
		.help = "command: its name in the node file."}, \
	{"want", FIELD_WORD, .words = wanted_roles, .is_later = true, .initial = "any", \
		.help = "postgres, redis: the role a server must have; well but in another " \
			"role is standby."}, \
	{"port", FIELD_INTEGER, FIELD_AT(conf_check, port), .maximum = 65535, .initial = "0", \
		.help = "Another port than the server's own; 0: its own."}, \
	{"interval", FIELD_DURATION, FIELD_AT(conf_check, interval_ms), .minimum = 10, .maximum = FIELD_DAY, \
		.initial = "1s", .help = "From the beginning of one check to the next."}, \
	{"timeout", FIELD_DURATION, FIELD_AT(conf_check, timeout_ms), .minimum = 1, .maximum = FIELD_HOUR, \
		.initial = "500ms", .help = "A check without a result by then has failed."}, \
	{"rise", FIELD_INTEGER, FIELD_AT(conf_check, rise), .minimum = 1, .maximum = 1000, .initial = "2", \
		.help = "Good checks in a row until a server is up."}, \
	{"fall", FIELD_INTEGER, FIELD_AT(conf_check, fall), .minimum = 1, .maximum = 1000, .initial = "3", \
		.help = "Failed checks in a row until it is down."}, \
	{"expect_status", FIELD_FORM, FIELD_FORM_LIST(conf_check, expect_status), .form = &expect_status, \
		.initial = "200-299", .help = "http: the status codes that are good."}, \
	{"status_map", FIELD_FORM, FIELD_FORM_LIST(conf_check, status_map), .form = &status_map, \
		.example = "{\"418\": drain}", \
		.help = "http: status codes with a meaning of their own."}, \
	{"write", FIELD_BOOL, FIELD_AT(conf_check, write), .initial = "false", .is_later = true, \
		.help = "path: also try to write there."}, \
	{0}

static const struct field_word wanted_roles[] = {{"any"}, {"primary"}, {"replica"}, {NULL}};

static const struct field check_fields[] = {CHECK_FIELDS};

static const struct field standing_check_fields[] = {
	{"name", FIELD_NAME, FIELD_AT(conf_check, name), .is_required = true, .example = "storage",
		.help = "Its name; unique among the standing checks."},
	{"address", FIELD_HOST_PORT, FIELD_AT(conf_check, address), .example = "10.0.3.1:5432",
		.help = "What to check."},
	CHECK_FIELDS
};
/* clang-format on */

const struct field_kind field_check = {"check", NULL, "How a pool's servers are checked.",
	sizeof(struct conf_check), check_fields};
const struct field_kind field_standing_check = {"standing-check", "checks",
	"A check of something that is no server, for track and alerts.", sizeof(struct conf_check),
	standing_check_fields};
