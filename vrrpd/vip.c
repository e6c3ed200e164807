/* See vip.h. Carrying out comes first, telling of it after: nobody waits for a log line. */
#include "vrrpd/vip.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "vrrpd/lease.h"

/* ---- life ---- */

static struct vrrp_config vrrp_config_of(const struct vip *v)
{
	const struct identity *spoken = &v->identities.spoken;

	return (struct vrrp_config){.version = spoken->version,
		.interval_cs = advert_interval_cs(spoken->version, spoken->interval_ms),
		.preempt = v->config->preempt,
		.preempt_delay_ms = v->config->preempt_delay_ms,
		.primary = vip_source(v)};
}

/* A replaced process tells on where the one before it ended. */
static void recall(struct vip *v)
{
	v->has_recalled = past_recall(v->uses->past, v->config->name, &v->recalled) == 0;
	if (!v->has_recalled)
		return;
	memcpy(v->history, v->recalled.history, sizeof v->history);
	v->history_count = v->recalled.history_count;
	v->failure = v->recalled.failure;
}

/* Of the operator's moves a process that resumes knows what the one before it knew. */
static void recall_moves(struct vip *v)
{
	const struct ownership *o = v->uses->ownership;
	struct lease_record r;
	const char *why;

	role_init(&v->role);
	move_bar_init(&v->move_bar);
	if (ownership_read(o, v->key, &r) == 0 &&
		lease_judge(&r, ownership_boot_id(o), mono_now(), &why) == VRRP_START_RESUME)
		role_resume(&v->role, r.spent_move, r.agreed_move);
}

struct vip *vip_new(const struct vip_uses *uses, struct conf *conf, const struct conf_vip *config,
	struct segment *segment, const struct identity *spoken)
{
	struct vip *v = calloc(1, sizeof *v);
	struct vrrp_config vrrp_config;
	struct vrrp_wish wish = {.may_preempt = true, .may_hold = true};

	if (!v)
		return NULL;
	v->uses = uses;
	v->conf = conf_ref(conf);
	v->config = config;
	v->segment = segment;
	v->has_pseudo_header = true; /* what keepalived and FRR send, until we hear otherwise */
	v->look_at = v->judge_at = MONO_NEVER;
	v->must_report = true;
	v->since = wall_now();
	identities_init(&v->identities, spoken);
	vip_set_key(v);
	wish.priority = conf_vip_priority(conf, config, uses->node);
	v->is_data_well = true;
	recall(v);
	recall_moves(v);
	vrrp_config = vrrp_config_of(v);
	vrrp_init(&v->vrrp, &vrrp_config, &wish);
	return v;
}

void vip_free(struct vip *v)
{
	if (!v)
		return;
	macvlan_close(&v->macvlan);
	macvlan_close(&v->macvlan_before);
	inquiry_close(v->inquiry);
	conf_unref(v->conf);
	free(v);
}

/* ---- carrying out ---- */

static enum report_vip_state report_state(enum vrrp_state s)
{
	switch (s) {
	case VRRP_BACKUP:
		return REPORT_VIP_BACKUP;
	case VRRP_ACTIVE:
	case VRRP_HANDING_OVER:
	case VRRP_YIELDING:
		return REPORT_VIP_ACTIVE;
	case VRRP_INITIALIZE:
	case VRRP_STATES:
		break;
	}
	return REPORT_VIP_INITIALIZE;
}

enum report_vip_state vip_state(const struct vip *v)
{
	enum report_vip_state state = report_state(v->vrrp.state);

	return state == REPORT_VIP_BACKUP && v->is_in_bypass ? REPORT_VIP_BYPASS : state;
}

void vip_set_bypass(struct vip *v, bool is_on)
{
	v->must_report |= v->is_in_bypass != is_on;
	v->is_in_bypass = is_on;
}

static void tally(struct vip *v, const struct vrrp_transition *row)
{
	enum report_vip_state to = report_state(row->to);
	struct vip_tally *t = v->tallies, *end = t + v->tallies_count;

	while (t < end && (t->to != to || t->cause != row->cause))
		t++;
	if (t == end) {
		assert(v->tallies_count < VIP_TALLIES_MAX);
		*t = (struct vip_tally){.to = to, .cause = row->cause};
		v->tallies_count++;
	}
	t->count++;
}

