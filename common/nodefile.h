#pragma once
/*
 * The node file (/etc/ballast/ballast.yaml): the only file a node needs. Read
 * once at start by each daemon and by ballastctl. A shell: it opens files; the
 * parsing itself is pure and fuzzed.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/log.h"

#define NODEFILE_DEFAULT_PATH "/etc/ballast/ballast.yaml"
#define NODEFILE_LISTEN_MAX 16

struct nodefile_command {
	const char *name;
	const char **argv; /* NULL-terminated */
};

struct nodefile {
	const char *node; /* the instance's name */
	const char *run_dir, *state_dir; /* absolute, without a trailing slash */
	const char *store; /* "sqlite" or a libpq URI */
	struct addr api_listen[NODEFILE_LISTEN_MAX]; /* the TCP ones */
	size_t api_listen_count;
	bool api_unix;
	const char *api_unix_role; /* viewer, operator, editor, admin */
	const char *api_tls_certificate, *api_tls_key; /* paths; NULL: none */
	const char *cluster_key_file;
	int data_workers; /* 0: auto, one per usable core */
	enum log_level log_level;
	struct nodefile_command *commands;
	size_t commands_count;
	const char **paths;
	size_t paths_count;
	struct nodefile_private *private;
};

/* Pure: 0 and an owned value, or -EINVAL with problems. All problems at once, each with its place. */
int nodefile_parse(const char *text, size_t len, struct conf_problems *problems, struct nodefile **ret);
/* Reads path (at most 1 MiB): as above, or the negative errno of open or read. */
int nodefile_load(const char *path, struct conf_problems *problems, struct nodefile **ret);
void nodefile_free(struct nodefile *n);
