/* Any bytes as the text of a snapshot: what conf_decode() takes comes out of the decoder the same, in steps. */
#include "common/conf_decoder.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_decoder *d = conf_decoder_new((const char *)data, size);
	json_t *value = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct conf_problems problems = {0}, others = {0};
	struct conf *c = NULL, *whole = NULL;
	int rc;

	do
		rc = conf_decoder_step(d, 64, &problems, &c);
	while (rc == 1);
	assert(rc == 0 ? c && !problems.count : problems.count > 0);
	if (value && conf_decode(value, &others, &whole) == 0) {
		assert(c && json_equal(conf_document(c), conf_document(whole)));
		conf_unref(whole);
	}
	conf_unref(c);
	conf_decoder_free(d);
	json_decref(value);
	conf_problems_fini(&problems);
	conf_problems_fini(&others);
	return 0;
}
