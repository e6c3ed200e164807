/*
 * keeper: one timer each second and the store's announcements drive everything
 * here. At most one load, one heartbeat, one append and one listing of events
 * are under way at a time; what is asked for meanwhile is done once more
 * afterwards. keeper_events.c brings events to the store and back.
 */
#include "control/keeper_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"

struct store *keeper_store(struct keeper *k)
{
	return k->store;
}

void keeper_request_id(struct keeper *k, char id[KEEPER_REQUEST_SIZE])
{
	snprintf(id, KEEPER_REQUEST_SIZE, "%s-%" PRIu64, k->run_id, ++k->requests);
}

struct event_place keeper_place(const struct keeper *k)
{
	const struct picture *p = k->picture;
	const char *stack = p->serving ? p->serving->stack : NULL;

	/* The snapshot of a node that nothing is asked of belongs to no stack. */
	return (struct event_place){p->node, stack && picture_stack(p, stack) ? stack : NULL};
}

#define CLOCK_STEP_MS 1500 /* between two looks a second apart: more than drift or a stalled loop make */
#define CLOCK_TOLD_MS (10 * 60 * 1000)

struct store_call keeper_call(struct keeper *k, store_done *done)
{
	return (struct store_call){.deadline_ms = KEEPER_CALL_MS, .done = done, .user = k};
}

/* ---- what this node runs ---- */

/* What could not be written is this daemon's trouble, until it is. */
static void keep_last_good(struct keeper *k)
{
	const char *state_dir = k->nodefile->state_dir;
	char *trouble = k->picture->daemons[FLEET_CONTROL].trouble;
	int rc = lastgood_save(state_dir, "control", k->picture->serving);

	if (rc == 0) {
		trouble[0] = '\0';
		return;
	}
	if (!trouble[0])
		log_error("%s/control.snapshot cannot be written: %s; a start without the store "
			  "would serve an older generation",
			state_dir, strerror(-rc));
	snprintf(trouble, REPORT_TEXT_SIZE,
		"%.160s/control.snapshot cannot be written: %s; a start without the store would "
		"serve an older generation",
		state_dir, strerror(-rc));
}

static void settle(struct keeper *k)
{
	struct picture *p = k->picture;

	keeper_confirm(k);
	if (picture_settle(p, wall_now())) {
		log_info("stack=%s generation=%" PRIu64 " is to be run",
			p->serving->stack ? p->serving->stack : "", p->serving->generation);
		keep_last_good(k);
		k->wants_announce = true;
	}
	k->handlers.changed(k->user);
}

static void take_stacks(struct keeper *k, const struct store_answer *a)
{
	for (size_t i = 0; i < a->stacks_count; i++) {
		const struct store_stack *s = &a->stacks[i];
		struct picture_news news = {.name = s->name,
			.digest = s->digest,
			.who = s->who,
			.generation = s->generation,
			.created = s->created,
			.document = s->document,
			.confirm_within_ms = s->confirm_within_ms,
			.base_generation = s->base_generation,
			.base_document = s->base_document};

		if (picture_put_stack(k->picture, &news) < 0)
			log_error("generation %" PRIu64 " of stack %s cannot be read here, the one "
				  "before stays: %s",
				s->generation, s->name, picture_stack(k->picture, s->name)->reason);
	}
	k->picture->head = a->head;
	k->picture->revision = a->revision;
}

static void take_nodes(struct keeper *k, const struct store_answer *a)
{
	struct wall now = wall_now();

	for (size_t i = 0; i < a->nodes_count; i++) {
		const struct store_node *n = &a->nodes[i];
		struct fleet_report report;

		if (strcmp(n->name, k->picture->node) == 0)
			continue;
		if (fleet_report_decode(n->state, &report) < 0) {
			fleet_set_report(k->picture->fleet, n->name, n->age_ms, NULL, now);
			continue;
		}
		fleet_set_report(k->picture->fleet, n->name, n->age_ms, &report, now);
		fleet_report_fini(&report);
	}
	keeper_watch_nodes(k, a);
}

