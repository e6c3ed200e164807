/*
 * A pool in one worker: choice, waiting and retries (see pool.h). Servers lie
 * in one balance_set per tier; a set holds only those that may get something.
 */
#include "data/pool/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/pool/balance.h"

/* Order of use (H1): primaries before backups, up and unchecked before unknown. */
enum { TIER_PRIMARY, TIER_BACKUP, TIER_UNKNOWN, TIER_UNKNOWN_BACKUP, TIERS, TIER_NONE = TIERS };

struct pool {
	char name[CONF_NAME_SIZE];
	struct board_object *object;
	struct board_cells *cells; /* NULL: none */
	struct conf *snapshot;     /* counted: conf lies in it */
	const struct conf_pool *conf;
	const struct balance *balance;
	unsigned offset;
	struct list servers; /* struct server.link */
	struct balance_set sets[TIERS];
	uint64_t seen; /* of object->word */
	struct list waiters;
	unsigned waiters_count;
	int64_t retries; /* budget, in hundredths of one retry */
	int64_t drain_ms;
	struct list ready_link;
	struct list *ready;
	unsigned refs;
	unsigned removed_count; /* of its servers */
	bool is_settled;        /* memory for the sets is there */
	void (*drop_idle)(struct server *s);
	void (*freed)(void *user, struct server *s);
	void *freed_user;
};

void pool_tried_add(struct pool_tried *t, const struct server *s)
{
	if (t->count == POOL_TRIED_MAX) {
		memmove(t->servers, t->servers + 1, sizeof t->servers - sizeof *t->servers);
		t->count--;
	}
	t->servers[t->count++] = s;
}

struct pool *pool_new(const struct pool_spec *spec)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	snprintf(p->name, sizeof p->name, "%s", spec->name);
	p->object = spec->object;
	p->cells = spec->cells;
	p->offset = spec->offset;
	p->ready = spec->ready;
	p->drop_idle = spec->drop_idle;
	p->retries = POOL_RETRIES_AT_START * 100;
	list_init(&p->servers);
	list_init(&p->waiters);
	list_init(&p->ready_link);
	for (unsigned i = 0; i < TIERS; i++)
		p->sets[i].clock = 1u << 30; /* a new server's deadline, 0, lies before it */
	return p;
}

void pool_on_free(struct pool *p, void (*freed)(void *user, struct server *s), void *user)
{
	p->freed = freed;
	p->freed_user = user;
}

struct pool *pool_ref(struct pool *p)
{
	if (p)
		p->refs++;
	return p;
}

void pool_unref(struct pool *p)
{
	assert(!p || p->refs > 0);
	if (p)
		p->refs--;
}

const struct conf_pool *pool_conf(const struct pool *p)
{
	return p->conf;
}

const char *pool_name(const struct pool *p)
{
	return p->name;
}

struct board_cells *pool_cells(const struct pool *p)
{
	return p->cells;
}

struct list *pool_servers(struct pool *p)
{
	return &p->servers;
}

struct pool *pool_of_ready(struct list *link)
{
	return list_entry(link, struct pool, ready_link);
}

static void make_ready(struct pool *p)
{
	if (list_is_empty(&p->ready_link))
		list_push_back(p->ready, &p->ready_link);
}

/* A server's standing */

/* What a server without a word of the agent is worth: as configured. */
static uint64_t word_unsaid(const struct server *s)
{
	enum effective_state state = s->pool->conf->check ? EFFECTIVE_UNKNOWN : EFFECTIVE_UNCHECKED;

	return board_word(state == EFFECTIVE_UNKNOWN, state, (int)s->conf->weight);
}

static void note_loss(struct server *s, enum effective_state before, enum effective_state after)
{
	if (before == after || s->is_removed)
		return;
	if (after == EFFECTIVE_DISABLED) {
		s->lost = SERVER_LOST_DISABLED;
	} else if ((after == EFFECTIVE_DOWN || after == EFFECTIVE_STANDBY) &&
		   s->pool->conf->close_on_down) {
		s->lost = SERVER_LOST_DOWN;
	} else {
		return;
	}
	s->is_lost = true;
	make_ready(s->pool);
}

