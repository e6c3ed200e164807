/*
 * picture: keeps what the store and the bus last said. Documents are compiled
 * once, when they arrive; a document that cannot be read here (written by a
 * newer control) leaves the one before in force and is reported as refused.
 */
#include "control/picture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/overlay_merge.h"
#include "control/plan.h"

int picture_init(struct picture *p, const char *node)
{
	*p = (struct picture){.store = {.kind = "", .state = "connecting"}};
	snprintf(p->node, sizeof p->node, "%s", node);
	p->fleet = fleet_new();
	p->overlays = json_object();
	p->stored = json_object();
	p->locals = json_object();
	for (size_t i = 0; i < PICTURE_TABLES; i++)
		p->tables[i] = json_object();
	for (size_t i = 0; i < FLEET_DAEMONS; i++)
		p->daemons[i].state = REPORT_AWAY;
	return p->fleet ? 0 : -ENOMEM;
}

static void stack_fini(struct picture_stack *s)
{
	conf_unref(s->conf);
	conf_unref(s->base);
}

void picture_fini(struct picture *p)
{
	for (size_t i = 0; i < p->stacks_count; i++)
		stack_fini(&p->stacks[i]);
	for (size_t i = 0; i < PICTURE_TABLES; i++)
		json_decref(p->tables[i]);
	expiry_fini(&p->expiry);
	conf_unref(p->serving);
	json_decref(p->overlays);
	json_decref(p->stored);
	json_decref(p->locals);
	fleet_free(p->fleet);
	free(p->stacks);
	free(p->confs);
}

static struct picture_stack *find(const struct picture *p, const char *name)
{
	for (size_t i = 0; i < p->stacks_count; i++) {
		if (strcmp(p->stacks[i].name, name) == 0)
			return &p->stacks[i];
	}
	return NULL;
}

const struct picture_stack *picture_stack(const struct picture *p, const char *name)
{
	return find(p, name);
}

const struct picture_stack *picture_only_stack(const struct picture *p)
{
	const struct picture_stack *only = NULL;

	for (size_t i = 0; i < p->stacks_count; i++) {
		if (p->stacks[i].is_deleted)
			continue;
		if (only)
			return NULL;
		only = &p->stacks[i];
	}
	return only;
}

static struct picture_stack *find_or_add(struct picture *p, const char *name)
{
	struct picture_stack *s = find(p, name), *stacks;
	const struct conf **confs;

	if (s)
		return s;
	stacks = realloc(p->stacks, (p->stacks_count + 1) * sizeof *stacks);
	if (!stacks)
		return NULL;
	p->stacks = stacks;
	confs = realloc(p->confs, (p->stacks_count + 1) * sizeof *confs);
	if (!confs)
		return NULL;
	p->confs = confs;
	s = &p->stacks[p->stacks_count++];
	*s = (struct picture_stack){0};
	snprintf(s->name, sizeof s->name, "%s", name);
	return s;
}

const struct conf *picture_running(const struct picture_stack *s)
{
	return s->confirmation.is_lapsed && s->base ? s->base : s->conf;
}

static void list_confs(struct picture *p)
{
	p->confs_count = 0;
	for (size_t i = 0; i < p->stacks_count; i++) {
		if (p->stacks[i].conf && !p->stacks[i].is_deleted)
			p->confs[p->confs_count++] = picture_running(&p->stacks[i]);
	}
}

enum confirmation_news picture_confirm(
	struct picture *p, struct picture_stack *s, const char *boot, struct mono now)
{
	enum confirmation_news news;

	/* After a start that went back: which generation is the newest is not known yet. */
	if (!p->is_loaded && s->confirmation.generation != s->generation)
		return CONFIRMATION_NOTHING;
	news = confirmation_step(
		&s->confirmation, s->generation, s->confirm_within_ms, boot, now);
	if (news != CONFIRMATION_NOTHING)
		list_confs(p);
	return news;
}

/* What to go back to is kept as long as the newest may have to. */
static void take_base(struct picture *p, struct picture_stack *s, const struct picture_news *news)
{
	struct conf_problems problems = {0};
	struct conf *base = NULL;

	s->confirm_within_ms = news->confirm_within_ms;
	if (s->base && news->base_document && s->base->generation == news->base_generation)
		return;
	if (news->base_document && conf_from_json(news->base_document, &problems, &base) == 0)
		conf_set_generation(base, news->base_generation);
	conf_problems_fini(&problems);
	conf_unref(s->base);
	s->base = base;
	list_confs(p);
}

static int compile(struct picture_stack *s, const struct picture_news *news)
{
	struct conf_problems problems = {0};
	struct conf *conf;
	int rc = conf_from_json(news->document, &problems, &conf);

	s->refused = rc < 0 ? news->generation : 0;
	s->reason[0] = '\0';
	if (rc < 0 && problems.count > 0)
		snprintf(s->reason, sizeof s->reason, "%.96s: %.150s", problems.items[0].where,
			problems.items[0].what);
	if (rc == 0) {
		conf_set_generation(conf, news->generation);
		conf_unref(s->conf);
		s->conf = conf;
	}
	conf_problems_fini(&problems);
	return rc;
}

