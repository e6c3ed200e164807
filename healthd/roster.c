/* See roster.h. */
#include "healthd/roster.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/list.h"
#include "common/log.h"
#include "common/now.h"
#include "healthd/muster.h"

#define ROSTER_PULSE_MS 100 /* by which lateness of our own loop is noticed */
#define ROSTER_LATE_MS 100

struct roster {
	uv_loop_t *loop;
	struct bus_table *table;
	struct resolver resolver;
	struct schedule schedule;
	struct rand_state rand;
	struct muster targets; /* sorted by key */
	size_t under_way;
	uv_timer_t timer, pulse;
	struct mono pulsed;
	bool has_changed;
	unsigned open_handles;
	struct roster_counters counters;
};

static void roster_pump(struct roster *r);

uv_loop_t *roster_loop(struct roster *r)
{
	return r->loop;
}

struct resolver *roster_resolver(struct roster *r)
{
	return &r->resolver;
}

size_t roster_count(const struct roster *r)
{
	return r->targets.count;
}

size_t roster_under_way(const struct roster *r)
{
	return r->under_way;
}

const struct roster_counters *roster_counters(const struct roster *r)
{
	return &r->counters;
}

bool roster_take_changed(struct roster *r)
{
	bool changed = r->has_changed;

	r->has_changed = false;
	return changed;
}

void roster_publish(struct roster *r, struct target *t)
{
	t->published = mono_now();
	bus_table_set(r->table, t->key, verdict_row_encode(&t->verdict.row));
}

void roster_probe_ended(struct roster *r, struct target *t)
{
	assert(t->probe && r->under_way);
	t->probe = NULL;
	r->under_way--;
}

static void roster_schedule(struct roster *r, struct target *t, struct mono due)
{
	schedule_remove(&r->schedule, &t->entry);
	if (schedule_add(&r->schedule, &t->entry, due))
		log_error("target=%s is not checked: out of memory", t->key);
}

/* Everything that others may wait for is told at once; an unchanged result only now and then. */
static bool roster_is_worth_telling(const struct target *t, unsigned streak_before,
	const struct verdict_step *step, struct mono now)
{
	return step || t->verdict.streak < streak_before || !streak_before ||
	       mono_reached(mono_add_ms(t->published, ROSTER_REFRESH_MS), now);
}

static void roster_take_result(
	struct roster *r, struct target *t, enum verdict_result result, const char *text)
{
	struct verdict_rule rule = {(unsigned)t->check->rise, (unsigned)t->check->fall};
	enum verdict_state before = t->verdict.row.state;
	unsigned streak = t->verdict.streak;
	const struct verdict_step *step = verdict_take(
		&t->verdict, &rule, result, text, wall_now());

	r->counters.checks++;
	*(result == VERDICT_FAILED ? &r->counters.failed : &r->counters.passed) += 1;
	if (step) {
		r->counters.transitions++;
		r->has_changed = true;
		log_info("target=%s %s -> %s why=%s", t->key, verdict_state_name(before),
			verdict_state_name(step->to), LOG_Q(t->verdict.row.reason));
	}
	if (roster_is_worth_telling(t, streak, step, mono_now()))
		roster_publish(r, t);
}

/*
 * Notices that our own loop was late. Called by the pulse, and before a time-out
 * is believed: after a stall both are due, in any order.
 */
static void roster_notice_lateness(struct roster *r)
{
	struct mono now = mono_now();
	bool is_late = mono_reached(mono_add_ms(r->pulsed, ROSTER_PULSE_MS + ROSTER_LATE_MS), now);

	r->pulsed = now;
	for (size_t i = 0; is_late && i < r->targets.count; i++)
		r->targets.items[i]->is_excused = true;
}

void roster_take_finding(
	struct roster *r, struct target *t, const struct probe_finding *finding, const char *why)
{
	struct mono now = mono_now();