static void read_word(struct server *s)
{
	uint64_t word = atomic_load_explicit(&s->object->word, memory_order_acquire);

	if (!(word & BOARD_WORD_SAID))
		word = word_unsaid(s);
	if (s->word)
		note_loss(s, board_word_state(s->word), board_word_state(word));
	s->word = word;
	s->weight = (unsigned)board_word_weight(word);
}

static bool is_usable(const struct server *s)
{
	return !s->is_removed && s->weight > 0 && board_word_rank(s->word) <= 1;
}

static unsigned tier_of(const struct server *s, bool is_panic)
{
	int rank = board_word_rank(s->word);

	if (s->is_removed || s->weight == 0 || rank == 3)
		return TIER_NONE;
	if (is_panic)
		return TIER_PRIMARY;
	if (rank == 2)
		return TIER_NONE;
	return (unsigned)rank * 2 + (s->conf->backup ? 1 : 0);
}

/* The words have changed, or the servers: every set anew. */
static void refresh(struct pool *p)
{
	unsigned all = 0, usable = 0;
	bool is_panic;

	p->seen = atomic_load_explicit(&p->object->word, memory_order_acquire);
	for (unsigned t = 0; t < TIERS; t++)
		p->sets[t].count = 0;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		read_word(s);
		all += !s->is_removed;
		usable += is_usable(s);
	}
	is_panic = usable * 100 < all * (unsigned)p->conf->panic_percent;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		s->tier = tier_of(s, is_panic);
		if (s->tier < TIERS)
			p->sets[s->tier].servers[p->sets[s->tier].count++] = s;
	}
	for (unsigned t = 0; t < TIERS; t++)
		p->balance->refresh(&p->sets[t], p->offset);
	if (p->waiters_count > 0)
		make_ready(p);
}

static void refresh_if_changed(struct pool *p)
{
	if (atomic_load_explicit(&p->object->word, memory_order_relaxed) != p->seen)
		refresh(p);
}

/* Choice */

struct choice {
	const struct pool_tried *tried;
	int64_t now_ms;
	bool may_avoided; /* those that refused lately may be chosen too */
	bool saw_full;
};

static bool is_tried(const struct pool_tried *t, const struct server *s)
{
	for (unsigned i = 0; t && i < t->count; i++)
		if (t->servers[i] == s)
			return true;
	return false;
}

static bool allows(void *user, const struct server *s)
{
	struct choice *c = user;
	uint64_t limit = (uint64_t)s->conf->maximum_connections;

	if (is_tried(c->tried, s))
		return false;
	if (s->avoid_until_ms > c->now_ms && !c->may_avoided)
		return false;
	if (limit && atomic_load_explicit(&s->object->uses, memory_order_relaxed) >= limit) {
		c->saw_full = true;
		return false;
	}
	return true;
}

static void begin_use(struct server *s, struct server_use *use)
{
	use->server = s;
	list_push_back(&s->uses, &use->link);
	s->connections++;
	board_add(s->cells, BOARD_SERVER_CONNECTIONS, 1);
}

static bool take_from(
	struct pool *p, struct balance_set *set, struct choice *c, struct server_use *use)
{
	for (;;) {
		struct server *s = p->balance->choose(set, allows, c);

		if (!s)
			return false;
		/* Another worker may have taken the last place meanwhile: then it is seen full next
		 * time. */
		if (!board_use(s->object, (uint64_t)s->conf->maximum_connections))
			continue;
		begin_use(s, use);
		return true;
	}
}

enum pool_hash pool_hash_of(const struct pool *p)
{
	switch ((enum conf_balance)p->conf->balance) {
	case CONF_BALANCE_SOURCE_HASH:
		return POOL_HASH_SOURCE;
	case CONF_BALANCE_HEADER_HASH:
		return POOL_HASH_HEADER;
	case CONF_BALANCE_MAGLEV:
		return p->conf->hash_header ? POOL_HASH_HEADER : POOL_HASH_SOURCE;
	case CONF_BALANCE_ROUND_ROBIN:
	case CONF_BALANCE_LEAST_CONNECTIONS:
	case CONF_BALANCE_RANDOM_TWO:
	case CONF_BALANCE_LEAST_TIME:
		break;
	}
	return POOL_HASH_NONE;
}

