/* See options.h. */
#include "common/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nodefile.h"

static void options_print_help(FILE *out, const char *name, const char *help)
{
	fprintf(out,
		"ballast-%s: %s\n\n"
		"Usage: ballast-%s [--config FILE] [--check | --reload]\n\n"
		"  --config FILE  the node file (default " NODEFILE_DEFAULT_PATH ")\n"
		"  --check        read the node file and the last good snapshot, say what is "
		"wrong, and exit\n"
		"  --reload       have the one that runs replace itself in place, say how that "
		"went, and exit\n"
		"  --version      print the version and exit\n"
		"  --help         print this and exit\n\n"
		"Signals: TERM leave, HUP re-execute in place, USR2 step out, USR1 reopen logs.\n"
		"Exit status: 0 left in order, 2 wrong usage, 78 bad configuration, 1 anything "
		"else.\n",
		name, help, name);
}

/* Made absolute by the working folder only: a link that an upgrade moves must be followed anew. */
static char *options_absolute(const char *path)
{
	char folder[PATH_MAX], *text;

	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(folder, sizeof folder) || asprintf(&text, "%s/%s", folder, path) < 0)
		return NULL;
	return text;
}

static char *options_program(const char *invoked)
{
	char self[PATH_MAX];
	ssize_t n;

	if (strchr(invoked, '/'))
		return options_absolute(invoked);
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		return NULL;
	self[n] = '\0';
	return strdup(self);
}

enum options_wish options_read(
	const char *name, const char *help, int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"reload", no_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	enum options_wish wish = OPTIONS_RUN;
	const char *config = NODEFILE_DEFAULT_PATH;

	for (;;) {
		int option = getopt_long(argc, argv, "", known, NULL);

		if (option < 0)
			break;
		switch (option) {
		case 'c':
			config = optarg;
			break;
		case 'k':
			wish = OPTIONS_CHECK;
			break;
		case 'r':
			wish = OPTIONS_RELOAD;
			break;
		case 'v':
			printf("ballast-%s %s\n", name, BALLAST_VERSION);
			return OPTIONS_SHOWN;
		case 'h':
			options_print_help(stdout, name, help);
			return OPTIONS_SHOWN;
		default:
			options_print_help(stderr, name, help);
			return OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "ballast-%s: unexpected argument '%s'\n", name, argv[optind]);
		options_print_help(stderr, name, help);
		return OPTIONS_WRONG;
	}
	*ret = (struct options){options_program(argv[0]), options_absolute(config)};
	return ret->program && ret->config ? wish : OPTIONS_WRONG;
}

void options_fini(struct options *o)
{
	free(o->program);
	free(o->config);
	*o = (struct options){0};
}
