/* See lastgood.h. */
#include "common/lastgood.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "common/statefile.h"

/* The document's own limit, twice over for the canonical form, and the envelope. */
#define LASTGOOD_MAX (2u * CONF_DOCUMENT_MAX + 4096)

static int lastgood_path(const char *state_dir, const char *daemon, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s.snapshot", state_dir, daemon);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int lastgood_save(const char *state_dir, const char *daemon, const struct conf *conf)
{
	char path[PATH_MAX];
	int rc = lastgood_path(state_dir, daemon, path);
	json_t *document;

	if (rc)
		return rc;
	document = conf_encode(conf);
	if (!document)
		return -ENOMEM;
	rc = statefile_save(path, document);
	json_decref(document);
	return rc;
}

int lastgood_load(const char *state_dir, const char *daemon, struct conf_problems *problems,
	struct conf **ret)
{
	char path[PATH_MAX];
	int rc = lastgood_path(state_dir, daemon, path);
	json_t *document;

	if (rc)
		return rc;
	rc = statefile_load(path, LASTGOOD_MAX, &document);
	if (rc == -EINVAL)
		conf_problems_add(problems, "", "%s is not JSON", path);
	if (rc)
		return rc;
	rc = conf_decode(document, problems, ret);
	json_decref(document);
	return rc;
}
