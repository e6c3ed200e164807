#pragma once
/* What every daemon accepts on its command line: --config FILE, --check, --reload, --version, --help. No files are opened here. */
#include <stdbool.h>

enum options_wish { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_RELOAD, OPTIONS_SHOWN, OPTIONS_WRONG };

struct options {
	char *program; /* owned; absolute, as given and not resolved: after an upgrade it names the new program */
	char *config; /* owned; absolute */
};

/*
 * Reads argv of ballast-NAME. OPTIONS_RUN, OPTIONS_CHECK and OPTIONS_RELOAD fill *ret. Prints
 * for --version and --help (OPTIONS_SHOWN: exit 0), and says to stderr what is
 * wrong (OPTIONS_WRONG: exit 2).
 */
enum options_wish options_read(const char *name, const char *help, int argc, char **argv,
	struct options *ret);
void options_fini(struct options *o);
