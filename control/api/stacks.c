/* stacks: which there are, and their end. A family of the API. */
#include "control/api/revise.h"
#include "control/status.h"

static json_t *print_stack(const struct picture_stack *s)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:o, s:s}", "name", s->name, "generation",
		(json_int_t)s->generation, "digest", s->digest, "who", s->who, "time",
		status_date(s->created), "description",
		s->conf && s->conf->description ? s->conf->description : "");
}

void family_stacks(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct picture *p = a->site.picture;
	json_t *list = json_array();

	(void)m;
	for (size_t i = 0; i < p->stacks_count; i++) {
		if (!p->stacks[i].is_deleted)
			json_array_append_new(list, print_stack(&p->stacks[i]));
	}
	family_answer(x, 200, list, p->head);
}

void family_stack_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct picture_stack *s = family_stack(a, x, m->parameters[0]);

	if (s)
		family_answer(x, 200, print_stack(s), s->generation);
}

void family_stack_delete(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct revise_spec spec = {.stack = m->parameters[0], .action = "delete", .is_edit = false};

	revise_begin(a, x, &spec);
}
