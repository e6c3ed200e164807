/*
 * See nodefile.h. The text is read by libyaml into a tree (which bounds its
 * depth, and shares aliased nodes instead of copying them), and the tree is
 * walked with one table of fields per mapping.
 */
#include "common/nodefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "common/arena.h"
#include "common/nearest.h"

#define NODEFILE_TEXT_MAX (1u << 20)
#define NODEFILE_ITEMS_MAX 256 /* commands, words of a command, paths */
#define NODEFILE_WHERE_SIZE 256
#define NODEFILE_RUN_DIR_MAX 80 /* bytes: a unix socket's path has 107 */

struct nodefile_private {
	struct arena arena;
};

struct nodefile_reader {
	yaml_document_t *document;
	struct conf_problems *problems;
	struct nodefile *n;
	struct arena *arena;
};

struct nodefile_field {
	const char *name;
	void (*read)(struct nodefile_reader *r, const char *where, yaml_node_t *value);
};

static void nodefile_complain(
	struct nodefile_reader *r, const char *where, yaml_node_t *at, const char *what)
{
	conf_problems_add(r->problems, where, "%s (line %zu)", what, at->start_mark.line + 1);
}

/* A scalar's text, owned by the arena; NULL after a complaint. */
static const char *nodefile_text(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *text = NULL;

	if (value->type != YAML_SCALAR_NODE)
		nodefile_complain(r, where, value, "must be a text");
	else if (!value->data.scalar.length)
		nodefile_complain(r, where, value, "must not be empty");
	else if (strlen((char *)value->data.scalar.value) != value->data.scalar.length)
		nodefile_complain(r, where, value, "must not contain a zero byte");
	else
		text = arena_text(r->arena, (char *)value->data.scalar.value);
	return text;
}

static const char *nodefile_path(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *read = nodefile_text(r, where, value);
	char *text = (char *)read;
	size_t len;

	if (!text)
		return NULL;
	len = strlen(text);
	if (text[0] != '/' || len >= PATH_MAX) {
		nodefile_complain(r, where, value, "must be an absolute path");
		return NULL;
	}
	while (len > 1 && text[len - 1] == '/')
		text[--len] = '\0';
	return text;
}

static const struct nodefile_field *nodefile_find(
	const struct nodefile_field *fields, const char *name, struct nearest *near)
{
	for (; fields->name; fields++) {
		if (!strcmp(fields->name, name))
			return fields;
		nearest_look(near, fields->name);
	}
	return NULL;
}

static bool nodefile_is_repeated(
	struct nodefile_reader *r, yaml_node_t *mapping, yaml_node_pair_t *pair, const char *name)
{
	for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++) {
		yaml_node_t *key = yaml_document_get_node(r->document, p->key);

		if (key->type == YAML_SCALAR_NODE && !strcmp((char *)key->data.scalar.value, name))
			return true;
	}
	return false;
}

static void nodefile_read_pair(struct nodefile_reader *r, const char *where, yaml_node_t *key,
	yaml_node_t *value, const struct nodefile_field *fields)
{
	const char *name = (const char *)key->data.scalar.value;
	const struct nodefile_field *field;
	char place[NODEFILE_WHERE_SIZE];
	struct nearest near;

	snprintf(place, sizeof place, "%s%s%.64s", where, *where ? "." : "", name);
	nearest_init(&near, name);
	field = nodefile_find(fields, name, &near);
	if (field)
		field->read(r, place, value);
	else if (near.best)
		conf_problems_add(r->problems, place, "unknown field; did you mean %s? (line %zu)",
			near.best, key->start_mark.line + 1);
	else
		nodefile_complain(r, place, key, "unknown field");
}

static void nodefile_read_mapping(struct nodefile_reader *r, const char *where,
	yaml_node_t *mapping, const struct nodefile_field *fields)
{
	yaml_node_pair_t *pair;

	if (mapping->type != YAML_MAPPING_NODE) {
		nodefile_complain(r, where, mapping, "must be a mapping of fields");
		return;
	}
	for (pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top;
		pair++) {
		yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(r->document, pair->value);

		if (key->type != YAML_SCALAR_NODE)
			nodefile_complain(r, where, key, "a field's name must be a text");
		else if (nodefile_is_repeated(r, mapping, pair, (char *)key->data.scalar.value))
			nodefile_complain(
				r, (char *)key->data.scalar.value, key, "is written twice");
		else
			nodefile_read_pair(r, where, key, value, fields);
	}
}

