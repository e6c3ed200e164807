/* See router_parts.h: role is fed with all that is known, and each VIP with what comes of it. */
#include "vrrpd/router_parts.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"

#define DRAIN_LEAD_MS 2500 /* data ends idle connections within 2 s */
#define JUDGE_EACH_MS 1000 /* for what has an end of its own: overlays, round trips */

static void tracks_renew(struct router *r, struct vip *v)
{
	if (v->tracks_version == r->condition.version + 1)
		return;
	v->tracks_version = r->condition.version + 1; /* 0 is: never made */
	v->tracks_count = condition_tracks(
		&r->condition, v->conf, v->config, v->is_data_well, v->tracks);
}

static bool tracks_data(const struct conf_vip *config)
{
	for (size_t i = 0; i < config->track_count; i++)
		if (config->track[i].data)
			return true;
	return false;
}

/* Decision V6: what the lifeline says, for each VIP that goes by it. */
void router_feel_pulse(struct router *r, struct mono now)
{
	bool is_wanted = false;

	for (size_t i = 0; i < r->roster.vips_count; i++)
		is_wanted |= tracks_data(r->roster.vips[i]->config);
	lifeline_watch(r->lifeline, is_wanted, now);
	lifeline_tick(r->lifeline, now);
	for (size_t i = 0; is_wanted && i < r->roster.vips_count; i++) {
		struct vip *v = r->roster.vips[i];
		const char *why = "";
		bool is_well = lifeline_is_well(r->lifeline, v->config->data_timeout_ms, now, &why);

		if (is_well == v->is_data_well || !tracks_data(v->config))
			continue;
		v->is_data_well = is_well;
		v->tracks_version = 0;
		r->must_judge = true;
		log_info("vip=%s data=%s why=\"%s\"", v->config->name, is_well ? "up" : "down",
			is_well ? "a worker answers" : why);
	}
}

/* What a judgement borrows. */
struct scene {
	struct role_peer peers[ROLE_PEERS_MAX];
	char occupied[ROLE_WHY_SIZE], unready[ROLE_WHY_SIZE], down[LINKS_WHY_SIZE], starved[LINKS_WHY_SIZE];
};

static bool is_of_group(const struct vip *v, const char *group)
{
	return v->config->sync_group && strcmp(v->config->sync_group, group) == 0;
}

/* The newest move of the VIP or of a member of its sync group: they move together. */
static void move_find(const struct router *r, const struct vip *v, struct role_move *ret)
{
	struct wall now = wall_now();
	struct role_move m;

	*ret = (struct role_move){0};
	for (size_t i = 0; i < r->roster.vips_count; i++) {
		const struct vip *of = r->roster.vips[i];

		if (of != v && !(v->config->sync_group && is_of_group(of, v->config->sync_group)))
			continue;
		if (condition_move(&r->condition, of->config->name, now, &m) &&
			m.number > ret->number)
			*ret = m;
	}
}

/*
 * An Active node that is drained keeps its VIPs for a while: so long its data answers each request
 * as its connection's last, and few connections are left for the move to cut. Every other VIP is
 * its last resort at once (decision V5).
 */
static bool must_leave(const struct router *r, const struct vip *v, struct mono now)
{
	if (mono_is_never(r->drained_since))
		return false;
	return v->vrrp.state != VRRP_ACTIVE ||
	       mono_reached(mono_add_ms(r->drained_since, DRAIN_LEAD_MS), now);
}

static void scene_set(struct router *r, struct vip *v, struct scene *s, struct role_input *in)
{
	struct mono now = mono_now();

	*in = (struct role_input){.peers = s->peers};
	for (size_t i = 0; i < heartbeat_peers(r->heartbeat); i++) {
		const struct peer *p = heartbeat_peer(r->heartbeat, i);

		s->peers[in->peers_count++] = (struct role_peer){
			.name = heartbeat_name(r->heartbeat, i),
			.is_alive = p->state == PEER_HEALTHY,
			.is_lost = peer_is_lost(p),
			.is_unknown = p->state == PEER_UNKNOWN,
			.vip = peer_vip(p, v->config->name),
			.is_fresh = peer_is_fresh(p, now),
			.is_deaf = !p->is_hearing,
			.generation = p->generation};
	}
	tracks_renew(r, v);
	in->in_maintenance = must_leave(r, v, now);
	in->generation = router_generation(r);
	in->occupied = vip_probe_why(v, s->occupied);
	in->unready = condition_unready(&r->condition, v->conf, v->config, s->unready);
	in->marked_down = r->flaps_bypass.is_on ? r->bypass_why
						: links_marked_down(&r->links, s->down);
	in->starved = links_starved(&r->links, s->starved);
	move_find(r, v, &in->move);
	vip_prepare(v, in);
}

