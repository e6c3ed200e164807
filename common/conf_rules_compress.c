/* What must fit together where responses are compressed. See conf_rules.h. */
#include "common/conf_rules.h"

static void check(const struct conf_listener *l, struct field_reader *r, struct field_place *list)
{
	if (l->compress_count && l->protocol != CONF_LISTENER_HTTP &&
		l->protocol != CONF_LISTENER_HTTPS)
		field_problem(r, list,
			"only http and https listeners have responses to compress: remove it, or "
			"set "
			"the protocol to http or https");
	for (size_t i = 0; i < l->compress_count; i++) {
		struct field_place at = {.up = list, .index = i};

		for (size_t k = 0; k < i; k++)
			if (l->compress[k] == l->compress[i]) {
				field_problem(r, &at, "is named twice: remove one");
				break;
			}
	}
}

void conf_rules_compress(const struct conf *c, struct field_reader *r)
{
	struct field_place listeners = {.name = "listeners"};

	for (size_t i = 0; i < c->listeners_count; i++) {
		struct field_place at = {.up = &listeners, .key = c->listeners[i].name, .index = i};
		struct field_place list = {.up = &at, .name = "compress"};

		check(&c->listeners[i], r, &list);
	}
}
