/* A document as YAML from anywhere: refused with a reason, or a snapshot whose own YAML reads as
 * the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_problems problems = {0};
	struct conf *c, *again;
	struct buf out;

	if (conf_parse((const char *)data, size, CONF_YAML, &problems, &c) < 0) {
		assert(problems.count > 0);
		for (size_t i = 0; i < problems.count; i++) {
			json_t *text = json_string(problems.items[i].what); /* whole characters */

			assert(text);
			json_decref(text);
		}
		conf_problems_fini(&problems);
		return 0;
	}
	assert(problems.count == 0);
	buf_init(&out, 2 * CONF_DOCUMENT_MAX);
	conf_print_yaml(c, &out);
	assert(conf_parse(buf_text(&out), out.len, CONF_YAML, &problems, &again) == 0);
	assert(strcmp(c->digest, again->digest) == 0);
	buf_fini(&out);
	conf_unref(again);
	conf_unref(c);
	return 0;
}
