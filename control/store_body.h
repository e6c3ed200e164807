#pragma once
/*
 * What store.c expects of a body (store_pg.c, store_sqlite.c), and what a body
 * tells it. A body runs one job at a time, each as one transaction, and keeps
 * itself connected. All of it on the loop.
 */
#include <uv.h>

#include "control/store.h"
#include "control/store_job.h"

struct store_body;

struct store_body_operations {
	const char *kind;  /* "postgres" */
	const char *title; /* in sentences: "PostgreSQL" */
	int poll_ms;       /* how often store.c polls for changes that no notice told */
	/* `where` is the URI, or the path of the file. Kept as needed. 0, or a negative errno. */
	int (*open)(struct store *s, uv_loop_t *loop, const char *where, struct store_body **ret);
	/* Only while connected and with no job running; ends with store_body_ran(). */
	void (*run)(struct store_body *b, struct store_job *job);
	/* The running job takes too long: ends it, as soon as can be, with store_body_ran(). */
	void (*abandon)(struct store_body *b);
	/* Ends with store_body_closed(); a running job is ended first. */
	void (*close)(struct store_body *b);
};

extern const struct store_body_operations store_body_postgres;
extern const struct store_body_operations store_body_sqlite;

enum store_ran {
	STORE_RAN_DONE,   /* the script came to its end: the answer stands */
	STORE_RAN_LOST,   /* the connection broke, or another was in the way: try again */
	STORE_RAN_REFUSED /* the store refused, why says what; nothing was written */
};

void store_body_ran(struct store *s, enum store_ran ran, const char *why);
/* `opened` is the schema script's job when connected, else NULL. why as in store_status(). */
void store_body_state(
	struct store *s, enum store_state state, const struct store_job *opened, const char *why);
void store_body_noticed(struct store *s, const char *notice);
void store_body_closed(struct store *s);
