/*
 * Which server of a pool gets the next request: whom the client had before,
 * else whom the algorithm chooses; and whether a failed one may be tried again
 * (see pool.h).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/hash.h"
#include "data/pool/pool_inside.h"

struct choice {
	const struct pool_tried *tried;
	int64_t now_ms;
	bool may_avoided; /* those that refused lately may be chosen too */
	bool saw_full;
};

void pool_tried_add(struct pool_tried *t, const struct server *s)
{
	if (t->count == POOL_TRIED_MAX) {
		memmove(t->servers, t->servers + 1, sizeof t->servers - sizeof *t->servers);
		t->count--;
	}
	t->servers[t->count++] = s;
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

enum pool_hash pool_stick_of(const struct pool *p)
{
	if (!p->conf->sticky || p->conf->sticky->method == CONF_STICKY_COOKIE)
		return POOL_HASH_NONE;
	return p->conf->sticky->method == CONF_STICKY_SOURCE ? POOL_HASH_SOURCE : POOL_HASH_HEADER;
}

struct server *pool_find_token(const struct pool *p, const unsigned char *token)
{
	return keys_find_token(&p->keys, token);
}

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
	s->pool->in_use++;
	board_add(s->cells, BOARD_SERVER_CONNECTIONS, 1);
}

static bool use_server(struct server *s, struct server_use *use)
{
	if (!board_use(s->object, (uint64_t)s->conf->maximum_connections))
		return false;
	begin_use(s, use);
	return true;
}

int pool_resume(struct pool *p, const char *server, struct server_use *use)
{
	list_for_each (l, &p->servers) {
		struct server *s = list_entry(l, struct server, link);

		if (s->is_removed || strcmp(s->name, server) != 0)
			continue;
		board_use(s->object, 0);
		begin_use(s, use);
		return 0;
	}
	return -ENOENT;
}

static bool take_from(struct pool *p, struct balance_set *set, struct choice *c,
	const struct balance_ask *ask, struct server_use *use)
{
	for (;;) {
		struct server *s = p->balance->choose(set, ask);

		if (!s)
			return false;
		/* Another worker may have taken the last place meanwhile: then it is seen full next
		 * time. */
		if (use_server(s, use))
			return true;
		c->saw_full = true;
	}
}

/* The algorithm's choice: from the first tier that has any; those that refused lately come last. */
static bool take_any(struct pool *p, uint64_t hash, struct choice *c, struct server_use *use)
{
	struct balance_ask ask = {.allows = allows,
		.user = c,
		.rand = &p->rand,
		.hash = hash,
		.in_use = p->in_use,
		.now_ms = c->now_ms};

	for (int pass = 0; pass < 2; pass++) {
		c->may_avoided = pass == 1;
		for (unsigned t = 0; t < TIERS; t++)
			if (p->sets[t].count > 0 && take_from(p, &p->sets[t], c, &ask, use))
				return true;
	}
	return false;
}

/* A client stays with a server that is up, unknown or, for drain_limit, draining: its weight says
 * who gets new ones. */
static bool may_stay(const struct server *s, const struct choice *c)
{
	const struct conf_sticky *sticky = s->pool->conf->sticky;
	int64_t limit_ms = sticky ? sticky->drain_limit_ms : 0;
	int64_t since_ms;

	if (s->is_removed || is_tried(c->tried, s) || s->avoid_until_ms > c->now_ms)
		return false;
	if (board_word_rank(s->word) <= 1)
		return true;
	if (board_word_state(s->word) != EFFECTIVE_DRAIN)
		return false;
	since_ms = (int64_t)atomic_load_explicit(&s->object->since_ms, memory_order_relaxed);
	return limit_ms == 0 || c->now_ms - since_ms < limit_ms;
}

static uint64_t stick_key(const struct pool *p, const struct pool_wish *wish)
{
	return hash_text(wish->stick, p->name);
}

/* Whom the client had before: by its cookie, or by the table. */
static struct server *server_before(struct pool *p, const struct pool_wish *wish, int64_t now_ms)
{
	uint32_t hash;

	if (wish->before || !wish->has_stick || !p->conf->sticky || !p->sticks.count)
		return wish->before;
	if (!stick_find(&p->sticks, stick_key(p, wish), p->conf->sticky->ttl_ms, now_ms, &hash))
		return NULL;
	return keys_find_hash(&p->keys, hash);
}

static bool take_server(
	struct pool *p, const struct pool_wish *wish, struct choice *c, struct server_use *use)
{
	struct server *before = server_before(p, wish, c->now_ms);
	bool is_aside = false;

	if (before && may_stay(before, c)) {
		if (use_server(before, use)) {
			board_add(p->cells, BOARD_POOL_STUCK, 1);
			return true;
		}
		is_aside = true;
	}
	if (!take_any(p, wish->has_hash ? wish->hash : rand_next(&p->rand), c, use)) {
		c->saw_full |= is_aside;
		return false;
	}
	use->is_aside = is_aside;
	if (before)
		board_add(p->cells, BOARD_POOL_MOVED, 1);
	return true;
}

static void earn_retries(struct pool *p)
{
	if (p->retries < POOL_RETRIES_SAVED_MAX * 100)
		p->retries += p->conf->retry.budget_percent;
}

enum pool_outcome pool_take(struct pool *p, const struct pool_wish *wish,
	const struct pool_tried *tried, int64_t now_ms, struct server_use *use)
{
	static const struct pool_wish nothing;
	struct choice c = {.tried = tried, .now_ms = now_ms};

	assert(use->server == NULL && use->lost && p->is_settled);
	p->now_ms = now_ms;
	if (!wish)
		wish = &nothing;
	standing_refresh_if_changed(p);
	earn_retries(p);
	if (!pool_circuit_enter(p, BOARD_CIRCUIT_REQUESTS, &use->circuits) ||
		(wish->is_retry && !pool_circuit_enter(p, BOARD_CIRCUIT_RETRIES, &use->circuits))) {
		pool_circuits_leave(p, &use->circuits);
		return POOL_OPEN;
	}
	if (!take_server(p, wish, &c, use)) {
		pool_circuits_leave(p, &use->circuits);
		return c.saw_full ? POOL_FULL : POOL_NONE;
	}
	if (wish->has_stick && p->conf->sticky && p->sticks.count && !use->is_aside)
		stick_note(&p->sticks, stick_key(p, wish), keys_hash_of(use->server), now_ms);
	return POOL_TAKEN;
}

/* False when so many retries are under way that another one would be refused. */
static bool has_room_for_retry(const struct pool *p)
{
	const struct conf_circuit *c = p->conf->circuit;

	return !c || !c->retries ||
	       atomic_load_explicit(&p->object->circuits[BOARD_CIRCUIT_RETRIES],
		       memory_order_relaxed) < (uint64_t)c->retries;
}

bool pool_may_retry(struct pool *p, unsigned tries, unsigned on)
{
	if (!(p->conf->retry.on & on) || (int64_t)tries > p->conf->retry.attempts)
		return false;
	if (!has_room_for_retry(p)) {
		board_add(p->cells, BOARD_POOL_REFUSED_RETRIES, 1);
		return false;
	}
	if (on == CONF_RETRY_CONNECT_FAILURE)
		return true;
	if (p->retries < 100) {
		board_add(p->cells, BOARD_POOL_NO_BUDGET, 1);
		return false;
	}
	p->retries -= 100;
	return true;
}
