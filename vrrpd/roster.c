/* See roster.h. */
#include "vrrpd/roster.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/conf_diff.h"
#include "common/log.h"
#include "common/now.h"

/* ---- segments ---- */

static struct segment *segment_get(struct roster *r, const char *interface, int family)
{
	struct segment *s;

	for (size_t i = 0; i < r->segments_count; i++)
		if (r->segments[i]->family == family &&
			strcmp(r->segments[i]->interface, interface) == 0)
			return r->segments[i];
	if (r->segments_count == ROSTER_SEGMENTS_MAX)
		return NULL;
	s = segment_new(interface, family, r->segment_uses);
	if (s)
		r->segments[r->segments_count++] = s;
	return s;
}

static bool is_in_use(const struct roster *r, const struct segment *s)
{
	for (size_t i = 0; i < r->vips_count; i++)
		if (identities_has(&r->vips[i]->identities, s->interface, s->family, 0))
			return true;
	return false;
}

static void segments_sweep(struct roster *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->segments_count; i++) {
		if (is_in_use(r, r->segments[i]))
			r->segments[kept++] = r->segments[i];
		else
			segment_free(r->segments[i]);
	}
	r->segments_count = kept;
}

void roster_refresh(struct roster *r, struct mono now)
{
	for (size_t i = 0; i < r->segments_count; i++) {
		struct segment *s = r->segments[i];

		bool has_changed = segment_refresh(s);

		if (has_changed && s->why[0])
			log_warn("VRRP cannot be spoken: %s", s->why);
		for (size_t v = 0; v < r->vips_count; v++)
			if (r->vips[v]->segment == s &&
				(has_changed || r->vips[v]->vrrp.state == VRRP_INITIALIZE))
				vip_segment_changed(r->vips[v], now);
	}
}

/* ---- what a generation wants ---- */

/* False when no VIP of it is this node's: not its stack, or `ha: {mode: off}`. */
static bool is_ours(const struct roster *r, const struct conf *c)
{
	const struct conf_instance *self = conf_instance(c, r->vip_uses->node);

	if (c->instances_count == 0)
		return true;
	return self && self->ha.mode != CONF_HA_OFF;
}

static const struct conf_vip *wanted(const struct roster *r, const struct conf *c, const char *name)
{
	return !r->is_leaving && c && is_ours(r, c) ? conf_vip(c, name) : NULL;
}

/* What this program cannot run yet, or not so many of: 0, or -EINVAL with why. */
static int vip_refuse(const struct conf_vip *v, char why[REPORT_TEXT_SIZE])
{
	if (v->track_count > ROLE_TRACKS_MAX) {
		snprintf(why, REPORT_TEXT_SIZE, "vips[%s].track: more than %d", v->name,
			ROLE_TRACKS_MAX);
		return -EINVAL;
	}
	if (strlen(v->interface) >= IF_NAMESIZE) {
		snprintf(why, REPORT_TEXT_SIZE, "vips[%s].interface: longer than %d characters",
			v->name, IF_NAMESIZE - 1);
		return -EINVAL;
	}
	return 0;
}