	if (finding->is_timeout)
		roster_notice_lateness(r);
	/* Decision H3: what failed while our own loop was late is asked again, and counts for
	 * nothing. */
	if (finding->is_timeout && t->is_excused) {
		r->counters.excused++;
		roster_schedule(r, t, now);
	} else {
		roster_take_result(r, t, finding->result, why ? why : finding->text);
		if (!t->entry.place && !t->probe)
			roster_schedule(
				r, t, schedule_next(t->entry.due, t->check->interval_ms, now));
	}
	roster_pump(r);
}

static void roster_begin(struct roster *r, struct target *t, struct mono now)
{
	if (target_probe(t))
		r->under_way++;
	else
		roster_schedule(r, t, schedule_next(t->entry.due, t->check->interval_ms, now));
}

static void roster_on_timer(uv_timer_t *timer)
{
	roster_pump(timer->data);
}

static void roster_arm(struct roster *r, struct mono now, bool is_more)
{
	struct mono deadline = schedule_deadline(&r->schedule);

	if (is_more)
		uv_timer_start(&r->timer, roster_on_timer, 0, 0);
	else if (mono_is_never(deadline) || r->under_way >= ROSTER_PROBES_MAX)
		uv_timer_stop(&r->timer);
	else
		uv_timer_start(&r->timer, roster_on_timer,
			mono_reached(deadline, now) ? 0
						    : (uint64_t)mono_since_ms(deadline, now) + 1,
			0);
}

static void roster_pump(struct roster *r)
{
	struct mono now = mono_now();
	unsigned turn = 0;

	while (turn < ROSTER_TURN_MAX && r->under_way < ROSTER_PROBES_MAX) {
		struct schedule_entry *e = schedule_pop(&r->schedule, now);

		if (!e)
			break;
		roster_begin(r, list_entry(e, struct target, entry), now);
		turn++;
	}
	roster_arm(r, now, turn == ROSTER_TURN_MAX);
}

static void roster_on_pulse(uv_timer_t *timer)
{
	roster_notice_lateness(timer->data);
}

struct roster *roster_new(uv_loop_t *loop, struct bus_table *table)
{
	struct roster *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->loop = loop;
	r->table = table;
	r->pulsed = mono_now();
	rand_seed(&r->rand, (uint64_t)r->pulsed.ns);
	resolver_init(&r->resolver, loop);
	uv_timer_init(loop, &r->timer);
	uv_timer_init(loop, &r->pulse);
	r->timer.data = r->pulse.data = r;
	r->open_handles = 2;
	uv_timer_start(&r->pulse, roster_on_pulse, ROSTER_PULSE_MS, ROSTER_PULSE_MS);
	return r;
}

static void roster_on_closed(uv_handle_t *handle)
{
	struct roster *r = handle->data;

	if (!--r->open_handles)
		free(r);
}

void roster_free(struct roster *r)
{
	for (size_t i = 0; i < r->targets.count; i++)
		target_free(r->targets.items[i]);
	muster_fini(&r->targets);
	schedule_fini(&r->schedule);
	resolver_fini(&r->resolver);
	uv_close((uv_handle_t *)&r->timer, roster_on_closed);
	uv_close((uv_handle_t *)&r->pulse, roster_on_closed);
}

int roster_judge(const struct conf *conf, char why[256])
{
	for (size_t i = 0; i < conf->pools_count; i++)
		if (conf->pools[i].check && !probe_kind_of(conf->pools[i].check)) {
			snprintf(why, 256,
				"pools[%s].check.type: this version checks tcp and http only",
				conf->pools[i].name);
			return -ENOTSUP;
		}
	for (size_t i = 0; i < conf->checks_count; i++)
		if (!probe_kind_of(&conf->checks[i])) {
			snprintf(why, 256, "checks[%s].type: this version checks tcp and http only",
				conf->checks[i].name);
			return -ENOTSUP;
		}
	return 0;
}

