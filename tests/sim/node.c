/*
 * The machine and the process around the cores: what router, wire, heartbeat and
 * netlink do, in virtual time.
 */
#include "tests/sim/node.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/node_identity.h"
#include "tests/sim/node_role.h"
#include "tests/sim/node_speech.h"
#include "vrrpd/advert.h"

#define MS 1000000LL
#define INTERFACE 2

struct mono node_local(const struct node *n, int64_t now_ns)
{
	int64_t up_ns = now_ns - n->booted_ns;

	return (struct mono){1 + up_ns + up_ns / 1000000 * n->ppm};
}

/* The first moment at which the node's clock has reached t. */
static int64_t outside(const struct node *n, struct mono t)
{
	if (mono_is_never(t))
		return INT64_MAX;
	return n->booted_ns + (int64_t)((__int128)t.ns * 1000000 / (1000000 + n->ppm)) + 1000;
}

static void print_boot(const struct node *n, char text[LEASE_BOOT_ID_SIZE])
{
	snprintf(text, LEASE_BOOT_ID_SIZE, "%s-%d", n->name, n->boots);
}

bool node_is_live(const struct node *n)
{
	return n->is_booted && n->is_running && !n->is_paused;
}

struct node *node_first(struct node *n)
{
	return n->segment == NETWORK_SEGMENT ? n : n->twin;
}

const char *node_vip(const struct node *n)
{
	return n->segment == NETWORK_SEGMENT ? "web" : "second";
}

static void beat_now(struct node *n, int64_t now_ns)
{
	struct node *first = node_first(n);

	first->heartbeat_at = node_local(n, now_ns);
	if (first != n)
		first->wake_ns = now_ns;
}

/* ---- the kernel ---- */

static void reconcile(struct node *n, int64_t now_ns)
{
	struct mono now = node_local(n, now_ns);
	const struct lease_wish wish = {
		.interface = INTERFACE,
		.address = node_virtual_address(),
		.is_held = vrrp_holds(&n->vrrp, now),
		.valid_s = lease_valid_s(vrrp_lease_ns(&n->vrrp), n->vrrp.wish.has_peer),
	};
	const struct lease_seen seen = {INTERFACE, node_virtual_address(), n->kernel.valid_s, n->kernel.told};
	bool had_address = n->kernel.has_address;
	struct lease_change change;

	n->renew_at = mono_add_ms(now, LEASE_RENEW_MS);
	if (lease_reconcile(&wish, 1, &seen, n->kernel.has_address, now, &change, 1))
		kernel_apply(&n->kernel, &change, now, now_ns);
	if (n->kernel.has_address != had_address)
		trace_say(n->trace, n->name, "address %s", had_address ? "deleted" : "added");
	assert(n->kernel.has_address == wish.is_held);
}

void node_expire(struct node *n, int64_t now_ns)
{
	if (!kernel_expire(&n->kernel, now_ns))
		return;
	trace_say(n->trace, n->name, "address expired");
	n->renew_at = node_local(n, now_ns);
	if (node_is_live(n))
		n->wake_ns = now_ns;
}

void node_lose_address(struct node *n, int64_t now_ns)
{
	if (n->kernel.has_address)
		n->kernel.expires_ns = now_ns;
	node_expire(n, now_ns);
}

/* ---- carrying out ---- */

/* How long it could listen since a pause in which it must have missed something. */
static int64_t awake_ns(const struct node *n, struct mono now)
{
	int64_t pause_ns = mono_since_ns(n->resumed_at, n->paused_at);

	if (n->pauses != 1 ||
		pause_ns <= scene_active_down_ns(n->scene) + scene_interval_ns(n->scene))
		return -1;
	return mono_since_ns(now, n->resumed_at);
}

static void note_transition(struct node *n, const struct vrrp_transition *row, int64_t now_ns)
{
	struct mono now = node_local(n, now_ns);

	assert(n->happened_count < NODE_HAPPENED_MAX);
	n->happened[n->happened_count++] = (struct node_happened){
		.row = row,
		.silence_ns = mono_since_ns(now, n->not_below_at),
		.full_silence_ns = mono_since_ns(now, n->heard_at),
		.not_below_interval_cs = n->not_below_interval_cs,
		.heard_interval_cs = n->heard_interval_cs,
		.priority = n->vrrp.wish.priority,
		.heard_priority = n->heard_priority,
		.heard_is_above = n->heard_is_above,
		.awake_ns = awake_ns(n, now),
		.away_ns = mono_since_ns(now, (struct mono){n->record.sent_ns}),
	};
	n->not_below_at = n->heard_at = now;
	n->not_below_interval_cs = n->heard_interval_cs = n->vrrp.config.interval_cs;
	beat_now(n, now_ns);
	trace_say(n->trace, n->name, "%s -> %s  (%s; priority %d)", vrrp_state_name(row->from),
		vrrp_state_name(row->to), row->why, n->vrrp.wish.priority);
}

