/*
 * revise, storing: alone at once; where other live nodes are concerned as a
 * proposal that they judge before it is committed (decision C2). Whatever the
 * store says that another look can mend begins a new attempt. See revise_parts.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/api/revise_parts.h"
#include "control/plan.h"

#define VOTES_LOOK_MS 250     /* at most between two attempts to commit: news may be lost */
#define OTHERS_MS 15000       /* how long others' proposals for the stack are waited for */

/* ---- who is asked ---- */

bool revise_is_skipped(const struct revise *r, const char *node)
{
	char word[CONF_NAME_SIZE + 2];

	snprintf(word, sizeof word, " %s ", node);
	return strstr(r->skip, word) != NULL;
}

static void ask(struct revise *r, const char *node)
{
	if (!revise_is_skipped(r, node))
		buf_printf(&r->asked, "%s ", node);
}

static void ask_nodes(struct revise *r)
{
	const struct picture *p = r->api->site.picture;
	const struct conf *c = r->candidate;
	const struct conf *other;
	const char *node;

	buf_clear(&r->asked);
	buf_add_text(&r->asked, " ");
	for (size_t i = 0; i < c->instances_count; i++)
		ask(r, c->instances[i].name);
	/* Without instances it is for the nodes that no other stack lists. */
	for (size_t i = 0; c->instances_count == 0 && (node = fleet_node_name(p->fleet, i)); i++) {
		other = plan_serving(p->confs, p->confs_count, node);
		if (!other || strcmp(other->stack, r->stack) == 0)
			ask(r, node);
	}
}

static bool is_asked(const struct revise *r, const char *node)
{
	char word[CONF_NAME_SIZE + 2];

	snprintf(word, sizeof word, " %s ", node);
	return strstr(buf_text(&r->asked), word) != NULL;
}

/* Is somebody alive, besides us, who is to judge it? */
static bool has_others(const struct revise *r)
{
	const struct picture *p = r->api->site.picture;
	enum fleet_state state;
	const char *node;

	for (size_t i = 0; (node = fleet_node_name(p->fleet, i)); i++) {
		if (strcmp(node, p->node) == 0 || !is_asked(r, node))
			continue;
		if (fleet_node_state(p->fleet, node, &state, NULL, NULL) == 0 &&
			state != FLEET_AWAY)
			return true;
	}
	return false;
}

/* ---- what every way of storing has in common ---- */

static int64_t expected(const struct revise *r)
{
	bool is_conditional = exchange_request(r->x)->if_match.is_given;

	return is_conditional || r->spec.is_edit ? (int64_t)r->judged_over : STORE_ANY;
}

static struct store_write write_of(const struct revise *r)
{
	return (struct store_write){.request = r->request,
		.who = exchange_request(r->x)->access.who,
		.why = r->spec.why,
		.fingerprint = r->fingerprint[0] ? r->fingerprint : NULL};
}

static struct store_put put_of(const struct revise *r)
{
	const struct picture *p = r->api->site.picture;

	return (struct store_put){.stack = r->stack,
		.document = conf_document(r->candidate),
		.digest = r->candidate->digest,
		.action = r->spec.action,
		.expected = expected(r),
		.judged_at = r->judged_at,
		.keep_unchanged = true,
		.node = p->node,
		.asked = buf_text(&r->asked),
		.confirm_within_ms = r->confirm_within_ms};
}

static void on_caught_up(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;

	if (is_timed_out)
		revise_refuse(r, 503,
			"nothing was changed: the store's news did not arrive in time; try again");
	else
		revise_attempt(r);
}

static void tell(struct revise *r)
{
	struct keeper *k = r->api->site.keeper;
	struct event_place place = {keeper_place(k).node, r->stack};
	char from[24] = "", to[24], why[512];

	snprintf(from, sizeof from, "%" PRIu64, r->judged_over);
	snprintf(to, sizeof to, "%" PRIu64, r->generation);
	snprintf(why, sizeof why, "%s by %s%s%s", r->spec.action,
		exchange_request(r->x)->access.who, r->spec.why[0] ? ": " : "", r->spec.why);
	keeper_event(k,
		event_make(&place, "generation", r->stack, r->judged_over ? from : NULL, to, why));
}

static bool has_news(struct family_wait *w)
{
	const struct revise *r = (const struct revise *)w;

	return w->api->site.picture->proposal_news != r->proposal_news;
}

/* Until something happens to a proposal, or so many milliseconds. */
static void wait_for_news(struct revise *r, void (*then)(struct family_wait *, bool))
{
	if (r->api->is_leaving) {
		revise_refuse(r, 503,
			"this ballast-control is leaving: ask again with the same Idempotency-Key");
		return;
	}
	r->wait.is_over = has_news;
	r->wait.over = then;
	family_wait(r->api, &r->wait, VOTES_LOOK_MS);
}

static void on_others_over(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;

	(void)is_timed_out;
	r->attempts--; /* nothing was tried */
	revise_attempt(r);
}

static void wait_for_others(struct revise *r, const char *why)
{
	if (uv_now(r->api->site.loop) >= r->began_ms + OTHERS_MS) {
		revise_refuse(r, 409, why);
		return;
	}
	wait_for_news(r, on_others_over);
}

static void propose(struct revise *r);

