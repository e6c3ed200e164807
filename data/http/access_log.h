#pragma once
/*
 * Shell: the access log of one listener in one worker. Lines go to a ring in
 * memory and from there to the file in batches, without waiting (RWF_NOWAIT
 * where the file system knows it): when the disk is late and the ring is full,
 * lines are dropped and counted. Several workers append to one file; each
 * batch is whole lines. Called by http.c.
 */
#include "data/board.h"
#include "data/http/access_line.h"

#define ACCESS_LOG_RING (256u << 10) /* bytes of lines that wait to be written */
#define ACCESS_LOG_BATCH (32u << 10) /* written at once when so much waits */
#define ACCESS_LOG_DELAY_MS 50 /* else after so long */

struct worker;
struct access_log;

/*
 * state_dir/log/LISTENER.log, or settings.to. NULL without memory; a file that cannot be opened
 * is reported, and tried again at reopen.
 */
struct access_log *access_log_new(struct worker *w, const char *listener,
	const struct conf_access_log *settings, struct board_cells *cells);
/* Writes what waits, as far as it goes at once. NULL is fine. */
void access_log_free(struct access_log *l);

/* True when the log was opened with such settings. */
bool access_log_is_for(const struct access_log *l, const struct conf_access_log *settings);

void access_log_add(struct access_log *l, const struct access_entry *e);