/* Nothing of ours measures by the wall clock; but texts follow it, and ends of overlays are named by
 * it. Before each look at what the store says of those. */
static void watch_clock(struct keeper *k)
{
	struct mono now = mono_now();
	int64_t ahead_ms = wall_now().ms - now.ns / 1000000, step_ms = ahead_ms - k->clock_ahead_ms;

	if (k->clock_ahead_ms && llabs(step_ms) >= CLOCK_STEP_MS) {
		log_warn("the clock of this node was set by %+.1f s: times in texts follow it, "
			 "nothing else does",
			(double)step_ms / 1000);
		k->picture->clock_step_ms = step_ms;
		k->clock_stepped = now;
		keeper_shift_overlays(k, step_ms);
	}
	if (mono_since_ms(now, k->clock_stepped) > CLOCK_TOLD_MS)
		k->picture->clock_step_ms = 0;
	k->clock_ahead_ms = ahead_ms;
}

static void beat(struct keeper *k, bool announce);

static void on_loaded(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	k->is_loading = false;
	if (a->outcome != STORE_OK) {
		k->wants_load = true; /* the next second tries again */
		return;
	}
	k->picture->is_loaded = true;
	take_stacks(k, a);
	watch_clock(k);
	keeper_take_overlays(k, a);
	settle(k);
	take_nodes(k, a);
	keeper_show_instances(k);
	if (k->wants_announce)
		keeper_announce(k);
	else
		beat(k, false);
	k->handlers.changed(k->user);
	keeper_replay(k);
	if (k->wants_ballot)
		keeper_ballot(k);
	if (k->wants_load)
		keeper_load(k);
}

void keeper_load(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_loaded);

	k->wants_load = k->is_loading;
	if (k->is_loading || k->is_closing)
		return;
	k->is_loading = true;
	store_load(k->store, &call);
}

/* ---- the other nodes ---- */

static void list_nodes(struct keeper *k);

static void on_nodes(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	k->is_listing = false;
	if (a->outcome == STORE_OK) {
		take_nodes(k, a);
		k->handlers.changed(k->user);
	}
	if (k->wants_nodes)
		list_nodes(k);
}

static void list_nodes(struct keeper *k)
{
	struct store_call call = keeper_call(k, on_nodes);

	k->wants_nodes = k->is_listing;
	if (k->is_listing || k->is_closing)
		return;
	k->is_listing = true;
	store_list_nodes(k->store, &call);
}

/* ---- heartbeat ---- */

/* The store tells nothing of the other nodes: what it told last grows old. */
static void lose_sight(struct keeper *k)
{
	uint64_t now = uv_now(k->loop);

	fleet_pass(k->picture->fleet, k->picture->node, (int64_t)(now - k->seen_ms), wall_now());
	k->seen_ms = now;
}

/* Our name is held by another live node: its control speaks for it, not ours. */
static void take_claim(struct keeper *k, const char *why)
{
	char *claim = k->picture->claim;

	if (why[0] && !claim[0])
		log_error("%s", why);
	snprintf(claim, sizeof k->picture->claim, "%s", why);
}

static void on_beaten(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	k->is_beating = false;
	if (a->outcome == STORE_OK) {
		k->seen_ms = uv_now(k->loop);
		watch_clock(k);
		keeper_take_overlays(k, a);
		take_nodes(k, a);
		keeper_show_instances(k);
	} else {
		lose_sight(k);
	}
	if (a->outcome == STORE_OK || a->outcome == STORE_CONFLICT)
		take_claim(k, a->why);
	k->handlers.changed(k->user);
	if (k->wants_announce)
		keeper_announce(k);
}

