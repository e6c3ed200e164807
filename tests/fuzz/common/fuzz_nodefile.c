/* Any bytes as a node file: a value, or at least one problem. */
#include "common/nodefile.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct conf_problems problems = {0};
	struct nodefile *n;
	int rc = nodefile_parse((const char *)data, len, &problems, &n);

	assert(rc ? rc == -EINVAL && problems.count : n->node && n->run_dir[0] == '/');
	if (!rc)
		nodefile_free(n);
	conf_problems_fini(&problems);
	return 0;
}
