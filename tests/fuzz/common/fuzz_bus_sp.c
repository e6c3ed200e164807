/* Any bytes as a connection to one of our endpoints: the same messages whole and cut in two. */
#include "common/bus_sp.h"

#include <assert.h>

#include "common/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A number that stands for all messages and the error, if any. */
static uint64_t read_all(const uint8_t *data, size_t len, size_t cut)
{
	uint64_t sum = 0;
	size_t at = 0;
	struct bus_sp s;

	bus_sp_init(&s, BUS_SP_REQ, 1000);
	while (at < len) {
		size_t end = at < cut ? cut : len, message_len;
		const unsigned char *message;
		long n = bus_sp_feed(&s, data + at, end - at, &message, &message_len);

		if (n < 0) {
			sum = hash_mix(sum ^ (uint64_t)n);
			break;
		}
		assert(n > 0);
		if (message) {
			assert(message_len <= 1000);
			bus_sp_way(message, message_len);
			sum = hash_bytes(sum, message, message_len);
		}
		at += (size_t)n;
	}
	bus_sp_fini(&s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t whole = read_all(data, len, len);

	assert(read_all(data, len, len / 2) == whole);
	assert(read_all(data, len, len ? 1 : 0) == whole);
	return 0;
}
