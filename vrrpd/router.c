/*
 * See router.h. Handlers of sockets only step machines and set marks; whatever
 * is marked or due is done in a turn. One timer of CLOCK_BOOTTIME wakes it: uv
 * timers have milliseconds, and the time of the loop's last look at the clock.
 */
#include "vrrpd/router.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "vrrpd/router_parts.h"

#define LATE_TURN_MS 10 /* counted, so that an operator sees a starved node */

/* ---- what comes in ---- */

/* True for an advertisement; what is none is counted. */
static bool packet_read(struct router *r, const struct advert_packet *p, struct advert *ret)
{
	struct advert_packet judged = *p;
	enum advert_refusal refusal;

	/*
	 * Unicast is beyond RFC 9568, and keepalived sends it over IPv6 with the
	 * system's hop limit: there the source is checked instead, by vip_heard().
	 */
	if (!wire_is_group(&p->destination))
		judged.ttl = ADVERT_TTL;
	refusal = advert_decode(&judged, ret);
	if (refusal != ADVERT_OK)
		r->counters.malformed[refusal]++;
	return refusal == ADVERT_OK;
}

static void packet_came(void *user, struct segment *s, const struct advert_packet *p)
{
	struct router *r = user;
	struct advert a;
	struct vip *v;

	if (!packet_read(r, p, &a))
		return;
	v = roster_router(&r->roster, s, a.virtual_router_id);
	if (!v)
		r->counters.no_such_router++;
	else if (!v->macvlan.is_up || v->segment != s || !wire_is_group(&p->destination))
		vip_heard(v, s, p, &a, mono_now()); /* else it is heard there */
}

/* What came to the link of a virtual MAC: other routers' packets come to their own. */
static void mac_packet_came(void *user, struct vip *v, const struct advert_packet *p)
{
	struct advert a;

	if (v->macvlan.is_up && wire_is_group(&p->destination) && packet_read(user, p, &a) &&
		roster_router(&((struct router *)user)->roster, v->segment,
			a.virtual_router_id) == v)
		vip_heard(v, v->segment, p, &a, mono_now());
}

static void link_came(void *user, const struct netlink_link *l, bool is_gone)
{
	struct router *r = user;

	for (size_t i = 0; i < r->roster.vips_count; i++)
		vip_link_seen(r->roster.vips[i], l, is_gone);
	r->condition.version++; /* a track may go by it */
	r->must_refresh = r->must_judge = r->must_watch_links = true;
}

static void address_came(void *user, const struct netlink_address *a, bool is_gone)
{
	struct router *r = user;

	if (!roster_is_virtual(&r->roster, &a->prefix.addr))
		r->must_refresh = true;
	for (size_t i = 0; i < r->roster.vips_count; i++)
		vip_address_seen(r->roster.vips[i], a, is_gone);
}

static void changes_lost(void *user)
{
	struct router *r = user;

	r->condition.version++;
	r->must_refresh = r->must_judge = true;
	for (size_t i = 0; i < r->roster.vips_count; i++)
		r->roster.vips[i]->must_look = true;
}

static void compose(void *user, struct peer_message *m)
{
	const struct router *r = user;

	m->generation = router_generation(r);
	m->condition = (struct peer_condition){
		.is_in_maintenance = condition_in_maintenance(&r->condition, r->node, wall_now()),
		.is_in_bypass = r->flaps_bypass.is_on,
		.is_forwarding = bypass_is_forwarding(r->bypass),
		.is_data_well = router_is_data_well(r),
		.connections = (uint32_t)r->condition.data_connections};
	for (size_t i = 0; i < r->roster.vips_count && m->vips_count < PEER_VIPS_MAX; i++)
		vip_tell(r->roster.vips[i], &m->vips[m->vips_count++]);
}

static void peer_changed(void *user, const char *node)
{
	struct router *r = user;

	(void)node;
	r->must_judge = true;
}

static void taker_asked(void *user, const char *node, const struct peer_message *m)
{
	struct router *r = user;
	struct vip *v = roster_vip(&r->roster, m->vip);

	if (v && !v->is_leaving)
		vip_asked(v, node, m, mono_now());
}

static void taker_answered(void *user, const char *node, const struct peer_message *m)
{
	struct router *r = user;
	struct vip *v = roster_vip(&r->roster, m->vip);

	if (v)
		vip_answered(v, node, m, mono_now());
}

static void vip_changed(void *user, struct vip *v)
{
	struct router *r = user;

	v->must_report = true;
	r->must_judge = true;
	r->must_settle |= v->has_left;
}

static bool vip_lost(void *user, struct vip *v, const struct flaps_loss *loss)
{
	return router_vip_lost(user, v, loss);
}

static bool is_virtual(void *user, const struct addr *a)
{
	const struct router *r = user;

	return roster_is_virtual(&r->roster, a);
}

/* ---- a turn ---- */

static void drain(struct router *r)
{
	for (size_t i = 0; i < r->roster.segments_count; i++)
		if (r->roster.segments[i]->wire)
			wire_drain(r->roster.segments[i]->wire);
	for (size_t i = 0; i < r->roster.vips_count; i++)
		if (r->roster.vips[i]->macvlan.wire)
			wire_drain(r->roster.vips[i]->macvlan.wire);
	heartbeat_drain(r->heartbeat);
	lifeline_drain(r->lifeline);
	netlink_drain(r->netlink);
}

