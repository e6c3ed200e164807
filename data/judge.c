/* Words for servers: see judge.h. */
#include "data/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/effective.h"
#include "common/overlay.h"
#include "common/verdict_row.h"
#include "data/ramp.h"

/* Of a server of a pool with `passive`. */
struct judge_ejection {
	struct eject eject;
	struct wall since;
	char why[EJECT_WHY_SIZE];
};

struct judge {
	struct board *board;
	const char *node;
	struct conf *conf;           /* counted; NULL before the first generation */
	uint32_t *slots;             /* of pools and servers */
	uint32_t *offsets;           /* by pool: where its slots begin */
	bool is_running;             /* a generation is in force: what comes now is added to it */
	json_t *overlays, *verdicts; /* rows by key */
	struct judge_ejection *ejections; /* by slot */
};

struct judge *judge_new(struct board *b, const char *node)
{
	struct judge *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->board = b;
	j->node = node;
	j->ejections = calloc(
		b->head->objects, sizeof *j->ejections); /* only what is used is there */
	if (!j->ejections) {
		free(j);
		return NULL;
	}
	j->overlays = json_object();
	j->verdicts = json_object();
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	conf_unref(j->conf);
	json_decref(j->overlays);
	json_decref(j->verdicts);
	free(j->slots);
	free(j->offsets);
	free(j->ejections);
	free(j);
}

/* Writes the word, and before it what follows from its change. */
static void say(struct judge *j, struct board_object *pool, struct board_object *server,
	uint64_t word, struct judge_now now)
{
	uint64_t before = atomic_load(&server->word);

	if (word == before)
		return;
	if (!before || board_word_state(before) != board_word_state(word))
		atomic_store(&server->since_ms, (uint64_t)now.ms);
	atomic_store(&server->ramp, ramp_next(atomic_load(&server->ramp), before, word,
					    j->is_running, (uint64_t)now.ms));
	board_say(j->board, pool, server, word);
}

static struct board_object *pool_object(
	const struct judge *j, const struct conf_pool *p, const uint32_t **ret_slots)
{
	*ret_slots = j->slots + j->offsets[p - j->conf->pools];
	return &j->board->objects[**ret_slots];
}

static void judge_server(struct judge *j, const struct conf_pool *p, const struct conf_server *s,
	struct judge_now now)
{
	const uint32_t *slots;
	struct board_object *pool = pool_object(j, p, &slots);
	uint32_t slot = slots[1 + (s - p->servers)];
	struct board_object *server = &j->board->objects[slot];
	const struct judge_ejection *ejection = &j->ejections[slot];
	struct verdict_row verdict;
	struct overlay overlay;
	struct effective e;
	char key[BOARD_NAME_SIZE + 8];
	bool has_overlay, has_verdict;
	uint64_t flag = 0;

	if (!p->passive || !atomic_load(&server->word)) /* nobody watches; a server that is new */
		j->ejections[slot] = (struct judge_ejection){0};
	snprintf(key, sizeof key, "pool/%s/%s", p->name, s->name);
	has_overlay = overlay_decode(json_object_get(j->overlays, key), &overlay) == 0;
	has_verdict = verdict_row_decode(json_object_get(j->verdicts, key), &verdict) == 0;
	effective_server(
		p, s, has_overlay ? &overlay : NULL, has_verdict ? &verdict : NULL, now.wall, &e);
	if (p->passive && eject_is_out(&ejection->eject) && effective_rank(e.state) <= 1) {
		effective_eject(&e, ejection->why, ejection->since);
		flag = BOARD_WORD_EJECTED;
	}
	say(j, pool, server, board_word(effective_rank(e.state), e.state, e.weight) | flag, now);
	if (!s->is_resolved && has_verdict && verdict.has_address)
		board_say_address(j->board, pool, server, &verdict.address);
}

/* Our own instance: whether this node is to be left. */
static void judge_node(struct judge *j, struct judge_now now)
{
	char key[BOARD_NAME_SIZE + 16];
	struct overlay o;
	bool is_drained;

	snprintf(key, sizeof key, "instance/%s", j->node);
	is_drained = overlay_decode(json_object_get(j->overlays, key), &o) == 0 &&
		     o.state != OVERLAY_READY && overlay_is_current(&o, now.wall);
	atomic_store(&j->board->head->is_node_drained, is_drained);
}

static void judge_all(struct judge *j, struct judge_now now)
{
	judge_node(j, now);
	for (size_t i = 0; i < j->conf->pools_count; i++) {
		const struct conf_pool *p = &j->conf->pools[i];

		for (size_t k = 0; k < p->servers_count; k++)
			judge_server(j, p, &p->servers[k], now);
	}
}

/* A server that the generation before did not have is new, whatever its slot remembers. */
static void forget_new(struct judge *j, const struct conf *before)
{
	for (size_t i = 0; i < j->conf->pools_count; i++) {
		const struct conf_pool *p = &j->conf->pools[i], *was = conf_pool(before, p->name);
		const uint32_t *slots;
		struct board_object *pool = pool_object(j, p, &slots);

		for (size_t k = 0; k < p->servers_count; k++)
			if (!was || !conf_server(was, p->servers[k].name))
				board_say(j->board, pool, &j->board->objects[slots[1 + k]], 0);
	}
}

