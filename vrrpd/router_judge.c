/* See router_parts.h: role is fed with all that is known, and each VIP with what comes of it. */
#include "vrrpd/router_parts.h"

#include <stdio.h>

#include "common/log.h"
#include "common/now.h"

#define JUDGE_EACH_MS 1000 /* for what has an end of its own: overlays, round trips */

/* A peer with a newer generation shows that ours is stale (decision V7). */
static const char *unready_why(
	const struct router *r, const struct vip *v, char text[ROLE_WHY_SIZE])
{
	uint64_t ours = router_generation(r);

	for (size_t i = 0; i < heartbeat_peers(r->heartbeat); i++) {
		const struct peer *p = heartbeat_peer(r->heartbeat, i);

		if (p->state != PEER_HEALTHY || p->generation <= ours)
			continue;
		snprintf(text, ROLE_WHY_SIZE, "generation %llu, %s runs %llu",
			(unsigned long long)ours, heartbeat_name(r->heartbeat, i),
			(unsigned long long)p->generation);
		return text;
	}
	return condition_unready(&r->condition, v->conf, v->config, text);
}

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

static void judge_one(struct router *r, struct vip *v, struct mono now)
{
	struct role_peer peers[ROLE_PEERS_MAX];
	char text[ROLE_WHY_SIZE];
	struct role_input in = {.peers = peers};

	for (size_t i = 0; i < heartbeat_peers(r->heartbeat); i++) {
		const struct peer *p = heartbeat_peer(r->heartbeat, i);

		peers[in.peers_count++] = (struct role_peer){
			.name = heartbeat_name(r->heartbeat, i),
			.is_alive = p->state == PEER_HEALTHY,
			.vip = peer_vip(p, v->config->name)};
	}
	tracks_renew(r, v);
	in.in_maintenance = condition_in_maintenance(&r->condition, r->node, wall_now());
	in.unready = unready_why(r, v, text);
	vip_judge(v, &in, now);
}

void router_judge_all(struct router *r, struct mono now)
{
	r->must_judge = false;
	r->judge_at = mono_add_ms(now, JUDGE_EACH_MS);
	for (size_t i = 0; i < r->roster.vips_count; i++)
		judge_one(r, r->roster.vips[i], now);
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