/* The items of a list within limits, or NULL after a complaint; none is not NULL. */
static yaml_node_item_t *nodefile_items(struct nodefile_reader *r, const char *where,
	yaml_node_t *value, size_t maximum, size_t *ret_count)
{
	size_t count;

	if (value->type != YAML_SEQUENCE_NODE) {
		nodefile_complain(r, where, value, "must be a list");
		return NULL;
	}
	count = (size_t)(value->data.sequence.items.top - value->data.sequence.items.start);
	if (count > maximum) {
		conf_problems_add(r->problems, where, "has %zu items; at most %zu are possible",
			count, maximum);
		return NULL;
	}
	*ret_count = count;
	return value->data.sequence.items.start;
}

static void nodefile_read_node(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *text = nodefile_text(r, where, value);

	if (text && !conf_name_is_valid(text))
		nodefile_complain(r, where, value,
			"must be a name of a-z, 0-9 and -, at most 63 letters, as in lb-a");
	r->n->node = text;
}

static void nodefile_read_run_dir(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *path = nodefile_path(r, where, value);

	if (path && strlen(path) > NODEFILE_RUN_DIR_MAX)
		conf_problems_add(r->problems, where,
			"is too long for the sockets in it: at most %d bytes, it has %zu",
			NODEFILE_RUN_DIR_MAX, strlen(path));
	else if (path)
		r->n->run_dir = path;
}

static void nodefile_read_state_dir(
	struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *path = nodefile_path(r, where, value);

	if (path)
		r->n->state_dir = path;
}

static void nodefile_read_store(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *text = nodefile_text(r, where, value);

	if (!text)
		return;
	if (strcmp(text, "sqlite") && strncmp(text, "postgresql://", 13) &&
		strncmp(text, "postgres://", 11))
		nodefile_complain(
			r, where, value, "must be sqlite, or a URI as in postgresql://host/name");
	r->n->store = text;
}

static void nodefile_read_listen(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	struct nodefile *n = r->n;
	size_t count;
	yaml_node_item_t *items = nodefile_items(r, where, value, NODEFILE_LISTEN_MAX, &count);

	if (!items)
		return;
	n->api_unix = false;
	n->api_listen_count = 0;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_document_get_node(r->document, items[i]);
		const char *text = nodefile_text(r, where, item);

		if (!text)
			continue;
		if (!strcmp(text, "unix"))
			n->api_unix = true;
		else if (!addr_parse_port(text, &n->api_listen[n->api_listen_count]))
			n->api_listen_count++;
		else
			nodefile_complain(r, where, item,
				"must be unix, or an address with a port as in 127.0.0.1:7600");
	}
}

static void nodefile_read_unix_role(
	struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	static const char *const roles[] = {"viewer", "operator", "editor", "admin"};
	const char *text = nodefile_text(r, where, value);

	if (!text)
		return;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (!strcmp(text, roles[i])) {
			r->n->api_unix_role = text;
			return;
		}
	nodefile_complain(r, where, value, "must be viewer, operator, editor or admin");
}

static void nodefile_read_certificate(
	struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	r->n->api_tls_certificate = nodefile_path(r, where, value);
}

static void nodefile_read_key(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	r->n->api_tls_key = nodefile_path(r, where, value);
}

static void nodefile_read_tls(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	static const struct nodefile_field fields[] = {
		{"certificate", nodefile_read_certificate},
		{"key", nodefile_read_key},
		{0},
	};
	size_t before = r->problems->count;

	nodefile_read_mapping(r, where, value, fields);
	if (r->problems->count == before && (!r->n->api_tls_certificate || !r->n->api_tls_key))
		nodefile_complain(r, where, value, "needs both certificate and key");
}

