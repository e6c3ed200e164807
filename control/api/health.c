/* health: /healthz (this process answers) and /readyz (this node serves its generation), for
 * anybody; and /v1/status. A family of the API. */
#include "common/now.h"
#include "control/api/family.h"
#include "control/status.h"

#include <inttypes.h>
#include <stdio.h>

static void answer_line(struct exchange *x, int status, const char *text)
{
	struct answer a = {0};

	answer_text(&a, status, text);
	exchange_answer(x, &a);
}

void family_healthz(struct api *a, struct exchange *x, const struct route_match *m)
{
	(void)a;
	(void)m;
	answer_line(x, 200, "ok\n");
}

void family_readyz(struct api *a, struct exchange *x, const struct route_match *m)
{
	char why[STATUS_WHY_SIZE], line[STATUS_WHY_SIZE + 64];

	(void)m;
	if (status_is_ready(a->site.picture, why))
		snprintf(line, sizeof line, "ready: generation %" PRIu64 "\n",
			a->site.picture->serving->generation);
	else
		snprintf(line, sizeof line, "not ready: %s\n", why);
	answer_line(x, why[0] ? 503 : 200, line);
}

void family_status(struct api *a, struct exchange *x, const struct route_match *m)
{
	const char *stack = target_query(&exchange_request(x)->target, "stack");
	const struct conf *c = a->site.picture->serving;

	(void)m;
	if (stack && !family_stack(a, x, stack))
		return;
	family_answer(
		x, 200, status_print(a->site.picture, stack, wall_now()), c ? c->generation : 0);
}