/* One that has not started yet counts: who begins as Active begins with its group's priority. */
static void group_find(
	struct router *r, const struct vip *v, struct mono now, struct role_group *ret)
{
	*ret = (struct role_group){0};
	for (size_t i = 0; v->config->sync_group && i < r->roster.vips_count; i++) {
		struct vip *of = r->roster.vips[i];
		struct role_member m = {.name = of->config->name,
			.spent_move = of->role.spent_move,
			.is_lost = vip_obstacle(of)[0] || of->has_left};
		struct role_input in;
		struct scene s;

		if (of == v || !is_of_group(of, v->config->sync_group))
			continue;
		scene_set(r, of, &s, &in);
		m.alone = role_alone(&of->role, &in, now);
		role_group_add(ret, &m);
	}
}

static void judge_one(struct router *r, struct vip *v, struct mono now)
{
	struct role_input in;
	struct scene s;

	scene_set(r, v, &s, &in);
	group_find(r, v, now, &in.group);
	vip_judge(v, &in, now);
	vip_set_bypass(v, r->flaps_bypass.is_on);
}

/* A peer that lives and has not acknowledged our generation; NULL: there is none. */
static const char *lagging_peer(const struct router *r)
{
	struct identity_peer peers[HEARTBEAT_PEERS_MAX];
	size_t count = heartbeat_peers(r->heartbeat);

	for (size_t i = 0; i < count; i++) {
		const struct peer *p = heartbeat_peer(r->heartbeat, i);

		peers[i] = (struct identity_peer){.name = heartbeat_name(r->heartbeat, i),
			.is_alive = p->state == PEER_HEALTHY,
			.is_unknown = heartbeat_has_key(r->heartbeat) &&
				      p->state == PEER_UNKNOWN,
			.generation = p->generation};
	}
	return identity_lags(peers, count, router_generation(r));
}

static void tend_identities(struct router *r, struct mono now)
{
	const char *lags = lagging_peer(r);

	for (size_t i = 0; i < r->roster.vips_count; i++)
		r->must_settle |= vip_tend_identity(r->roster.vips[i], lags, now);
}

void router_judge_all(struct router *r, struct mono now)
{
	if (!condition_in_maintenance(&r->condition, r->node, wall_now()))
		r->drained_since = MONO_NEVER;
	else
		r->drained_since = mono_min(r->drained_since, now);
	r->must_judge = false;
	r->judge_at = mono_add_ms(now, JUDGE_EACH_MS);
	if (!mono_is_never(r->drained_since) &&
		!mono_reached(mono_add_ms(r->drained_since, DRAIN_LEAD_MS), now))
		r->judge_at = mono_min(
			r->judge_at, mono_add_ms(r->drained_since, DRAIN_LEAD_MS));
	tend_identities(r, now);
	for (size_t i = 0; i < r->roster.vips_count; i++)
		judge_one(r, r->roster.vips[i], now);
}

bool router_is_data_well(const struct router *r)
{
	bool is_well = true;

	for (size_t i = 0; i < r->roster.vips_count; i++)
		is_well &= r->roster.vips[i]->is_data_well;
	return is_well;
}

bool router_is_judgement_due(const struct router *r, struct mono now)
{
	if (r->must_judge || mono_reached(r->judge_at, now))
		return true;
	for (size_t i = 0; i < r->roster.vips_count; i++)
		if (mono_reached(r->roster.vips[i]->judge_at, now))
			return true;
	return false;
}