static void write_record(struct node *n, int64_t now_ns)
{
	int64_t silence_ns = mono_since_ns(node_local(n, now_ns), (struct mono){n->record.sent_ns});

	if (n->record.is_active && n->record.had_peer && n->vrrp.wish.has_peer &&
		silence_ns > n->silence_ns)
		n->silence_ns = silence_ns;
	memset(&n->record, 0, sizeof n->record);
	n->record.is_active = 1;
	n->record.had_peer = n->vrrp.wish.has_peer;
	n->record.sent_ns = node_local(n, now_ns).ns;
	n->record.spent_move = n->role.spent_move;
	n->record.agreed_move = n->role.agreed_move;
	n->record.patience_ns = vrrp_patience_ns(&n->vrrp);
	print_boot(n, n->record.boot_id);
	lease_record_seal(&n->record);
}

static void carry_out_one(struct node *n, const struct vrrp_action *a, int64_t now_ns)
{
	switch (a->kind) {
	case VRRP_CHANGED:
		note_transition(n, a->row, now_ns);
		break;
	case VRRP_RELEASE:
		n->record.is_active = 0;
		lease_record_seal(&n->record);
		reconcile(n, now_ns);
		break;
	case VRRP_ACQUIRE:
		reconcile(n, now_ns);
		break;
	case VRRP_ANNOUNCE:
		network_announce(n->network, n->segment, n->index);
		break;
	case VRRP_ADVERTISE:
		node_send_advertisement(n, a->priority, now_ns);
		if (vrrp_is_active(&n->vrrp))
			write_record(n, now_ns);
		break;
	case VRRP_ASK:
		node_send_take(n, a->is_leaving, now_ns);
		break;
	case VRRP_ACCEPT:
		node_send_taken(n, NULL, now_ns);
		break;
	case VRRP_REJECT:
		node_send_taken(n, a->text, now_ns);
		break;
	case VRRP_GAVE_UP:
		trace_say(n->trace, n->name, "gives up the hand-over: %s", a->text);
		break;
	case VRRP_LEFT:
		if (n->is_halting && !n->is_leaving)
			break;
		n->has_left = true;
		if (n->twin && !n->twin->has_left)
			break;
		n->is_running = false;
		if (n->twin)
			n->twin->is_running = false;
		trace_say(n->trace, n->name, "process left");
		break;
	}
}

static void step(struct node *n, const struct vrrp_event *ev, int64_t now_ns)
{
	struct vrrp_todo todo;

	vrrp_step(&n->vrrp, ev, node_local(n, now_ns), &todo);
	vrrp_check(&n->vrrp);
	for (size_t i = 0; i < todo.count; i++)
		carry_out_one(n, &todo.items[i], now_ns);
	for (size_t i = 0; i < todo.count; i++)
		if (todo.items[i].kind == VRRP_CHANGED)
			node_role_moved(n, todo.items[i].row, node_local(n, now_ns));
}

/* ---- the role ---- */

/* It is another virtual router now: an Active tells so at once. */
static void speak_anew(struct node *n, int64_t now_ns)
{
	const struct vrrp_config config = n->vrrp.config;
	const struct vrrp_event ev = {.kind = VRRP_CONFIG, .config = &config};

	step(n, &ev, now_ns);
}

static void apply_role(struct node *n, int64_t now_ns)
{
	bool was_fit = n->result.is_fit;
	struct vrrp_event ev = {.kind = VRRP_WISH};
	struct vrrp_wish *w = &ev.wish;

	node_role_judge(n, node_local(n, now_ns));
	*w = n->result.wish;
	if (w->priority != n->vrrp.wish.priority || w->may_preempt != n->vrrp.wish.may_preempt ||
		w->may_hold != n->vrrp.wish.may_hold || w->has_peer != n->vrrp.wish.has_peer) {
		trace_say(n->trace, n->name, "wishes: %s%s", n->result.why, w->has_peer ? "; has a live peer" : "");
		step(n, &ev, now_ns);
		reconcile(n, now_ns);
	}
	if (was_fit != n->result.is_fit)
		beat_now(n, now_ns);
	if (n->result.should_step_down) {
		ev = (struct vrrp_event){.kind = VRRP_STEP_DOWN, .has_taker = true};
		step(n, &ev, now_ns);
	}
}

