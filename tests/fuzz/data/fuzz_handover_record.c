/* handover_record_decode(): any bytes; what it accepts can be written again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "data/handover_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover_record r, again;
	struct buf message;

	if (handover_record_decode(data, size, &r) < 0)
		return 0;
	buf_init(&message, HANDOVER_MESSAGE_MAX);
	if (handover_record_encode(&r, &message) == 0) {
		assert(handover_record_decode(message.data, message.len, &again) == 0);
		assert(again.kind == r.kind && again.number == r.number);
	}
	buf_fini(&message);
	return 0;
}
