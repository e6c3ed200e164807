/* The body of an overlay's PUT: any JSON object. */
#include <stdlib.h>

#include "control/api/overlay_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	struct conf_problems problems = {0};
	struct overlay_body b;

	if (json_is_object(body) && overlay_body_read(body, NULL, false, "uid:0(root)",
					    (struct wall){1}, &problems, &b) == 0) {
		json_t *row = overlay_encode(&b.overlay);
		struct overlay again;

		if (!row || overlay_decode(row, &again) < 0 || b.overlay.weight < 0 ||
			b.overlay.weight > 1000 || b.expires_in_ms < 0)
			abort();
		json_decref(row);
	}
	conf_problems_fini(&problems);
	json_decref(body);
	return 0;
}
