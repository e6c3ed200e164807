/*
 * The embedded body of the store: one SQLite file in WAL mode. Each transaction
 * runs on a thread of libuv's pool, one at a time, so a slow disk never stops
 * the loop; the thread touches the job and the database, nothing else. See
 * store_body.h for what store.c expects.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/now.h"
#include "control/store_body.h"
#include "control/store_notice.h"
#include "control/store_schema.h"

#define POLL_MS 1000
#define BUSY_MS 2000 /* how long another process may hold the file */
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 2000

struct store_body {
	struct store *store;
	uv_loop_t *loop;
	char *path;
	sqlite3 *db; /* NULL until opened */
	uv_work_t work;
	uv_timer_t retry;
	int retry_ms;
	struct store_job *job;     /* on the thread now */
	struct store_job *opening; /* the schema script, while it is the job */
	enum store_ran ran;
	char why[STORE_WHY_SIZE];
	bool is_closing;
};

/* The rows of a statement, copied: SQLite gives them one at a time. */
struct sqlite_rows {
	char **cells;
	size_t count, columns, capacity;
};

static const char *rows_cell(const struct store_rows *rows, size_t row, size_t column)
{
	const struct sqlite_rows *r = rows->source;

	assert(row < r->count && column < r->columns);
	return r->cells[row * r->columns + column];
}

static void rows_fini(struct sqlite_rows *r)
{
	for (size_t i = 0; i < r->count * r->columns; i++)
		free(r->cells[i]);
	free(r->cells);
	*r = (struct sqlite_rows){0};
}

static int rows_add(struct sqlite_rows *r, sqlite3_stmt *statement)
{
	size_t first = r->count * r->columns;

	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 8;
		char **cells = realloc(r->cells, capacity * r->columns * sizeof *cells);

		if (!cells)
			return SQLITE_NOMEM;
		r->cells = cells;
		r->capacity = capacity;
	}
	memset(r->cells + first, 0, r->columns * sizeof *r->cells);
	r->count++;
	for (size_t i = 0; i < r->columns; i++) {
		const unsigned char *text = sqlite3_column_text(statement, (int)i);

		if (!text)
			continue;
		r->cells[first + i] = strdup((const char *)text);
		if (!r->cells[first + i])
			return SQLITE_NOMEM;
	}
	return SQLITE_OK;
}

