/* See vip_move.h. */
#include "common/vip_move.h"

#include <errno.h>

#include "common/row.h"

json_t *vip_move_encode(const struct vip_move *m)
{
	json_t *row = json_object();

	row_set_text(row, "holder", m->holder);
	row_set_text(row, "who", m->who);
	row_set_text(row, "why", m->why);
	row_set_wall(row, "since", m->since);
	row_set_wall(row, "until", m->until);
	return row;
}

int vip_move_decode(const json_t *value, struct vip_move *ret)
{
	struct vip_move m = {0};

	if (!row_get_text(value, "holder", m.holder, sizeof m.holder) ||
		!row_get_text(value, "who", m.who, sizeof m.who) ||
		!row_get_text(value, "why", m.why, sizeof m.why) ||
		!row_get_wall(value, "since", &m.since) || !row_get_wall(value, "until", &m.until))
		return -EINVAL;
	if (!conf_name_is_valid(m.holder) || m.since.ms <= 0)
		return -EINVAL;
	*ret = m;
	return 0;
}

bool vip_move_is_current(const struct vip_move *m, struct wall now)
{
	return m->until.ms == 0 || m->until.ms > now.ms;
}