enum pool_outcome pool_take(struct pool *p, const struct pool_wish *wish,
	const struct pool_tried *tried, int64_t now_ms, struct server_use *use)
{
	struct choice c = {.tried = tried, .now_ms = now_ms};

	(void)wish;
	assert(use->server == NULL && use->lost && p->is_settled);
	refresh_if_changed(p);
	if (p->retries < POOL_RETRIES_SAVED_MAX * 100)
		p->retries += p->conf->retry.budget_percent;
	for (int pass = 0; pass < 2; pass++) {
		c.may_avoided = pass == 1;
		for (unsigned t = 0; t < TIERS; t++)
			if (p->sets[t].count > 0 && take_from(p, &p->sets[t], &c, use))
				return POOL_TAKEN;
	}
	return c.saw_full ? POOL_FULL : POOL_NONE;
}

bool pool_may_retry(struct pool *p, unsigned tries, unsigned on)
{
	if (!(p->conf->retry.on & on) || (int64_t)tries > p->conf->retry.attempts)
		return false;
	if (on == CONF_RETRY_CONNECT_FAILURE)
		return true;
	if (p->retries < 100)
		return false;
	p->retries -= 100;
	return true;
}

/* Waiting */

int pool_wait(struct pool *p, struct pool_waiter *w, int64_t now_ms)
{
	if (p->waiters_count >= (uint64_t)p->conf->queue.maximum)
		return -ENOBUFS;
	w->pool = p;
	w->until_ms = now_ms + p->conf->queue.timeout_ms;
	list_push_back(&p->waiters, &w->link);
	p->waiters_count++;
	if (p->cells)
		board_add(p->cells, BOARD_POOL_WAITING, 1);
	return 0;
}

void pool_unwait(struct pool_waiter *w)
{
	if (!w->pool)
		return;
	assert(w->pool->waiters_count > 0);
	w->pool->waiters_count--;
	if (w->pool->cells)
		board_sub(w->pool->cells, BOARD_POOL_WAITING, 1);
	w->pool = NULL;
	list_unlink(&w->link);
}

static void wake_first(struct pool *p, bool is_free)
{
	struct pool_waiter *w = list_entry(p->waiters.next, struct pool_waiter, link);

	pool_unwait(w);
	w->woken(w, is_free);
}

/* How many more uses the servers of the pool can take now, at most as many as wait. */
static unsigned free_places(struct pool *p)
{
	uint64_t places = 0;

	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);
		uint64_t limit = (uint64_t)s->conf->maximum_connections;
		uint64_t uses = atomic_load_explicit(&s->object->uses, memory_order_relaxed);

		if (s->tier >= TIERS)
			continue;
		places += !limit ? p->waiters_count : limit > uses ? limit - uses : 0;
		if (places >= p->waiters_count)
			return p->waiters_count;
	}
	return (unsigned)places;
}

static void serve_waiters(struct pool *p, int64_t now_ms)
{
	unsigned places;

	if (p->waiters_count == 0)
		return;
	for (places = free_places(p); places > 0 && p->waiters_count > 0; places--)
		wake_first(p, true);
	/* Waiting times are alike but for a change of the setting: the first is the oldest. */
	while (p->waiters_count > 0 &&
		list_entry(p->waiters.next, struct pool_waiter, link)->until_ms <= now_ms)
		wake_first(p, false);
}

/* Called by server.c when a use of s has ended. */
void pool_use_ended(struct server *s)
{
	if (s->pool->waiters_count > 0 || (s->is_removed && s->connections == 0))
		make_ready(s->pool);
}

/* Generations */

/* Replaces a counted snapshot by another. */
static void hold(struct conf **held, struct conf *snapshot)
{
	struct conf *before = *held;

	*held = conf_ref(snapshot);
	conf_unref(before);
}

void pool_configure(
	struct pool *p, struct conf *snapshot, const struct conf_pool *conf, int64_t drain_ms)
{
	hold(&p->snapshot, snapshot);
	p->conf = conf;
	p->balance = balance_of(conf->balance);
	p->drain_ms = drain_ms;
	p->is_settled = false;
}

