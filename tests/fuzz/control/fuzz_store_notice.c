/* What anyone may NOTIFY, and what a node file may name as its store: parsed without harm. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/plan.h"
#include "control/store_notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), printed[STORE_NOTICE_OBJECT_SIZE + 48];
	struct store_notice n, again;
	struct addr addresses[4];

	assert(text);
	if (store_notice_parse(text, &n) == 0) {
		store_notice_print(&n, printed, sizeof printed);
		assert(store_notice_parse(printed, &again) == 0 && again.number == n.number);
	}
	assert(plan_store_addresses(text, addresses, 4) <= 4);
	free(text);
	return 0;
}