static int bind_parameters(sqlite3_stmt *statement, const struct store_statement *st)
{
	char name[24];

	for (size_t i = 0; i < st->count; i++) {
		int rc, at;

		snprintf(name, sizeof name, "$%zu", i + 1);
		at = sqlite3_bind_parameter_index(statement, name);
		assert(at > 0);
		rc = sqlite3_bind_text(statement, at, st->parameters[i], -1, SQLITE_STATIC);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

/* Runs one statement to its end: SQLITE_OK and its rows, or SQLite's code. */
static int execute(sqlite3 *db, const struct store_statement *st, struct sqlite_rows *rows)
{
	sqlite3_stmt *statement;
	int rc;

	if (st->is_batch)
		return sqlite3_exec(db, st->sql, NULL, NULL, NULL);
	rc = sqlite3_prepare_v2(db, st->sql, -1, &statement, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = bind_parameters(statement, st);
	rows->columns = (size_t)sqlite3_column_count(statement);
	while (rc == SQLITE_OK) {
		rc = sqlite3_step(statement);
		if (rc != SQLITE_ROW)
			break;
		rc = rows_add(rows, statement);
	}
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int run_steps(sqlite3 *db, struct store_job *j, enum store_step *ret_last)
{
	struct sqlite_rows rows = {0};
	struct store_statement st;
	int rc = SQLITE_OK;

	while (rc == SQLITE_OK) {
		struct store_rows view = {rows.count, rows_cell, &rows};
		enum store_step step = store_job_step(j, &view, &st);

		rows_fini(&rows);
		if (step != STORE_STEP_RUN) {
			*ret_last = step;
			return SQLITE_OK;
		}
		rc = execute(db, &st, &rows);
	}
	rows_fini(&rows);
	return rc;
}

static const char *begin_text(enum store_access access)
{
	switch (access) {
	case STORE_READ:
		return "begin";
	case STORE_WRITE:
		return "pragma synchronous=full; begin immediate";
	case STORE_WRITE_RELAXED:
		return "pragma synchronous=normal; begin immediate";
	}
	return "begin";
}

static int run_transaction(sqlite3 *db, struct store_job *j)
{
	enum store_step last = STORE_STEP_ROLLBACK;
	int rc = sqlite3_exec(db, begin_text(j->script->access), NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return rc;
	rc = run_steps(db, j, &last);
	if (rc == SQLITE_OK && last == STORE_STEP_COMMIT)
		rc = sqlite3_exec(db, "commit", NULL, NULL, NULL);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "rollback", NULL, NULL, NULL);
	if (last != STORE_STEP_COMMIT)
		j->notice[0] = '\0';
	return rc;
}

static void sql_now(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	(void)values;
	sqlite3_result_int64(context, wall_now().ms);
}

/* The job itself keeps what it announces; it is told after the commit. */
static void sql_notify(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	(void)values;
	sqlite3_result_null(context);
}

static void sql_is_synchronous(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	(void)values;
	sqlite3_result_int(context, 1);
}

static int open_database(struct store_body *b)
{
	/* Documents will hold secrets: made for us alone; SQLite gives its other files the same
	 * mode. */
	int fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;

	if (fd >= 0)
		close(fd);
	rc = sqlite3_open_v2(b->path, &b->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(b->db, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(b->db, "pragma journal_mode=wal", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(
			b->db, "ballast_now", 0, SQLITE_UTF8, NULL, sql_now, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(
			b->db, "ballast_notify", 1, SQLITE_UTF8, NULL, sql_notify, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(b->db, "ballast_is_synchronous", 0, SQLITE_UTF8, NULL,
			sql_is_synchronous, NULL, NULL);
	return rc;
}

/* What an operator reads: the file, what is wrong, and SQLite's own words. */
static void explain(struct store_body *b, int rc)
{
	const char *said = b->db ? sqlite3_errmsg(b->db) : sqlite3_errstr(rc);
	int system = b->db ? sqlite3_system_errno(b->db) : 0;

	if ((rc & 0xff) == SQLITE_FULL)
		snprintf(b->why, sizeof b->why, "the disk under %s is full: make room there",
			b->path);
	else if ((rc & 0xff) == SQLITE_CANTOPEN && system)
		snprintf(b->why, sizeof b->why, "%s cannot be opened: %s: %s", b->path, said,
			strerror(system));
	else if ((rc & 0xff) == SQLITE_READONLY)
		snprintf(b->why, sizeof b->why,
			"%s cannot be written: %s: check its owner and its folder's", b->path,
			said);
	else if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		snprintf(b->why, sizeof b->why,
			"%s is damaged: %s: move it away and apply the documents again", b->path,
			said);
	else
		snprintf(b->why, sizeof b->why, "%s: %s", b->path, said);
}

/* On the thread. */
static void on_work(uv_work_t *work)
{
	struct store_body *b = work->data;
	int rc = b->db ? SQLITE_OK : open_database(b);

	if (rc == SQLITE_OK)
		rc = run_transaction(b->db, b->job);
	b->ran = STORE_RAN_DONE;
	if (rc == SQLITE_OK)
		return;
	explain(b, rc);
	b->ran = (rc & 0xff) == SQLITE_BUSY || rc == SQLITE_INTERRUPT ? STORE_RAN_LOST
								      : STORE_RAN_REFUSED;
}

static void on_worked(uv_work_t *work, int status);

static void start_work(struct store_body *b, struct store_job *j)
{
	int rc;

	b->job = j;
	b->why[0] = '\0';
	rc = uv_queue_work(b->loop, &b->work, on_work, on_worked);
	assert(rc == 0);
}

static void open_again(struct store_body *b)
{
	b->opening = store_job_new(&store_schema_sqlite);
	if (b->opening)
		start_work(b, b->opening);
}

static void on_retry(uv_timer_t *t)
{
	open_again(t->data);
}

static void on_retry_closed(uv_handle_t *h)
{
	struct store_body *b = h->data;
	struct store *s = b->store;

	sqlite3_close_v2(b->db);
	free(b->path);
	free(b);
	store_body_closed(s);
}

static void opened(struct store_body *b)
{
	struct store_job *j = b->opening;

	b->opening = NULL;
	if (b->ran == STORE_RAN_DONE && j->answer.outcome == STORE_OK) {
		b->retry_ms = RETRY_FIRST_MS;
		store_body_state(b->store, STORE_CONNECTED, j, "");
		store_job_free(j);
		return;
	}
	store_body_state(
		b->store, STORE_LOST, NULL, b->ran == STORE_RAN_DONE ? j->answer.why : b->why);
	store_job_free(j);
	sqlite3_close_v2(b->db);
	b->db = NULL;
	uv_timer_start(&b->retry, on_retry, (uint64_t)b->retry_ms, 0);
	b->retry_ms = b->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : b->retry_ms * 2;
}

static void on_worked(uv_work_t *work, int status)
{
	struct store_body *b = work->data;
	struct store_job *j = b->job;
	char notice[sizeof j->notice];

	(void)status;
	b->job = NULL;
	if (j == b->opening) {
		if (!b->is_closing) {
			opened(b);
			return;
		}
		store_job_free(j);
		b->opening = NULL;
	} else {
		snprintf(notice, sizeof notice, "%s", b->ran == STORE_RAN_DONE ? j->notice : "");
		j->is_doubtful = false;
		store_body_ran(b->store, b->ran, b->why);
		if (notice[0])
			store_body_noticed(b->store, notice);
	}
	if (b->is_closing)
		uv_close((uv_handle_t *)&b->retry, on_retry_closed);
}

static int sqlite_open(struct store *s, uv_loop_t *loop, const char *where, struct store_body **ret)
{
	struct store_body *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	*b = (struct store_body){.store = s, .loop = loop, .retry_ms = RETRY_FIRST_MS};
	b->path = strdup(where);
	if (!b->path) {
		free(b);
		return -ENOMEM;
	}
	b->work.data = b;
	uv_timer_init(loop, &b->retry);
	b->retry.data = b;
	uv_timer_start(&b->retry, on_retry, 0, 0);
	*ret = b;
	return 0;
}

static void sqlite_run(struct store_body *b, struct store_job *j)
{
	assert(b->db && !b->job);
	/* Until the thread is back, nobody can tell whether it has committed. */
	j->is_doubtful = j->script->access != STORE_READ;
	start_work(b, j);
}

static void sqlite_abandon(struct store_body *b)
{
	if (b->job && !b->opening)
		sqlite3_interrupt(b->db);
}

static void sqlite_close(struct store_body *b)
{
	b->is_closing = true;
	uv_timer_stop(&b->retry);
	if (!b->job)
		uv_close((uv_handle_t *)&b->retry, on_retry_closed);
	else
		sqlite_abandon(b);
}

const struct store_body_operations store_body_sqlite = {
	.kind = "sqlite",
	.title = "SQLite",
	.poll_ms = POLL_MS,
	.open = sqlite_open,
	.run = sqlite_run,
	.abandon = sqlite_abandon,
	.close = sqlite_close,
};
