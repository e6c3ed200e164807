/* Words for servers: see judge.h. */
#include "data/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/effective.h"
#include "common/overlay.h"
#include "common/verdict_row.h"

struct judge {
	struct board *board;
	struct conf *conf;           /* counted; NULL before the first generation */
	uint32_t *slots;             /* of pools and servers */
	uint32_t *offsets;           /* by pool: where its slots begin */
	json_t *overlays, *verdicts; /* rows by key */
};

struct judge *judge_new(struct board *b)
{
	struct judge *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->board = b;
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
	free(j);
}

static void judge_server(
	struct judge *j, const struct conf_pool *p, const struct conf_server *s, struct wall now)
{
	const uint32_t *slots = j->slots + j->offsets[p - j->conf->pools];
	struct board_object *objects = j->board->objects;
	struct board_object *pool = &objects[slots[0]],
			    *server = &objects[slots[1 + (s - p->servers)]];
	struct verdict_row verdict;
	struct overlay overlay;
	struct effective e;
	char key[BOARD_NAME_SIZE + 8];
	bool has_overlay, has_verdict;

	snprintf(key, sizeof key, "pool/%s/%s", p->name, s->name);
	has_overlay = overlay_decode(json_object_get(j->overlays, key), &overlay) == 0;
	has_verdict = verdict_row_decode(json_object_get(j->verdicts, key), &verdict) == 0;
	effective_server(
		p, s, has_overlay ? &overlay : NULL, has_verdict ? &verdict : NULL, now, &e);
	board_say(j->board, pool, server, board_word(effective_rank(e.state), e.state, e.weight));
	if (!s->is_resolved && has_verdict && verdict.has_address)
		board_say_address(j->board, pool, server, &verdict.address);
}

static void judge_all(struct judge *j, struct wall now)
{
	for (size_t i = 0; i < j->conf->pools_count; i++) {
		const struct conf_pool *p = &j->conf->pools[i];

		for (size_t k = 0; k < p->servers_count; k++)
			judge_server(j, p, &p->servers[k], now);
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

int judge_configure(struct judge *j, struct conf *conf, const uint32_t *slots, struct wall now)
{
	uint32_t *offsets = calloc(conf->pools_count + 1, sizeof *offsets), *copy;
	size_t count = offsets ? count_slots(conf, offsets) : 0;

	copy = calloc(count + 1, sizeof *copy);
	if (!offsets || !copy) {
		free(offsets);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, slots + conf->listeners_count, count * sizeof *copy);
	conf_ref(conf);
	conf_unref(j->conf);
	free(j->slots);
	free(j->offsets);
	j->conf = conf;
	j->slots = copy;
	j->offsets = offsets;
	judge_all(j, now);
	return 0;
}

/* "pool/POOL/SERVER" of the generation in force: judges that server. */
static void judge_key(struct judge *j, const char *key, struct wall now)
{
	char pool_name[CONF_NAME_SIZE];
	const struct conf_server *s;
	const struct conf_pool *p;
	const char *slash;

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

void judge_overlay(struct judge *j, const char *key, const json_t *row, struct wall now)
{
	set_row(j->overlays, key, row);
	judge_key(j, key, now);
}

void judge_verdict(struct judge *j, const char *key, const json_t *row, struct wall now)
{
	set_row(j->verdicts, key, row);
	judge_key(j, key, now);
}

struct wall judge_expire(struct judge *j, struct wall now)
{
	struct wall next = {0};
	const char *key;
	json_t *row;

	json_object_foreach(j->overlays, key, row)
	{
		struct overlay o;

		if (overlay_decode(row, &o) < 0 || o.until.ms == 0)
			continue;
		if (o.until.ms <= now.ms)
			judge_key(j, key, now);
		else if (next.ms == 0 || o.until.ms < next.ms)
			next = o.until;
	}
	return next;
}