/* ---- what is heard ---- */

static void hear_advertisement(struct node *n, const struct packet *p, int64_t now_ns)
{
	static struct advert a;
	struct advert_expected expected = {.version = n->vrrp.config.version,
		.interval_cs = n->vrrp.config.interval_cs,
		.source = node_address(n->index)};
	const struct advert_packet packet = {
		p->data, p->len, node_address(p->from), node_address(200), ADVERT_TTL};
	struct vrrp_event ev = {.kind = VRRP_HEARD};

	assert(advert_decode(&packet, &a) == ADVERT_OK);
	expected.virtual_router_id = a.virtual_router_id;
	assert(advert_judge(&a, &expected) == ADVERT_OK);
	if (!node_identity_hears(n, &a, node_local(n, now_ns)))
		return;
	ev.source = a.source;
	ev.priority = a.priority;
	ev.interval_cs = a.interval_cs;
	n->heard_priority = a.priority;
	n->heard_is_above = p->from > n->index;
	step(n, &ev, now_ns);
	n->pauses = 0;
	/* A farewell claims nothing; of a stranger it means nothing, and of the Active it begins Active-down. */
	if (a.priority == VRRP_PRIORITY_LEAVE) {
		if (n->vrrp.is_skew_only && addr_is_same_ip(&n->vrrp.active, &a.source) && a.version == 3)
			n->not_below_interval_cs = n->heard_interval_cs = a.interval_cs;
		return;
	}
	/* After the step: it may have begun a new state, and counts for that one. */
	n->heard_at = node_local(n, now_ns);
	n->heard_interval_cs = a.interval_cs;
	if (a.priority >= n->vrrp.wish.priority) {
		n->not_below_at = n->heard_at;
		n->not_below_interval_cs = a.interval_cs;
	}
}

static void act_on_message(
	struct node *n, const struct packet *p, const struct peer_message *m, int64_t now_ns)
{
	struct vrrp_event ev = {.kind = VRRP_TAKE,
		.source = m->source,
		.is_leaving = m->is_leaving,
		.age_ns = peer_age_ns(&n->peers[p->from], m, node_local(n, now_ns))};

	if (n->twin && strcmp(m->vip, node_vip(n)) != 0) {
		n = n->twin;
		n->wake_ns = now_ns;
	}
	if (m->kind == PEER_TAKE) {
		n->asker = p->from;
		n->asker_number = m->number;
		step(n, &ev, now_ns);
	} else if (m->kind == PEER_TAKEN && m->number == n->take_number) {
		ev.kind = m->is_taken ? VRRP_ACCEPTED : VRRP_REFUSED;
		step(n, &ev, now_ns);
	}
}

static void hear_message(struct node *n, const struct packet *p, int64_t now_ns)
{
	static struct peer_message m;
	struct peer *peer = &n->peers[p->from];
	uint64_t head[2];

	memcpy(head, p->data, FRAME_HEAD);
	assert(peer_decode(p->data + FRAME_HEAD, p->len - FRAME_HEAD, &m) == 0);
	switch (peer_heard(peer, head[0], head[1], &m, node_local(n, now_ns))) {
	case PEER_FRESH:
		act_on_message(n, p, &m, now_ns);
		break;
	case PEER_UNPROVEN:
		n->heartbeat_at = node_local(n, now_ns);
		break;
	case PEER_REPLAYED:
	case PEER_VERDICTS:
		break;
	}
	peer_check(peer);
}

void node_deliver(struct node *n, const struct packet *p, int64_t now_ns)
{
	if (!n->is_booted || !n->is_running || n->inbox_count == NODE_INBOX_MAX)
		return;
	if (p->path != NETWORK_CHANNEL && !n->is_linked)
		return;
	n->inbox[n->inbox_count++] = *p;
	if (!n->is_paused)
		n->wake_ns = now_ns;
}

/* ---- the loop ---- */