int picture_put_stack(struct picture *p, const struct picture_news *news)
{
	struct picture_stack *s = find_or_add(p, news->name);
	int rc = 0;

	if (!s)
		return -ENOMEM;
	take_base(p, s, news);
	if (s->generation == news->generation && s->created.ms == news->created.ms)
		return 1;
	s->generation = news->generation;
	s->created = news->created;
	s->is_deleted = !news->document;
	snprintf(s->digest, sizeof s->digest, "%s", news->digest ? news->digest : "");
	snprintf(s->who, sizeof s->who, "%s", news->who ? news->who : "");
	if (s->is_deleted) {
		conf_unref(s->conf);
		s->conf = NULL;
		s->refused = 0;
	} else {
		rc = compile(s, news);
	}
	list_confs(p);
	return rc;
}

int picture_start_from(struct picture *p, struct conf *lastgood)
{
	struct picture_stack *s;

	p->serving = conf_ref(lastgood);
	expiry_note(&p->expiry, lastgood);
	if (!lastgood->stack || !lastgood->stack[0])
		return 0;
	s = find_or_add(p, lastgood->stack);
	if (!s)
		return -ENOMEM;
	s->generation = lastgood->generation;
	snprintf(s->digest, sizeof s->digest, "%s", lastgood->digest);
	s->conf = conf_ref(lastgood);
	list_confs(p);
	return 0;
}

void picture_start_confirmation(struct picture *p, const struct confirmation *c, struct conf *base)
{
	struct picture_stack *s = find(p, base->stack);

	if (!s)
		return;
	s->confirmation = *c;
	s->base = conf_ref(base);
	/* A node that had gone back starts from what it ran. */
	if (s->generation == c->generation)
		s->confirm_within_ms = c->within_ms;
	list_confs(p);
}

/* Rows are shared with where they come from; nobody changes them. */
static void merge_overlays(struct picture *p)
{
	json_t *all = json_object(), *rows, *entry, *merged;
	const char *stack, *key;

	json_object_foreach (p->stored, stack, rows)
		json_object_set_new(all, stack, json_copy(rows));
	json_object_foreach (p->locals, stack, rows) {
		merged = json_object_get(all, stack);
		if (!merged) {
			merged = json_object();
			json_object_set_new(all, stack, merged);
		}
		json_object_foreach (rows, key, entry) {
			if (picture_is_local(p, stack, key))
				json_object_set(merged, key, json_object_get(entry, "row"));
		}
	}
	json_decref(p->overlays);
	p->overlays = all;
}

void picture_put_overlays(struct picture *p, json_t *overlays)
{
	json_decref(p->stored);
	p->stored = overlays;
	merge_overlays(p);
}

void picture_put_locals(struct picture *p, json_t *locals)
{
	json_decref(p->locals);
	p->locals = locals;
	merge_overlays(p);
}

const json_t *picture_stored_overlay(const struct picture *p, const char *stack, const char *key)
{
	return json_object_get(json_object_get(p->stored, stack), key);
}

bool picture_is_local(const struct picture *p, const char *stack, const char *key)
{
	const json_t *entry = json_object_get(json_object_get(p->locals, stack), key);

	return overlay_local_counts(
		json_object_get(entry, "row"), picture_stored_overlay(p, stack, key));
}

static bool is_same_snapshot(const struct conf *a, const struct conf *b)
{
	return a == b ||
	       (a && b && a->generation == b->generation && strcmp(a->digest, b->digest) == 0);
}

/* True for the snapshot of a node that nothing is asked of. */
static bool is_nothing(const struct conf *c)
{
	return c->listeners_count == 0 && c->vips_count == 0 && c->pools_count == 0 &&
	       c->instances_count == 0 && c->checks_count == 0;
}

bool picture_settle(struct picture *p, struct wall now)
{
	const struct conf *next = plan_serving(p->confs, p->confs_count, p->node);
	struct conf *taken;

	fleet_set_stacks(p->fleet, p->confs, p->confs_count, now);
	if (is_same_snapshot(next, p->serving))
		return false;
	if (next) {
		taken = conf_ref((struct conf *)(uintptr_t)next);
	} else {
		if (!p->serving || is_nothing(p->serving))
			return false;
		taken = plan_nothing(p->head);
		if (!taken)
			return false;
	}
	conf_unref(p->serving);
	p->serving = taken;
	expiry_note(&p->expiry, taken);
	return true;
}

static int report_vips(const struct picture *p, struct fleet_report *r)
{
	const char *key;
	json_t *row;

	r->vips = calloc(json_object_size(p->tables[PICTURE_ROLES]) + 1, sizeof *r->vips);
	if (!r->vips)
		return -ENOMEM;
	json_object_foreach (p->tables[PICTURE_ROLES], key, row) {
		struct fleet_vip *v = &r->vips[r->vips_count];

		if (strncmp(key, "vip/", 4) != 0 || strlen(key + 4) >= sizeof v->name)
			continue;
		if (r->vips_count == FLEET_VIPS_MAX || report_vip_decode(row, &v->report) < 0)
			continue;
		strcpy(v->name, key + 4);
		r->vips_count++;
	}
	return 0;
}