static void history_add(
	struct vip *v, enum report_vip_state from, const struct vrrp_transition *row)
{
	struct report_vip_past *past = v->history;

	if (v->history_count < REPORT_HISTORY_MAX)
		v->history_count++;
	memmove(past + 1, past, (v->history_count - 1) * sizeof *past);
	*past = (struct report_vip_past){
		.time = wall_now(), .from = from, .to = report_state(row->to)};
	snprintf(past->why, sizeof past->why, "%s", row->why);
	if (past->to == REPORT_VIP_ACTIVE || from == REPORT_VIP_ACTIVE)
		measure_print(&v->measure, past->to == REPORT_VIP_ACTIVE, past->measured,
			sizeof past->measured);
	v->since = past->time;
}

static void note_loss(struct vip *v, const struct vrrp_transition *row)
{
	struct flaps_loss loss = {.row = row,
		.priority = v->vrrp.wish.priority,
		.base = conf_vip_priority(v->conf, v->config, v->uses->node),
		.is_planned = v->is_step_planned || v->judged.is_planned};

	if (v->uses->lost(v->uses->user, v, &loss))
		v->counters.flaps++;
}

static void remember(struct vip *v, const struct vrrp_transition *row)
{
	enum report_vip_state to = report_state(row->to),
			      from = v->has_recalled ? v->recalled.state : report_state(row->from);

	log_info("vip=%s %s -> %s why=\"%s\" priority=%d", v->config->name,
		vrrp_state_name(row->from), vrrp_state_name(row->to), row->why,
		v->vrrp.wish.priority);
	if (report_state(row->from) != to)
		tally(v, row);
	if (report_state(row->from) == REPORT_VIP_ACTIVE && to != REPORT_VIP_ACTIVE)
		note_loss(v, row);
	if (v->has_recalled && v->recalled.state == to)
		v->since = v->recalled.since;
	else if (from != to)
		history_add(v, from, row);
	v->has_recalled = false;
	if (to != REPORT_VIP_ACTIVE)
		v->failure.times = 0;
}

static void carry_out(struct vip *v, const struct vrrp_action *a, struct mono now)
{
	switch (a->kind) {
	case VRRP_ACQUIRE:
		vip_acquire(v, now);
		v->measure.addressed = mono_now();
		break;
	case VRRP_RELEASE:
		vip_release(v, now);
		v->measure.addressed = mono_now();
		break;
	case VRRP_ANNOUNCE:
		announce_begin(&v->announce, now);
		vip_announce(v, now);
		break;
	case VRRP_ADVERTISE:
		vip_advertise(v, a->priority);
		if (mono_is_never(v->measure.advertised))
			v->measure.advertised = mono_now();
		break;
	case VRRP_ASK:
		vip_ask_taker(v, a->is_leaving);
		break;
	case VRRP_ACCEPT:
		vip_answer_giver(v, true, NULL);
		break;
	case VRRP_REJECT:
		vip_answer_giver(v, false, a->text);
		break;
	case VRRP_LEFT:
		v->has_left = v->is_leaving;
		break;
	case VRRP_CHANGED:
	case VRRP_GAVE_UP:
		break;
	}
}

static void note_failure(struct vip *v, const struct report_vip_failure *f)
{
	if (!report_vip_failed(&v->failure, f))
		return;
	log_warn("vip=%s: handing over to %s failed: %s", v->config->name,
		f->to[0] ? f->to : "nobody", f->why);
	v->uses->changed(v->uses->user, v);
}

/* The hand-over under way, or just asked for, failed: once more, or another than before. */
static void note_given_up(struct vip *v, const char *why)
{
	struct report_vip_failure f = {.time = wall_now(), .move = {v->step_move}};

	snprintf(f.to, sizeof f.to, "%s", v->asked);
	snprintf(f.why, sizeof f.why, "%s%s%s", why, v->refusal[0] ? ": " : "", v->refusal);
	note_failure(v, &f);
}

static void note_barred(struct vip *v, const struct role_move *move, const char *why)
{
	struct report_vip_failure f = {
		.time = wall_now(), .move = {move->number}, .is_barred = true};

	snprintf(f.to, sizeof f.to, "%s", move->holder);
	snprintf(f.why, sizeof f.why, "%s", why);
	note_failure(v, &f);
}

