/* Slots by name: a chained hash table beside the board's objects. See slots.h. */
#include "data/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

#define BUCKETS 65536u

struct slots {
	struct board *board;
	uint32_t heads[BUCKETS];
	uint32_t *next;      /* by slot */
	uint32_t first_free; /* no free slot lies below */
};

static uint32_t *bucket_of(struct slots *s, enum board_kind kind, const char *name)
{
	return &s->heads[hash_text(kind, name) % BUCKETS];
}

static void enter(struct slots *s, uint32_t slot)
{
	struct board_object *o = &s->board->objects[slot];
	uint32_t *bucket = bucket_of(s, atomic_load(&o->kind), o->name);

	s->next[slot] = *bucket;
	*bucket = slot;
}

struct slots *slots_new(struct board *b)
{
	struct slots *s = calloc(1, sizeof *s);
	uint32_t used = atomic_load(&b->head->objects_used);

	if (!s)
		return NULL;
	s->board = b;
	s->next = calloc(b->head->objects, sizeof *s->next);
	if (!s->next || used > b->head->objects) {
		slots_free(s);
		return NULL;
	}
	memset(s->heads, 0xff, sizeof s->heads); /* BOARD_NONE */
	for (uint32_t i = 0; i < used; i++) {
		b->objects[i].name[BOARD_NAME_SIZE - 1] = '\0';
		if (atomic_load(&b->objects[i].kind) != BOARD_FREE)
			enter(s, i);
	}
	return s;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	free(s->next);
	free(s);
}

static uint32_t find(struct slots *s, enum board_kind kind, const char *name)
{
	uint32_t slot = *bucket_of(s, kind, name);

	while (slot != BOARD_NONE) {
		struct board_object *o = &s->board->objects[slot];

		if (atomic_load(&o->kind) == kind && strcmp(o->name, name) == 0)
			break;
		slot = s->next[slot];
	}
	return slot;
}

static uint32_t take_free(struct slots *s)
{
	struct board_head *h = s->board->head;
	uint32_t used = atomic_load(&h->objects_used);

	for (; s->first_free < used; s->first_free++)
		if (atomic_load(&s->board->objects[s->first_free].kind) == BOARD_FREE)
			return s->first_free++;
	if (used >= h->objects)
		return BOARD_NONE;
	atomic_store(&h->objects_used, used + 1);
	s->first_free = used + 1;
	return used;
}

static uint32_t add(struct slots *s, enum board_kind kind, const char *name)
{
	uint32_t slot = take_free(s);
	struct board_object *o;

	if (slot == BOARD_NONE)
		return BOARD_NONE;
	o = &s->board->objects[slot];
	atomic_store(&o->word, 0);
	atomic_store(&o->uses, 0);
	atomic_store(&o->address_version, 0);
	atomic_store(&o->is_removed, 1);
	atomic_store(&o->since_ms, 0);
	atomic_store(&o->ramp, 0);
	atomic_store(&o->errors, 0);
	memset(o->tokens, 0, sizeof o->tokens);
	snprintf(o->name, sizeof o->name, "%s", name);
	atomic_store(&o->kind, kind);
	enter(s, slot);
	return slot;
}

size_t slots_before_routes(const struct conf *c)
{
	size_t n = c->listeners_count + c->pools_count;

	for (size_t i = 0; i < c->pools_count; i++)
		n += c->pools[i].servers_count;
	return n;
}

size_t slots_of_routes(const struct conf_listener *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->routes_count; i++)
		n += l->routes[i].name != NULL;
	return n;
}

size_t slots_count(const struct conf *c)
{
	size_t n = slots_before_routes(c);

	for (size_t i = 0; i < c->listeners_count; i++)
		n += slots_of_routes(&c->listeners[i]);
	return n;
}

static bool give(struct slots *s, enum board_kind kind, const char *name, uint32_t **at)
{
	uint32_t slot = find(s, kind, name);

	if (slot == BOARD_NONE)
		slot = add(s, kind, name);
	*(*at)++ = slot;
	return slot != BOARD_NONE;
}

static bool give_pool(struct slots *s, const struct conf_pool *p, uint32_t **at)
{
	char name[BOARD_NAME_SIZE];
	bool good = give(s, BOARD_POOL, p->name, at);

	for (size_t i = 0; good && i < p->servers_count; i++) {
		snprintf(name, sizeof name, "%s/%s", p->name, p->servers[i].name);
		good = give(s, BOARD_SERVER, name, at);
	}
	return good;
}

static bool give_routes(struct slots *s, const struct conf_listener *l, uint32_t **at)
{
	char name[BOARD_NAME_SIZE];
	bool good = true;

	for (size_t i = 0; good && i < l->routes_count; i++) {
		if (!l->routes[i].name)
			continue;
		snprintf(name, sizeof name, "%s/%s", l->name, l->routes[i].name);
		good = give(s, BOARD_ROUTE, name, at);
	}
	return good;
}

int slots_assign(struct slots *s, const struct conf *c, uint32_t *ret_table)
{
	uint32_t *at = ret_table, used;
	bool good = true;

	for (size_t i = 0; good && i < c->listeners_count; i++)
		good = give(s, BOARD_LISTENER, c->listeners[i].name, &at);
	for (size_t i = 0; good && i < c->pools_count; i++)
		good = give_pool(s, &c->pools[i], &at);
	for (size_t i = 0; good && i < c->listeners_count; i++)
		good = give_routes(s, &c->listeners[i], &at);
	if (!good)
		return -ENOSPC;
	used = atomic_load(&s->board->head->objects_used);
	for (uint32_t i = 0; i < used; i++)
		atomic_store(&s->board->objects[i].is_removed, 1);
	for (const uint32_t *slot = ret_table; slot < at; slot++)
		atomic_store(&s->board->objects[*slot].is_removed, 0);
	return 0;
}

static void forget(struct slots *s, uint32_t slot)
{
	struct board_object *o = &s->board->objects[slot];
	uint32_t *at = bucket_of(s, atomic_load(&o->kind), o->name);

	while (*at != slot)
		at = &s->next[*at];
	*at = s->next[slot];
	board_forget(s->board, slot);
	atomic_store(&o->kind, BOARD_FREE);
	if (slot < s->first_free)
		s->first_free = slot;
}

/* Counted by nobody: uses, and what a pool's circuit still holds. */
static bool is_unused(struct board_object *o)
{
	uint64_t held = atomic_load(&o->uses);

	for (unsigned k = 0; k < BOARD_CIRCUITS; k++)
		held += atomic_load(&o->circuits[k]);
	return held == 0;
}

void slots_sweep(struct slots *s)
{
	uint32_t used = atomic_load(&s->board->head->objects_used);

	for (uint32_t i = 0; i < used; i++) {
		struct board_object *o = &s->board->objects[i];

		if (atomic_load(&o->kind) != BOARD_FREE && atomic_load(&o->is_removed) &&
			is_unused(o))
			forget(s, i);
	}
}
