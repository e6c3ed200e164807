/* See pg_transaction.h. */
#include "control/pg_transaction.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void pg_message(const char *message, char *text, size_t size)
{
	size_t len = 0;

	for (const char *prefix = "ERROR:  "; strncmp(message, prefix, strlen(prefix)) == 0;)
		message += strlen(prefix);
	/* The first line says what is wrong; the others are advice for users of psql. */
	for (; *message && *message != '\n' && len + 1 < size; message++) {
		if (*message != ' ' || (len > 0 && text[len - 1] != ' '))
			text[len++] = *message;
	}
	while (len > 0 && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
}

static const char *rows_cell(const struct store_rows *rows, size_t row, size_t column)
{
	const PGresult *r = rows->source;

	return PQgetisnull(r, (int)row, (int)column) ? NULL : PQgetvalue(r, (int)row, (int)column);
}

static void forget_result(struct pg_transaction *t)
{
	PQclear(t->result);
	t->result = NULL;
}

static enum pg_progress end(struct pg_transaction *t, enum pg_progress progress)
{
	forget_result(t);
	t->phase = PG_IDLE;
	t->job = NULL;
	t->conn = NULL;
	return progress;
}

static enum pg_progress broken(struct pg_transaction *t)
{
	pg_message(PQerrorMessage(t->conn), t->why, sizeof t->why);
	return end(t, PG_BROKEN);
}

static enum pg_progress send_text(
	struct pg_transaction *t, enum pg_transaction_phase phase, const char *sql)
{
	t->phase = phase;
	return PQsendQuery(t->conn, sql) ? PG_WORKING : broken(t);
}

static const char *begin_text(enum store_access access)
{
	switch (access) {
	case STORE_READ:
		return "begin isolation level repeatable read read only";
	case STORE_WRITE:
		return "begin";
	case STORE_WRITE_RELAXED:
		return "begin; set local synchronous_commit to off";
	}
	return "begin";
}

enum pg_progress pg_transaction_start(struct pg_transaction *t, PGconn *conn, struct store_job *job)
{
	assert(t->phase == PG_IDLE);
	t->conn = conn;
	t->job = job;
	t->ran = STORE_RAN_DONE;
	t->why[0] = '\0';
	return send_text(t, PG_BEGINNING, begin_text(job->script->access));
}

static enum pg_progress next_step(struct pg_transaction *t)
{
	struct store_rows rows = {
		t->phase == PG_STEPPING ? (size_t)PQntuples(t->result) : 0, rows_cell, t->result};
	enum store_step step;
	struct store_statement st;

	step = store_job_step(t->job, &rows, &st);
	forget_result(t);
	if (step == STORE_STEP_ROLLBACK)
		return send_text(t, PG_ENDING, "rollback");
	if (step == STORE_STEP_COMMIT) {
		t->job->is_doubtful = t->job->script->access != STORE_READ;
		return send_text(t, PG_ENDING, "commit");
	}
	t->phase = PG_STEPPING;
	if (st.is_batch)
		return send_text(t, PG_STEPPING, st.sql);
	if (!PQsendQueryParams(t->conn, st.sql, (int)st.count, NULL, st.parameters, NULL, NULL, 0))
		return broken(t);
	return PG_WORKING;
}

/* Classes of SQLSTATE that say: this connection cannot do it, another may. */
static bool is_of_connection(const char *state)
{
	return strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 ||
	       strcmp(state, "25006") ==
		       0; /* it became read-only: the writable server is another */
}

static enum pg_progress failed(struct pg_transaction *t)
{
	const char *state = PQresultErrorField(t->result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(t->result, PG_DIAG_MESSAGE_PRIMARY);

	pg_message(message ? message : PQerrorMessage(t->conn), t->why, sizeof t->why);
	if (!state || is_of_connection(state))
		return end(t, PG_BROKEN);
	t->job->is_doubtful = false;
	/* Serialization failures and deadlocks: in the way of another, and the next try succeeds.
	 */
	t->ran = strncmp(state, "40", 2) == 0 ? STORE_RAN_LOST : STORE_RAN_REFUSED;
	if (t->phase == PG_CLEANING)
		return end(t, PG_BROKEN);
	forget_result(t);
	return send_text(t, PG_CLEANING, "rollback");
}

/* A statement's results are all here. */
static enum pg_progress completed(struct pg_transaction *t)
{
	ExecStatusType status = PQresultStatus(t->result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return failed(t);
	switch (t->phase) {
	case PG_BEGINNING:
	case PG_STEPPING:
		return next_step(t);
	case PG_ENDING:
	case PG_CLEANING:
		t->job->is_doubtful = false;
		return end(t, PG_ENDED);
	case PG_IDLE:
		break;
	}
	return PG_ENDED;
}

enum pg_progress pg_transaction_advance(struct pg_transaction *t)
{
	enum pg_progress progress = PG_WORKING;

	while (t->phase != PG_IDLE && progress == PG_WORKING && !PQisBusy(t->conn)) {
		PGresult *r = PQgetResult(t->conn);

		if (!r) {
			progress = t->result ? completed(t) : broken(t);
			continue;
		}
		/* Of a batch the first error counts, else the last result. */
		if (PQresultStatus(t->result) != PGRES_FATAL_ERROR || !t->result) {
			forget_result(t);
			t->result = r;
		} else {
			PQclear(r);
		}
	}
	if (progress == PG_WORKING && t->phase != PG_IDLE && PQstatus(t->conn) == CONNECTION_BAD)
		return broken(t);
	return progress;
}

void pg_transaction_drop(struct pg_transaction *t)
{
	if (t->phase != PG_IDLE)
		end(t, PG_BROKEN);
}