static void tell_of(struct vip *v, const struct vrrp_action *a)
{
	if (a->kind == VRRP_CHANGED)
		remember(v, a->row);
	else if (a->kind == VRRP_GAVE_UP)
		note_given_up(v, a->text);
}

/* What may come of this event is measured from now on; the end of a hand-over from its begin. */
static void measure_begin(struct vip *v, const struct vrrp_event *ev, struct mono now)
{
	struct mono due = vrrp_deadline(&v->vrrp);

	if (v->vrrp.state == VRRP_HANDING_OVER || v->vrrp.state == VRRP_YIELDING)
		return;
	measure_init(&v->measure);
	v->measure.heard = v->vrrp.heard;
	v->measure.begun = ev->kind == VRRP_TIMER && mono_before(due, now) ? due : now;
}

static void step(struct vip *v, const struct vrrp_event *ev, struct mono now)
{
	struct addr active = v->vrrp.active;
	enum vrrp_state state = v->vrrp.state;
	bool is_backup = !vrrp_is_active(&v->vrrp);
	struct vrrp_todo todo;

	measure_begin(v, ev, now);
	vrrp_step(&v->vrrp, ev, now, &todo);
	for (size_t i = 0; i < todo.count; i++)
		carry_out(v, &todo.items[i], now);
	for (size_t i = 0; i < todo.count; i++)
		tell_of(v, &todo.items[i]);
	if (is_backup && vrrp_is_active(&v->vrrp))
		vip_ask_neighbours(v);
	if (v->vrrp.state != state || addr_family(&active) != addr_family(&v->vrrp.active) ||
		(addr_family(&active) && addr_compare_ip(&active, &v->vrrp.active) != 0))
		v->uses->changed(v->uses->user, v);
}

/* ---- events ---- */

/* How to begin, from the record that whoever ran before us left (decision V2). */
static enum vrrp_start start_kind(const struct vip *v, struct mono now)
{
	const struct ownership *o = v->uses->ownership;
	struct lease_record record;
	bool is_found = ownership_read(o, v->key, &record) == 0;
	const char *why = "";
	enum vrrp_start kind = lease_judge(
		is_found ? &record : NULL, ownership_boot_id(o), now, &why);

	log_info("vip=%s interface=%s: starting as %s why=\"%s\"", v->config->name,
		v->segment->interface, kind == VRRP_START_RESUME ? "active" : "backup", why);
	return kind;
}

static void start(struct vip *v, struct mono now)
{
	struct vrrp_event ev = {.kind = VRRP_START, .start = start_kind(v, now)};
	struct vrrp_event wait = {.kind = VRRP_WISH, .wish = v->vrrp.wish};

	if (ev.start == VRRP_START_FRESH || ev.start == VRRP_START_LATE)
		vip_probe_begin(v, now);
	if (v->inquiry && wait.wish.priority == VRRP_PRIORITY_OWNER) {
		wait.wish.may_hold = false; /* else it would be Active at once */
		step(v, &wait, now);
	}
	identities_start(&v->identities, ev.start == VRRP_START_RESUME);
	step(v, &ev, now);
	v->must_look = true;
}

void vip_set_machine(struct vip *v, struct mono now)
{
	struct vrrp_config config = vrrp_config_of(v);
	struct vrrp_event ev = {.kind = VRRP_CONFIG, .config = &config};

	step(v, &ev, now);
}

void vip_segment_changed(struct vip *v, struct mono now)
{
	struct vrrp_event halt = {.kind = VRRP_HALT, .has_taker = v->judged.taker != NULL};

	if (!v->segment->why[0])
		vip_mac_prepare(v);
	if (vip_obstacle(v)[0]) {
		if (v->vrrp.state != VRRP_INITIALIZE)
			step(v, &halt, now);
		v->uses->changed(v->uses->user, v);
		return;
	}
	vip_set_machine(v, now);
	if (v->vrrp.state == VRRP_INITIALIZE && !v->is_leaving)
		start(v, now);
	else if (vrrp_is_active(&v->vrrp))
		announce_begin(&v->announce, now); /* the MAC may be another one */
}

