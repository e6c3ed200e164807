/* Any bytes as the answer to an http check: the same whole and byte by byte, and always bounded. */
#include "healthd/http_answer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_answer a, b;

	http_answer_init(&a, true);
	http_answer_init(&b, true);
	http_answer_feed(&a, data, len);
	http_answer_end(&a);
	for (size_t i = 0; i < len; i++)
		http_answer_feed(&b, data + i, 1);
	http_answer_end(&b);
	assert(a.state == HTTP_ANSWER_DONE || a.state == HTTP_ANSWER_BROKEN);
	assert(a.state == b.state);
	assert(a.state == HTTP_ANSWER_BROKEN ? a.why != NULL : a.status == b.status);
	if (a.state == HTTP_ANSWER_DONE) {
		assert(a.status >= 200 && a.status <= 599);
		assert(!strcmp(buf_text(&a.body), buf_text(&b.body)));
	}
	http_answer_fini(&a);
	http_answer_fini(&b);
	return 0;
}