static void nodefile_read_api(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	static const struct nodefile_field fields[] = {
		{"listen", nodefile_read_listen},
		{"unix_role", nodefile_read_unix_role},
		{"tls", nodefile_read_tls},
		{0},
	};

	nodefile_read_mapping(r, where, value, fields);
}

static void nodefile_read_cluster_key(
	struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *path = nodefile_path(r, where, value);

	if (path)
		r->n->cluster_key_file = path;
}

static void nodefile_read_workers(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *text = nodefile_text(r, where, value);
	char *end;
	long number;

	if (!text || !strcmp(text, "auto"))
		return;
	errno = 0;
	number = strtol(text, &end, 10);
	if (*end || errno || text[0] < '0' || text[0] > '9' || number < 1 || number > 256)
		nodefile_complain(r, where, value, "must be auto, or a number from 1 to 256");
	else
		r->n->data_workers = (int)number;
}

static void nodefile_read_data(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	static const struct nodefile_field fields[] = {
		{"workers", nodefile_read_workers},
		{0},
	};

	nodefile_read_mapping(r, where, value, fields);
}

static void nodefile_read_level(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	const char *text = nodefile_text(r, where, value);

	if (text && log_level_parse(text, &r->n->log_level))
		nodefile_complain(r, where, value, "must be error, warn, info or debug");
}

static void nodefile_read_log(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	static const struct nodefile_field fields[] = {
		{"level", nodefile_read_level},
		{0},
	};

	nodefile_read_mapping(r, where, value, fields);
}

/* The words of one command, NULL-terminated; NULL after a complaint. */
static const char **nodefile_words(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	size_t count;
	yaml_node_item_t *items = nodefile_items(r, where, value, NODEFILE_ITEMS_MAX, &count);
	const char **words;

	if (!items)
		return NULL;
	words = arena_alloc(r->arena, count + 1, sizeof *words);
	if (!words)
		return NULL;
	for (size_t i = 0; i < count; i++)
		words[i] = nodefile_text(r, where, yaml_document_get_node(r->document, items[i]));
	if (!count || (words[0] && words[0][0] != '/')) {
		nodefile_complain(
			r, where, value, "must begin with the absolute path of a program");
		return NULL;
	}
	return words;
}

static void nodefile_read_command(
	struct nodefile_reader *r, const char *where, yaml_node_t *key, yaml_node_t *value)
{
	struct nodefile_command *command = &r->n->commands[r->n->commands_count];
	char place[NODEFILE_WHERE_SIZE];

	command->name = nodefile_text(r, where, key);
	if (!command->name)
		return;
	snprintf(place, sizeof place, "%s.%.64s", where, command->name);
	if (!conf_name_is_valid(command->name))
		nodefile_complain(r, place, key, "is not a valid name");
	command->argv = nodefile_words(r, place, value);
	if (command->argv)
		r->n->commands_count++;
}

static void nodefile_read_commands(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	yaml_node_pair_t *pair;
	size_t count;

	if (value->type != YAML_MAPPING_NODE) {
		nodefile_complain(r, where, value, "must be a mapping of names to commands");
		return;
	}
	pair = value->data.mapping.pairs.start;
	count = (size_t)(value->data.mapping.pairs.top - pair);
	if (count > NODEFILE_ITEMS_MAX) {
		nodefile_complain(r, where, value, "has more than 256 commands");
		return;
	}
	r->n->commands = arena_alloc(r->arena, count, sizeof *r->n->commands);
	for (; r->n->commands && pair < value->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(r->document, pair->key);

		if (key->type == YAML_SCALAR_NODE &&
			nodefile_is_repeated(r, value, pair, (char *)key->data.scalar.value))
			nodefile_complain(r, where, key, "a command is written twice");
		else
			nodefile_read_command(
				r, where, key, yaml_document_get_node(r->document, pair->value));
	}
}

static void nodefile_read_paths(struct nodefile_reader *r, const char *where, yaml_node_t *value)
{
	size_t count;
	yaml_node_item_t *items = nodefile_items(r, where, value, NODEFILE_ITEMS_MAX, &count);

	if (!items)
		return;
	r->n->paths = arena_alloc(r->arena, count, sizeof *r->n->paths);
	for (size_t i = 0; r->n->paths && i < count; i++) {
		const char *path = nodefile_path(
			r, where, yaml_document_get_node(r->document, items[i]));

		if (path)
			r->n->paths[r->n->paths_count++] = path;
	}
}