void vip_configure(struct vip *v, struct conf *conf, const struct conf_vip *config, struct mono now)
{
	bool is_same = vip_has_same_addresses(v->config, config),
	     is_other_mac = v->config->virtual_mac != config->virtual_mac;
	struct conf *before = v->conf;
	struct addr source;

	if (!is_same)
		vip_drop_old(v, config);
	v->conf = conf_ref(conf);
	v->config = config;
	conf_unref(before);
	v->tracks_count = 0; /* they name targets of the generation before */
	v->tracks_version = 0;
	source = vip_source(v); /* goes by our instance's address too */
	if (!v->is_changed && addr_is_same_ip(&source, &v->vrrp.config.primary))
		return;
	v->is_changed = false;
	vip_set_machine(v, now);
	if (is_other_mac)
		vip_mac_switch(v, now);
	if (is_same || !vrrp_holds(&v->vrrp, now))
		return;
	vip_acquire(v, now);
	if (!vrrp_is_active(&v->vrrp))
		return;
	announce_begin(&v->announce, now);
	vip_probe_begin(v, now);
}

static bool wish_is_same(const struct vrrp_wish *a, const struct vrrp_wish *b)
{
	return a->priority == b->priority && a->may_preempt == b->may_preempt &&
	       a->may_hold == b->may_hold && a->has_peer == b->has_peer;
}

void vip_prepare(const struct vip *v, struct role_input *in)
{
	in->node = v->uses->node;
	in->base = conf_vip_priority(v->conf, v->config, v->uses->node);
	in->when_all_down_release = v->config->when_all_down == CONF_WHEN_ALL_DOWN_RELEASE;
	in->startup_hold_ms = v->config->startup_hold_ms;
	in->tracks = v->tracks;
	in->tracks_count = v->tracks_count;
	in->state = v->vrrp.state;
	in->hears_active = v->vrrp.state == VRRP_BACKUP && addr_family(&v->vrrp.active);
}

void vip_judge(struct vip *v, const struct role_input *in, struct mono now)
{
	struct vrrp_event wish = {.kind = VRRP_WISH}, down = {.kind = VRRP_STEP_DOWN};
	const char *bar = move_bar(&v->move_bar, in, v->role.spent_move, now);
	bool had_peer = v->vrrp.wish.has_peer, is_same;

	if (bar)
		note_barred(v, &in->move, bar);
	role_judge(&v->role, in, now, &v->judged);
	v->judge_at = mono_min(role_deadline(&v->role), move_bar_deadline(&v->move_bar));
	/* The name is the peer list's, which a new generation replaces. */
	snprintf(v->taker, sizeof v->taker, "%s", v->judged.taker ? v->judged.taker : "");
	v->judged.taker = v->taker[0] ? v->taker : NULL;
	is_same = wish_is_same(&v->judged.wish, &v->vrrp.wish);
	if (!is_same) {
		wish.wish = v->judged.wish;
		step(v, &wish, now);
		v->uses->changed(v->uses->user, v);
	}
	if (had_peer != v->judged.wish.has_peer && vrrp_holds(&v->vrrp, now))
		vip_acquire(v, now); /* the kind of lease is another one now */
	if (!v->judged.should_step_down)
		return;
	down.has_taker = v->judged.taker != NULL;
	v->is_step_planned = v->judged.is_planned;
	v->step_move = in->move.holder && strcmp(in->move.holder, v->taker) == 0 ? in->move.number : 0;
	v->asked[0] = v->refusal[0] = '\0';
	step(v, &down, now);
}

void vip_leave(struct vip *v, struct mono now)
{
	struct vrrp_event ev = {.kind = VRRP_LEAVE, .has_taker = v->judged.taker != NULL};

	if (v->is_leaving)
		return;
	v->is_leaving = true;
	if (v->vrrp.state == VRRP_INITIALIZE) {
		vip_release(v, now);
		v->has_left = true;
		return;
	}
	step(v, &ev, now);
}

