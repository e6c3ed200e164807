/* Any bytes as a ClientHello: the answer is the same however they arrive, and a name is a name. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/client_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_hello whole = {{0}}, part;
	int rc = client_hello_parse(data, size, &whole);
	size_t step = size / 64 + 1;

	assert(rc == 1 || rc == 0 || rc == -EPROTO || rc == -EMSGSIZE);
	for (size_t len = 0; len < size; len += step) {
		uint8_t *copy = malloc(len ? len : 1);
		int early;

		assert(copy);
		memcpy(copy, data, len);
		early = client_hello_parse(copy, len, &part);
		free(copy);
		if (early == 0)
			continue;
		assert(early == rc);
		if (rc == 1)
			assert(strcmp(part.name, whole.name) == 0);
		break;
	}
	if (rc == 1) {
		assert(strlen(whole.name) == whole.name_len);
		assert(whole.name_len < CLIENT_HELLO_NAME_SIZE);
		assert(whole.name[0] != '.' &&
			(!whole.name_len || whole.name[whole.name_len - 1] != '.'));
	}
	if (size >= CLIENT_HELLO_MAX)
		assert(rc != 0);
	return 0;
}
