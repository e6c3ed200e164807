/* See vip.h: how a VIP becomes another virtual router, in two steps (decision V8). */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "vrrpd/lease.h"
#include "vrrpd/vip.h"

void vip_set_key(struct vip *v)
{
	identity_key(&v->identities.spoken, v->config->name, v->key, sizeof v->key);
}

/* Version and unicast are not in a key: taken to be the same. */
bool vip_recall_identity(const struct vip_uses *uses, const struct conf_vip *config,
	struct identity *ret_spoken)
{
	struct identity wanted = identity_of(config), before = wanted;
	char key[OWNERSHIP_KEY_SIZE], other[OWNERSHIP_KEY_SIZE];
	struct lease_record r;

	identity_key(&wanted, config->name, key, sizeof key);
	if (ownership_read_other(uses->ownership, config->name, key, other, &r) < 0)
		return false;
	/* Another family is no change, but leaves and begins anew. */
	if (!identity_of_key(other, config->name, &before) || before.family != wanted.family) {
		ownership_clear(uses->ownership, other);
		return false;
	}
	*ret_spoken = before;
	return true;
}

/* A Backup has no record of its own: a successor is to know that the change is not over. */
static void note_change(struct vip *v, struct mono now)
{
	struct lease_record r;

	/* One that has not started yet goes by what it finds. */
	if (!v->identities.has_coming || v->vrrp.state != VRRP_BACKUP)
		return;
	memset(&r, 0, sizeof r);
	r.sent_ns = now.ns;
	r.patience_ns = vrrp_patience_ns(&v->vrrp);
	ownership_write(v->uses->ownership, v->key, &r);
}

static void forget_change(struct vip *v)
{
	char other[OWNERSHIP_KEY_SIZE];
	struct lease_record r;

	while (ownership_read_other(v->uses->ownership, v->config->name, v->key, other, &r) == 0)
		ownership_clear(v->uses->ownership, other);
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
	else if (lags && !v->segment->why[0])
		snprintf(v->waits_for, sizeof v->waits_for,
			"until %s runs the generation too, it is %s virtual router %d on %s", lags,
			v->identities.is_both_spoken ? "also" : "still",
			v->identities.spoken.virtual_router_id,
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
	note_change(v, now);
	if (v->identities.former_count == 0 && former > 0)
		forget_change(v);
	if (!v->identities.has_coming || v->is_leaving)
		return v->identities.former_count != former;
	if (v->waits_for[0])
		return false;
	switch_over(v, now);
	return true;
}
