#pragma once
/*
 * One call to the store under way: its arguments, the script that carries it
 * out and the answer being made. A script is a row of steps; each looks at the
 * rows of the statement before and names the next. Scripts do no input or
 * output, so both bodies run the very same ones, each in one transaction: the
 * PostgreSQL body from the loop, the SQLite body on a thread of libuv's pool.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "control/store.h"

#define STORE_PARAMETERS_MAX 8
#define STORE_STEPS_MAX 20
#define STORE_NUMBER_SIZE 24 /* a printed 64-bit number */
#define STORE_WHY_SIZE 512

/* The rows of a statement that ran; a cell is text, or NULL for SQL's NULL. */
struct store_rows {
	size_t count;
	const char *(*cell)(const struct store_rows *rows, size_t row, size_t column);
	const void *source; /* private to the body */
};

const char *store_rows_text(
	const struct store_rows *rows, size_t row, size_t column); /* "" for NULL */
int64_t store_rows_number(
	const struct store_rows *rows, size_t row, size_t column); /* 0 for NULL */

/* The next statement: $1 … are bound to texts that live as long as the job. */
struct store_statement {
	const char *sql;
	const char *parameters[STORE_PARAMETERS_MAX];
	size_t count;
	bool is_batch; /* several statements, without parameters or rows */
};

enum store_step {
	STORE_STEP_RUN,     /* run the statement, then the next step */
	STORE_STEP_COMMIT,  /* done */
	STORE_STEP_ROLLBACK /* done without effect: refused, or nothing to write */
};

struct store_job;
typedef enum store_step store_step_function(
	struct store_job *job, const struct store_rows *rows, struct store_statement *ret);

enum store_access {
	STORE_READ,         /* one consistent picture */
	STORE_WRITE,        /* durable before it is answered */
	STORE_WRITE_RELAXED /* may be lost with the machine: heartbeats */
};

struct store_script {
	enum store_access access;
	store_step_function *steps[STORE_STEPS_MAX]; /* the last one never returns STORE_STEP_RUN */
};

/* What an answer owns; freed together. */
struct store_block {
	struct store_block *next;
	json_t *json; /* released with the block; NULL: memory follows */
};

struct store_job {
	struct list link; /* of the store's queue */
	const struct store_script *script;
	struct store_call call;
	uint64_t deadline_ms; /* by uv_now() */
	bool is_answered;     /* done was called; only the memory is left */
	bool is_doubtful;     /* a COMMIT was sent and its answer not seen */
	bool was_doubtful;    /* the same, of an earlier attempt */

	/* Arguments, as far as the script uses them; texts are blocks of `kept`. */
	const char *request, *fingerprint, *who, *why, *action, *stack, *object, *value, *digest,
		*node_id, *node, *asked;
	int64_t confirm_within_ms;
	int64_t expected, before, limit, expires_in_ms;
	uint64_t judged_at, generation;
	bool keep_unchanged, announce;
	json_t *events; /* a reference of ours */

	/* Between the steps. */
	size_t step, at;   /* `at` counts the repetitions of a step */
	uint64_t revision; /* of the installation, as far as this job saw or made it */
	uint64_t event_id; /* the newest, likewise */
	bool is_synchronous;
	char notice[160]; /* what the transaction announces: see store_notice.h */
	char numbers[5][STORE_NUMBER_SIZE];

	struct store_answer answer;
	char why_text[STORE_WHY_SIZE];
	bool has_failed;            /* no memory, or a row that makes no sense: why_text says it */
	struct store_block *blocks; /* of the answer; freed before a repetition */
	struct store_block *kept;   /* of the arguments */
};

struct store_job *store_job_new(const struct store_script *script); /* NULL without memory */
void store_job_free(struct store_job *j);

/* Copies an argument into the job; NULL becomes "". Returns "" and fails the job without memory. */
const char *store_job_keep(struct store_job *j, const char *text);

/* Back to before the first step, the answer empty. */
void store_job_restart(struct store_job *j);
/* Runs the next step on the rows of the last statement (NULL at first). */
enum store_step store_job_step(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret);

/* For steps: memory and values of the answer; zeroed, owned by the job. On failure NULL, and the
 * job fails. */
void *store_job_array(struct store_job *j, size_t count, size_t size);
const char *store_job_text(struct store_job *j, const char *text);
/* A stored JSON text; NULL for SQL's NULL. A text that is not JSON fails the job. */
const json_t *store_job_json(struct store_job *j, const char *text);
/* Prints a number for use as a parameter; slot 0 to 4, each good until used again. */
const char *store_job_number(struct store_job *j, size_t slot, int64_t number);
/* Sets the outcome and its sentence; returns STORE_STEP_ROLLBACK. */
enum store_step store_job_refuse(struct store_job *j, enum store_outcome outcome,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Fills a statement; the parameters follow, ended by NULL. Returns STORE_STEP_RUN. */
enum store_step store_run(struct store_statement *ret, const char *sql, ...)
	__attribute__((sentinel));
