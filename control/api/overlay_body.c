/* overlay_body: fields of an overlay as clients write them. Pure; called by overlay. */
#include "control/api/overlay_body.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api/target.h"

static void refuse_unknown(const json_t *body, struct conf_problems *problems)
{
	static const char *const known[] = {"state", "weight", "why", "expires_in"};
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)body, key, value) {
		bool is_known = false;

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is_known = is_known || strcmp(key, known[i]) == 0;
		if (!is_known)
			conf_problems_add(problems, key,
				"unknown field; an overlay has state, weight, why and expires_in");
	}
}

static void read_state(const json_t *body, struct conf_problems *problems, struct overlay *o)
{
	const json_t *value = json_object_get(body, "state");
	const char *text = json_string_value(value);

	if (!value)
		return;
	if (!text || overlay_state_parse(text, &o->state) < 0 || o->state == OVERLAY_MAINTENANCE)
		conf_problems_add(problems, "state", "must be drain, disabled or ready");
}

static void read_weight(
	const json_t *body, bool is_instance, struct conf_problems *problems, struct overlay *o)
{
	const json_t *value = json_object_get(body, "weight");
	json_int_t weight = json_integer_value(value);

	if (!value)
		return;
	if (json_is_null(value)) {
		o->has_weight = false;
		return;
	}
	if (is_instance)
		conf_problems_add(problems, "weight", "an instance has none; servers do");
	else if (!json_is_integer(value) || weight < 0 || weight > 1000)
		conf_problems_add(problems, "weight", "must be a number from 0 to 1000, or null");
	o->has_weight = true;
	o->weight = (int)weight;
}

void overlay_body_read_why(
	const json_t *body, struct conf_problems *problems, char ret[OVERLAY_TEXT_SIZE])
{
	const json_t *value = json_object_get(body, "why");
	const char *text = json_string_value(value);

	ret[0] = '\0';
	if (!value || json_is_null(value))
		return;
	if (!text || strlen(text) >= OVERLAY_TEXT_SIZE || strlen(text) != json_string_length(value))
		conf_problems_add(problems, "why", "must be a text of at most %zu bytes",
			(size_t)OVERLAY_TEXT_SIZE - 1);
	else
		memcpy(ret, text, strlen(text) + 1);
}

int64_t overlay_body_read_expiry(const json_t *body, struct conf_problems *problems)
{
	const json_t *value = json_object_get(body, "expires_in");
	int64_t ms = 0;
	int rc = 0;

	if (!value || json_is_null(value))
		return 0;
	if (json_is_integer(value))
		ms = json_integer_value(value);
	else
		rc = json_is_string(value) ? target_parse_duration(json_string_value(value),
						     OVERLAY_BODY_EXPIRES_MAX_MS, &ms)
					   : -EINVAL;
	if (rc < 0 || ms <= 0 || ms > OVERLAY_BODY_EXPIRES_MAX_MS) {
		conf_problems_add(problems, "expires_in",
			"must be a duration of more than nothing and at most 366d, as \"30m\"");
		return 0;
	}
	return ms;
}

int overlay_body_read(const json_t *body, const struct overlay *old, bool is_instance,
	const char *who, struct wall now, struct conf_problems *problems, struct overlay_body *ret)
{
	struct overlay_body b = {0};

	if (old)
		b.overlay = *old;
	refuse_unknown(body, problems);
	read_state(body, problems, &b.overlay);
	read_weight(body, is_instance, problems, &b.overlay);
	overlay_body_read_why(body, problems, b.overlay.why);
	b.expires_in_ms = overlay_body_read_expiry(body, problems);
	if (problems->count > 0)
		return -EINVAL;
	snprintf(b.overlay.who, sizeof b.overlay.who, "%s", who);
	b.overlay.since = now;
	b.overlay.until = (struct wall){b.expires_in_ms ? now.ms + b.expires_in_ms : 0};
	b.is_clear = b.overlay.state == OVERLAY_READY && !b.overlay.has_weight;
	*ret = b;
	return 0;
}
