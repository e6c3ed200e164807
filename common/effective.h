#pragma once
/*
 * Configuration, overlay and verdict together: what is to be done with a
 * server, and why. The only place where the three meet; control, data and
 * vrrpd all ask here. Precedence: an instance or server that the operator
 * disabled, then one that he drains, then the verdict (decision H1).
 */
#include "common/conf.h"
#include "common/overlay.h"
#include "common/verdict_row.h"
#include "common/wall.h"

enum effective_state {
	EFFECTIVE_UNCHECKED, /* no check: used like up */
	EFFECTIVE_UP,
	EFFECTIVE_UNKNOWN, /* used only when no up or unchecked one is left */
	EFFECTIVE_DRAIN, /* keeps what it has, gets nothing new */
	EFFECTIVE_STANDBY,
	EFFECTIVE_DOWN,
	EFFECTIVE_DISABLED /* ends what it has, gets nothing new */
};

#define EFFECTIVE_WHY_SIZE 512

struct effective {
	enum effective_state state;
	int weight; /* the overlay's, else the configured one */
	struct wall since; /* ms 0: not known */
	char why[EFFECTIVE_WHY_SIZE]; /* "drained by alice: kernel update, until 12:30Z" */
};

/* overlay and verdict may be NULL: none. Never fails. */
void effective_server(const struct conf_pool *pool, const struct conf_server *server,
	const struct overlay *overlay, const struct verdict_row *verdict, struct wall now,
	struct effective *ret);

/*
 * Data ejected the server for its errors (decided there, told in its row of `traffic`): down where it
 * would be used, with that reason. Anything else that keeps it from being used stands.
 */
void effective_eject(struct effective *e, const char *why, struct wall since);

/* 0: first choice (up, unchecked), 1: unknown, 2: only in panic (down, standby), 3: never (drain, disabled). */
int effective_rank(enum effective_state s);
const char *effective_state_name(enum effective_state s);
int effective_state_parse(const char *text, enum effective_state *ret); /* 0 or -EINVAL */
