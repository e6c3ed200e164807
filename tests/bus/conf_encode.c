/* conf-encode GENERATION: a YAML document on stdin, its snapshot as control publishes it on stdout.
 * For stories. */
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/conf.h"

int main(int argc, char **argv)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	struct buf text;
	json_t *snapshot;
	char chunk[4096];
	size_t n;

	if (argc != 2)
		return 2;
	buf_init(&text, CONF_DOCUMENT_MAX);
	while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		buf_add(&text, chunk, n);
	if (conf_parse(buf_text(&text), text.len, CONF_YAML, &problems, &conf)) {
		for (size_t i = 0; i < problems.count; i++)
			fprintf(stderr, "%s: %s\n", problems.items[i].where,
				problems.items[i].what);
		return 1;
	}
	conf_set_generation(conf, strtoull(argv[1], NULL, 10));
	snapshot = conf_encode(conf);
	json_dumpf(snapshot, stdout, JSON_COMPACT);
	json_decref(snapshot);
	conf_unref(conf);
	buf_fini(&text);
	return 0;
}
