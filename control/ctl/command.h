#pragma once
/* The commands of ballastctl and their options: one table that parsing, help and completion use.
 * Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum command_id {
	COMMAND_STATUS,
	COMMAND_GET,
	COMMAND_APPLY,
	COMMAND_DIFF,
	COMMAND_DELETE,
	COMMAND_HISTORY,
	COMMAND_ROLLBACK,
	COMMAND_CONFIRM,
	COMMAND_DRAIN,
	COMMAND_READY,
	COMMAND_DISABLE,
	COMMAND_WEIGHT,
	COMMAND_MOVE,
	COMMAND_BYPASS,
	COMMAND_MAINTENANCE,
	COMMAND_UPGRADE,
	COMMAND_EVENTS,
	COMMAND_EXPLAIN,
	COMMAND_EXPORT,
	COMMAND_TOP,
	COMMAND_HELP,
	COMMAND_LATER /* of the model, but not in this version */
};

/* What an option means; bits, so that a command can list its own. */
enum option_id {
	OPTION_SERVER = 1 << 0,
	OPTION_TOKEN_FILE = 1 << 1,
	OPTION_OUTPUT = 1 << 2,
	OPTION_STACK = 1 << 3,
	OPTION_HELP = 1 << 4,
	OPTION_VERSION = 1 << 5,
	OPTION_FILE = 1 << 6,
	OPTION_DRY_RUN = 1 << 7,
	OPTION_WAIT = 1 << 8,
	OPTION_WHY = 1 << 9,
	OPTION_FOR = 1 << 10,
	OPTION_FORCE = 1 << 11,
	OPTION_YES = 1 << 12,
	OPTION_FOLLOW = 1 << 13,
	OPTION_METHOD = 1 << 15,
	OPTION_HEADER = 1 << 16,
	OPTION_CLIENT = 1 << 17,
	OPTION_INTERVAL = 1 << 18,
	OPTION_TIMES = 1 << 19,
	OPTION_SORT = 1 << 20,
	OPTION_CLEAR = 1 << 21,
	OPTION_SKIP = 1 << 22,
	OPTION_CONFIRM_WITHIN = 1 << 23,
	OPTION_LOCAL = 1 << 24,
	OPTION_ALL = 1 << 25,
	OPTION_RUN = 1 << 26,
};
#define OPTIONS_GLOBAL                                                                             \
	(OPTION_SERVER | OPTION_TOKEN_FILE | OPTION_OUTPUT | OPTION_STACK | OPTION_HELP |          \
		OPTION_VERSION)

enum option_value {
	OPTION_HAS_NONE,
	OPTION_HAS_VALUE,
	OPTION_MAY_HAVE_VALUE /* only as --name=value */
};

struct option_row {
	enum option_id id;
	const char *name; /* "dry-run"; NULL ends the table */
	char letter;      /* 'f', or 0 */
	enum option_value takes;
	const char *value; /* for help: "FILE" */
	const char *help;
};

struct command_row {
	enum command_id id;
	const char *name;      /* NULL ends the table */
	const char *arguments; /* for help: "KIND [NAME]" */
	size_t least, most;    /* arguments */
	unsigned options;      /* OPTION_ bits besides OPTIONS_GLOBAL */
	const char *help;      /* one sentence */
	const char *more;      /* further lines of its help page; NULL: none */
};

extern const struct command_row command_table[];
extern const struct option_row option_table[];

/* NULL when there is none of that name. */
const struct command_row *command_find(const char *name);
/* The command's options and the global ones: by name (len letters), or by letter. */
const struct option_row *option_find(
	const struct command_row *command, const char *name, size_t len);
const struct option_row *option_find_letter(const struct command_row *command, char letter);

/* The page of all commands, and that of one. */
void command_print_all(struct buf *out);
void command_print_help(const struct command_row *command, struct buf *out);
