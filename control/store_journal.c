/* The scripts of what happened: events and the audit trail, both bounded; and the poll for changes.
 * See store_scripts.h. */
#include <stdlib.h>

#include "control/store_scripts.h"

enum { SLOT_ID, SLOT_LIMIT, SLOT_KEEP };

/* Takes a run of ids. Events wait for nobody's documents, but share the row and with it the order.
 */
static enum store_step append_count(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"update installation set event = event + cast($1 as bigint) where id = 1 returning "
		"event",
		store_job_number(j, SLOT_LIMIT, (int64_t)json_array_size(j->events)), NULL);
}

static enum store_step append_seen(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	j->revision = j->event_id = (uint64_t)store_rows_number(rows, 0, 0);
	store_write_announce(j, STORE_CHANGE_EVENT, "");
	return store_run(
		ret, "select fingerprint, generation from request where id = $1", j->request, NULL);
}

static enum store_step append_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	size_t count = json_array_size(j->events);
	enum store_step step;
	char *text;

	if (j->at == 0 && store_write_is_repeat(j, rows, &step))
		return step;
	text = json_dumps(json_array_get(j->events, j->at), JSON_COMPACT);
	if (++j->at < count)
		j->step--;
	store_run(ret,
		"insert into event (id, time, event) values (cast($1 as bigint), ballast_now(), "
		"$2)",
		store_job_number(j, SLOT_ID, (int64_t)(j->event_id - count + j->at)),
		store_job_text(j, text ? text : "{}"), NULL);
	free(text);
	return STORE_STEP_RUN;
}

static enum store_step append_trim(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	j->answer.generation = j->event_id;
	return store_run(ret,
		"delete from event where id <= cast($1 as bigint) - cast($2 as bigint)",
		store_job_number(j, SLOT_ID, (int64_t)j->event_id),
		store_job_number(j, SLOT_KEEP, STORE_EVENTS_MAX), NULL);
}

/* Ids of requests are of use while somebody may ask again; a day is generous. */
static enum store_step append_forget(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret, "delete from request where created < ballast_now() - 86400000", NULL);
}

static enum store_step commit(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	(void)ret;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_append_events = {
	STORE_WRITE_RELAXED,
	{append_count, append_seen, append_insert, append_trim, append_forget, store_write_record,
		store_write_notify, commit},
};

static enum store_step events_newest(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret, "select event from installation", NULL);
}

static enum store_step events_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	j->answer.generation = (uint64_t)store_rows_number(rows, 0, 0);
	return store_run(ret,
		"select id, time, event from event where id > cast($1 as bigint)"
		" order by id limit cast($2 as bigint)",
		store_job_number(j, SLOT_ID, j->before), store_job_number(j, SLOT_LIMIT, j->limit),
		NULL);
}

static enum store_step events_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	struct store_event *e = store_job_array(j, rows->count, sizeof *e);

	(void)ret;
	for (size_t i = 0; e && i < rows->count; i++)
		e[i] = (struct store_event){
			.id = (uint64_t)store_rows_number(rows, i, 0),
			.time = {store_rows_number(rows, i, 1)},
			.event = store_job_json(j, rows->cell(rows, i, 2)),
		};
	j->answer.events = e;
	j->answer.events_count = e ? rows->count : 0;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_list_events = {
	STORE_READ,
	{events_newest, events_select, events_done},
};

static enum store_step audit_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"select id, time, who, action, stack, object, why, generation from audit"
		" where ($1 = '' or stack = $1)"
		" and (cast($2 as bigint) = 0 or id < cast($2 as bigint))"
		" order by id desc limit cast($3 as bigint)",
		j->stack, store_job_number(j, SLOT_ID, j->before),
		store_job_number(j, SLOT_LIMIT, j->limit), NULL);
}

static enum store_step audit_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	struct store_audit *a = store_job_array(j, rows->count, sizeof *a);

	(void)ret;
	for (size_t i = 0; a && i < rows->count; i++)
		a[i] = (struct store_audit){
			.id = (uint64_t)store_rows_number(rows, i, 0),
			.time = {store_rows_number(rows, i, 1)},
			.who = store_job_text(j, rows->cell(rows, i, 2)),
			.action = store_job_text(j, rows->cell(rows, i, 3)),
			.stack = store_job_text(j, rows->cell(rows, i, 4)),
			.object = store_job_text(j, rows->cell(rows, i, 5)),
			.why = store_job_text(j, rows->cell(rows, i, 6)),
			.generation = (uint64_t)store_rows_number(rows, i, 7),
		};
	j->answer.audit = a;
	j->answer.audit_count = a ? rows->count : 0;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_list_audit = {
	STORE_READ,
	{audit_select, audit_done},
};

static enum store_step poll_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(
		ret, "select revision, event, ballast_is_synchronous() from installation", NULL);
}

static enum store_step poll_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	j->revision = (uint64_t)store_rows_number(rows, 0, 0);
	j->event_id = (uint64_t)store_rows_number(rows, 0, 1);
	j->is_synchronous = store_rows_number(rows, 0, 2) != 0;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_poll = {
	STORE_READ,
	{poll_select, poll_done},
};
