#pragma once
/*
 * Core: the whole picture as people see it (/v1/status) and what is wrong in
 * it. Composed anew for each question from the picture; keeps nothing.
 */
#include <jansson.h>

#include "control/picture.h"

/* Returns owned. stack (NULL: all) limits vips, pools and listeners to one. */
json_t *status_print(const struct picture *p, const char *stack, struct wall now);

/* A date as it is shown; JSON null for "not known" (ms 0). Owned. */
json_t *status_date(struct wall t);

/* One server as in status, of a pool of conf. Owned. */
json_t *status_server(const struct picture *p, const struct conf *conf,
	const struct conf_pool *pool, const struct conf_server *server, struct wall now);
/* One listener as in status. Owned. */
json_t *status_listener(
	const struct picture *p, const struct conf *conf, const struct conf_listener *listener);

/* What an operator must know now: an array of {"object","what","since"}. Owned. */
json_t *status_problems(const struct picture *p, struct wall now);

/*
 * Does this node serve its generation? True, or false with a sentence in why:
 * a daemon is away, behind, or there is nothing to serve.
 */
#define STATUS_WHY_SIZE 512
bool status_is_ready(const struct picture *p, char why[STATUS_WHY_SIZE]);