/* What our data still has to servers that are to be left. */
static json_t *report_drains(const struct picture *p)
{
	const char *stack = p->serving && p->serving->stack ? p->serving->stack : "";
	json_t *drains = json_object(), *row;
	const char *key;

	json_object_foreach (json_object_get(p->overlays, stack), key, row) {
		char traffic[3 * CONF_NAME_SIZE];
		struct report_server r = {0};
		struct overlay o;

		if (strncmp(key, "pool/", 5) != 0 || overlay_decode(row, &o) < 0 ||
			o.state == OVERLAY_READY || json_object_size(drains) == FLEET_DRAINS_MAX)
			continue;
		snprintf(traffic, sizeof traffic, "server/%s", key + 5);
		if (report_server_decode(json_object_get(p->tables[PICTURE_TRAFFIC], traffic), &r) == 0)
			json_object_set_new(drains, key, json_integer(r.connections));
	}
	return drains;
}

static bool is_served(const struct picture *p, const struct conf_pool *pool, struct wall now)
{
	for (size_t i = 0; i < pool->servers_count; i++) {
		struct picture_server s;

		picture_server(p, p->serving, pool, &pool->servers[i], now, &s);
		if (effective_rank(s.effective.state) == 0)
			return true;
	}
	return pool->servers_count == 0;
}

/* Looked at only while it may be asked for: all servers of all pools are many. */
static json_t *report_unserved(const struct picture *p, struct wall now)
{
	const struct conf *c = p->serving;
	bool is_asked = false;
	json_t *unserved;

	for (size_t i = 0; c && c->stack && i < c->instances_count; i++)
		is_asked |= fleet_overlay(p->fleet, c->instances[i].name) != NULL;
	if (!is_asked)
		return NULL;
	unserved = json_object();
	for (size_t i = 0; i < c->pools_count && json_object_size(unserved) < FLEET_UNSERVED_MAX; i++)
		if (!is_served(p, &c->pools[i], now))
			json_object_set_new(unserved, c->pools[i].name, json_true());
	return unserved;
}

int picture_report(struct picture *p, struct wall now, struct fleet_report *ret)
{
	const struct picture_stack *s;

	*ret = (struct fleet_report){0};
	if (p->serving) {
		s = p->serving->stack ? find(p, p->serving->stack) : NULL;
		snprintf(ret->stack, sizeof ret->stack, "%s", s ? s->name : "");
		ret->generation = p->serving->generation;
		if (s && s->refused) {
			ret->refused = s->refused;
			memcpy(ret->reason, s->reason, sizeof ret->reason);
		}
	}
	memcpy(ret->daemons, p->daemons, sizeof ret->daemons);
	for (size_t i = 0; i < FLEET_DAEMONS; i++) {
		if (i != FLEET_CONTROL && !p->is_present[i])
			ret->daemons[i].state = REPORT_AWAY;
	}
	if (report_vips(p, ret) < 0)
		return -ENOMEM;
	ret->drains = report_drains(p);
	ret->unserved = report_unserved(p, now);
	return fleet_set_report(p->fleet, p->node, 0, ret, now);
}

const json_t *picture_stack_overlays(const struct picture *p, const char *stack)
{
	return json_object_get(p->overlays, stack);
}

const json_t *picture_overlay(const struct picture *p, const char *stack, const char *key)
{
	return json_object_get(json_object_get(p->overlays, stack), key);
}

void picture_server(const struct picture *p, const struct conf *conf, const struct conf_pool *pool,
	const struct conf_server *server, struct wall now, struct picture_server *ret)
{
	bool is_ours = p->serving && p->serving->stack &&
		       strcmp(p->serving->stack, conf->stack) == 0;
	char key[3 * CONF_NAME_SIZE];
	const json_t *row;

	*ret = (struct picture_server){0};
	snprintf(key, sizeof key, "pool/%s/%s", pool->name, server->name);
	row = picture_overlay(p, conf->stack, key);
	ret->has_overlay = row && overlay_decode(row, &ret->overlay) == 0;
	row = is_ours ? json_object_get(p->tables[PICTURE_VERDICTS], key) : NULL;
	ret->has_verdict = row && verdict_row_decode(row, &ret->verdict) == 0;
	ret->verdict.is_stale = ret->has_verdict && !p->is_present[FLEET_HEALTHD];
	snprintf(key, sizeof key, "server/%s/%s", pool->name, server->name);
	row = is_ours ? json_object_get(p->tables[PICTURE_TRAFFIC], key) : NULL;
	ret->has_traffic = row && report_server_decode(row, &ret->traffic) == 0;
	effective_server(pool, server, ret->has_overlay ? &ret->overlay : NULL,
		ret->has_verdict ? &ret->verdict : NULL, now, &ret->effective);
	if (ret->has_traffic && ret->traffic.ejected[0])
		effective_eject(&ret->effective, ret->traffic.ejected, ret->traffic.ejected_since);
}
