/* The scripts of the nodes' heartbeat rows; ages are by the store's clock. See store_scripts.h. */
#include "control/store_scripts.h"

enum { SLOT_GENERATION, SLOT_AUDIT, SLOT_LIVE };

void store_take_nodes(struct store_job *j, const struct store_rows *rows)
{
	struct store_node *n = store_job_array(j, rows->count, sizeof *n);

	for (size_t i = 0; n && i < rows->count; i++) {
		int64_t age_ms = store_rows_number(rows, i, 2);
		bool has_left = store_rows_number(rows, i, 4) == 0;

		n[i] = (struct store_node){
			.name = store_job_text(j, rows->cell(rows, i, 0)),
			.node_id = store_job_text(j, rows->cell(rows, i, 1)),
			.age_ms = has_left     ? INT64_MAX
				  : age_ms > 0 ? age_ms
					       : 0,
			.state = store_job_json(j, rows->cell(rows, i, 3)),
		};
	}
	j->answer.nodes = n;
	j->answer.nodes_count = n ? rows->count : 0;
}

static enum store_step beat_upsert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"insert into node (name, node_id, state, beat) values ($1, $2, $3, ballast_now())"
		" on conflict (name) do update"
		" set node_id = excluded.node_id, state = excluded.state, beat = excluded.beat"
		" where node.node_id = excluded.node_id or node.beat <= ballast_now() - cast($4 as "
		"bigint)"
		" returning name",
		j->object, j->node_id, j->value, store_job_number(j, SLOT_LIVE, STORE_LIVE_MS),
		NULL);
}

static enum store_step beat_announce(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	if (rows->count == 0)
		return store_job_refuse(j, STORE_CONFLICT,
			"the name %s is held by another node that is alive: give this one another "
			"name "
			"(`node:` in its node file), or stop the other",
			j->object);
	if (!j->announce)
		return store_run(ret, "select 1", NULL);
	store_write_announce(j, STORE_CHANGE_NODE, j->object);
	return store_write_notify(j, rows, ret);
}

static enum store_step select_nodes(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret, STORE_SELECT_NODES, NULL);
}

static enum store_step beat_overlays(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	store_take_nodes(j, rows);
	return store_run(ret, STORE_SELECT_OVERLAYS, NULL);
}

static enum store_step beat_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	store_take_overlays(j, rows);
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_heartbeat = {
	STORE_WRITE_RELAXED,
	{beat_upsert, beat_announce, select_nodes, beat_overlays, beat_done},
};

static enum store_step leave_update(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	store_write_announce(j, STORE_CHANGE_NODE, j->object);
	return store_run(ret, "update node set beat = 0 where name = $1 and node_id = $2",
		j->object, j->node_id, NULL);
}

static enum store_step leave_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	(void)ret;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_leave = {
	STORE_WRITE_RELAXED,
	{leave_update, store_write_notify, leave_done},
};

static enum store_step forget_find(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step;

	if (store_write_is_repeat(j, rows, &step))
		return step;
	store_write_announce(j, STORE_CHANGE_NODE, j->object);
	return store_run(
		ret, "select ballast_now() - beat from node where name = $1", j->object, NULL);
}

static enum store_step forget_delete(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	if (rows->count == 0)
		return store_job_refuse(j, STORE_NOT_FOUND, "there is no node %s", j->object);
	if (store_rows_number(rows, 0, 0) < STORE_LIVE_MS)
		return store_job_refuse(j, STORE_CONFLICT,
			"node %s is alive: stop it before it is forgotten", j->object);
	return store_run(ret, "delete from node where name = $1", j->object, NULL);
}

const struct store_script store_script_forget_node = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, forget_find, forget_delete, store_write_audit,
		store_write_trim, store_write_record, store_write_notify, store_write_done},
};

static enum store_step list_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)ret;
	store_take_nodes(j, rows);
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_list_nodes = {
	STORE_READ,
	{select_nodes, list_done},
};
