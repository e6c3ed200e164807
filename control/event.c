/*
 * event: decodes two states of one row and says what changed between them. A
 * row that appears for the first time is an event only where its state matters
 * by itself (down, drain, active, failed).
 */
#include "control/event.h"

#include <stdio.h>
#include <string.h>

#include "common/vip_move.h"

#include "common/verdict_row.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *event_make(const struct event_place *p, const char *kind, const char *object,
	const char *from, const char *to, const char *why)
{
	if (from && to && strcmp(from, to) == 0)
		return NULL;
	return json_pack("{s:s, s:o, s:s, s:o, s:o, s:s, s:s}", "kind", kind, "stack",
		text_or_null(p->stack), "object", object, "from", text_or_null(from), "to",
		text_or_null(to), "why", why, "node", p->node);
}

/* The part of a key behind its kind: "pool/web/w1" -> "web/w1". Others stay whole. */
static const char *without_prefix(const char *key, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(key, prefix, len) == 0 ? key + len : key;
}

json_t *event_of_verdict(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after)
{
	struct verdict_row a, b;
	bool had = before && verdict_row_decode(before, &a) == 0;

	if (!after || verdict_row_decode(after, &b) < 0)
		return NULL;
	if (!had && b.state == VERDICT_UNKNOWN)
		return NULL;
	return event_make(p, "verdict", without_prefix(key, "pool/"),
		verdict_state_name(had ? a.state : VERDICT_UNKNOWN), verdict_state_name(b.state),
		b.reason);
}

/* Another instance, as vrrpd hears it. */
static json_t *event_of_peer(
	const struct event_place *p, const char *name, const json_t *before, const json_t *after)
{
	struct report_peer a = {.state = REPORT_PEER_UNKNOWN}, b;

	if (before && report_peer_decode(before, &a) < 0)
		a.state = REPORT_PEER_UNKNOWN;
	if (!after || report_peer_decode(after, &b) < 0)
		return NULL;
	return event_make(p, "peer", name, report_peer_state_name(a.state),
		report_peer_state_name(b.state), b.why);
}

json_t *event_of_role(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after)
{
	struct report_vip a, b;
	bool had = before && report_vip_decode(before, &a) == 0;

	if (strncmp(key, "peer/", 5) == 0)
		return event_of_peer(p, key + 5, before, after);
	if (strncmp(key, "vip/", 4) != 0 || !after || report_vip_decode(after, &b) < 0)
		return NULL;
	return event_make(p, "vip", key + 4,
		report_vip_state_name(had ? a.state : REPORT_VIP_INITIALIZE),
		report_vip_state_name(b.state), b.why);
}

json_t *event_of_traffic(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after)
{
	struct report_listener a, b;
	bool had = before && report_listener_decode(before, &a) == 0;

	if (strncmp(key, "listener/", 9) != 0)
		return NULL;
	if (!after)
		return had ? event_make(p, "listener", key + 9, report_listener_state_name(a.state),
				     NULL, "removed")
			   : NULL;
	if (report_listener_decode(after, &b) < 0)
		return NULL;
	return event_make(p, "listener", key + 9, had ? report_listener_state_name(a.state) : NULL,
		report_listener_state_name(b.state), b.reason);
}

/* Of a move: true and described. */
static bool describe_move(const json_t *row, char *text, size_t size, char *why, size_t why_size)
{
	struct vip_move m;

	if (!row || vip_move_decode(row, &m) < 0)
		return false;
	snprintf(text, size, "moved to %s", m.holder);
	if (why)
		snprintf(why, why_size, "%s%s%s", m.who, m.why[0] ? ": " : "", m.why);
	return true;
}

static void describe_overlay(const struct overlay *o, char *text, size_t size)
{
	if (o->has_weight)
		snprintf(text, size, "%s, weight %d", overlay_state_name(o->state), o->weight);
	else
		snprintf(text, size, "%s", overlay_state_name(o->state));
}

json_t *event_of_overlay(
	const struct event_place *p, const char *key, const json_t *before, const json_t *after)
{
	char from[96] = "none", to[96] = "none", why[2 * OVERLAY_TEXT_SIZE + 8] = "";
	struct overlay o;

	if (before && overlay_decode(before, &o) == 0)
		describe_overlay(&o, from, sizeof from);
	if (after && overlay_decode(after, &o) == 0) {
		describe_overlay(&o, to, sizeof to);
		snprintf(why, sizeof why, "%s%s%s", o.who, o.why[0] ? ": " : "", o.why);
	}
	describe_move(before, from, sizeof from, NULL, 0);
	describe_move(after, to, sizeof to, why, sizeof why);
	return event_make(p, "overlay", without_prefix(key, "pool/"), from, to, why);
}