static void beat(struct keeper *k, bool announce)
{
	struct store_call call = keeper_call(k, on_beaten);
	struct fleet_report report;
	struct store_beat b = {k->picture->node, k->node_id, NULL, announce};
	json_t *state;

	if (picture_report(k->picture, wall_now(), &report) < 0)
		return;
	state = fleet_report_encode(&report);
	fleet_report_fini(&report);
	if (state && !k->is_beating && !k->is_closing) {
		b.state = state;
		k->is_beating = true;
		store_heartbeat(k->store, &b, &call);
	}
	json_decref(state);
}

void keeper_announce(struct keeper *k)
{
	k->wants_announce = k->is_beating;
	beat(k, true);
}

static void on_expired(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	for (size_t i = 0; a->outcome == STORE_OK && i < a->overlays_count; i++) {
		const struct store_overlay *o = &a->overlays[i];
		struct event_place place = {k->picture->node, o->stack};
		json_t *event = event_of_overlay(&place, o->key, o->value, NULL);

		if (event)
			json_object_set_new(event, "why", json_string("its time is over"));
		keeper_event(k, event);
	}
	if (a->outcome == STORE_OK && a->overlays_count > 0)
		keeper_load(k);
}

static void on_second(uv_timer_t *t)
{
	struct keeper *k = t->data;
	struct store_call call = keeper_call(k, on_expired);

	watch_clock(k);
	if (k->picture->daemons[FLEET_CONTROL].trouble[0] && k->picture->serving)
		keep_last_good(k);
	if (k->wants_load && !k->is_loading)
		keeper_load(k);
	if (k->wants_ballot)
		keeper_ballot(k);
	beat(k, k->wants_announce);
	if (!k->is_beating)
		k->wants_announce = false;
	if (k->has_expired_overlay && k->picture->store.is_connected) {
		k->has_expired_overlay = false;
		store_expire_overlays(k->store, &call);
	}
	keeper_expire_proposals(k);
	keeper_flush_events(k);
	keeper_replay(k);
	settle(k);
}

/* ---- the store's announcements ---- */

static void on_changed(void *user, const struct store_change *change)
{
	struct keeper *k = user;

	switch (change->what) {
	case STORE_CHANGE_ALL:
		keeper_load(k);
		keeper_fetch_events(k);
		keeper_ballot(k);
		break;
	case STORE_CHANGE_PROPOSAL:
		k->picture->proposal_news++;
		keeper_ballot(k);
		k->handlers.changed(k->user);
		break;
	case STORE_CHANGE_DOCUMENT:
	case STORE_CHANGE_OVERLAY:
		keeper_load(k);
		break;
	case STORE_CHANGE_NODE:
		list_nodes(k);
		break;
	case STORE_CHANGE_EVENT:
		keeper_fetch_events(k);
		break;
	}
}

static void on_status(void *user)
{
	struct keeper *k = user;
	const struct store_status *s = store_status(k->store);
	struct picture_store *show = &k->picture->store;
	struct event_place place = {k->picture->node, NULL};
	const char *before = show->state;

	show->kind = s->kind;
	show->state = store_state_name(s->state);
	show->is_connected = s->state == STORE_CONNECTED;
	show->is_synchronous = s->is_synchronous;
	memcpy(show->why, s->why, sizeof show->why);
	if (strcmp(before, show->state) != 0) {
		show->since = wall_now();
		log_info("store=%s state=%s why=\"%s\"", s->kind, show->state, s->why);
	}
	/* A start that finds its store is no event. */
	if (strcmp(before, "connecting") != 0 || !show->is_connected)
		keeper_event(k, event_make(&place, "store", s->kind, before, show->state, s->why));
	k->handlers.changed(k->user);
}

/* ---- opening and closing ---- */

