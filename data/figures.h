#pragma once
/*
 * Core: the board's figures as others see them: metrics of every listener and
 * server (the reply to the verb `counters`), and the rows of the table
 * "traffic". Called by agent.c.
 */
#include <jansson.h>

#include "common/conf.h"
#include "common/report.h"
#include "data/board.h"

/* Returns an owned set of metrics (metric.h) of all objects on the board. conf may be NULL. */
json_t *figures_metrics(const struct board *b, const struct conf *conf);

/* A listener's row; failure: why an address of it could not be had, NULL: none. */
void figures_listener(const struct board *b, uint32_t slot, const struct conf_listener *l,
	const char *failure, struct report_listener *ret);
void figures_server(const struct board *b, uint32_t slot, struct report_server *ret);
/* The workers that accept, from the board. */
void figures_workers(const struct board *b, struct report_daemon *ret);
