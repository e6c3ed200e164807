#pragma once
/*
 * Shell: the access log of a listener that carries connections (tcp, tls): a
 * line for each at its end. Keeps the log as the generation in force wants it;
 * the file itself is http/access_log.h. Embedded in what a protocol keeps for
 * its listener.
 */
#include "common/clock.h"
#include "common/conf.h"
#include "data/board.h"
#include "data/http/access_line.h"

struct access_log;
struct listener;

struct connection_log {
	struct conf *conf;      /* the snapshot that log is of; counted */
	struct access_log *log; /* NULL: off */
};

/* Releases it; zeroed memory is fine. */
void connection_log_fini(struct connection_log *k);

/* "ok", "client-abort", "connect-failed": the end of a connection by the counter that it adds to;
 * BOARD_LISTENER_CELLS: it ended in order. */
const char *connection_log_end(unsigned cell);

/* Writes the entry; time and listener are filled in here. */
void connection_log_add(
	struct connection_log *k, struct listener *l, struct access_entry *e);