static void vip_gone(void *user, const char *name)
{
	struct router *r = user;

	if (!r->roster.is_leaving) /* a successor tells on */
		past_note(r->past, name, NULL);
	r->handlers->vip(r->user, name, NULL);
}

static void settle(struct router *r, struct mono now)
{
	r->must_settle = false;
	if (roster_settle(&r->roster, vip_gone, r)) {
		router_judge_all(
			r, now); /* before the start: the machine begins with its true priority */
		r->must_refresh = true;
	}
}

/* Machines first: what they owe the segment is never late for what follows. */
static void turn(struct router *r)
{
	struct mono now = mono_now();

	for (size_t i = 0; i < r->roster.vips_count; i++)
		vip_tick(r->roster.vips[i], now);
	heartbeat_tick(r->heartbeat, now);
	router_feel_pulse(r, now);
	if (r->must_settle)
		settle(r, now);
	if (r->must_refresh) {
		r->must_refresh = false;
		roster_refresh(&r->roster, now);
	}
	if (r->must_sweep && r->roster.conf) {
		r->must_sweep = false;
		roster_sweep(&r->roster);
	}
	if (r->must_watch_links || mono_reached(r->links_at, now))
		router_watch_links(r, now);
	if (r->must_judge || mono_reached(r->bypass_at, now))
		router_tend_bypass(r, now);
	if (router_is_judgement_due(r, now))
		router_judge_all(r, now);
	router_fence_tend(r, now);
	router_report_vips(r);
	router_report_peers(r);
	if (r->roster.is_leaving && r->roster.vips_count == 0 && !r->has_told_left) {
		r->has_told_left = true;
		router_fence_clear(r);
		r->handlers->left(r->user);
	}
}

/* ---- time ---- */

static struct mono deadline(const struct router *r)
{
	struct mono t = mono_min(heartbeat_deadline(r->heartbeat), r->judge_at), now = mono_now();

	t = mono_min(t, mono_min(r->links_at, r->bypass_at));
	t = mono_min(t, fence_deadline(r->fence));
	if (r->must_refresh || r->must_judge || r->must_settle || r->must_watch_links)
		return (struct mono){0};
	for (size_t i = 0; i < r->roster.vips_count; i++) {
		const struct vip *v = r->roster.vips[i];

		if (v->must_report)
			return (struct mono){0};
		t = mono_min(t, vip_deadline(v));
		t = mono_min(
			t, lifeline_turning_point(r->lifeline, v->config->data_timeout_ms, now));
	}
	return mono_min(t, lifeline_deadline(r->lifeline));
}