struct server *pool_add_server(struct pool *p, const struct conf_server *conf, uint32_t slot,
	struct board_object *object, struct board_cells *cells)
{
	struct server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	snprintf(s->name, sizeof s->name, "%s", conf->name);
	s->pool = p;
	s->conf = conf;
	s->snapshot = conf_ref(p->snapshot);
	s->slot = slot;
	s->object = object;
	s->cells = cells;
	list_init(&s->uses);
	list_init(&s->idle);
	list_push_back(&p->servers, &s->link);
	return s;
}

void pool_keep_server(struct server *s, const struct conf_server *conf, unsigned position)
{
	if (strcmp(s->conf->address, conf->address) != 0)
		s->pool->drop_idle(s);
	s->conf = conf;
	hold(&s->snapshot, s->pool->snapshot);
	s->position = position;
	s->pool->removed_count -= s->is_removed;
	s->is_removed = false;
}

void pool_remove_server(struct server *s, int64_t now_ms)
{
	if (s->is_removed)
		return;
	s->is_removed = true;
	s->pool->removed_count++;
	s->removed_until_ms = now_ms + s->pool->drain_ms;
	s->pool->drop_idle(s);
	make_ready(s->pool);
}

int pool_settle(struct pool *p)
{
	unsigned count = 0;

	list_for_each (l, &p->servers)
		count++;
	for (unsigned t = 0; t < TIERS; t++) {
		struct balance_set *set = &p->sets[t];
		struct server **more;

		if (set->capacity >= count)
			continue;
		more = realloc(set->servers, count * sizeof *more);
		if (!more)
			return -ENOMEM;
		set->servers = more;
		set->capacity = count;
	}
	p->is_settled = true;
	refresh(p);
	return 0;
}

/* Turns */

static void end_uses(struct server *s)
{
	enum server_lost why = s->lost;

	s->is_lost = false;
	s->pool->drop_idle(s);
	/* A lost use may be ended later by its user: go by the number there is now. */
	list_for_each (l, &s->uses) {
		struct server_use *use = list_entry(l, struct server_use, link);

		use->lost(use, why);
	}
}

static void free_server(struct server *s)
{
	struct pool *p = s->pool;

	assert(s->connections == 0 && list_is_empty(&s->uses) && s->idle_count == 0);
	if (p->freed)
		p->freed(p->freed_user, s);
	p->removed_count -= s->is_removed;
	list_unlink(&s->link);
	conf_unref(s->snapshot);
	free(s);
}

/* Sets may still point to a server until the pool is refreshed. */
static void drop_removed(struct pool *p)
{
	bool any = false;

	if (p->removed_count == 0)
		return;
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		any |= s->is_removed && s->connections == 0;
	}
	if (!any)
		return;
	refresh(p);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_removed && s->connections == 0)
			free_server(s);
	}
}

void pool_serve(struct pool *p, int64_t now_ms)
{
	list_unlink(&p->ready_link);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_lost)
			end_uses(s);
	}
	drop_removed(p);
	serve_waiters(p, now_ms);
}

static void expire_removed(struct pool *p, int64_t now_ms)
{
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_removed && s->removed_until_ms <= now_ms && !s->is_lost) {
			s->is_lost = true;
			s->lost = SERVER_LOST_REMOVED;
			make_ready(p);
		}
	}
}

void pool_tick(struct pool *p, int64_t now_ms)
{
	refresh_if_changed(p);
	if (p->removed_count > 0)
		expire_removed(p, now_ms);
	serve_waiters(p, now_ms);
}

bool pool_free_unused(struct pool *p)
{
	while (p->waiters_count > 0)
		wake_first(p, false);
	if (p->refs > 0 || !list_is_empty(&p->servers))
		return false;
	pool_free(p);
	return true;
}

void pool_free(struct pool *p)
{
	assert(p->waiters_count == 0);
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		p->drop_idle(s);
		free_server(s);
	}
	list_unlink(&p->ready_link);
	for (unsigned t = 0; t < TIERS; t++)
		free(p->sets[t].servers);
	conf_unref(p->snapshot);
	free(p);
}
