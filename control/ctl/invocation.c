/* See invocation.h. Options may stand anywhere; -- ends them; what belongs to a command comes after
 * it. */
#include "control/ctl/invocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/conf.h"
#include "common/quantity.h"

#define WAIT_MAX_MS (24ll * 3600 * 1000)

struct parser {
	char *const *argv;
	int argc, next;
	bool is_after_options; /* behind -- */
	struct invocation *in;
	char *why;
};

static enum invocation_fault refuse(struct parser *p, enum invocation_fault fault,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum invocation_fault refuse(
	struct parser *p, enum invocation_fault fault, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(p->why, INVOCATION_WHY_SIZE, format, ap);
	va_end(ap);
	return fault;
}

static enum invocation_fault refuse_command(struct parser *p, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (const struct command_row *c = command_table; c->name; c++)
		nearest_look(&nearest, c->name);
	if (nearest.best)
		return refuse(p, INVOCATION_USAGE, "unknown command %.64s; did you mean %s?", name,
			nearest.best);
	return refuse(p, INVOCATION_USAGE, "unknown command %.64s; see: ballastctl help", name);
}

static enum invocation_fault refuse_option(struct parser *p, const char *word)
{
	const struct command_row *c = p->in->command;
	const char *name = word + strspn(word, "-");
	char plain[64];
	struct nearest nearest;

	snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, "="), name);
	nearest_init(&nearest, plain);
	for (const struct option_row *o = option_table; o->name; o++)
		if (option_find(c, o->name, strlen(o->name)))
			nearest_look(&nearest, o->name);
	if (nearest.best)
		return refuse(p, INVOCATION_USAGE, "unknown option %.64s; did you mean --%s?", word,
			nearest.best);
	return refuse(p, INVOCATION_USAGE, "unknown option %.64s; see: ballastctl help%s%s", word,
		c ? " " : "", c ? c->name : "");
}

static enum invocation_fault take_output(struct parser *p, const char *value)
{
	static const char *const words[] = {
		[OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_YAML] = "yaml"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], value) == 0) {
			p->in->output = (enum output)i;
			p->in->has_output = true;
			return INVOCATION_GOOD;
		}
	return refuse(p, INVOCATION_USAGE, "--output is table, json or yaml, not %.64s", value);
}

static enum invocation_fault take_duration(
	struct parser *p, const char *name, const char *value, int64_t *ret_ms)
{
	if (quantity_parse_duration(value, ret_ms) < 0 || *ret_ms <= 0)
		return refuse(p, INVOCATION_USAGE,
			"--%s needs a duration with its unit, such as 30s or 10m, not %.64s", name,
			value);
	return INVOCATION_GOOD;
}

static enum invocation_fault take_wait(struct parser *p, const char *value)
{
	p->in->wait_ms = INVOCATION_WAIT_DEFAULT_MS;
	if (value && take_duration(p, "wait", value, &p->in->wait_ms) != INVOCATION_GOOD)
		return INVOCATION_USAGE;
	if (p->in->wait_ms > WAIT_MAX_MS)
		return refuse(p, INVOCATION_USAGE, "--wait is at most 1d");
	return INVOCATION_GOOD;
}

static enum invocation_fault take_times(struct parser *p, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > 9 || strspn(value, "0123456789") != len)
		return refuse(p, INVOCATION_USAGE, "--times is a number, not %.64s", value);
	p->in->times = strtoll(value, NULL, 10);
	if (p->in->times == 0)
		return refuse(p, INVOCATION_USAGE, "--times is 1 at least");
	return INVOCATION_GOOD;
}

static enum invocation_fault take_file(struct parser *p, const char *value)
{
	if (p->in->files_count == INVOCATION_FILES_MAX)
		return refuse(p, INVOCATION_USAGE, "at most %d files", INVOCATION_FILES_MAX);
	p->in->files[p->in->files_count++] = value;
	return INVOCATION_GOOD;
}

static enum invocation_fault take_header(struct parser *p, const char *value)
{
	const char *colon = strchr(value, ':');

	if (!colon || colon == value)
		return refuse(p, INVOCATION_USAGE, "--header is 'NAME: VALUE', not %.64s", value);
	if (p->in->headers_count == INVOCATION_HEADERS_MAX)
		return refuse(p, INVOCATION_USAGE, "at most %d headers", INVOCATION_HEADERS_MAX);
	p->in->headers[p->in->headers_count++] = value;
	return INVOCATION_GOOD;
}

static enum invocation_fault take_skip(struct parser *p, const char *value)
{
	char *skip = p->in->skip;
	size_t len = strlen(skip);

	if (!conf_name_is_valid(value))
		return refuse(p, INVOCATION_USAGE, "--skip needs the name of a node, not %.64s", value);
	if (len + strlen(value) + 2 > INVOCATION_SKIP_SIZE)
		return refuse(p, INVOCATION_USAGE, "too many nodes to --skip");
	snprintf(skip + len, INVOCATION_SKIP_SIZE - len, "%s%s", len ? "," : "", value);
	return INVOCATION_GOOD;
}

static enum invocation_fault take_option(
	struct parser *p, const struct option_row *o, const char *value)
{
	struct invocation *in = p->in;
	int64_t for_ms;

