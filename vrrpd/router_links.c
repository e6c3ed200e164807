/* See router_parts.h: the links of the node, its flaps, and its bypass. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/overlay.h"
#include "common/statefile.h"
#include "common/wall.h"
#include "vrrpd/router_parts.h"

#define FILE_MAX 4096
#define BYPASS_LOOK_MS 500

const struct conf_ha *router_ha(const struct router *r)
{
	const struct conf_instance *self = r->roster.conf ? conf_instance(r->roster.conf, r->node)
							  : NULL;

	return self ? &self->ha : NULL;
}

/* ---- links ---- */

static bool link_see(const struct router *r, const char *name, uint64_t *bytes)
{
	struct netlink_link l;

	if (netlink_link_read(r->netlink, name, &l) < 0)
		return false;
	*bytes += l.received_bytes;
	return l.is_up;
}

/* Without pairs, traffic arrives where the VIPs are. */
static uint64_t segments_bytes(const struct router *r)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < r->roster.segments_count; i++) {
		bool is_again = false;

		for (size_t j = 0; j < i; j++)
			is_again |= strcmp(r->roster.segments[j]->interface,
					    r->roster.segments[i]->interface) == 0;
		if (!is_again)
			link_see(r, r->roster.segments[i]->interface, &bytes);
	}
	return bytes;
}

static struct links_sight look(const struct router *r, const struct conf_ha *ha)
{
	struct links_sight s = {.pairs = ha->link_pairs_count};
	uint64_t out = 0;

	for (size_t i = 0; i < ha->link_pairs_count; i++) {
		bool in_is_up = link_see(r, ha->link_pairs[i].ingress, &s.bytes);

		s.active += in_is_up && link_see(r, ha->link_pairs[i].egress, &out);
	}
	if (s.pairs == 0 && ha->bandwidth_monitoring)
		s.bytes = segments_bytes(r);
	for (size_t i = 0; i < r->roster.vips_count; i++)
		s.is_active |= vrrp_is_active(&r->roster.vips[i]->vrrp);
	for (size_t i = 0; i < heartbeat_peers(r->heartbeat); i++)
		s.has_healthy_peer |= heartbeat_peer(r->heartbeat, i)->state == PEER_HEALTHY;
	return s;
}

static struct links_config links_config_of(const struct conf_ha *ha)
{
	return (struct links_config){.minimum_active = (size_t)ha->minimum_active_links,
		.has_bandwidth = ha->bandwidth_monitoring,
		.minimum_bps = ha->minimum_bandwidth_bps,
		.interval_ms = ha->bandwidth_interval_ms,
		.hold_ms = ha->bandwidth_hold_ms};
}

static void say_links(const struct router *r)
{
	char down[LINKS_WHY_SIZE], starved[LINKS_WHY_SIZE];
	const char *why = links_marked_down(&r->links, down);

	if (!why)
		why = links_starved(&r->links, starved);
	if (why)
		log_warn("links: %s", why);
	else
		log_info("links: %zu of %zu pairs active", r->links.seen.active,
			r->links.seen.pairs);
}

void router_watch_links(struct router *r, struct mono now)
{
	const struct conf_ha *ha = router_ha(r);
	struct links_config config;
	struct links_sight seen;

	r->links_at = MONO_NEVER;
	r->must_watch_links = false;
	if (!ha)
		return;
	config = links_config_of(ha);
	links_configure(&r->links, &config);
	if (ha->link_pairs_count > 0 || ha->bandwidth_monitoring)
		r->links_at = mono_min(mono_add_ms(now, ha->link_monitoring_interval_ms),
			links_deadline(&r->links));
	seen = look(r, ha);
	if (!links_look(&r->links, &seen, now))
		return;
	r->must_judge = true;
	say_links(r);
}

/* ---- flaps and bypass ---- */

static struct flaps_config flaps_config_of(const struct conf_ha *ha)
{
	return (struct flaps_config){.maximum = (int)ha->maximum_flaps,
		.window_ms = ha->flap_window_ms,
		.clear_ms = ha->flap_clear_ms};
}

bool router_vip_lost(struct router *r, struct vip *v, const struct flaps_loss *loss)
{
	const struct conf_ha *ha = router_ha(r);
	struct flaps_config config;

	if (!ha || !flaps_is_loss(loss))
		return false;
	config = flaps_config_of(ha);
	if (!flaps_note(&v->flaps, &config, mono_now()) ||
		!flaps_bypass_begin(&r->flaps_bypass, mono_now()))
		return true;
	snprintf(r->bypass_why, sizeof r->bypass_why,
		"in bypass: VIP %s was lost %d times in %lld s", v->config->name,
		config.maximum + 1, (long long)(config.window_ms / 1000));
	r->bypass_since = wall_now();
	r->must_judge = r->must_save_bypass = true;
	log_error("%s; %s", r->bypass_why,
		ha->flap_clear_ms ? "it ends by itself"
				  : "ballastctl bypass clear ends it, when the cause is found");
	return true;
}