static void roster_remove(struct roster *r, struct target *t)
{
	if (t->probe)
		r->under_way--;
	schedule_remove(&r->schedule, &t->entry);
	bus_table_remove(r->table, t->key);
	target_free(t);
}

static void roster_add(struct roster *r, struct target *t)
{
	target_start(t);
	if (t->check) {
		roster_schedule(r, t, schedule_first(&r->rand, t->check->interval_ms, mono_now()));
		roster_publish(r, t);
	}
}

/* A server that is still there under its name, perhaps with another check or address. Returns the
 * one that stays. */
static struct target *roster_renew(struct roster *r, struct target *old, struct target *next)
{
	/* Another address is another server, and with or without check is another thing. */
	if (strcmp(old->address_text, next->address_text) || !old->check != !next->check) {
		roster_remove(r, old);
		roster_add(r, next);
		return next;
	}
	if (target_adopt(old, next))
		roster_schedule(r, old, mono_now());
	target_free(next);
	return old;
}

/* Both lists are sorted by key: one walk finds what went, what stays and what came. */
static void roster_merge(struct roster *r, struct muster *next)
{
	struct muster *old = &r->targets;
	size_t i = 0, j = 0;

	while (i < old->count || j < next->count) {
		int order = i == old->count    ? 1
			    : j == next->count ? -1
					       : strcmp(old->items[i]->key, next->items[j]->key);

		if (order < 0) {
			roster_remove(r, old->items[i++]);
		} else if (order > 0) {
			roster_add(r, next->items[j++]);
		} else {
			next->items[j] = roster_renew(r, old->items[i++], next->items[j]);
			j++;
		}
	}
}

int roster_apply(struct roster *r, struct conf *conf)
{
	struct muster next = {0};
	int rc = muster_build(&next, r, conf);

	if (rc)
		return rc;
	roster_merge(r, &next);
	muster_fini(&r->targets);
	r->targets = next;
	r->has_changed = true;
	roster_pump(r);
	return 0;
}

json_t *roster_save(const struct roster *r)
{
	json_t *saved = json_object();

	for (size_t i = 0; i < r->targets.count; i++) {
		const struct target *t = r->targets.items[i];
		json_t *one;

		if (!t->check)
			continue;
		one = verdict_row_encode(&t->verdict.row);
		json_object_set_new(one, "definition", json_integer((json_int_t)t->definition));
		json_object_set_new(one, "streak", json_integer(t->verdict.streak));
		json_object_set_new(one, "last", json_integer(t->verdict.last));
		json_object_set_new(saved, t->key, one);
	}
	return saved;
}

/* A verdict counts as measured until its own last check, or one interval before healthd was last
 * seen alive. */
static void roster_restore_one(
	struct roster *r, struct target *t, const json_t *saved, struct wall until)
{
	struct wall beat = {until.ms - t->check->interval_ms};
	json_int_t streak = json_integer_value(json_object_get(saved, "streak"));
	json_int_t last = json_integer_value(json_object_get(saved, "last"));
	struct verdict v = {0};

	if ((uint64_t)json_integer_value(json_object_get(saved, "definition")) != t->definition ||
		verdict_row_decode(saved, &v.row) || streak < 0 || streak > UINT32_MAX ||
		last < 0 || last >= VERDICT_RESULTS)
		return;
	v.streak = (unsigned)streak;
	v.last = (enum verdict_result)last;
	t->verdict = v;
	verdict_age(&t->verdict, v.row.checked.ms > beat.ms ? v.row.checked : beat,
		t->check->interval_ms, wall_now());
	roster_publish(r, t);
}

void roster_restore(struct roster *r, const json_t *saved, struct wall until)
{
	for (size_t i = 0; i < r->targets.count; i++) {
		struct target *t = r->targets.items[i];
		const json_t *one = json_object_get(saved, t->key);

		if (t->check && json_is_object(one))
			roster_restore_one(r, t, one, until);
	}
}
