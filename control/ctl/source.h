#pragma once
/* Shell: a document that somebody wants to apply: read from a file, and looked into for its stack.
 */
#include "common/conf.h"
#include "control/ctl/outcome.h"

struct source {
	const char *path; /* borrowed; "-" is standard input */
	char *text;       /* owned */
	size_t len;
	enum conf_format format;
	char stack[CONF_NAME_SIZE];
};

/*
 * Reads path. stack (may be NULL) is what --stack said: the document's own must
 * be the same. DONE, or the outcome after the reason was printed.
 */
enum outcome source_open(const char *path, const char *stack, struct source *ret);
void source_close(struct source *s);
