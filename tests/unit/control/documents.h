#pragma once
/* Documents for tables of cases: YAML text in a row, a snapshot in the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/conf.h"

/* The snapshot of a document that is good in itself; owned. */
static inline struct conf *document_conf(const char *yaml, uint64_t generation)
{
	struct conf_problems problems = {0};
	struct conf *c = NULL;

	if (conf_parse(yaml, strlen(yaml), CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s", problems.items[0].where, problems.items[0].what);
	conf_problems_fini(&problems);
	conf_set_generation(c, generation);
	return c;
}
