/* audit: who changed what, newest first. A family of the API; the store has the trail. */
#include "control/api/family.h"

#include <string.h>

#include "control/status.h"

static json_t *print_entry(const struct store_audit *e)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:s, s:s, s:s, s:I}", "id", (json_int_t)e->id,
		"time", status_date(e->time), "who", e->who, "action", e->action, "stack", e->stack,
		"object", e->object, "why", e->why, "generation", (json_int_t)e->generation);
}

static void on_list(void *user, const struct store_answer *answer)
{
	struct exchange *x = user;
	json_t *list;

	if (family_is_store_away(x, answer))
		return;
	list = json_array();
	for (size_t i = 0; i < answer->audit_count; i++)
		json_array_append_new(list, print_entry(&answer->audit[i]));
	family_answer(x, 200, list, 0);
}

void family_audit(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct store_call call = {.deadline_ms = 8000, .done = on_list, .user = x};
	const char *stack = target_query(&exchange_request(x)->target, "stack");
	uint64_t before;
	size_t limit;

	(void)m;
	if (family_page(x, STORE_LIST_MAX, &limit, &before) == 0)
		store_list_audit(
			keeper_store(a->site.keeper), stack ? stack : "", before, limit, &call);
}