/* Before the loop goes to sleep: wake at the next deadline. */
static void arm(uv_prepare_t *handle)
{
	struct router *r = handle->data;
	struct mono t = deadline(r);
	struct itimerspec at = {0};

	if (t.ns == r->armed.ns)
		return;
	if (t.ns <= 0)
		t.ns = 1; /* an absolute time long past: at once; 0 would disarm */
	if (!mono_is_never(t)) {
		at.it_value.tv_sec = t.ns / 1000000000;
		at.it_value.tv_nsec = t.ns % 1000000000;
	}
	if (timerfd_settime(r->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		abort(); /* a valid descriptor and time cannot be refused */
	r->armed = t;
}

static void woken(uv_poll_t *handle, int status, int events)
{
	struct router *r = handle->data;
	uint64_t expirations;

	(void)status;
	(void)events;
	if (read(r->timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
		abort();
	if (r->armed.ns > 1 && mono_since_ms(mono_now(), r->armed) > LATE_TURN_MS)
		r->counters.late_turns++;
	r->armed = MONO_NEVER;
	drain(r);
	turn(r);
}

static int timer_open(struct router *r, uv_loop_t *loop)
{
	int rc;

	r->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (r->timer_fd < 0)
		return -errno;
	rc = uv_poll_init(loop, &r->timer, r->timer_fd);
	if (rc < 0)
		return rc;
	r->timer.data = r->prepare.data = r;
	uv_poll_start(&r->timer, UV_READABLE, woken);
	uv_prepare_init(loop, &r->prepare);
	uv_prepare_start(&r->prepare, arm);
	r->handles = 2;
	return 0;
}

/* ---- life ---- */

static const struct netlink_handlers netlink_handlers = {link_came, address_came, changes_lost};
static const struct heartbeat_handlers heartbeat_handlers = {
	compose, peer_changed, taker_asked, taker_answered};

static void router_free(struct router *r)
{
	roster_fini(&r->roster);
	lifeline_close(r->lifeline);
	heartbeat_close(r->heartbeat);
	bypass_close(r->bypass);
	fence_free(r->fence);
	netlink_close(r->netlink);
	ownership_close(r->ownership);
	past_close(r->past);
	condition_fini(&r->condition);
	if (r->timer_fd >= 0)
		close(r->timer_fd);
	free(r);
}

static void uses_fill(struct router *r, uv_loop_t *loop)
{
	r->segment_uses = (struct segment_uses){.loop = loop,
		.netlink = r->netlink,
		.is_virtual = is_virtual,
		.receive = packet_came,
		.user = r};
	r->vip_uses = (struct vip_uses){.node = r->node,
		.netlink = r->netlink,
		.ownership = r->ownership,
		.heartbeat = r->heartbeat,
		.past = r->past,
		.loop = loop,
		.receive = mac_packet_came,
		.changed = vip_changed,
		.lost = vip_lost,
		.user = r};
	r->roster.segment_uses = &r->segment_uses;
	r->roster.vip_uses = &r->vip_uses;
}

/* Opens what VIPs work with: 0, or a negative errno after logging why. Takes keys. */
static int shells_open(
	struct router *r, uv_loop_t *loop, const struct nodefile *nodefile, struct seal_keys *keys)
{
	const char *run_dir = nodefile->run_dir;
	int rc = heartbeat_open(loop, r->node, keys, &heartbeat_handlers, r, &r->heartbeat);

	if (rc < 0) {
		log_error("the peer channel cannot be opened: %s", strerror(-rc));
		return rc;
	}
	rc = ownership_open(run_dir, &r->ownership);
	if (rc < 0) {
		log_error("%s/vrrpd.ownership: %s", run_dir,
			rc == -EBUSY ? "another ballast-vrrpd uses it" : strerror(-rc));
		return rc;
	}
	rc = netlink_open(loop, &netlink_handlers, r, &r->netlink);
	if (rc < 0) {
		log_error("no netlink socket: %s", strerror(-rc));
		return rc;
	}
	r->condition.netlink = r->netlink;
	r->fence = fence_new();
	if (!r->fence)
		return -ENOMEM;
	rc = bypass_open(loop, r->netlink, nodefile, &r->bypass);
	if (rc < 0)
		return rc;
	router_recall_bypass(r);
	rc = past_open(loop, run_dir, &r->past);
	if (rc == 0)
		rc = lifeline_open(loop, run_dir, &r->lifeline);
	if (rc == 0)
		rc = timer_open(r, loop);
	if (rc < 0)
		log_error("no timer: %s", strerror(-rc));
	return rc;
}

int router_open(uv_loop_t *loop, const struct nodefile *nodefile, struct seal_keys *keys,
	const struct router_handlers *handlers, void *user, struct router **ret)
{
	struct router *r = calloc(1, sizeof *r);
	int rc;

	if (!r || condition_init(&r->condition) < 0) {
		seal_keys_free(keys);
		free(r);
		return -ENOMEM;
	}
	snprintf(r->node, sizeof r->node, "%s", nodefile->node);
	snprintf(r->run_dir, sizeof r->run_dir, "%s", nodefile->run_dir);
	r->nodefile = nodefile;
	links_init(&r->links, &(struct links_config){0});
	r->links_at = r->bypass_at = r->drained_since = MONO_NEVER;
	r->handlers = handlers;
	r->user = user;
	r->timer_fd = -1;
	r->armed = r->judge_at = MONO_NEVER;
	r->must_sweep = true;
	rc = shells_open(r, loop, nodefile, keys);
	if (rc < 0) {
		router_free(r);
		return rc;
	}
	uses_fill(r, loop);
	*ret = r;
	return 0;
}

static void handle_closed(uv_handle_t *handle)
{
	struct router *r = handle->data;

	if (--r->handles == 0)
		router_free(r);
}

void router_keep(const struct router *r)
{
	int rc = ownership_keep(r->ownership, r->run_dir);

	if (rc < 0)
		log_error("%s/vrrpd.ownership: %s; the successor starts as Backup", r->run_dir,
			strerror(-rc));
}

void router_close(struct router *r)
{
	if (!r)
		return;
	uv_close((uv_handle_t *)&r->timer, handle_closed);
	uv_close((uv_handle_t *)&r->prepare, handle_closed);
}

/* ---- what is asked of it ---- */

uint64_t router_generation(const struct router *r)
{
	return r->roster.conf ? r->roster.conf->generation : 0;
}

struct condition *router_condition(struct router *r)
{
	return &r->condition;
}

void router_judge(struct router *r)
{
	r->must_judge = true;
}

int router_apply(struct router *r, struct conf *conf, char why[REPORT_TEXT_SIZE])
{
	struct mono now = mono_now();
	const struct conf_instance *self = conf_instance(conf, r->node);
	int rc;

	if (self && bypass_refuse(r->nodefile, &self->ha, why))
		return -EINVAL;
	rc = roster_apply(&r->roster, conf, now, why);

	if (rc < 0)
		return rc;
	router_fence_set(r, conf);
	rc = heartbeat_configure(r->heartbeat, conf, now);
	if (rc < 0)
		log_error("heartbeats: the port cannot be opened, peers count as unknown: %s",
			strerror(-rc));
	router_forget_peers(r, conf);
	r->must_settle = r->must_judge = r->must_watch_links = true;
	return 0;
}

void router_leave(struct router *r)
{
	roster_leave(&r->roster, mono_now());
	r->must_settle = true;
}