static const struct nodefile_field nodefile_fields[] = {
	{"node", nodefile_read_node},
	{"run_dir", nodefile_read_run_dir},
	{"state_dir", nodefile_read_state_dir},
	{"store", nodefile_read_store},
	{"api", nodefile_read_api},
	{"cluster_key_file", nodefile_read_cluster_key},
	{"data", nodefile_read_data},
	{"log", nodefile_read_log},
	{"commands", nodefile_read_commands},
	{"paths", nodefile_read_paths},
	{0},
};

static void nodefile_set_defaults(struct nodefile *n)
{
	n->run_dir = "/run/ballast";
	n->state_dir = "/var/lib/ballast";
	n->store = "sqlite";
	n->api_unix = true;
	n->api_unix_role = "admin";
	n->cluster_key_file = "/etc/ballast/cluster.key";
	n->log_level = LOG_LEVEL_INFO;
	addr_parse_port("127.0.0.1:7600", &n->api_listen[0]);
	n->api_listen_count = 1;
}

static void nodefile_judge_whole(struct nodefile *n, struct conf_problems *problems)
{
	char text[ADDR_TEXT_SIZE];

	if (!n->node && !problems->count)
		conf_problems_add(problems, "node", "is required: the name of this node");
	for (size_t i = 0; i < n->api_listen_count; i++)
		if (!n->api_tls_certificate && !addr_is_loopback(&n->api_listen[i]))
			conf_problems_add(problems, "api.listen",
				"%s can be reached from other machines: it needs api.tls",
				addr_print_port(&n->api_listen[i], text));
}

static void nodefile_read_document(struct nodefile_reader *r)
{
	yaml_node_t *root = yaml_document_get_root_node(r->document);

	if (root)
		nodefile_read_mapping(r, "", root, nodefile_fields);
	nodefile_judge_whole(r->n, r->problems);
}

static void nodefile_load_yaml(struct nodefile_reader *r, const char *text, size_t len)
{
	yaml_document_t document;
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		conf_problems_add(r->problems, "", "out of memory");
		return;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &document)) {
		r->document = &document;
		nodefile_read_document(r);
		yaml_document_delete(&document);
	} else {
		conf_problems_add(r->problems, "", "not YAML: %s (line %zu)",
			parser.problem ? parser.problem : "out of memory",
			parser.problem_mark.line + 1);
	}
	yaml_parser_delete(&parser);
}

int nodefile_parse(
	const char *text, size_t len, struct conf_problems *problems, struct nodefile **ret)
{
	struct nodefile *n = calloc(1, sizeof *n);
	struct nodefile_reader r = {.problems = problems, .n = n};

	if (n)
		n->private = calloc(1, sizeof *n->private);
	if (!n || !n->private) {
		free(n);
		return -ENOMEM;
	}
	arena_init(&n->private->arena);
	r.arena = &n->private->arena;
	nodefile_set_defaults(n);
	if (len > NODEFILE_TEXT_MAX)
		conf_problems_add(problems, "", "is larger than 1 MiB");
	else
		nodefile_load_yaml(&r, text, len);
	if (problems->count || problems->dropped) {
		nodefile_free(n);
		return -EINVAL;
	}
	*ret = n;
	return 0;
}

int nodefile_load(const char *path, struct conf_problems *problems, struct nodefile **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	size_t len = 0;
	char *text;

	if (fd < 0)
		return -errno;
	text = malloc(NODEFILE_TEXT_MAX + 1);
	if (!text)
		rc = -ENOMEM;
	while (!rc && len <= NODEFILE_TEXT_MAX) {
		ssize_t n = read(fd, text + len, NODEFILE_TEXT_MAX + 1 - len);

		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (!n)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	close(fd);
	if (!rc)
		rc = nodefile_parse(text, len, problems, ret);
	free(text);
	return rc;
}

void nodefile_free(struct nodefile *n)
{
	if (!n)
		return;
	arena_fini(&n->private->arena);
	free(n->private);
	free(n);
}
