/* A row of any table from anywhere: refused, or one that encodes and decodes to itself. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/overlay.h"
#include "common/report.h"
#include "common/verdict_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRY(type)                                                                                  \
	do {                                                                                       \
		static struct type a, b;                                                           \
                                                                                                   \
		if (type##_decode(row, &a) == 0) {                                                 \
			json_t *out = type##_encode(&a);                                           \
                                                                                                   \
			assert(type##_decode(out, &b) == 0);                                       \
			assert(memcmp(&a, &b, sizeof a) == 0);                                     \
			json_decref(out);                                                          \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *row = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);

	if (!row)
		return 0;
	TRY(overlay);
	TRY(verdict_row);
	TRY(report_daemon);
	TRY(report_listener);
	TRY(report_server);
	TRY(report_vip);
	TRY(report_peer);
	json_decref(row);
	return 0;
}