static int conf_refuse(const struct conf *c, char why[REPORT_TEXT_SIZE])
{
	if (c->vips_count > ROSTER_VIPS_MAX || c->instances_count > HEARTBEAT_PEERS_MAX) {
		snprintf(why, REPORT_TEXT_SIZE, "more than %d vips or %d instances",
			(int)ROSTER_VIPS_MAX, HEARTBEAT_PEERS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < c->vips_count; i++)
		if (vip_refuse(&c->vips[i], why) < 0)
			return -EINVAL;
	return 0;
}

static void mark_changed(void *user, const struct conf_diff_item *item)
{
	struct vip *v;

	if (item->kind != CONF_KIND_VIP || item->change != CONF_CHANGED)
		return;
	v = roster_vip(user, item->name);
	if (v)
		v->is_changed = true;
}

/* Another VIP of this node is known by that router id there, until now. */
static bool is_taken(const struct roster *r, const struct vip *v, const struct identity *wanted)
{
	for (size_t i = 0; i < r->vips_count; i++)
		if (r->vips[i] != v && identities_has(&r->vips[i]->identities, wanted->interface,
					       wanted->family, wanted->virtual_router_id))
			return true;
	return false;
}

/*
 * Becomes another virtual router, without a gap (V8): true. False where that cannot be: in another
 * address family it has nothing in common, and where two VIPs swap, each would hear the other
 * as itself. Then it leaves, and begins anew.
 */
static bool change_identity(
	struct roster *r, struct vip *v, const struct conf_vip *want, struct mono now)
{
	struct identity wanted = identity_of(want);
	struct segment *s;

	if (identity_is_same(&v->identities.spoken, &wanted)) {
		vip_want_identity(v, &wanted, NULL, now);
		return true;
	}
	if (wanted.family != v->identities.spoken.family || is_taken(r, v, &wanted))
		return false;
	s = segment_get(r, wanted.interface, wanted.family);
	if (!s)
		return false;
	if (!s->link.index)
		segment_refresh(s); /* what comes now is heard */
	vip_want_identity(v, &wanted, s, now);
	return true;
}

int roster_apply(struct roster *r, struct conf *conf, struct mono now, char why[REPORT_TEXT_SIZE])
{
	struct conf *before = r->conf;

	if (conf_refuse(conf, why) < 0)
		return -EINVAL;
	conf_diff(before, conf, mark_changed, r);
	r->conf = conf_ref(conf);
	for (size_t i = 0; i < r->vips_count; i++) {
		struct vip *v = r->vips[i];
		const struct conf_vip *want = wanted(r, conf, v->config->name);

		if (v->is_leaving)
			continue;
		if (!want || !change_identity(r, v, want, now))
			vip_leave(v, now);
		else
			vip_configure(v, conf, want, now);
	}
	conf_unref(before);
	return 0;
}

void roster_leave(struct roster *r, struct mono now)
{
	r->is_leaving = true;
	for (size_t i = 0; i < r->vips_count; i++)
		vip_leave(r->vips[i], now);
}

static bool begin(struct roster *r, const struct conf_vip *config)
{
	struct identity wanted = identity_of(config), first = wanted, before;
	bool is_changing = !is_taken(r, NULL, &wanted) &&
			   vip_recall_identity(r->vip_uses, config, &before) &&
			   !is_taken(r, NULL, &before);
	struct segment *s, *next;
	struct vip *v;

	if (is_changing)
		first = before;
	s = segment_get(r, first.interface, first.family);
	next = segment_get(r, wanted.interface, wanted.family); /* so that the change cannot fail */
	v = s && next ? vip_new(r->vip_uses, r->conf, config, s, &first) : NULL;
	if (!v) {
		log_error("vip=%s: not started: out of memory", config->name);
		return false;
	}
	r->vips[r->vips_count++] = v;
	if (is_changing)
		change_identity(r, v, config, mono_now());
	return true;
}

/* Begins the VIPs that are wanted and not there; one that still leaves under that name goes first.
 */
static bool fill(struct roster *r)
{
	bool has_begun = false;

	for (size_t i = 0; r->conf && i < r->conf->vips_count; i++) {
		const struct conf_vip *config = &r->conf->vips[i];

		if (!wanted(r, r->conf, config->name) || roster_vip(r, config->name))
			continue;
		if (r->vips_count < ROSTER_VIPS_MAX)
			has_begun |= begin(r, config);
	}
	return has_begun;
}

bool roster_settle(struct roster *r, void (*gone)(void *user, const char *name), void *user)
{
	size_t kept = 0, before = r->vips_count;
	bool has_begun;

	for (size_t i = 0; i < before; i++) {
		struct vip *v = r->vips[i];

		if (!v->has_left) {
			r->vips[kept++] = v;
			continue;
		}
		if (!wanted(r, r->conf, v->config->name))
			gone(user, v->config->name);
		vip_dismantle(v);
		vip_free(v);
	}
	r->vips_count = kept;
	has_begun = fill(r);
	segments_sweep(r);
	return has_begun;
}

/* True for the link of a VIP that runs, also where it is not made yet. */
static bool is_link_wanted(void *user, const char *name)
{
	const struct roster *r = user;

	for (size_t i = 0; i < r->vips_count; i++) {
		const struct vip *v = r->vips[i];
		char expected[IF_NAMESIZE];

		virtual_mac_link(v->segment->family, v->identities.spoken.virtual_router_id,
			v->segment->link.index, expected);
		if (v->config->virtual_mac && strcmp(expected, name) == 0)
			return true;
	}
	return false;
}

void roster_sweep(struct roster *r)
{
	int rc = macvlan_sweep(r->vip_uses->netlink, is_link_wanted, r);

	if (rc < 0)
		log_warn("links that a former life may have left cannot be looked for: %s",
			strerror(-rc));
}

/* ---- looking ---- */

struct vip *roster_vip(const struct roster *r, const char *name)
{
	for (size_t i = 0; i < r->vips_count; i++)
		if (strcmp(r->vips[i]->config->name, name) == 0)
			return r->vips[i];
	return NULL;
}

struct vip *roster_router(const struct roster *r, const struct segment *s, int virtual_router_id)
{
	struct vip *found = NULL;

	for (size_t i = 0; i < r->vips_count; i++) {
		struct vip *v = r->vips[i];

		if (v->segment == s && v->identities.spoken.virtual_router_id == virtual_router_id)
			return v;
		if (identities_has(&v->identities, s->interface, s->family, virtual_router_id))
			found = v;
	}
	return found;
}

static bool has_address(const struct conf_vip *v, const struct addr *a)
{
	for (size_t i = 0; i < v->addresses_count; i++)
		if (addr_compare_ip(&v->addresses[i].addr, a) == 0)
			return true;
	return false;
}

bool roster_is_virtual(const struct roster *r, const struct addr *a)
{
	for (size_t i = 0; i < r->vips_count; i++)
		if (has_address(r->vips[i]->config, a))
			return true;
	for (size_t i = 0; r->conf && i < r->conf->vips_count; i++)
		if (has_address(&r->conf->vips[i], a))
			return true;
	return false;
}

void roster_fini(struct roster *r)
{
	for (size_t i = 0; i < r->vips_count; i++)
		vip_free(r->vips[i]);
	r->vips_count = 0;
	segments_sweep(r);
	conf_unref(r->conf);
	r->conf = NULL;
}
