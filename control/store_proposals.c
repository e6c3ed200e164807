/*
 * The scripts of proposals: made, voted on, committed or withdrawn. What votes
 * and age mean is proposal's; that only one is open for a stack is the table's
 * key. See store_scripts.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/fleet.h"
#include "control/store_scripts.h"

#define VOTERS_MAX 256 /* nodes that one proposal asks */

enum { SLOT_GENERATION, SLOT_AUDIT, SLOT_REVISION, SLOT_CONFIRM, SLOT_OTHER };

static bool is_asked(const char *asked, const char *node)
{
	char word[CONF_NAME_SIZE + 2];

	snprintf(word, sizeof word, " %s ", node);
	return strstr(asked, word) != NULL;
}

/* ---- before any write of a document ---- */

enum store_step store_proposal_look(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"select 0, id, node from proposal where stack = $1"
		" and created > ballast_now() - cast($2 as bigint)"
		" union all select 1, name, '' from node"
		" where beat > ballast_now() - cast($3 as bigint)",
		j->stack, store_job_number(j, SLOT_CONFIRM, PROPOSAL_LIFE_MS),
		store_job_number(j, SLOT_OTHER, STORE_LIVE_MS), NULL);
}

static enum store_step refuse_busy(struct store_job *j, const char *node)
{
	return store_job_refuse(j, STORE_BUSY,
		"a change of stack %s by way of node %s is being judged by the nodes: try again in "
		"a moment",
		j->stack, node);
}

enum store_step store_proposal_judge_direct(struct store_job *j, const struct store_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const char *name = store_rows_text(rows, i, 1);

		if (store_rows_number(rows, i, 0) == 0) {
			if (strcmp(name, j->request) != 0)
				return refuse_busy(j, store_rows_text(rows, i, 2));
		} else if (strcmp(name, j->node) != 0 && is_asked(j->asked, name)) {
			return store_job_refuse(j, STORE_UNASKED,
				"node %s is alive and has not judged it", name);
		}
	}
	return STORE_STEP_RUN;
}

/* ---- proposing ---- */

/* Unlike that of other writes: nothing is audited yet. */
static enum store_step propose_lock(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"update installation set revision = revision + 1 where id = 1"
		" returning generation, revision, audit",
		NULL);
}

static enum store_step propose_judge(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step = store_document_judge(j, rows);

	return step == STORE_STEP_RUN ? store_proposal_look(j, rows, ret) : step;
}

static enum store_step propose_clear_votes(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	for (size_t i = 0; i < rows->count; i++) {
		if (store_rows_number(rows, i, 0) == 0 &&
			strcmp(store_rows_text(rows, i, 1), j->request) != 0)
			return refuse_busy(j, store_rows_text(rows, i, 2));
	}
	return store_run(ret,
		"delete from vote where proposal in (select revision from proposal where stack = $1)",
		j->stack, NULL);
}

static enum store_step propose_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	store_job_number(j, SLOT_GENERATION, (int64_t)j->judged_at);
	return store_run(ret,
		"insert into proposal (stack, id, revision, node, asked, head, document, digest,"
		" created) values ($1, $2, cast($3 as bigint), $4, $5,"
		" cast($6 as bigint), $7, $8, ballast_now())"
		" on conflict (stack) do update set id = excluded.id, revision = excluded.revision,"
		" node = excluded.node, asked = excluded.asked, head = excluded.head,"
		" document = excluded.document, digest = excluded.digest, created = excluded.created",
		j->stack, j->request,
		store_job_number(j, SLOT_REVISION, (int64_t)j->revision), j->node, j->asked,
		j->numbers[SLOT_GENERATION], j->value, j->digest, NULL);
}

static enum store_step propose_vote(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	store_write_announce(j, STORE_CHANGE_PROPOSAL, j->stack);
	if (!is_asked(j->asked, j->node))
		return store_run(ret, "select 1", NULL);
	return store_run(ret,
		"insert into vote (proposal, node, answer, reason)"
		" values (cast($1 as bigint), $2, cast($3 as integer), '')",
		j->numbers[SLOT_REVISION], j->node,
		store_job_number(j, SLOT_OTHER, PROPOSAL_YES), NULL);
}