static void take_stored(struct revise *r, const struct store_answer *answer)
{
	r->generation = answer->generation;
	r->is_unchanged = answer->is_unchanged;
	r->is_new = r->spec.build && r->judged_over == 0;
	if (r->candidate)
		snprintf(r->digest, sizeof r->digest, "%s", r->candidate->digest);
	if (!r->is_unchanged && !answer->is_repeat)
		tell(r);
	revise_stored(r);
}

static void on_stored(void *user, const struct store_answer *answer)
{
	struct revise *r = user;

	switch (answer->outcome) {
	case STORE_OK:
		take_stored(r, answer);
		break;
	case STORE_AWAY:
	case STORE_UNKNOWN:
		family_is_store_away(r->x, answer);
		revise_free(r);
		break;
	case STORE_NOT_FOUND:
		revise_refuse(r, 404, "there is no such stack any more");
		break;
	case STORE_UNCONFIRMED:
	case STORE_REFUSED:
		revise_refuse(r, 409, answer->why);
		break;
	case STORE_BUSY:
		wait_for_others(r, answer->why);
		break;
	case STORE_UNASKED:
		propose(r);
		break;
	case STORE_CONFLICT: /* with If-Match it is found by the next attempt, with the difference */
	case STORE_MOVED:
	case STORE_OPEN:
	case STORE_EXPIRED:
		revise_catch_up(r,
			answer->head > answer->generation ? answer->head : answer->generation,
			on_caught_up);
		break;
	}
}

/* ---- asking the others ---- */

static void on_withdrawn(void *user, const struct store_answer *answer)
{
	(void)user;
	(void)answer; /* else it ends by its age */
}

static void withdraw(struct revise *r)
{
	struct store_call call = {REVISE_STORE_MS, on_withdrawn, NULL};

	if (!r->api->is_leaving)
		store_withdraw(
			keeper_store(r->api->site.keeper), r->request, r->stack, &call);
}

static void refuse_by_votes(struct revise *r, const struct store_answer *answer)
{
	json_t *errors = json_array();
	char where[CONF_NAME_SIZE + 16];
	struct answer a = {0};

	for (size_t i = 0; i < answer->votes_count; i++) {
		if (answer->votes[i].vote != PROPOSAL_NO)
			continue;
		snprintf(where, sizeof where, "nodes[%s]", answer->votes[i].node);
		json_array_append_new(errors, json_pack("{s:s, s:s}", "where", where, "what",
						      answer->votes[i].reason));
	}
	answer_problem_list(&a, 422, errors,
		"nothing was changed: a node that is alive cannot run it (to leave a node out: "
		"--skip NODE, ?skip=NODE)");
	revise_finish(r, &a);
}

static void commit(struct revise *r);

static void on_vote_news(struct family_wait *w, bool is_timed_out)
{
	(void)is_timed_out;
	commit((struct revise *)w);
}

static void on_committed(void *user, const struct store_answer *answer)
{
	struct revise *r = user;

	if (answer->outcome == STORE_OPEN) {
		wait_for_news(r, on_vote_news);
		return;
	}
	if (answer->outcome == STORE_OK) {
		for (size_t i = 0; i < answer->votes_count; i++) {
			if (answer->votes[i].vote == PROPOSAL_SILENT)
				json_array_append_new(
					r->away, json_string(answer->votes[i].node));
		}
	} else if (answer->outcome != STORE_AWAY && answer->outcome != STORE_UNKNOWN) {
		withdraw(r);
	}
	if (answer->outcome == STORE_REFUSED)
		refuse_by_votes(r, answer);
	else
		on_stored(r, answer);
}

static void commit(struct revise *r)
{
	struct store_call call = {REVISE_STORE_MS, on_committed, r};
	struct store_write write = write_of(r);
	struct store_put put = put_of(r);

	if (r->api->is_leaving) {
		wait_for_news(r, on_vote_news); /* which answers */
		return;
	}
	r->proposal_news = r->api->site.picture->proposal_news;
	store_commit(keeper_store(r->api->site.keeper), &write, &put, &call);
}

static void on_proposed(void *user, const struct store_answer *answer)
{
	struct revise *r = user;

	if (answer->outcome == STORE_OK && !answer->is_repeat && !answer->is_unchanged)
		commit(r);
	else
		on_stored(r, answer);
}

static void propose(struct revise *r)
{
	struct store_call call = {REVISE_STORE_MS, on_proposed, r};
	struct store_write write = write_of(r);
	struct store_put put = put_of(r);

	store_propose(keeper_store(r->api->site.keeper), &write, &put, &call);
}

void revise_store(struct revise *r)
{
	struct store *store = keeper_store(r->api->site.keeper);
	struct store_call call = {REVISE_STORE_MS, on_stored, r};
	struct store_write write = write_of(r);
	struct store_put put;

	r->judged_at = r->api->site.picture->head;
	r->proposal_news = r->api->site.picture->proposal_news;
	if (!r->spec.build) {
		const struct picture_stack *s = revise_current(r);

		conf_unref(r->ended);
		r->ended = s && s->conf ? conf_ref(s->conf) : NULL;
		store_delete_stack(store, &write, r->stack, expected(r), &call);
		return;
	}
	ask_nodes(r);
	put = put_of(r);
	if (has_others(r))
		propose(r);
	else
		store_put_document(store, &write, &put, &call);
}
