/*
 * keeper, ballot: proposals that ask this node are judged and voted on. A
 * document that was judged in a newer picture than ours waits until ours has
 * caught up. The part of keeper that votes; called by keeper.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "control/judgement.h"
#include "control/keeper_parts.h"

#define REASON_SIZE 512

static void on_voted(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	if (a->outcome != STORE_OK)
		k->wants_ballot = true; /* the next second tries again */
}

/* "" for yes; else all reasons as one sentence. */
static void judge(const struct keeper *k, const struct store_proposal *p, char reason[REASON_SIZE])
{
	struct conf_problems problems = {0};
	struct conf *candidate = NULL;
	int rc = conf_from_json(p->document, &problems, &candidate);
	size_t len = 0;

	if (rc == 0)
		rc = judgement_of(k->nodefile, k->picture, candidate, true, &problems);
	reason[0] = '\0';
	for (size_t i = 0; i < problems.count && len < REASON_SIZE; i++)
		len += (size_t)snprintf(reason + len, REASON_SIZE - len, "%s%s: %s", i ? "; " : "",
			problems.items[i].where, problems.items[i].what);
	if (rc < 0 && !reason[0])
		snprintf(reason, REASON_SIZE, "node %s is out of memory", k->picture->node);
	conf_problems_fini(&problems);
	conf_unref(candidate);
}

static void vote(struct keeper *k, const struct store_proposal *p)
{
	struct store_call call = keeper_call(k, on_voted);
	char reason[REASON_SIZE];

	judge(k, p, reason);
	log_info("stack=%s proposal=%" PRIu64 " vote=%s why=\"%s\"", p->stack, p->revision,
		reason[0] ? "no" : "yes", reason);
	store_vote(k->store, p, k->picture->node, reason, &call);
}

static void on_listed(void *user, const struct store_answer *a)
{
	struct keeper *k = user;
	bool is_behind = false;

	k->is_balloting = false;
	if (k->is_closing)
		return;
	for (size_t i = 0; a->outcome == STORE_OK && i < a->proposals_count; i++) {
		if (a->proposals[i].head > k->picture->head)
			is_behind = true;
		else
			vote(k, &a->proposals[i]);
	}
	if (is_behind)
		keeper_load(k); /* which comes back here */
	k->wants_ballot = k->wants_ballot || is_behind;
}

static void on_expired(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	if (a->outcome != STORE_OK)
		k->expire_ms = uv_now(k->loop) + PROPOSAL_LIFE_MS;
}

void keeper_expire_proposals(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_expired);

	if (k->expire_ms == 0 || uv_now(k->loop) < k->expire_ms)
		return;
	k->expire_ms = 0;
	store_expire_proposals(k->store, &call);
}

void keeper_ballot(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_listed);

	k->expire_ms = uv_now(k->loop) + PROPOSAL_LIFE_MS + 1000;

	if (k->is_balloting || k->is_closing || !k->picture->is_loaded || k->picture->claim[0]) {
		k->wants_ballot = true;
		return;
	}
	k->wants_ballot = false;
	k->is_balloting = true;
	store_list_proposals(k->store, k->picture->node, &call);
}
