/* A document as JSON from anywhere: refused with a reason, or a snapshot that comes back the same
 * from its own print. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_problems problems = {0};
	struct conf *c, *again;
	json_t *wire;

	if (conf_parse((const char *)data, size, CONF_JSON, &problems, &c) < 0) {
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
	wire = conf_encode(c);
	assert(conf_decode(wire, &problems, &again) == 0);
	assert(strcmp(c->digest, again->digest) == 0);
	json_decref(wire);
	conf_unref(again);
	conf_unref(c);
	return 0;
}
