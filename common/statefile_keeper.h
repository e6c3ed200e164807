#pragma once
/*
 * Shell: keeps a document on disk (statefile.h): off the loop, as fsync may take
 * longer than an advertisement interval, and again and again while the disk is
 * full or read-only. Of several given in a row the newest counts.
 */
#include <uv.h>

#include "common/statefile.h"

#define STATEFILE_AGAIN_MS 2000
#define STATEFILE_WHY_SIZE 256

struct statefile_keeper;

/* why: a sentence when a document could not be written, each time that it differs; "" once it is. */
typedef void statefile_told(void *user, const char *why);

/*
 * 0, -ENOMEM or -ENAMETOOLONG. folder/name is the file (copied); the loop is kept; consequence
 * (borrowed) says what a document that is not written means, as "a restart without control would
 * run an older generation".
 */
int statefile_keeper_open(uv_loop_t *loop, const char *folder, const char *name,
	const char *consequence, statefile_told *told, void *user, struct statefile_keeper **ret);
/* Keeps a document (taken; NULL: memory ran out, the one before stays), soon; also after a finish
 * that no end of the process followed. */
void statefile_keeper_keep(struct statefile_keeper *k, json_t *document);
/* For a process that is about to end: returns when the newest is on disk, or could not be written.
 * Nothing is told any more. NULL is fine. */
void statefile_keeper_finish(struct statefile_keeper *k);
/* After statefile_keeper_finish(); memory goes when the loop has run on. NULL is fine. */
void statefile_keeper_close(struct statefile_keeper *k);