static void drain(struct node *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->inbox_count && n->is_running; i++) {
		if (n->inbox[i].path != NETWORK_CHANNEL)
			hear_advertisement(n, &n->inbox[i], now_ns);
		else
			hear_message(n, &n->inbox[i], now_ns);
	}
	n->inbox_count = 0;
}

static bool has_channel(struct node *n)
{
	return n->scene->has_channel && node_first(n) == n;
}

static void fire_timers(struct node *n, int64_t now_ns)
{
	const struct vrrp_event timer = {.kind = VRRP_TIMER};
	struct mono now = node_local(n, now_ns);

	if (mono_reached(vrrp_deadline(&n->vrrp), now))
		step(n, &timer, now_ns);
	for (size_t i = 0; has_channel(n) && i < n->scene->nodes; i++)
		if (i != n->index && peer_tick(&n->peers[i], now))
			trace_say(n->trace, n->name, "peer lb-%c %s: %s", 'a' + (int)i,
				peer_state_name(n->peers[i].state), n->peers[i].why);
	if (n->is_running && node_identity_tend(n, now))
		speak_anew(n, now_ns);
	if (n->is_running)
		apply_role(n, now_ns);
	if (node_first(n) == n && mono_reached(n->heartbeat_at, now) && n->is_running)
		node_send_heartbeats(n, now_ns);
	if (mono_reached(n->renew_at, now) && n->is_running)
		reconcile(n, now_ns);
}

void node_turn(struct node *n, int64_t now_ns)
{
	struct mono next;

	n->wake_ns = INT64_MAX;
	if (!node_is_live(n))
		return;
	drain(n, now_ns);
	if (n->is_running)
		fire_timers(n, now_ns);
	if (!n->is_running)
		return;
	next = mono_min(vrrp_deadline(&n->vrrp), role_deadline(&n->role));
	next = mono_min(next, n->renew_at);
	if (node_first(n) == n)
		next = mono_min(next, mono_min(n->heartbeat_at, links_deadline(&n->links)));
	for (size_t i = 0; has_channel(n) && i < n->scene->nodes; i++)
		if (i != n->index)
			next = mono_min(next, peer_deadline(&n->peers[i]));
	n->wake_ns = outside(n, next) + (int64_t)rand_below(n->rand, 300000);
	if (n->wake_ns <= now_ns)
		n->wake_ns = now_ns + 1000;
}

/* ---- lives and deaths ---- */

/* The twin of a first one: what befalls machine and process befalls both. */
static struct node *second(struct node *n)
{
	return n->segment == NETWORK_SEGMENT ? n->twin : NULL;
}

void node_init(struct node *n, size_t index, const struct scene *scene)
{
	*n = (struct node){.index = index,
		.scene = scene,
		.is_data_well = true,
		.is_linked = true,
		.pairs_active = NODE_PAIRS,
		.generation = 1,
		.is_track_well = {true, true},
		.has_traffic = true};
	n->wake_ns = INT64_MAX;
	kernel_init(&n->kernel);
	snprintf(n->name, sizeof n->name, "lb-%c", 'a' + (int)index);
}

void node_boot(struct node *n, int64_t now_ns)
{
	if (n->is_booted)
		return;
	n->is_booted = true;
	n->boots++;
	n->booted_ns = now_ns - (int64_t)rand_below(n->rand, 5000 * MS);
	n->ppm = (int)rand_below(n->rand, 401) - 200;
	trace_say(n->trace, n->name, "machine booted");
	if (!second(n))
		return;
	n->twin->is_booted = true;
	n->twin->boots = n->boots;
	n->twin->booted_ns = n->booted_ns;
	n->twin->ppm = n->ppm;
}

void node_crash(struct node *n)
{
	node_kill(n);
	n->is_booted = false;
	kernel_init(&n->kernel);
	memset(&n->record, 0, sizeof n->record);
	n->spoken_id = 0;
	trace_say(n->trace, n->name, "machine crashed");
	if (second(n))
		node_crash(second(n));
}

