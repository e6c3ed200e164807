/* explain: why one object is as it is. A family of the API; the words are explanation's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "control/api/family.h"
#include "control/explanation.h"
#include "control/explanation_route.h"

/* A question for the data plane on its way. Its texts are the request's. */
struct route_question {
	struct exchange *x;
	struct conf *conf; /* that was served when it was asked; counted */
	struct explanation_route asked;
};

static void on_route(void *user, int status, const json_t *reply, const char *why)
{
	struct route_question *q = user;

	if (status == 0)
		family_answer(q->x, 200,
			explanation_route_print(&q->asked, q->conf->stack, reply, wall_now()), 0);
	else if (status == -EINVAL || status == -ENOENT)
		family_refuse(q->x, status == -EINVAL ? 400 : 404, "%s", why);
	else
		family_refuse(q->x, 503, "this node's data plane does not answer: %s", why);
	conf_unref(q->conf);
	free(q);
}

/* "listener/NAME", with either parting; NULL for anything else. */
static const char *listener_of(const char *object)
{
	return strncmp(object, "listener", 8) == 0 && (object[8] == '/' || object[8] == ' ')
		       ? object + 9
		       : NULL;
}

/* Which route would a request take? This node's own data plane is asked. */
static void explain_route(struct api *a, struct exchange *x, const struct explanation_route *asked)
{
	struct conf *serving = a->site.picture->serving;
	struct route_question *q;
	char why[EXPLANATION_ROUTE_WHY_SIZE];
	json_t *question;

	if (!serving || !conf_listener(serving, asked->listener)) {
		family_refuse(x, 404, "this node has no listener %.64s", asked->listener);
		return;
	}
	if (explanation_route_ask(asked, &question, why) < 0) {
		family_refuse(x, 400, "%s", why);
		return;
	}
	q = calloc(1, sizeof *q);
	if (q) {
		q->x = x;
		q->conf = conf_ref(serving);
		q->asked = *asked;
		if (hub_ask_route(a->site.hub, question, on_route, q) == 0)
			return;
		conf_unref(q->conf);
		free(q);
	} else {
		json_decref(question);
	}
	family_refuse(x, 503, "too much is asked at once: try again");
}

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
	if (target_query(t, "url")) {
		struct explanation_route asked = {.listener = listener_of(object),
			.url = target_query(t, "url"),
			.method = target_query(t, "method"),
			.client = target_query(t, "client"),
			.header = target_query(t, "header")};

		if (asked.listener)
			explain_route(a, x, &asked);
		else
			family_refuse(x, 400, "url is for object=listener/NAME only");
		return;
	}
	body = explanation_print(a->site.picture, stack, object, wall_now(), why);
	if (body)
		family_answer(x, 200, body, 0);
	else
		family_refuse(x, 404, "%s", why);
}
