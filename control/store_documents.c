/* The scripts that read and write documents: stacks, their generations, and the whole picture. See
 * store_scripts.h. */
#include <inttypes.h>
#include <string.h>

#include "control/store_scripts.h"

enum { SLOT_GENERATION, SLOT_AUDIT, SLOT_KEEP, SLOT_CONFIRM };

static enum store_step load_head(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret, "select generation, revision from installation", NULL);
}

static enum store_step load_stacks(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	j->answer.head = (uint64_t)store_rows_number(rows, 0, 0);
	j->revision = j->answer.revision = (uint64_t)store_rows_number(rows, 0, 1);
	return store_run(ret,
		"select s.name, g.generation, g.digest, g.who, g.created, g.document,"
		" case when g.confirmed = 0 then g.confirm_within else 0 end, b.generation, "
		"b.document"
		" from stack s join generation g on g.stack = s.name and g.generation = "
		"s.generation"
		" left join generation b on g.confirm_within > 0 and g.confirmed = 0"
		" and b.stack = s.name and b.generation = (select max(o.generation) from generation o"
		" where o.stack = s.name and o.generation < g.generation"
		" and (o.confirm_within = 0 or o.confirmed > 0))"
		" order by s.name",
		NULL);
}

static void take_stacks(struct store_job *j, const struct store_rows *rows)
{
	struct store_stack *s = store_job_array(j, rows->count, sizeof *s);

	for (size_t i = 0; s && i < rows->count; i++)
		s[i] = (struct store_stack){
			.name = store_job_text(j, rows->cell(rows, i, 0)),
			.generation = (uint64_t)store_rows_number(rows, i, 1),
			.digest = store_job_text(j, rows->cell(rows, i, 2)),
			.who = store_job_text(j, rows->cell(rows, i, 3)),
			.created = {store_rows_number(rows, i, 4)},
			.document = store_job_json(j, rows->cell(rows, i, 5)),
			.confirm_within_ms = store_rows_number(rows, i, 6),
			.base_generation = (uint64_t)store_rows_number(rows, i, 7),
			.base_document = store_job_json(j, rows->cell(rows, i, 8)),
		};
	j->answer.stacks = s;
	j->answer.stacks_count = s ? rows->count : 0;
}

static enum store_step load_overlays(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	take_stacks(j, rows);
	return store_run(ret, STORE_SELECT_OVERLAYS, NULL);
}

static enum store_step load_nodes(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	store_take_overlays(j, rows);
	return store_run(ret, STORE_SELECT_NODES, NULL);
}

static enum store_step load_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	store_take_nodes(j, rows);
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_load = {
	STORE_READ,
	{load_head, load_stacks, load_overlays, load_nodes, load_done},
};

/* The stack's newest generation; 0 in the second column when it was deleted. Then whether it waits
 * for its confirmation, and for how long still. */
enum store_step store_document_select(struct store_job *j, struct store_statement *ret)
{
	return store_run(ret,
		"select g.digest, case when g.document is null then 0 else g.generation end,"
		" case when g.confirm_within > 0 and g.confirmed = 0 then 1 else 0 end,"
		" g.created + g.confirm_within - ballast_now()"
		" from stack s join generation g on g.stack = s.name and g.generation = "
		"s.generation"
		" where s.name = $1",
		j->stack, NULL);
}

enum store_step store_document_newest(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step;

	return store_write_is_repeat(j, rows, &step) ? step : store_document_select(j, ret);
}

/* STORE_STEP_RUN: as expected; else the refusal. */
static enum store_step judge_expected(struct store_job *j, uint64_t newest)
{
	j->answer.generation = newest;
	if (j->expected == STORE_ANY || (uint64_t)j->expected == newest)
		return STORE_STEP_RUN;
	if (newest == 0)
		return store_job_refuse(j, STORE_CONFLICT,
			"stack %s does not exist (any more), and generation %" PRId64
			" was expected",
			j->stack, j->expected);
	if (j->expected == 0)
		return store_job_refuse(j, STORE_CONFLICT,
			"stack %s exists: it is at generation %" PRIu64, j->stack, newest);
	return store_job_refuse(j, STORE_CONFLICT,
		"stack %s is at generation %" PRIu64 ", not %" PRId64
		": somebody changed it meanwhile; read it again and apply on top",
		j->stack, newest, j->expected);
}

