/*
 * revise, the answer: what was stored is waited for, in the picture and as wanted
 * by the daemons, and told: to who asked, and as an event. See revise_parts.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/api/revise_parts.h"

static void answer_stored(struct revise *r, enum fleet_ack ack, const char *why)
{
	struct fleet *fleet = r->api->site.picture->fleet;
	struct answer a = {0};
	json_t *body = json_pack("{s:I, s:s?, s:o, s:b, s:b}", "generation",
		(json_int_t)r->generation, "digest", r->digest[0] ? r->digest : NULL,
		"nodes", fleet_print_acks(fleet, r->stack), "complete",
		(int)(ack == FLEET_ACK_COMPLETE), "unchanged", (int)r->is_unchanged);

	if (body && ack != FLEET_ACK_COMPLETE)
		json_object_set_new(body, "why", json_string(why));
	if (body && r->confirm_within_ms > 0 && !r->is_unchanged)
		json_object_set_new(
			body, "confirm_within_ms", json_integer((json_int_t)r->confirm_within_ms));
	if (body && json_array_size(r->away) > 0)
		json_object_set(body, "away", r->away);
	answer_json(&a, r->is_new ? 201 : 200, body);
	answer_set_etag(&a, r->generation);
	revise_finish(r, &a);
}

static enum fleet_ack ask_fleet(const struct revise *r, char why[FLEET_WHY_SIZE])
{
	size_t away;

	why[0] = '\0';
	if (!r->spec.build) /* served by nobody now: those that did have to let go */
		return r->ended ? fleet_let_go(r->api->site.picture->fleet, r->ended, r->generation, why)
				: FLEET_ACK_COMPLETE;
	return fleet_acknowledged(r->api->site.picture->fleet, r->stack, r->generation, &away, why);
}

static bool is_acknowledged(struct family_wait *w)
{
	char why[FLEET_WHY_SIZE];
	enum fleet_ack ack = ask_fleet((struct revise *)w, why);

	return ack == FLEET_ACK_COMPLETE || ack == FLEET_ACK_REFUSED;
}

static void on_acknowledged(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;
	char why[FLEET_WHY_SIZE];
	enum fleet_ack ack = ask_fleet(r, why);

	(void)is_timed_out;
	answer_stored(r, ack, why);
}

static bool has_caught_up(struct family_wait *w)
{
	const struct revise *r = (const struct revise *)w;

	return r->api->site.picture->head >= r->wanted_head;
}

/* The picture shows what was written (or, timed out, will soon): what is read now is not older. */
static void on_shown(struct family_wait *w, bool is_timed_out)
{
	struct revise *r = (struct revise *)w;

	(void)is_timed_out;
	r->wait.is_over = is_acknowledged;
	r->wait.over = on_acknowledged;
	if (r->wait_ms > 0)
		family_wait(r->api, &r->wait, r->wait_ms);
	else
		on_acknowledged(&r->wait, true);
}

void revise_catch_up(struct revise *r, uint64_t head, void (*then)(struct family_wait *, bool))
{
	r->wanted_head = head;
	r->wait.is_over = has_caught_up;
	r->wait.over = then;
	keeper_load(r->api->site.keeper);
	family_wait(r->api, &r->wait, REVISE_CATCH_UP_MS);
}

void revise_stored(struct revise *r)
{
	revise_catch_up(r, r->generation, on_shown);
}
