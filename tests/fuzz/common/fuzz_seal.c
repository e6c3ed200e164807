/*
 * Any bytes as a frame (first byte even) or as a key file (odd): refused or
 * opened, never a crash. A mutator does not forge AES-GCM, so what is opened
 * is the seeds' own frame, sealed with the key below.
 */
#include "common/seal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

static void open_frame(const uint8_t *data, size_t len)
{
	uint64_t session, counter;
	enum seal_refusal refusal = SEAL_OK;
	struct seal_keys *k;
	char why[256], text[512];
	int n;

	if (seal_keys_parse(KEY, strlen(KEY), &k, why) < 0)
		abort();
	n = seal_decode(k, "heartbeat", data, len, text, sizeof text, &session, &counter, &refusal);
	assert(n < 0 ? refusal != SEAL_OK : (size_t)n + SEAL_OVERHEAD == len);
	seal_keys_free(k);
}

static void read_key_file(const uint8_t *data, size_t len)
{
	struct seal_keys *k;
	char why[256] = "";

	if (seal_keys_parse((const char *)data, len, &k, why) == 0)
		seal_keys_free(k);
	else
		assert(why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] % 2)
		read_key_file(data + 1, len - 1);
	else
		open_frame(data + 1, len - 1);
	return 0;
}