static enum store_step done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	(void)ret;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_propose = {
	STORE_WRITE,
	{propose_lock, store_write_seen, store_document_newest, propose_judge, propose_clear_votes,
		propose_insert, propose_vote, store_write_notify, done},
};

/* ---- committing ---- */

static enum store_step commit_find(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step;

	if (store_write_is_repeat(j, rows, &step))
		return step;
	return store_run(ret,
		"select revision, ballast_now() - created from proposal"
		" where stack = $1 and id = $2 and digest = $3",
		j->stack, j->request, j->digest, NULL);
}

static enum store_step commit_voters(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	if (rows->count == 0)
		return store_job_refuse(j, STORE_EXPIRED,
			"what was proposed for stack %s is gone: propose it again", j->stack);
	store_job_number(j, SLOT_REVISION, store_rows_number(rows, 0, 0));
	j->before = store_rows_number(rows, 0, 1); /* its age */
	return store_run(ret,
		"select 0, node, answer, reason from vote where proposal = cast($1 as bigint)"
		" union all select 1, name, ballast_now() - beat, '' from node",
		j->numbers[SLOT_REVISION], NULL);
}

/* The voter of a name; made when it was not known. NULL: there are too many. */
static struct proposal_voter *voter_of(
	struct proposal_voter *voters, size_t *count, const char *node)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(voters[i].node, node) == 0)
			return &voters[i];
	}
	if (*count == VOTERS_MAX)
		return NULL;
	voters[*count] = (struct proposal_voter){.node = node, .reason = "", .beat_age_ms = -1};
	return &voters[(*count)++];
}

/* Those asked: first without a word and a heartbeat, then what the rows say of them. */
static size_t collect_voters(
	struct store_job *j, const struct store_rows *rows, struct proposal_voter *voters)
{
	char word[CONF_NAME_SIZE];
	size_t count = 0;

	for (const char *at = j->asked + strspn(j->asked, " "); *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		snprintf(word, sizeof word, "%.*s", (int)len, at);
		voter_of(voters, &count, store_job_text(j, word));
		at += len;
	}
	for (size_t i = 0; i < rows->count; i++) {
		const char *node = store_rows_text(rows, i, 1);
		struct proposal_voter *v =
			is_asked(j->asked, node) ? voter_of(voters, &count, node) : NULL;
		int64_t number = store_rows_number(rows, i, 2);

		if (v && store_rows_number(rows, i, 0) == 1) {
			v->beat_age_ms = number > 0 ? number : 0;
		} else if (v) {
			v->vote = number == PROPOSAL_YES ? PROPOSAL_YES : PROPOSAL_NO;
			v->reason = store_job_text(j, store_rows_text(rows, i, 3));
		}
	}
	return count;
}

static void list_votes(struct store_job *j, const struct proposal_voter *voters, size_t count)
{
	struct store_vote *v = store_job_array(j, count, sizeof *v);

	for (size_t i = 0; v && i < count; i++)
		v[i] = (struct store_vote){voters[i].node, voters[i].vote, voters[i].reason};
	j->answer.votes = v;
	j->answer.votes_count = v ? count : 0;
}

static enum store_step commit_judge(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	struct proposal_voter voters[VOTERS_MAX];
	size_t count = collect_voters(j, rows, voters);
	enum proposal_state state = proposal_judge(voters, count, j->before);

	list_votes(j, voters, count);
	switch (state) {
	case PROPOSAL_OPEN:
		return store_job_refuse(j, STORE_OPEN, "not every live node has answered");
	case PROPOSAL_REFUSED:
		return store_job_refuse(j, STORE_REFUSED, "a node cannot run it");
	case PROPOSAL_EXPIRED:
		return store_job_refuse(j, STORE_EXPIRED,
			"what was proposed for stack %s is too old: propose it again", j->stack);
	case PROPOSAL_PASSED:
		break;
	}
	return store_document_select(j, ret);
}

static enum store_step commit_number(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	enum store_step step = store_document_judge(j, rows);

	return step == STORE_STEP_RUN ? store_document_number(j, rows, ret) : step;
}