static void compare_addresses(struct vip *v, const struct advert *a)
{
	char source[ADDR_TEXT_SIZE];
	unsigned long held;

	if (!advert_addresses_differ(a, v->config->addresses, v->config->addresses_count))
		return;
	v->counters.addresses_differ++;
	if (log_limit_take(&v->differ_limit, 1, mono_now(), &held))
		log_warn("vip=%s: %s advertises other addresses under virtual router id %d: "
			 "compare both configurations (%lu more)",
			v->config->name, addr_print_ip(&a->source, source),
			a->virtual_router_id, held);
}

void vip_heard(struct vip *v, const struct segment *s, const struct advert_packet *p,
	const struct advert *a, struct mono now)
{
	struct identity seen = {.virtual_router_id = a->virtual_router_id,
		.family = s->family,
		.version = a->version,
		.is_unicast = !wire_is_group(&p->destination)};
	struct vrrp_event ev = {.kind = VRRP_HEARD,
		.source = p->source,
		.priority = a->priority,
		.interval_cs = a->interval_cs};
	const struct identity *i;
	enum advert_refusal refusal;

	memcpy(seen.interface, s->interface, sizeof seen.interface);
	i = identities_find(&v->identities, &seen);
	if (!i || vip_is_stranger(v, i, p)) {
		v->counters.dropped_stranger++;
		return;
	}
	refusal = advert_judge(a, &(struct advert_expected){.version = i->version,
					  .virtual_router_id = (uint8_t)i->virtual_router_id,
					  .interval_cs = advert_interval_cs(
						  i->version, i->interval_ms),
					  .source = vip_source(v)});
	if (refusal != ADVERT_OK) {
		v->counters.dropped[refusal]++;
		return;
	}
	identities_heard(&v->identities, i, a->priority, now);
	v->counters.adverts_received++;
	v->counters.farewells_received += a->priority == VRRP_PRIORITY_LEAVE;
	v->has_pseudo_header = a->has_pseudo_header;
	compare_addresses(v, a);
	step(v, &ev, now);
}

void vip_asked(struct vip *v, const char *node, const struct peer_message *m, struct mono now)
{
	struct vrrp_event ev = {
		.kind = VRRP_TAKE,
		.source = m->source,
		.is_leaving = m->is_leaving,
		.age_ns = heartbeat_age_ns(v->uses->heartbeat, node, m, now)};

	log_info("vip=%s: %s asks us to take it over", v->config->name, node);
	v->asked_number = m->number;
	snprintf(v->take_from, sizeof v->take_from, "%s", node);
	step(v, &ev, now);
	v->take_from[0] = '\0';
}

void vip_answered(struct vip *v, const char *node, const struct peer_message *m, struct mono now)
{
	struct vrrp_event ev = {.kind = m->is_taken ? VRRP_ACCEPTED : VRRP_REFUSED};

	if (m->number != v->take_number)
		return;
	if (!m->is_taken)
		log_info("vip=%s: %s does not take it over: %s", v->config->name, node, m->why);
	snprintf(v->refusal, sizeof v->refusal, "%s", m->is_taken ? "" : m->why);
	step(v, &ev, now);
}

/*
 * A renewal may have to wait for the kernel's one lock of links and addresses, which others hold long
 * at times. Right after an advertisement there is most time for that: so rather early than late.
 */
static bool is_look_due(const struct vip *v, struct mono now)
{
	bool has_spoken = vrrp_is_active(&v->vrrp) && v->vrrp.sent.ns == now.ns;
	struct mono until = has_spoken ? mono_add_ns(now, vrrp_interval_ns(&v->vrrp)) : now;

	return v->must_look || mono_reached(v->look_at, until);
}

void vip_tick(struct vip *v, struct mono now)
{
	struct vrrp_event timer = {.kind = VRRP_TIMER};

	if (mono_reached(vrrp_deadline(&v->vrrp), now))
		step(v, &timer, now);
	vip_announce(v, now);
	if (v->mac_why[0] && mono_reached(v->look_at, now))
		vip_segment_changed(v, now);
	vip_probe_tick(v, now);
	if (is_look_due(v, now))
		vip_look(v, now);
}

struct mono vip_deadline(const struct vip *v)
{
	struct mono t = mono_min(vrrp_deadline(&v->vrrp), announce_deadline(&v->announce));

	t = mono_min(t, probe_deadline(&v->probe));

	if (v->must_look)
		return (struct mono){0};
	return mono_min(t, mono_min(v->look_at, v->judge_at));
}
