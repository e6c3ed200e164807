/* See vip.h: how a VIP becomes another virtual router, in two steps (decision V8). */
#include <stdio.h>
#include <string.h>

#include "vrrpd/vip.h"

void vip_set_key(struct vip *v)
{
	const struct identity *i = &v->identities.spoken;

	snprintf(v->key, sizeof v->key, "%s/%d/%s/%s", v->config->name, i->virtual_router_id,
		i->interface, i->family == AF_INET ? "ipv4" : "ipv6");
}

void vip_want_identity(
	struct vip *v, const struct identity *wanted, struct segment *segment, struct mono now)
{
	char from[IDENTITY_TEXT_SIZE], to[IDENTITY_TEXT_SIZE];

	if (identities_want(&v->identities, wanted, now))
		log_info("vip=%s: is heard as %s too; speaks as %s until all hear that",
			v->config->name, identity_print(wanted, to),
			identity_print(&v->identities.spoken, from));
	v->next_segment = v->identities.has_coming ? segment : NULL;
}

/* Why the coming identity cannot be spoken yet; where nothing can be said under the old one, nobody
 * waits for it to be heard. */
static void wait_print(struct vip *v, const char *lags)
{
	v->waits_for[0] = '\0';
	if (!v->identities.has_coming)
		return;
	if (v->next_segment->why[0])
		snprintf(v->waits_for, sizeof v->waits_for, "%s", v->next_segment->why);
	else if (lags && !v->identities.is_coming_spoken && !v->segment->why[0])
		snprintf(v->waits_for, sizeof v->waits_for,
			"until %s runs the generation too, it is still virtual router %d on %s",
			lags, v->identities.spoken.virtual_router_id,
			v->identities.spoken.interface);
}

static void switch_over(struct vip *v, struct mono now)
{
	struct segment *before = v->segment;
	char text[IDENTITY_TEXT_SIZE];

	identities_switch(&v->identities, now);
	v->segment = v->next_segment;
	v->next_segment = NULL;
	ownership_clear(v->uses->ownership, v->key);
	vip_set_key(v);
	vip_set_machine(v, now); /* an Active advertises: the others hear both */
	vip_relocate(v, before, now);
	log_info("vip=%s: speaks as %s", v->config->name,
		identity_print(&v->identities.spoken, text));
}

bool vip_tend_identity(struct vip *v, const char *lags, struct mono now)
{
	size_t former = v->identities.former_count;
	char before[SEGMENT_WHY_SIZE];

	identities_expire(&v->identities, !lags, now);
	memcpy(before, v->waits_for, sizeof before);
	wait_print(v, lags);
	v->must_report |= strcmp(before, v->waits_for) != 0;
	if (!v->identities.has_coming || v->is_leaving)
		return v->identities.former_count != former;
	if (v->waits_for[0])
		return false;
	switch_over(v, now);
	return true;
}