	in->options |= o->id;
	switch (o->id) {
	case OPTION_SERVER:
		in->server = value;
		break;
	case OPTION_TOKEN_FILE:
		in->token_file = value;
		break;
	case OPTION_STACK:
		in->stack = value;
		break;
	case OPTION_WHY:
		in->why = value;
		break;
	case OPTION_FOR:
		in->expires_in = value;
		return take_duration(p, "for", value, &for_ms);
	case OPTION_OUTPUT:
		return take_output(p, value);
	case OPTION_INTERVAL:
		return take_duration(p, "interval", value, &in->interval_ms);
	case OPTION_TIMES:
		return take_times(p, value);
	case OPTION_SORT:
		in->sort = value;
		break;
	case OPTION_FILE:
		return take_file(p, value);
	case OPTION_WAIT:
		return take_wait(p, value);
	case OPTION_CONFIRM_WITHIN:
		in->confirm_within = value;
		return take_duration(p, "confirm-within", value, &for_ms);
	case OPTION_SKIP:
		return take_skip(p, value);
	case OPTION_RUN:
		in->run = value;
		break;
	case OPTION_METHOD:
		in->method = value;
		break;
	case OPTION_HEADER:
		return take_header(p, value);
	case OPTION_CLIENT:
		in->client = value;
		break;
	case OPTION_HELP:
	case OPTION_VERSION:
	case OPTION_DRY_RUN:
	case OPTION_FORCE:
	case OPTION_YES:
	case OPTION_CLEAR:
	case OPTION_ALL:
	case OPTION_FOLLOW:
	case OPTION_LOCAL:
		break;
	}
	return INVOCATION_GOOD;
}

/* The value behind an option's word; NULL after a fault. */
static const char *next_value(struct parser *p, const char *word)
{
	if (p->next < p->argc)
		return p->argv[p->next++];
	refuse(p, INVOCATION_USAGE, "%.64s needs a value", word);
	return NULL;
}

/* "--wait 30s" is understood as "--wait=30s": nothing else begins like a duration. */
static const char *optional_value(struct parser *p)
{
	int64_t ms;

	if (p->next < p->argc && quantity_parse_duration(p->argv[p->next], &ms) == 0)
		return p->argv[p->next++];
	return NULL;
}

static enum invocation_fault parse_long(struct parser *p, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *o = option_find(p->in->command, name, len);
	const char *value = equals ? equals + 1 : NULL;

	if (!o)
		return refuse_option(p, word);
	if (value && o->takes == OPTION_HAS_NONE)
		return refuse(p, INVOCATION_USAGE, "--%s takes no value", o->name);
	if (!value && o->takes == OPTION_HAS_VALUE && !(value = next_value(p, word)))
		return INVOCATION_USAGE;
	if (!value && o->takes == OPTION_MAY_HAVE_VALUE)
		value = optional_value(p);
	return take_option(p, o, value);
}

/* "-f", "-f FILE", "-ojson", "-yf": letters may be joined. */
static enum invocation_fault parse_letters(struct parser *p, const char *word)
{
	enum invocation_fault fault = INVOCATION_GOOD;

	for (const char *letter = word + 1; *letter && fault == INVOCATION_GOOD; letter++) {
		const struct option_row *o = option_find_letter(p->in->command, *letter);
		const char *value = NULL;

		if (!o)
			return refuse_option(p, word);
		if (o->takes == OPTION_HAS_VALUE) {
			value = letter[1] ? letter + 1 : next_value(p, word);
			if (!value)
				return INVOCATION_USAGE;
			return take_option(p, o, value);
		}
		fault = take_option(p, o, NULL);
	}
	return fault;
}

static enum invocation_fault take_argument(struct parser *p, const char *word)
{
	struct invocation *in = p->in;

	if (!in->command) {
		in->command = command_find(word);
		return in->command ? INVOCATION_GOOD : refuse_command(p, word);
	}
	if (in->command->options & OPTION_FILE) /* apply -f a.yaml b.yaml */
		return take_file(p, word);
	if (in->arguments_count == INVOCATION_ARGUMENTS_MAX)
		return refuse(p, INVOCATION_USAGE, "too many arguments");
	in->arguments[in->arguments_count++] = word;
	return INVOCATION_GOOD;
}

static enum invocation_fault parse_word(struct parser *p)
{
	const char *word = p->argv[p->next++];

	if (p->is_after_options || word[0] != '-' || !word[1])
		return take_argument(p, word);
	if (strcmp(word, "--") == 0) {
		p->is_after_options = true;
		return INVOCATION_GOOD;
	}
	return word[1] == '-' ? parse_long(p, word) : parse_letters(p, word);
}

static enum invocation_fault judge(struct parser *p)
{
	const struct invocation *in = p->in;
	const struct command_row *c = in->command;

	if (in->options & (OPTION_HELP | OPTION_VERSION))
		return INVOCATION_GOOD;
	if (!c)
		return refuse(p, INVOCATION_USAGE, "a command is missing; see: ballastctl help");
	if (c->id == COMMAND_LATER)
		return refuse(p, INVOCATION_LATER, "%s is not available in this version", c->name);
	if ((c->options & OPTION_FILE) && in->files_count == 0)
		return refuse(p, INVOCATION_USAGE, "%s needs -f FILE", c->name);
	if (in->arguments_count < c->least || in->arguments_count > c->most)
		return refuse(p, INVOCATION_USAGE, "usage: ballastctl %s%s%s", c->name,
			*c->arguments ? " " : "", c->arguments);
	return INVOCATION_GOOD;
}

enum invocation_fault invocation_parse(
	int argc, char *const *argv, struct invocation *ret, char why[INVOCATION_WHY_SIZE])
{
	struct parser p = {.argv = argv, .argc = argc, .in = ret, .why = why};
	enum invocation_fault fault = INVOCATION_GOOD;

	*ret = (struct invocation){0};
	why[0] = '\0';
	while (fault == INVOCATION_GOOD && p.next < argc)
		fault = parse_word(&p);
	return fault == INVOCATION_GOOD ? judge(&p) : fault;
}
