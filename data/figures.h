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

#define FIGURES_PAGE 4096 /* objects told at once: others of the agent's work come between pages */

/*
 * Returns owned {"tables": [metric_table.h, …], "next": S}: the metrics of the objects from slot
 * `from` on; `next` is there while there are more, and where they begin. conf may be NULL.
 */
json_t *figures_metrics(const struct board *b, const struct conf *conf, uint32_t from);

/* A listener's row; failure: why an address of it could not be had, NULL: none. */
void figures_listener(const struct board *b, uint32_t slot, const struct conf_listener *l,
	const char *failure, struct report_listener *ret);
void figures_server(const struct board *b, uint32_t slot, struct report_server *ret);
/* The workers that accept, from the board. */
void figures_workers(const struct board *b, struct report_daemon *ret);

/* The label `cause` that a BOARD_LISTENER_ cell has among a listener's errors; NULL: it is none. */
const char *figures_cause(unsigned cell);