static void init_process(struct node *n, struct mono now)
{
	const struct scene *s = n->scene;
	const struct peer_config peers = {s->check_interval_ms, 3, 3};
	const struct vrrp_config config = {s->version, s->interval_cs[n->index],
		s->preempt[n->index], s->preempt_delay_ms, node_address(n->index)};

	n->session = rand_next(n->rand) | 1;
	n->counter = 0;
	n->pauses = 0;
	n->inbox_count = 0;
	for (size_t i = 0; i < s->nodes; i++)
		peer_init(&n->peers[i], &peers, n->session, now);
	node_identity_init(n, now);
	node_role_init(n);
	n->vrrp.state = VRRP_INITIALIZE;
	node_role_judge(n, now);
	vrrp_init(&n->vrrp, &config, &n->result.wish);
	n->heartbeat_at = n->renew_at = now;
}

static enum vrrp_start start_kind(const struct node *n, struct mono now, const char **ret_why)
{
	char boot_id[LEASE_BOOT_ID_SIZE];

	print_boot(n, boot_id);
	return lease_judge(&n->record, boot_id, now, ret_why);
}

/* The process is there, and knows what the one before it left. */
static void begin(struct node *n, int64_t now_ns)
{
	struct mono now = node_local(n, now_ns);
	const char *why;
	enum vrrp_start kind = start_kind(n, now, &why);

	n->is_running = true;
	n->is_paused = n->is_leaving = n->has_left = false;
	init_process(n, now);
	trace_say(n->trace, n->name, "process starts: %s", why);
	if (kind == VRRP_START_RESUME)
		role_resume(&n->role, n->record.spent_move, n->record.agreed_move);
}

/* The machine begins, with its true priority. */
static void start_machine(struct node *n, int64_t now_ns)
{
	struct mono now = node_local(n, now_ns);
	const char *why;
	const struct vrrp_event ev = {.kind = VRRP_START, .start = start_kind(n, now, &why)};

	node_role_judge(n, now);
	n->vrrp.wish = n->result.wish;
	identities_start(&n->identities, ev.start == VRRP_START_RESUME);
	if (n->is_linked)
		step(n, &ev, now_ns);
	n->wake_ns = now_ns + 1000;
}

void node_start(struct node *n, int64_t now_ns)
{
	if (!n->is_booted || n->is_running)
		return;
	begin(n, now_ns);
	if (second(n))
		begin(second(n), now_ns);
	start_machine(n, now_ns);
	if (second(n))
		start_machine(second(n), now_ns);
}

void node_link(struct node *n, bool is_up, int64_t now_ns)
{
	struct vrrp_event ev = {.kind = is_up ? VRRP_START : VRRP_HALT};

	if (n->is_linked == is_up || !node_is_live(n) || (is_up && n->is_leaving))
		return;
	n->is_linked = is_up;
	trace_say(n->trace, n->name, "link is %s", is_up ? "up" : "down");
	node_role_judge(n, node_local(n, now_ns));
	ev.has_taker = n->result.taker != NULL;
	n->is_halting = true;
	if (is_up)
		identities_start(&n->identities, false);
	step(n, &ev, now_ns);
	n->is_halting = false;
	n->wake_ns = now_ns;
}

void node_kill(struct node *n)
{
	if (n->is_running)
		trace_say(n->trace, n->name, "process killed");
	n->is_running = n->is_paused = false;
	n->inbox_count = 0;
	n->wake_ns = INT64_MAX;
	if (second(n))
		node_kill(second(n));
}

void node_pause(struct node *n, int64_t now_ns)
{
	if (!node_is_live(n))
		return;
	n->paused_at = node_local(n, now_ns);
	n->pauses++;
	n->is_paused = true;
	n->wake_ns = INT64_MAX;
	trace_say(n->trace, n->name, "process paused");
	if (second(n))
		node_pause(second(n), now_ns);
}

void node_resume(struct node *n, int64_t now_ns)
{
	if (!n->is_paused)
		return;
	n->is_paused = false;
	n->wake_ns = now_ns;
	n->resumed_at = node_local(n, now_ns);
	trace_say(n->trace, n->name, "process goes on");
	if (second(n))
		node_resume(second(n), now_ns);
}

void node_leave(struct node *n, int64_t now_ns)
{
	struct vrrp_event ev = {.kind = VRRP_LEAVE};

	if (!node_is_live(n))
		return;
	trace_say(n->trace, n->name, "asked to leave");
	n->is_leaving = true;
	node_role_judge(n, node_local(n, now_ns));
	ev.has_taker = n->result.taker != NULL;
	step(n, &ev, now_ns);
	n->wake_ns = now_ns;
	if (second(n))
		node_leave(second(n), now_ns);
}