static void file_path(const struct router *r, char path[4096])
{
	snprintf(path, 4096, "%s/vrrpd.bypass", r->run_dir);
}

/* What a process before us was in, we are in. */
void router_recall_bypass(struct router *r)
{
	char path[4096];
	json_t *row = NULL;
	const char *why;

	file_path(r, path);
	if (statefile_load(path, FILE_MAX, &row) < 0)
		return;
	why = json_string_value(json_object_get(row, "why"));
	if (why) {
		snprintf(r->bypass_why, sizeof r->bypass_why, "%s", why);
		r->bypass_since.ms = json_integer_value(json_object_get(row, "since_ms"));
		r->flaps_bypass = (struct flaps_bypass){true, mono_now()};
	}
	json_decref(row);
}

static void save(struct router *r)
{
	json_t *row = r->flaps_bypass.is_on ? json_pack("{s:s, s:I}", "why", r->bypass_why,
						      "since_ms", (json_int_t)r->bypass_since.ms)
					    : json_object();
	char path[4096];
	int rc;

	r->must_save_bypass = false;
	file_path(r, path);
	rc = row ? statefile_save(path, row) : 0;
	json_decref(row);
	if (rc < 0)
		log_error("%s cannot be written: %s; a restart would end the bypass", path,
			strerror(-rc));
}

static void bypass_end(struct router *r, const char *why)
{
	r->flaps_bypass.is_on = false;
	for (size_t i = 0; i < r->roster.vips_count; i++)
		memset(&r->roster.vips[i]->flaps, 0, sizeof r->roster.vips[i]->flaps);
	r->must_judge = r->must_save_bypass = true;
	log_warn("the bypass has ended: %s", why);
}

static bool peer_holds(const struct peer *p)
{
	for (size_t i = 0; i < p->vips_count; i++)
		if (p->vips[i].state == VRRP_ACTIVE || p->vips[i].state == VRRP_HANDING_OVER ||
			p->vips[i].state == VRRP_YIELDING)
			return true;
	return false;
}

static bool may_forward(const struct router *r, const char **ret_why)
{
	struct flaps_peer peers[HEARTBEAT_PEERS_MAX];
	size_t count = heartbeat_peers(r->heartbeat);

	for (size_t i = 0; i < count; i++) {
		const struct peer *p = heartbeat_peer(r->heartbeat, i);

		peers[i] = (struct flaps_peer){heartbeat_name(r->heartbeat, i),
			p->state == PEER_HEALTHY, peer_holds(p), p->condition.is_in_bypass,
			p->condition.is_forwarding};
	}
	for (size_t i = 0; i < r->roster.vips_count; i++)
		if (vrrp_is_active(&r->roster.vips[i]->vrrp)) {
			*ret_why = "this node holds a VIP: no other could";
			return false;
		}
	return flaps_may_forward(r->node, peers, count, ret_why);
}

static void carry_out(struct router *r, const struct conf_ha *ha, struct mono now)
{
	const char *why = NULL;
	bool may = r->flaps_bypass.is_on && may_forward(r, &why);

	if (r->flaps_bypass.is_on && why && why != r->bypass_holds && ha &&
		ha->bypass.driver != CONF_BYPASS_NONE)
		log_info("bypass: holding: %s", why);
	r->bypass_holds = why;
	bypass_want(r->bypass, ha, may, now);
}

void router_tend_bypass(struct router *r, struct mono now)
{
	const struct conf_ha *ha = router_ha(r);
	struct flaps_config config = {.maximum = 1};

	if (ha)
		config = flaps_config_of(ha);
	if (flaps_bypass_tick(&r->flaps_bypass, &config, now))
		bypass_end(r, "flap_clear is over");
	else if (r->flaps_bypass.is_on &&
		 condition_bypass_cleared(&r->condition, r->node).ms > r->bypass_since.ms)
		bypass_end(r, "cleared by the operator");
	if (r->must_save_bypass)
		save(r);
	carry_out(r, ha, now);
	r->bypass_at = flaps_bypass_deadline(&r->flaps_bypass, &config);
	if (r->flaps_bypass.is_on || bypass_is_forwarding(r->bypass))
		r->bypass_at = mono_min(r->bypass_at, mono_add_ms(now, BYPASS_LOOK_MS));
}