/* The slots of pools and servers, and where each pool's begin. */
static size_t count_slots(const struct conf *c, uint32_t *offsets)
{
	size_t count = 0;

	for (size_t i = 0; i < c->pools_count; i++) {
		offsets[i] = (uint32_t)count;
		count += 1 + c->pools[i].servers_count;
	}
	return count;
}

int judge_configure(struct judge *j, struct conf *conf, const uint32_t *slots, struct judge_now now)
{
	uint32_t *offsets = calloc(conf->pools_count + 1, sizeof *offsets), *copy;
	size_t count = offsets ? count_slots(conf, offsets) : 0;
	struct conf *before;

	copy = calloc(count + 1, sizeof *copy);
	if (!offsets || !copy) {
		free(offsets);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, slots + conf->listeners_count, count * sizeof *copy);
	before = j->conf;
	free(j->slots);
	free(j->offsets);
	j->conf = conf_ref(conf);
	j->slots = copy;
	j->offsets = offsets;
	if (before)
		forget_new(j, before);
	conf_unref(before);
	judge_all(j, now);
	j->is_running = true;
	return 0;
}

/* "pool/POOL/SERVER" of the generation in force: judges that server. "instance/NODE": the node. */
static void judge_key(struct judge *j, const char *key, struct judge_now now)
{
	char pool_name[CONF_NAME_SIZE];
	const struct conf_server *s;
	const struct conf_pool *p;
	const char *slash;

	if (strncmp(key, "instance/", 9) == 0)
		judge_node(j, now);
	if (!j->conf || strncmp(key, "pool/", 5) != 0)
		return;
	key += 5;
	slash = strchr(key, '/');
	if (!slash || (size_t)(slash - key) >= sizeof pool_name)
		return;
	snprintf(pool_name, sizeof pool_name, "%.*s", (int)(slash - key), key);
	p = conf_pool(j->conf, pool_name);
	s = p ? conf_server(p, slash + 1) : NULL;
	if (s)
		judge_server(j, p, s, now);
}

static void set_row(json_t *rows, const char *key, const json_t *row)
{
	if (row)
		json_object_set(rows, key, (json_t *)row);
	else
		json_object_del(rows, key);
}

void judge_overlay(struct judge *j, const char *key, const json_t *row, struct judge_now now)
{
	set_row(j->overlays, key, row);
	judge_key(j, key, now);
}

void judge_verdict(struct judge *j, const char *key, const json_t *row, struct judge_now now)
{
	set_row(j->verdicts, key, row);
	judge_key(j, key, now);
}

struct wall judge_expire(struct judge *j, struct judge_now now)
{
	struct wall next = {0};
	const char *key;
	json_t *row;

	json_object_foreach (j->overlays, key, row) {
		struct overlay o;

		if (overlay_decode(row, &o) < 0 || o.until.ms == 0)
			continue;
		if (o.until.ms <= now.wall.ms)
			judge_key(j, key, now);
		else if (next.ms == 0 || o.until.ms < next.ms)
			next = o.until;
	}
	return next;
}

static void watch_pool(struct judge *j, const struct conf_pool *p, struct judge_now now)
{
	const uint32_t *slots;
	unsigned out = 0, room = eject_room(p->passive, (unsigned)p->servers_count);

	pool_object(j, p, &slots);
	for (size_t i = 0; i < p->servers_count; i++)
		out += eject_is_out(&j->ejections[slots[1 + i]].eject);
	for (size_t i = 0; i < p->servers_count; i++) {
		uint32_t slot = slots[1 + i];
		struct judge_ejection *x = &j->ejections[slot];
		bool was_out = eject_is_out(&x->eject);

		if (!eject_step(&x->eject, p->passive, atomic_load(&j->board->objects[slot].errors),
			    out < room, now.ms))
			continue;
		out += was_out ? -1u : 1u;
		x->since = now.wall;
		eject_print(&x->eject, p->passive, x->why);
		judge_server(j, p, &p->servers[i], now);
	}
}

void judge_watch(struct judge *j, struct judge_now now)
{
	for (size_t i = 0; j->conf && i < j->conf->pools_count; i++)
		if (j->conf->pools[i].passive)
			watch_pool(j, &j->conf->pools[i], now);
}

bool judge_ejection(
	const struct judge *j, uint32_t slot, char why[EJECT_WHY_SIZE], struct wall *ret_since)
{
	const struct judge_ejection *x = &j->ejections[slot];

	if (!eject_is_out(&x->eject) ||
		!(atomic_load(&j->board->objects[slot].word) & BOARD_WORD_EJECTED))
		return false;
	snprintf(why, EJECT_WHY_SIZE, "%s", x->why);
	*ret_since = x->since;
	return true;
}
