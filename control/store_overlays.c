/* The scripts that read and write overlays. The last writer wins; compared is only in which picture
 * it judged. See store_scripts.h. */
#include <inttypes.h>

#include "control/store_scripts.h"

enum { SLOT_GENERATION, SLOT_AUDIT, SLOT_EXPIRES };

void store_take_overlays(struct store_job *j, const struct store_rows *rows)
{
	struct store_overlay *o = store_job_array(j, rows->count, sizeof *o);

	for (size_t i = 0; o && i < rows->count; i++)
		o[i] = (struct store_overlay){
			.stack = store_job_text(j, rows->cell(rows, i, 0)),
			.key = store_job_text(j, rows->cell(rows, i, 1)),
			.value = store_job_json(j, rows->cell(rows, i, 2)),
			.expires_in_ms = store_rows_number(rows, i, 3),
		};
	j->answer.overlays = o;
	j->answer.overlays_count = o ? rows->count : 0;
}

static enum store_step set_upsert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step;

	if (store_write_is_repeat(j, rows, &step))
		return step;
	/* The lock made the revision one more than what this write found. */
	if (j->expected != STORE_ANY && (uint64_t)j->expected + 1 != j->revision)
		return store_job_refuse(j, STORE_MOVED,
			"the store is at revision %" PRIu64 ", and the overlay was judged at %" PRId64,
			j->revision - 1, j->expected);
	store_write_announce(j, STORE_CHANGE_OVERLAY, j->stack);
	return store_run(ret,
		"insert into overlay (stack, key, value, expires) values ($1, $2, $3,"
		" case when cast($4 as bigint) = 0 then null else ballast_now() + cast($4 as "
		"bigint) end)"
		" on conflict (stack, key) do update set value = excluded.value, expires = "
		"excluded.expires",
		j->stack, j->object, j->value, store_job_number(j, SLOT_EXPIRES, j->expires_in_ms),
		NULL);
}

const struct store_script store_script_set_overlay = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, set_upsert, store_write_audit, store_write_trim,
		store_write_record, store_write_notify, store_write_done},
};

static enum store_step clear_delete(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step;

	if (store_write_is_repeat(j, rows, &step))
		return step;
	store_write_announce(j, STORE_CHANGE_OVERLAY, j->stack);
	return store_run(ret, "delete from overlay where stack = $1 and key = $2 returning key",
		j->stack, j->object, NULL);
}

static enum store_step clear_audit(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	if (rows->count == 0)
		return store_job_refuse(j, STORE_NOT_FOUND, "there is no overlay on %s of stack %s",
			j->object, j->stack);
	return store_write_audit(j, rows, ret);
}

const struct store_script store_script_clear_overlay = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, clear_delete, clear_audit, store_write_trim,
		store_write_record, store_write_notify, store_write_done},
};

static enum store_step expire_delete(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"delete from overlay where expires <= ballast_now() returning stack, key, value, 0",
		NULL);
}

static enum store_step expire_count(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	if (rows->count == 0)
		return STORE_STEP_ROLLBACK;
	store_take_overlays(j, rows);
	return store_run(ret,
		"update installation set revision = revision + 1, audit = audit + cast($1 as "
		"bigint)"
		" where id = 1 returning revision, audit",
		store_job_number(j, SLOT_EXPIRES, (int64_t)rows->count), NULL);
}

/* One audit entry for each; their ids are the last `overlays_count` that were counted. */
static enum store_step expire_audit(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	const struct store_overlay *o;

	if (j->at == 0) {
		j->revision = (uint64_t)store_rows_number(rows, 0, 0);
		j->limit = store_rows_number(rows, 0, 1);
		store_write_announce(j, STORE_CHANGE_OVERLAY, "");
	}
	o = &j->answer.overlays[j->at++];
	if (j->at < j->answer.overlays_count)
		j->step--;
	return store_run(ret,
		"insert into audit (id, time, who, action, stack, object, why, generation)"
		" values (cast($1 as bigint), ballast_now(), 'ballast', 'overlay', $2, $3, 'its "
		"time was up', 0)",
		store_job_number(j, SLOT_AUDIT,
			j->limit - (int64_t)j->answer.overlays_count + (int64_t)j->at),
		o->stack, o->key, NULL);
}

static enum store_step expire_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	(void)ret;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_expire_overlays = {
	STORE_WRITE,
	{expire_delete, expire_count, expire_audit, store_write_notify, expire_done},
};
