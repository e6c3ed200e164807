#pragma once
/*
 * One job as one transaction on a libpq connection, asynchronously: sends a
 * statement, takes its rows when they are complete, asks the job's script for
 * the next. Used by store_pg.c, which owns the connection and its descriptor.
 */
#include <libpq-fe.h>

#include "control/store_body.h"
#include "control/store_job.h"

enum pg_transaction_phase { PG_IDLE, PG_BEGINNING, PG_STEPPING, PG_ENDING, PG_CLEANING };

struct pg_transaction {
	PGconn *conn;          /* borrowed while not idle; non-blocking */
	struct store_job *job; /* likewise */
	enum pg_transaction_phase phase;
	PGresult *result;   /* the last of the statement under way */
	enum store_ran ran; /* valid when it has ended */
	char why[STORE_WHY_SIZE];
};

enum pg_progress {
	PG_WORKING, /* wait for the descriptor */
	PG_ENDED,   /* ran and why say how; idle again */
	PG_BROKEN   /* the connection is of no use any more; why says it; idle again */
};

/* Sends the beginning. */
enum pg_progress pg_transaction_start(
	struct pg_transaction *t, PGconn *conn, struct store_job *job);
/* After PQconsumeInput(): goes on as far as the results are there. */
enum pg_progress pg_transaction_advance(struct pg_transaction *t);
/* The connection is about to be closed. */
void pg_transaction_drop(struct pg_transaction *t);

/* libpq's message in one line without its prefix, in at most size bytes. */
void pg_message(const char *message, char *text, size_t size);
