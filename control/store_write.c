/*
 * The frame of every audited write: one lock, the request id that makes it
 * happen once, the audit entry, the announcement. See store_scripts.h.
 */
#include <stdio.h>
#include <string.h>

#include "control/store_notice.h"
#include "control/store_scripts.h"

enum { SLOT_GENERATION, SLOT_AUDIT, SLOT_OTHER };

enum store_step store_write_lock(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"update installation set revision = revision + 1, audit = audit + 1 where id = 1"
		" returning generation, revision, audit",
		NULL);
}

enum store_step store_write_seen(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	j->answer.head = (uint64_t)store_rows_number(rows, 0, 0);
	j->revision = (uint64_t)store_rows_number(rows, 0, 1);
	store_job_number(j, SLOT_AUDIT, store_rows_number(rows, 0, 2));
	return store_run(
		ret, "select fingerprint, generation from request where id = $1", j->request, NULL);
}

bool store_write_is_repeat(
	struct store_job *j, const struct store_rows *rows, enum store_step *ret_step)
{
	if (rows->count == 0)
		return false;
	*ret_step = STORE_STEP_ROLLBACK;
	if (strcmp(store_rows_text(rows, 0, 0), j->fingerprint) != 0) {
		*ret_step = store_job_refuse(j, STORE_CONFLICT,
			"the request id %s was used for another write: every write needs its own",
			j->request);
		return true;
	}
	j->answer.generation = (uint64_t)store_rows_number(rows, 0, 1);
	j->answer.is_repeat = true;
	return true;
}

void store_write_announce(struct store_job *j, enum store_change_what what, const char *object)
{
	struct store_notice n = {.what = what, .number = j->revision};

	snprintf(n.object, sizeof n.object, "%s", object);
	store_notice_print(&n, j->notice, sizeof j->notice);
}

enum store_step store_write_audit(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"insert into audit (id, time, who, action, stack, object, why, generation)"
		" values (cast($1 as bigint), ballast_now(), $2, $3, $4, $5, $6, cast($7 as "
		"bigint))",
		j->numbers[SLOT_AUDIT], j->who, j->action, j->stack, j->object, j->why,
		store_job_number(j, SLOT_GENERATION, (int64_t)j->answer.generation), NULL);
}

enum store_step store_write_trim(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"delete from audit where id <= cast($1 as bigint) - cast($2 as bigint)",
		j->numbers[SLOT_AUDIT], store_job_number(j, SLOT_OTHER, STORE_AUDIT_MAX), NULL);
}

enum store_step store_write_record(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"insert into request (id, fingerprint, generation, created)"
		" values ($1, $2, cast($3 as bigint), ballast_now())",
		j->request, j->fingerprint,
		store_job_number(j, SLOT_GENERATION, (int64_t)j->answer.generation), NULL);
}

enum store_step store_write_notify(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret, "select ballast_notify($1)", j->notice, NULL);
}

enum store_step store_write_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	(void)ret;
	if (j->answer.generation > j->answer.head)
		j->answer.head = j->answer.generation;
	return STORE_STEP_COMMIT;
}

static enum store_step request_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"select r.fingerprint, r.generation, g.stack, g.digest, g.who, g.why, g.created"
		" from request r left join generation g on g.generation = r.generation"
		" where r.id = $1",
		j->request, NULL);
}

static enum store_step request_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	struct store_generation *g;
	enum store_step step;

	(void)ret;
	if (!store_write_is_repeat(j, rows, &step))
		return store_job_refuse(
			j, STORE_NOT_FOUND, "nothing was done for the request id %s", j->request);
	if (j->answer.outcome != STORE_OK || !rows->cell(rows, 0, 2))
		return step;
	g = store_job_array(j, 1, sizeof *g);
	if (!g)
		return step;
	*g = (struct store_generation){
		.stack = store_job_text(j, rows->cell(rows, 0, 2)),
		.generation = j->answer.generation,
		.digest = store_job_text(j, rows->cell(rows, 0, 3)),
		.who = store_job_text(j, rows->cell(rows, 0, 4)),
		.why = store_job_text(j, rows->cell(rows, 0, 5)),
		.created = {store_rows_number(rows, 0, 6)},
	};
	j->answer.generations = g;
	j->answer.generations_count = 1;
	return step;
}

const struct store_script store_script_get_request = {
	STORE_READ,
	{request_select, request_done},
};
