/* Draws the constants of a seed and derives the bounds that follow from them. */
#include "tests/sim/scene.h"

#include <string.h>

#include "vrrpd/role.h"

#define MS 1000000LL
#define CS 10000000LL

static bool chance(struct rand_state *r, unsigned percent)
{
	return rand_below(r, 100) < percent;
}

static int draw_priority(struct rand_state *r)
{
	static const int usual[] = {100, 100, 150, 200, 200, 254};

	if (chance(r, 50))
		return usual[rand_below(r, sizeof usual / sizeof *usual)];
	return 2 + (int)rand_below(r, 253);
}

static void draw_weights(struct scene_document *d, struct rand_state *r)
{
	for (size_t i = 0; i < SCENE_WEIGHTS; i++)
		d->weight[i] = chance(r, 50) ? 0 : (int)rand_below(r, 161) - 80;
}

void scene_draw(struct scene *s, struct rand_state *r)
{
	static const int intervals_cs[] = {1, 10, 10, 10, 100, 100};
	int interval_cs = intervals_cs[rand_below(r, 6)];
	bool differ, have_delay;

	*s = (struct scene){.nodes = 2 + (chance(r, 60) ? rand_below(r, 2) : rand_below(r, 4))};
	s->version = chance(r, 85) ? 3 : 2;
	if (s->version == 2)
		interval_cs = 100;
	differ = s->version == 3 && chance(r, 20);
	have_delay = chance(r, 20);
	for (size_t i = 0; i < s->nodes; i++) {
		s->interval_cs[i] = interval_cs * (differ ? 1 + (int)rand_below(r, 3) : 1);
		s->priority[i] = draw_priority(r);
		s->preempt[i] = chance(r, 80);
	}
	if (chance(r, 10))
		s->priority[rand_below(r, s->nodes)] = 255;
	s->preempt_delay_ms = have_delay ? (int64_t)rand_below(r, 10) * interval_cs * 10 : 0;
	s->has_channel = chance(r, 75);
	s->when_all_down_release = chance(r, 10);
	s->check_interval_ms = interval_cs * 10 * (int64_t)(2 + rand_below(r, 3));
	s->startup_hold_ms = interval_cs * 10 * (int64_t)(3 + rand_below(r, 8));
	s->delay_ns = (int64_t)(50000 + rand_below(r, (uint64_t)interval_cs * CS / 12));
	if (s->delay_ns > 5 * MS)
		s->delay_ns = 5 * MS;
	s->rough_delay_ns = s->delay_ns + (int64_t)rand_below(r, (uint64_t)interval_cs * CS * 3);
	s->generation = 1;
	s->documents[0] = (struct scene_document){.virtual_router_id = 51, .addresses = 1};
	memcpy(s->documents[0].priority, s->priority, sizeof s->priority);
	s->has_group = !scene_has_owner(s) && chance(r, 25);
	for (size_t i = 0; i < s->nodes; i++)
		s->documents[0].second_priority[i] =
			chance(r, 50) ? s->priority[i] : draw_priority(r);
	draw_weights(&s->documents[0], r);
}

bool scene_draw_document(struct scene *s, struct rand_state *r)
{
	struct scene_document *d = &s->documents[s->generation];

	if (s->generation == SCENE_DOCUMENTS_MAX)
		return false;
	*d = s->documents[s->generation++ - 1];
	/* Without heartbeats nobody can say which identity it hears. */
	if (s->has_channel && chance(r, 60))
		d->virtual_router_id = 51 + (int)rand_below(r, 4);
	d->addresses = 1 + (int)rand_below(r, 3);
	if (chance(r, 50))
		draw_weights(d, r);
	for (size_t i = 0; i < s->nodes && chance(r, 50); i++)
		if (d->priority[i] != 255)
			d->priority[i] = draw_priority(r);
	for (size_t i = 0; s->has_group && i < s->nodes; i++)
		if (chance(r, 30))
			d->second_priority[i] = draw_priority(r);
	return true;
}

bool scene_has_owner(const struct scene *s)
{
	for (size_t i = 0; i < s->nodes; i++)
		if (s->priority[i] == 255)
			return true;
	return false;
}

int64_t scene_interval_ns(const struct scene *s)
{
	int most = 0;

	for (size_t i = 0; i < s->nodes; i++)
		most = s->interval_cs[i] > most ? s->interval_cs[i] : most;
	return most * CS;
}

int64_t scene_active_down_ns(const struct scene *s)
{
	return 4 * scene_interval_ns(s);
}

int64_t scene_settle_ns(const struct scene *s)
{
	int64_t settle = 3 * scene_active_down_ns(s) + s->preempt_delay_ms * MS +
			 s->startup_hold_ms * MS;

	if (s->has_channel)
		settle += 6 * s->check_interval_ms * MS + ROLE_RETRY_MS * MS;
	return settle;
}
