/* explain: why one object is as it is. A family of the API; the words are explanation's. */
#include <string.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/explanation.h"

void family_explain(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct target *t = &exchange_request(x)->target;
	const char *object = target_query(t, "object"), *stack = target_query(t, "stack");
	char why[EXPLANATION_WHY_SIZE];
	json_t *body;

	(void)m;
	if (!object || !*object) {
		family_refuse(x, 400,
			"object is missing: /v1/explain?object=POOL/SERVER, vip/NAME, "
			"listener/NAME, pool/NAME "
			"or instance/NAME");
		return;
	}
	if (stack && !family_stack(a, x, stack))
		return;
	body = explanation_print(a->site.picture, stack, object, wall_now(), why);
	if (body)
		family_answer(x, 200, body, 0);
	else
		family_refuse(x, 404, "%s", why);
}
