/* See another.h. */
#include "data/http/another.h"

static bool has_status(const int *statuses, size_t count, int status)
{
	for (size_t i = 0; i < count; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* It has what was asked for: the object, a part, that it is unchanged, or how long it is. */
static bool is_good(int status)
{
	return status < 400 || status == 416;
}

enum another another_decide(const struct conf_pool *p, const struct another_facts *f)
{
	bool falls_back = has_status(p->fallback_statuses, p->fallback_statuses_count, f->status);

	if (f->has_held) {
		if (is_good(f->status) && !falls_back)
			return ANOTHER_NOT;
		return falls_back && !f->is_deleted && f->may_ask ? ANOTHER_ASK : ANOTHER_FIRST;
	}
	if (!f->is_replayable)
		return ANOTHER_NOT;
	if (falls_back && f->is_get_or_head && !f->is_deleted && f->may_ask)
		return ANOTHER_HOLD;
	if (f->is_idempotent && p->retry.on & CONF_RETRY_STATUS &&
		has_status(p->retry.statuses, p->retry.statuses_count, f->status))
		return ANOTHER_RETRY;
	return ANOTHER_NOT;
}

bool another_is_deleted(const char *data, const struct h1_head *h)
{
	static const char name[] = "x-amz-delete-marker";

	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];

		if (f->name.len == sizeof name - 1 &&
			h1_is_same(data + f->name.start, name, sizeof name - 1) &&
			f->value.len == 4 && h1_is_same(data + f->value.start, "true", 4))
			return true;
	}
	return false;
}