static void print_hex(const unsigned char *bytes, size_t len, char *text)
{
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static int random_id(char *text, size_t bytes_count)
{
	unsigned char bytes[16];

	if (getrandom(bytes, bytes_count, 0) != (ssize_t)bytes_count)
		return -EIO;
	print_hex(bytes, bytes_count, text);
	return 0;
}

/* The random name behind our name (decision C6): made once, kept for ever. */
static int load_node_id(struct keeper *k)
{
	char path[4096];
	int fd, rc = 0;

	snprintf(path, sizeof path, "%s/node_id", k->nodefile->state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (read(fd, k->node_id, 32) != 32 || strspn(k->node_id, "0123456789abcdef") != 32) {
		rc = random_id(k->node_id, 16);
		if (rc == 0 && (pwrite(fd, k->node_id, 32, 0) != 32 || fsync(fd) < 0))
			rc = -EIO;
	}
	close(fd);
	return rc;
}

static void start_from_lastgood(struct keeper *k)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	int rc = lastgood_load(k->nodefile->state_dir, "control", &problems, &conf);

	if (rc == 0) {
		log_info("stack=%s generation=%" PRIu64 " is the last good one",
			conf->stack ? conf->stack : "", conf->generation);
		if (picture_start_from(k->picture, conf) == 0) {
			keeper_start_confirm(k);
			settle(k);
		}
		conf_unref(conf);
	} else if (rc != -ENOENT) {
		log_warn("the last good snapshot in %s cannot be read: %s", k->nodefile->state_dir,
			problems.count ? problems.items[0].what : strerror(-rc));
	}
	conf_problems_fini(&problems);
}

static int open_store(struct keeper *k)
{
	static const struct store_handlers handlers = {.changed = on_changed, .status = on_status};
	char why[256] = "";
	int rc = store_open(
		k->loop, k->nodefile->store, k->nodefile->state_dir, &handlers, k, &k->store, why);

	if (rc < 0)
		log_error("the store cannot be opened: %s", why[0] ? why : strerror(-rc));
	return rc;
}

int keeper_open(uv_loop_t *loop, const struct nodefile *nodefile, struct picture *picture,
	struct journal *journal, const struct keeper_handlers *handlers, void *user,
	struct keeper **ret)
{
	struct keeper *k = calloc(1, sizeof *k);
	int rc;

	if (!k)
		return -ENOMEM;
	k->loop = loop;
	k->nodefile = nodefile;
	k->picture = picture;
	k->journal = journal;
	k->handlers = *handlers;
	k->user = user;
	k->events = json_array();
	k->nodes = json_object();
	rc = load_node_id(k);
	if (rc == 0)
		rc = random_id(k->run_id, 8);
	if (rc < 0)
		log_error("%s/node_id: %s", nodefile->state_dir, strerror(-rc));
	else
		rc = open_store(k);
	if (rc < 0) {
		json_decref(k->events);
		json_decref(k->nodes);
		free(k);
		return rc;
	}
	*ret = k;
	keeper_read_boot(k->boot);
	keeper_start_local(k);
	start_from_lastgood(k);
	keeper_recall_overlays(k);
	k->seen_ms = uv_now(loop);
	uv_timer_init(loop, &k->second);
	k->second.data = k;
	uv_timer_start(&k->second, on_second, 100, 1000);
	on_status(k);
	keeper_load(k);
	keeper_fetch_events(k);
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct keeper *k = handle->data;

	if (k->closed)
		k->closed(k->closed_user);
	json_decref(k->events);
	json_decref(k->batch);
	json_decref(k->nodes);
	free(k);
}

static void on_store_closed(void *user)
{
	struct keeper *k = user;

	uv_close((uv_handle_t *)&k->second, on_timer_closed);
}

static void on_left(void *user, const struct store_answer *a)
{
	struct keeper *k = user;

	(void)a;
	store_close(k->store, on_store_closed, k);
}

void keeper_close(struct keeper *k, void (*closed)(void *user), void *user)
{
	struct store_call call = {.deadline_ms = 500, .done = on_left, .user = k};

	k->is_closing = true;
	k->closed = closed;
	k->closed_user = user;
	uv_timer_stop(&k->second);
	store_leave(k->store, k->picture->node, k->node_id, &call);
}