static enum store_step commit_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	store_document_take_number(j, rows);
	return store_run(ret,
		"insert into generation (stack, generation, document, digest, action, who, why,"
		" confirm_within, created) select stack, cast($2 as bigint), document, digest, $3, $4,"
		" $5, cast($6 as bigint), ballast_now() from proposal where stack = $1",
		j->stack, j->numbers[SLOT_GENERATION], j->action, j->who, j->why,
		store_job_number(j, SLOT_CONFIRM, j->confirm_within_ms), NULL);
}

static enum store_step end_votes(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"delete from vote where proposal in"
		" (select revision from proposal where stack = $1 and id = $2)",
		j->stack, j->request, NULL);
}

static enum store_step end_proposal(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret, "delete from proposal where stack = $1 and id = $2", j->stack,
		j->request, NULL);
}

const struct store_script store_script_commit = {
	STORE_WRITE,
	{store_write_lock, store_write_seen, commit_find, commit_voters, commit_judge,
		commit_number, commit_insert, store_document_set,
		store_document_trim, end_votes, end_proposal, store_write_audit, store_write_trim,
		store_write_record, store_write_notify, store_write_done},
};

/* ---- withdrawing ---- */

static enum store_step withdraw_announce(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	/* Number 0: nothing that a reader could have missed. */
	store_write_announce(j, STORE_CHANGE_PROPOSAL, j->stack);
	return store_write_notify(j, rows, ret);
}

const struct store_script store_script_withdraw = {
	STORE_WRITE,
	{end_votes, end_proposal, withdraw_announce, done},
};

/* ---- what nobody ended ---- */

static enum store_step expire_votes(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"delete from vote where proposal not in"
		" (select revision from proposal where created > ballast_now() - cast($1 as bigint))",
		store_job_number(j, SLOT_OTHER, PROPOSAL_LIFE_MS), NULL);
}

static enum store_step expire_proposals(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	return store_run(ret,
		"delete from proposal where created <= ballast_now() - cast($1 as bigint)",
		store_job_number(j, SLOT_OTHER, PROPOSAL_LIFE_MS), NULL);
}

const struct store_script store_script_expire_proposals = {
	STORE_WRITE_RELAXED,
	{expire_votes, expire_proposals, done},
};

/* ---- voting ---- */

static enum store_step list_select(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	char pattern[CONF_NAME_SIZE + 4];

	(void)rows;
	snprintf(pattern, sizeof pattern, "%% %s %%", j->node);
	return store_run(ret,
		"select p.revision, p.head, p.stack, p.document from proposal p"
		" left join vote v on v.proposal = p.revision and v.node = $1"
		" where v.node is null and p.asked like $2"
		" and p.created > ballast_now() - cast($3 as bigint)",
		j->node, store_job_text(j, pattern),
		store_job_number(j, SLOT_OTHER, PROPOSAL_LIFE_MS), NULL);
}

static enum store_step list_done(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	struct store_proposal *p = store_job_array(j, rows->count, sizeof *p);

	(void)ret;
	for (size_t i = 0; p && i < rows->count; i++)
		p[i] = (struct store_proposal){
			.revision = (uint64_t)store_rows_number(rows, i, 0),
			.head = (uint64_t)store_rows_number(rows, i, 1),
			.stack = store_job_text(j, rows->cell(rows, i, 2)),
			.document = store_job_json(j, rows->cell(rows, i, 3)),
		};
	j->answer.proposals = p;
	j->answer.proposals_count = p ? rows->count : 0;
	return STORE_STEP_COMMIT;
}

const struct store_script store_script_list_proposals = {
	STORE_READ,
	{list_select, list_done},
};

static enum store_step vote_insert(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)rows;
	store_job_number(j, SLOT_REVISION, (int64_t)j->generation);
	return store_run(ret,
		"insert into vote (proposal, node, answer, reason)"
		" select p.revision, $2, cast($3 as integer), $4 from proposal p"
		" where p.revision = cast($1 as bigint)"
		" on conflict (proposal, node) do nothing",
		j->numbers[SLOT_REVISION], j->node,
		store_job_number(j, SLOT_OTHER, j->why[0] ? PROPOSAL_NO : PROPOSAL_YES), j->why,
		NULL);
}

const struct store_script store_script_vote = {
	STORE_WRITE_RELAXED,
	{vote_insert, withdraw_announce, done},
};
