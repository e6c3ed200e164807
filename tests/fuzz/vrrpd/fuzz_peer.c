/* peer: any bytes as a payload. What is accepted encodes to the same bytes, and a peer survives it.
 */
#include "vrrpd/peer.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct peer_config config = {500, 3, 3};
	static struct peer_message m;
	static struct peer p;
	uint8_t again[PEER_PAYLOAD_MAX];

	if (peer_decode(data, size, &m) < 0)
		return 0;
	assert(peer_encode(&m, again, sizeof again) == (int)size);
	assert(memcmp(again, data, size) == 0);
	peer_init(&p, &config, 1, (struct mono){0});
	peer_heard(&p, 2, 1, &m, (struct mono){1});
	peer_heard(&p, 2, 2, &m, (struct mono){2});
	peer_check(&p);
	return 0;
}