static enum store_step judge_confirmed(struct store_job *j, const struct store_rows *rows)
{
	int64_t left_ms = rows->count ? store_rows_number(rows, 0, 3) : 0;

	if (rows->count == 0 || store_rows_number(rows, 0, 2) == 0 || left_ms <= 0)
		return STORE_STEP_RUN;
	return store_job_refuse(j, STORE_UNCONFIRMED,
		"generation %" PRId64 " of stack %s has still %" PRId64
		" s to be confirmed, and until then nothing is written: confirm it, or let it go back",
		store_rows_number(rows, 0, 1), j->stack, (left_ms + 999) / 1000);
}

enum store_step store_document_judge(struct store_job *j, const struct store_rows *rows)
{
	uint64_t newest = rows->count ? (uint64_t)store_rows_number(rows, 0, 1) : 0;
	bool is_confirmed = rows->count == 0 || store_rows_number(rows, 0, 2) == 0;
	enum store_step step = judge_expected(j, newest);

	if (step != STORE_STEP_RUN)
		return step;
	/* What nobody confirmed in time is not run: the same document again is a new attempt. */
	if (j->keep_unchanged && newest && is_confirmed &&
		strcmp(store_rows_text(rows, 0, 0), j->digest) == 0) {
		j->answer.is_unchanged = true;
		return STORE_STEP_ROLLBACK;
	}
	if (j->judged_at != j->answer.head)
		return store_job_refuse(j, STORE_MOVED,
			"the installation is at generation %" PRIu64
			", and the document was judged at %" PRIu64,
			j->answer.head, j->judged_at);
	return judge_confirmed(j, rows);
}

enum store_step store_document_number(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"update installation set generation = generation + 1 where id = 1 returning "
		"generation",
		NULL);
}

static enum store_step put_judge(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step = store_document_judge(j, rows);

	return step == STORE_STEP_RUN ? store_proposal_look(j, rows, ret) : step;
}

static enum store_step put_number(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step = store_proposal_judge_direct(j, rows);

	return step == STORE_STEP_RUN ? store_document_number(j, rows, ret) : step;
}

void store_document_take_number(struct store_job *j, const struct store_rows *rows)
{
	j->answer.generation = (uint64_t)store_rows_number(rows, 0, 0);
	store_job_number(j, SLOT_GENERATION, store_rows_number(rows, 0, 0));
	store_write_announce(j, STORE_CHANGE_DOCUMENT, j->stack);
}

static enum store_step put_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	store_document_take_number(j, rows);
	return store_run(ret,
		"insert into generation (stack, generation, document, digest, action, who, why, "
		"confirm_within, created)"
		" values ($1, cast($2 as bigint), $3, $4, $5, $6, $7, cast($8 as bigint), "
		"ballast_now())",
		j->stack, j->numbers[SLOT_GENERATION], j->value, j->digest, j->action, j->who,
		j->why, store_job_number(j, SLOT_CONFIRM, j->confirm_within_ms), NULL);
}

enum store_step store_document_set(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"insert into stack (name, generation) values ($1, cast($2 as bigint))"
		" on conflict (name) do update set generation = excluded.generation",
		j->stack, j->numbers[SLOT_GENERATION], NULL);
}

enum store_step store_document_trim(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"delete from generation where stack = $1 and generation in"
		" (select generation from generation where stack = $1"
		" order by generation desc limit 100000 offset cast($2 as bigint))",
		j->stack, store_job_number(j, SLOT_KEEP, STORE_GENERATIONS_MAX), NULL);
}

const struct store_script store_script_put_document = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, store_document_newest, put_judge, put_number, put_insert,
		store_document_set, store_document_trim, store_write_audit, store_write_trim, store_write_record,
		store_write_notify, store_write_done},
};

static enum store_step delete_judge(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	uint64_t newest = rows->count ? (uint64_t)store_rows_number(rows, 0, 1) : 0;
	enum store_step step;

	if (newest == 0)
		return store_job_refuse(j, STORE_NOT_FOUND, "there is no stack %s", j->stack);
	step = judge_expected(j, newest);
	if (step == STORE_STEP_RUN)
		step = judge_confirmed(j, rows);
	return step == STORE_STEP_RUN ? store_proposal_look(j, rows, ret) : step;
}

