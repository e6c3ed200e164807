/*
 * status, problems: what an operator must know, a sentence each. Those about
 * nodes, daemons and VIPs come from fleet; here are the store, the documents,
 * the listeners and the pools. The part of status that judges.
 */
#include "control/status_problems.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/quantity.h"
#include "common/wall.h"

static void add(json_t *list, const char *object, struct wall since, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add(json_t *list, const char *object, struct wall since, const char *format, ...)
{
	char what[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "object", object, "what", what,
					    "since", status_date(since)));
}

static void add_store(const struct picture *p, json_t *list)
{
	const struct picture_store *s = &p->store;

	if (!s->is_connected)
		add(list, "store", s->since,
			"the store is away: traffic goes on with what is known, writes are "
			"refused%s%s",
			s->why[0] ? ": " : "", s->why);
	else if (p->is_loaded && p->head == 0 && p->serving && p->serving->generation > 0)
		add(list, "store", s->since,
			"the store is empty, but this node runs generation %" PRIu64
			": it was replaced; apply the document again",
			p->serving->generation);
}

static void add_locals(const struct picture *p, json_t *list)
{
	const char *stack, *key;
	json_t *rows, *entry;

	json_object_foreach (p->locals, stack, rows) {
		json_object_foreach (rows, key, entry) {
			if (picture_is_local(p, stack, key))
				add(list, key, (struct wall){0},
					"the hand on %s of stack %s is this node's alone until the "
					"store is back",
					key, stack);
		}
	}
}

static void add_claim(const struct picture *p, json_t *list)
{
	char object[CONF_NAME_SIZE + 16];

	snprintf(object, sizeof object, "node/%s", p->node);
	if (p->claim[0])
		add(list, object, (struct wall){0}, "%s", p->claim);
}

static void add_clock(const struct picture *p, json_t *list)
{
	char object[CONF_NAME_SIZE + 16];

	if (!p->clock_step_ms)
		return;
	snprintf(object, sizeof object, "node/%s", p->node);
	add(list, object, (struct wall){0},
		"the clock of this node was set by %+.1f s within the last ten minutes: times in texts "
		"follow it; does it keep time with the other nodes?",
		(double)p->clock_step_ms / 1000);
}

static void add_confirmation(
	const char *object, const struct picture_stack *s, json_t *list)
{
	uint64_t before = s->base ? s->base->generation : 0;
	char within[QUANTITY_TEXT_SIZE];

	if (!s->confirmation.generation)
		return;
	quantity_print_duration(s->confirmation.within_ms, within);
	if (s->confirmation.is_lapsed)
		add(list, object, s->created,
			"generation %" PRIu64 " was not confirmed within %s: this node went back to %" PRIu64
			"; apply it again, or roll back to %" PRIu64 " for good",
			s->confirmation.generation, within, before, before);
	else
		add(list, object, s->created,
			"generation %" PRIu64
			" is to be confirmed within %s (ballastctl confirm), else every node goes "
			"back to %" PRIu64,
			s->confirmation.generation, within, before);
}

static void add_stacks(const struct picture *p, json_t *list)
{
	for (size_t i = 0; i < p->stacks_count; i++) {
		const struct picture_stack *s = &p->stacks[i];
		char object[CONF_NAME_SIZE + 16];

		snprintf(object, sizeof object, "stack/%s", s->name);
		if (s->refused)
			add(list, object, s->created,
				"generation %" PRIu64 " cannot be read by this node: %s",
				s->refused, s->reason);
		add_confirmation(object, s, list);
	}
}

static void add_listeners(const struct picture *p, json_t *list)
{
	const char *key;
	json_t *row;

	json_object_foreach (p->tables[PICTURE_TRAFFIC], key, row) {
		struct report_listener r;

		if (strncmp(key, "listener/", 9) != 0 || report_listener_decode(row, &r) < 0)
			continue;
		if (r.state == REPORT_LISTENER_FAILED)
			add(list, key, (struct wall){0}, "listener %s failed: %s", key + 9,
				r.reason);
	}
}

static bool is_usable(const struct picture *p, const struct conf_pool *pool, struct wall now)
{
	for (size_t i = 0; i < pool->servers_count; i++) {
		struct picture_server s;

		picture_server(p, p->serving, pool, &pool->servers[i], now, &s);
		if (effective_rank(s.effective.state) <= 1)
			return true;
	}
	return false;
}

static void add_pools(const struct picture *p, json_t *list, struct wall now)
{
	for (size_t i = 0; i < p->serving->pools_count; i++) {
		const struct conf_pool *pool = &p->serving->pools[i];
		char object[CONF_NAME_SIZE + 8];

		snprintf(object, sizeof object, "pool/%s", pool->name);
		if (!is_usable(p, pool, now))
			add(list, object, (struct wall){0}, "pool %s has no usable server",
				pool->name);
	}
}

static void add_certificates(const struct picture *p, json_t *list, struct wall now)
{
	const struct conf_certificate *k;
	struct wall end;
	size_t number = 0;

	while ((k = expiry_next(&p->expiry, now, &number, &end))) {
		int64_t days = (end.ms - now.ms) / (24 * 3600 * 1000);
		char object[CONF_NAME_SIZE + 16], date[WALL_TEXT_SIZE];

		snprintf(object, sizeof object, "certificate/%s", k->name);
		wall_print(end, date);
		if (end.ms <= now.ms)
			add(list, object, end, "certificate %s has expired: clients refuse it; renew it",
				k->name);
		else
			add(list, object, (struct wall){0},
				"certificate %s expires in %" PRId64 " days, at %s: renew it", k->name,
				days, date);
	}
}

json_t *status_problems(const struct picture *p, struct wall now)
{
	json_t *list = fleet_print_problems(p->fleet);

	add_store(p, list);
	add_locals(p, list);
	add_claim(p, list);
	add_clock(p, list);
	add_stacks(p, list);
	if (p->serving) {
		add_listeners(p, list);
		add_pools(p, list, now);
		add_certificates(p, list, now);
	}
	return list;
}
