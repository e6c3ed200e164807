/* What another node wrote into its heartbeat row: decoded without harm, and what is taken is
 * encoded and taken again. */
#include <assert.h>
#include <stdlib.h>

#include "control/fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *value = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL), *again;
	struct fleet_report *r = calloc(2, sizeof *r);
	struct fleet *f = fleet_new();

	assert(r && f);
	if (value && fleet_report_decode(value, &r[0]) == 0) {
		again = fleet_report_encode(&r[0]);
		assert(fleet_report_decode(again, &r[1]) == 0);
		fleet_report_fini(&r[1]);
		json_decref(again);
		assert(fleet_set_report(f, "lb-a", 0, &r[0], (struct wall){1}) == 0);
		json_decref(fleet_print_nodes(f));
		json_decref(fleet_print_problems(f));
		fleet_report_fini(&r[0]);
	}
	fleet_free(f);
	free(r);
	json_decref(value);
	return 0;
}
