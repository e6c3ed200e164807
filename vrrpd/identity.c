/* See identity.h. */
#include "vrrpd/identity.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HEARD_INTERVALS 4

struct identity identity_of(const struct conf_vip *v)
{
	struct identity i = {.virtual_router_id = (int)v->virtual_router_id,
		.family = addr_family(&v->addresses[0].addr),
		.version = (int)v->version,
		.is_unicast = v->unicast,
		.interval_ms = v->advertisement_interval_ms};

	snprintf(i.interface, sizeof i.interface, "%s", v->interface);
	return i;
}

static bool is_there(
	const struct identity *i, const char *interface, int family, int virtual_router_id)
{
	return i->family == family && strcmp(i->interface, interface) == 0 &&
	       (virtual_router_id == 0 || i->virtual_router_id == virtual_router_id);
}

bool identity_is_same(const struct identity *a, const struct identity *b)
{
	return is_there(a, b->interface, b->family, b->virtual_router_id) &&
	       a->version == b->version && a->is_unicast == b->is_unicast;
}

void identity_key(const struct identity *i, const char *vip, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%d/%s/%s", vip, i->virtual_router_id, i->interface,
		i->family == AF_INET ? "ipv4" : "ipv6");
}

bool identity_of_key(const char *key, const char *vip, struct identity *ret)
{
	size_t len = strlen(vip);
	char interface[IF_NAMESIZE], family[5];
	int id, end = 0;

	if (strncmp(key, vip, len) != 0 ||
		sscanf(key + len, "/%3d/%15[^/]/%4s%n", &id, interface, family, &end) != 3 ||
		key[len + (size_t)end] != '\0' || id < 1 || id > 255 ||
		(strcmp(family, "ipv4") != 0 && strcmp(family, "ipv6") != 0))
		return false;
	ret->virtual_router_id = id;
	memcpy(ret->interface, interface, sizeof interface);
	ret->family = family[3] == '4' ? AF_INET : AF_INET6;
	return true;
}

const char *identity_print(const struct identity *i, char text[IDENTITY_TEXT_SIZE])
{
	snprintf(text, IDENTITY_TEXT_SIZE, "virtual router %d on %s, version %d, %s",
		i->virtual_router_id, i->interface, i->version,
		i->is_unicast ? "unicast" : "multicast");
	return text;
}

void identities_init(struct identities *x, const struct identity *first)
{
	*x = (struct identities){.spoken = *first};
}

static struct mono silence_after(const struct identity *i, struct mono now)
{
	return mono_add_ms(now, HEARD_INTERVALS * i->interval_ms);
}

static void former_remove(struct identities *x, size_t index)
{
	size_t behind = --x->former_count - index;

	memmove(x->former + index, x->former + index + 1, behind * sizeof *x->former);
	memmove(x->former_until + index, x->former_until + index + 1,
		behind * sizeof *x->former_until);
}

static void former_forget(struct identities *x, const struct identity *i)
{
	for (size_t f = x->former_count; f-- > 0;)
		if (identity_is_same(&x->former[f], i))
			former_remove(x, f);
}

static void former_add(struct identities *x, const struct identity *i, struct mono now)
{
	former_forget(x, i);
	if (x->former_count == IDENTITY_FORMER_MAX)
		x->former_count--;
	memmove(x->former + 1, x->former, x->former_count * sizeof *x->former);
	memmove(x->former_until + 1, x->former_until, x->former_count * sizeof *x->former_until);
	x->former[0] = *i;
	x->former_until[0] = silence_after(i, now);
	x->former_count++;
}

bool identities_want(struct identities *x, const struct identity *wanted, struct mono now)
{
	bool had_coming = x->has_coming;
	struct identity coming = x->coming;

	x->has_coming = !identity_is_same(&x->spoken, wanted);
	if (!x->has_coming)
		x->spoken.interval_ms = wanted->interval_ms;
	else
		x->coming = *wanted;
	if (!x->has_coming || !had_coming || !identity_is_same(&coming, wanted))
		x->is_both_spoken = false;
	former_forget(x, wanted);
	if (had_coming && !identity_is_same(&coming, wanted))
		former_add(x, &coming, now); /* a peer that was quicker may speak it */
	return x->has_coming && !(had_coming && identity_is_same(&coming, wanted));
}

void identities_start(struct identities *x, bool is_resuming)
{
	x->is_both_spoken |= x->has_coming && !is_resuming;
}

void identities_switch(struct identities *x, struct mono now)
{
	assert(x->has_coming);
	former_add(x, &x->spoken, now);
	x->spoken = x->coming;
	x->has_coming = x->is_both_spoken = false;
}

void identities_heard(
	struct identities *x, const struct identity *i, int priority, struct mono now)
{
	if (priority == 0)
		return;
	for (size_t f = 0; f < x->former_count; f++)
		if (identity_is_same(&x->former[f], i))
			x->former_until[f] = silence_after(&x->former[f], now);
	x->is_both_spoken |= x->has_coming && identity_is_same(&x->coming, i);
}

void identities_expire(struct identities *x, bool is_acknowledged, struct mono now)
{
	for (size_t f = x->former_count; is_acknowledged && f-- > 0;)
		if (mono_reached(x->former_until[f], now))
			former_remove(x, f);
}

const struct identity *identities_find(const struct identities *x, const struct identity *seen)
{
	if (identity_is_same(&x->spoken, seen))
		return &x->spoken;
	if (x->has_coming && identity_is_same(&x->coming, seen))
		return &x->coming;
	for (size_t f = 0; f < x->former_count; f++)
		if (identity_is_same(&x->former[f], seen))
			return &x->former[f];
	return is_there(&x->spoken, seen->interface, seen->family, seen->virtual_router_id)
		       ? &x->spoken
		       : NULL;
}

bool identities_has(
	const struct identities *x, const char *interface, int family, int virtual_router_id)
{
	if (is_there(&x->spoken, interface, family, virtual_router_id))
		return true;
	if (x->has_coming && is_there(&x->coming, interface, family, virtual_router_id))
		return true;
	for (size_t f = 0; f < x->former_count; f++)
		if (is_there(&x->former[f], interface, family, virtual_router_id))
			return true;
	return false;
}

void identities_check(const struct identities *x)
{
	assert(x->former_count <= IDENTITY_FORMER_MAX);
	assert(!x->has_coming || !identity_is_same(&x->coming, &x->spoken));
	assert(x->has_coming || !x->is_both_spoken);
	for (size_t f = 0; f < x->former_count; f++) {
		assert(!identity_is_same(&x->former[f], &x->spoken));
		assert(!x->has_coming || !identity_is_same(&x->former[f], &x->coming));
		for (size_t other = 0; other < f; other++)
			assert(!identity_is_same(&x->former[f], &x->former[other]));
	}
}

const char *identity_lags(
	const struct identity_peer *peers, size_t count, uint64_t generation)
{
	for (size_t i = 0; i < count; i++)
		if (peers[i].is_unknown || (peers[i].is_alive && peers[i].generation < generation))
			return peers[i].name;
	return NULL;
}
