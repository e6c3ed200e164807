#pragma once
/* Shell: what supervisor.c and supervisor_start.c share. Not for others. */
#include <uv.h>

#include "common/daemon.h"
#include "data/adoption.h"
#include "data/bindings.h"
#include "data/process.h"
#include "data/roster.h"
#include "data/slots.h"
#include "data/token.h"

#define CHILDREN_MAX (2 * ROSTER_COLUMNS_MAX + 1) /* workers of an earlier board, too */

struct supervisor {
	struct daemon *daemon;
	char *program;
	uv_timer_t tick;
	struct roster roster;
	struct adoption *adoption; /* processes of the one before that have not answered yet; or NULL */
	struct process *children[CHILDREN_MAX];
	unsigned children_count;
	struct process_news news;
	struct bindings *bindings;
	struct board board;
	struct slots *slots;
	struct token_keys token_keys;
	struct conf *conf;           /* the newest snapshot that we could read */
	uint64_t acknowledged;       /* the snapshot_serial that every accepting worker runs */
	char lag[CHANNEL_TEXT_SIZE]; /* why it is not the newest */
	int64_t retry_at_ms;
	bool upgrade; /* adopted workers are to be replaced */
	bool is_ready; /* systemd was told */
	int64_t ready_by_ms; /* when it is told even though no worker runs the snapshot */
	bool is_leaving;
	int64_t leave_until_ms;
};

extern const struct process_handlers supervisor_children;

/* Everything up to the first turn: adopts what is left of an earlier supervisor, else begins anew.
 * 0 or a negative errno. */
int supervisor_open(struct supervisor *s);
/* Each tick: who answers only now. */
void supervisor_adopt_late(struct supervisor *s);
/* Puts a snapshot in force: takes conf (counted) and fd. 0, or a negative errno and why. */
int supervisor_publish(struct supervisor *s, struct conf *c, int fd, char why[512]);
