/* document: a stack's whole document, read and replaced. A family of the API; writes go through
 * revise. */
#include "control/api/revise.h"

#include <stdio.h>

#include "control/withheld.h"

static json_t *build_document(const struct revise *r, const json_t *current, struct answer *refusal)
{
	return revise_complete(json_copy(r->spec.material), current, refusal);
}

void family_document_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct picture_stack *s = family_stack(a, x, m->parameters[0]);

	if (s)
		family_answer(x, 200, withheld_hide(conf_document(s->conf)), s->conf->generation);
}

void family_document_put(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct request *r = exchange_request(x);
	struct revise_spec spec = {
		.stack = m->parameters[0], .action = "document", .build = build_document};
	struct conf_problems problems = {0};
	struct answer refusal = {0};
	struct conf *conf;

	if (r->body_len == 0) {
		family_refuse(x, 400, "the body must be the document, and is empty");
		return;
	}
	if (request_document(r, &problems, &conf) < 0) {
		answer_document_problems(&refusal, &problems);
		exchange_answer(x, &refusal);
	} else {
		/* The canonical form says the same; what people wrote is not kept. */
		spec.material = json_deep_copy(conf_document(conf));
		conf_unref(conf);
		revise_begin(a, x, &spec);
	}
	conf_problems_fini(&problems);
}