static enum store_step delete_number(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step = store_proposal_judge_direct(j, rows);

	return step == STORE_STEP_RUN ? store_document_number(j, rows, ret) : step;
}

static enum store_step delete_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	store_document_take_number(j, rows);
	return store_run(ret,
		"insert into generation (stack, generation, document, digest, action, who, why, "
		"created)"
		" values ($1, cast($2 as bigint), null, '', $3, $4, $5, ballast_now())",
		j->stack, j->numbers[SLOT_GENERATION], j->action, j->who, j->why, NULL);
}

static enum store_step delete_overlays(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret, "delete from overlay where stack = $1", j->stack, NULL);
}

const struct store_script store_script_delete_stack = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, store_document_newest, delete_judge, delete_number,
		delete_insert, store_document_set, store_document_trim, delete_overlays, store_write_audit, store_write_trim,
		store_write_record, store_write_notify, store_write_done},
};

static enum store_step confirm_judge(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	uint64_t newest = rows->count ? (uint64_t)store_rows_number(rows, 0, 1) : 0;

	j->answer.generation = newest;
	if (newest == 0)
		return store_job_refuse(j, STORE_NOT_FOUND, "there is no stack %s", j->stack);
	if (newest != j->generation)
		return store_job_refuse(j, STORE_CONFLICT,
			"generation %" PRIu64 " is not the newest of stack %s, which is %" PRIu64,
			j->generation, j->stack, newest);
	if (store_rows_number(rows, 0, 2) == 0) {
		j->answer.is_unchanged = true;
		return STORE_STEP_ROLLBACK;
	}
	if (store_rows_number(rows, 0, 3) <= 0)
		return store_job_refuse(j, STORE_CONFLICT,
			"generation %" PRIu64
			" was not confirmed in time, and the nodes went back: apply it again",
			newest);
	store_write_announce(j, STORE_CHANGE_DOCUMENT, j->stack);
	return store_run(ret,
		"update generation set confirmed = ballast_now()"
		" where stack = $1 and generation = cast($2 as bigint)",
		j->stack, store_job_number(j, SLOT_GENERATION, (int64_t)newest), NULL);
}

const struct store_script store_script_confirm = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, store_document_newest, confirm_judge,
		store_write_audit, store_write_trim, store_write_record, store_write_notify,
		store_write_done},
};

static enum store_step list_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"select generation, digest, who, why, created, null from generation where stack = "
		"$1"
		" and (cast($2 as bigint) = 0 or generation < cast($2 as bigint))"
		" order by generation desc limit cast($3 as bigint)",
		j->stack, store_job_number(j, 0, j->before), store_job_number(j, 1, j->limit),
		NULL);
}

static void take_generations(struct store_job *j, const struct store_rows *rows)
{
	struct store_generation *g = store_job_array(j, rows->count, sizeof *g);

	for (size_t i = 0; g && i < rows->count; i++)
		g[i] = (struct store_generation){
			.stack = j->stack,
			.generation = (uint64_t)store_rows_number(rows, i, 0),
			.digest = store_job_text(j, rows->cell(rows, i, 1)),
			.who = store_job_text(j, rows->cell(rows, i, 2)),
			.why = store_job_text(j, rows->cell(rows, i, 3)),
			.created = {store_rows_number(rows, i, 4)},
			.document = store_job_json(j, rows->cell(rows, i, 5)),
		};
	j->answer.generations = g;
	j->answer.generations_count = g ? rows->count : 0;
}

static enum store_step list_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	take_generations(j, rows);
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_list_generations = {
	STORE_READ,
	{list_select, list_done},
};

static enum store_step get_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"select generation, digest, who, why, created, document from generation"
		" where stack = $1 and generation = cast($2 as bigint)",
		j->stack, store_job_number(j, 0, (int64_t)j->generation), NULL);
}

static enum store_step get_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	if (rows->count == 0)
		return store_job_refuse(j, STORE_NOT_FOUND,
			"stack %s has no generation %" PRIu64 " (the newest %d are kept)", j->stack,
			j->generation, STORE_GENERATIONS_MAX);
	take_generations(j, rows);
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_get_generation = {
	STORE_READ,
	{get_select, get_done},
};
