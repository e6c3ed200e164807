#pragma once
/* What somebody asked ballastctl to do: its arguments, parsed and judged. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/ctl/command.h"

#define INVOCATION_FILES_MAX 64
#define INVOCATION_ARGUMENTS_MAX 64
#define INVOCATION_HEADERS_MAX 16
#define INVOCATION_SKIP_SIZE 512
#define INVOCATION_WHY_SIZE 256
#define INVOCATION_WAIT_DEFAULT_MS 60000

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML };

struct invocation {
	const struct command_row *command; /* NULL with --version, --help or nothing at all */
	unsigned options;                  /* OPTION_ bits that were given */
	const char *server, *token_file, *stack, *why; /* borrowed from argv; NULL: not given */
	enum output output;
	bool has_output;        /* it was said */
	int64_t wait_ms;        /* 0: do not wait */
	int64_t interval_ms, times; /* 0: not given */
	const char *sort, *run;     /* NULL: not given */
	const char *confirm_within; /* as written, checked to be a duration; NULL: not given */
	const char *expires_in; /* --for, as written, checked to be a duration */
	const char *files[INVOCATION_FILES_MAX];
	size_t files_count;
	const char *method, *client; /* of a request; NULL: not given */
	const char *headers[INVOCATION_HEADERS_MAX];
	size_t headers_count;
	char skip[INVOCATION_SKIP_SIZE]; /* names, parted by commas; "" for none */
	const char *arguments[INVOCATION_ARGUMENTS_MAX];
	size_t arguments_count;
};

enum invocation_fault {
	INVOCATION_GOOD,
	INVOCATION_USAGE, /* exit status 2 */
	INVOCATION_LATER  /* of the model, but not in this version: exit status 1 */
};

/* argv without the program's name. On a fault why says what is wrong and the way out; *ret is
 * filled as far as it got. */
enum invocation_fault invocation_parse(
	int argc, char *const *argv, struct invocation *ret, char why[INVOCATION_WHY_SIZE]);
