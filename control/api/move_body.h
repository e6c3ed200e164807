#pragma once
/* Core: the body of a VIP's move, checked. */
#include <jansson.h>

#include "common/conf.h"
#include "common/vip_move.h"

struct move_body {
	struct vip_move move;  /* since, until and who filled from the arguments */
	int64_t expires_in_ms; /* 0: never */
};

/* {"to","why","expires_in"}: 0, or -EINVAL with every reason in problems. */
int move_body_read(const json_t *body, const char *who, struct wall now,
	struct conf_problems *problems, struct move_body *ret);
