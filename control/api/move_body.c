/* move_body: fields of a move as clients write them. Pure; called by move. */
#include "control/api/move_body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api/overlay_body.h"

static void refuse_unknown(const json_t *body, struct conf_problems *problems)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)body, key, value) {
		if (strcmp(key, "to") != 0 && strcmp(key, "why") != 0 &&
			strcmp(key, "expires_in") != 0)
			conf_problems_add(
				problems, key, "unknown field; a move has to, why and expires_in");
	}
}

int move_body_read(const json_t *body, const char *who, struct wall now,
	struct conf_problems *problems, struct move_body *ret)
{
	const char *to = json_string_value(json_object_get(body, "to"));
	struct move_body b = {.move.since = now};

	refuse_unknown(body, problems);
	if (!to || !conf_name_is_valid(to))
		conf_problems_add(problems, "to", "must be the name of an instance");
	else
		snprintf(b.move.holder, sizeof b.move.holder, "%s", to);
	overlay_body_read_why(body, problems, b.move.why);
	b.expires_in_ms = overlay_body_read_expiry(body, problems);
	if (problems->count > 0)
		return -EINVAL;
	snprintf(b.move.who, sizeof b.move.who, "%s", who);
	b.move.until = (struct wall){b.expires_in_ms ? now.ms + b.expires_in_ms : 0};
	*ret = b;
	return 0;
}
