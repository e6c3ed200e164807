/*
 * Every transition of the machine in vrrp.c, once: the row is the code's way
 * from state to state, the log's `why` and the arrow in README.md. A transition without a row
 * cannot happen: move() asserts it.
 */
#include "vrrpd/vrrp.h"

#include "common/buf.h"

// clang-format off
const struct vrrp_transition vrrp_transitions[] = {
	{VRRP_INITIALIZE, VRRP_STARTED, VRRP_BACKUP, "started"},
	{VRRP_INITIALIZE, VRRP_STARTED_OWNER, VRRP_ACTIVE, "started as owner of the addresses"},
	{VRRP_INITIALIZE, VRRP_RESUMED, VRRP_ACTIVE, "resumed before anybody could miss us"},

	{VRRP_BACKUP, VRRP_ACTIVE_DOWN, VRRP_ACTIVE, "active-down timer"},
	{VRRP_BACKUP, VRRP_ACTIVE_LEFT, VRRP_ACTIVE, "the Active left (priority 0)"},
	{VRRP_BACKUP, VRRP_PREEMPTED, VRRP_ACTIVE, "preempts a lower priority"},
	{VRRP_BACKUP, VRRP_BECAME_OWNER, VRRP_ACTIVE, "became owner of the addresses"},
	{VRRP_BACKUP, VRRP_ASKED, VRRP_ACTIVE, "asked by the Active to take over"},
	{VRRP_BACKUP, VRRP_STOPPED, VRRP_INITIALIZE, "stopping"},
	{VRRP_BACKUP, VRRP_LINK_LOST, VRRP_INITIALIZE, "interface lost"},

	{VRRP_ACTIVE, VRRP_HEARD_HIGHER, VRRP_BACKUP, "heard a higher priority or address"},
	{VRRP_ACTIVE, VRRP_STALLED, VRRP_BACKUP, "stalled: a peer may have taken over"},
	{VRRP_ACTIVE, VRRP_UNFIT, VRRP_BACKUP, "no node is fit to hold the addresses"},
	{VRRP_ACTIVE, VRRP_STEPPED_DOWN, VRRP_HANDING_OVER, "handing over to a better node"},
	{VRRP_ACTIVE, VRRP_STOPPED, VRRP_HANDING_OVER, "stopping: handing over"},
	{VRRP_ACTIVE, VRRP_STOPPED_ALONE, VRRP_YIELDING, "stopping: no live peer to hand over to"},
	{VRRP_ACTIVE, VRRP_LINK_LOST, VRRP_INITIALIZE, "interface lost"},

	{VRRP_HANDING_OVER, VRRP_HANDED_OVER, VRRP_BACKUP, "handed over: the taker advertises"},
	{VRRP_HANDING_OVER, VRRP_LEFT_TO_TAKER, VRRP_INITIALIZE, "stopped: the taker advertises"},
	{VRRP_HANDING_OVER, VRRP_TAKER_SILENT, VRRP_ACTIVE, "the taker did not advertise in time"},
	{VRRP_HANDING_OVER, VRRP_TAKER_REFUSED, VRRP_ACTIVE, "the taker refused"},
	{VRRP_HANDING_OVER, VRRP_LEAVING_UNANSWERED, VRRP_YIELDING,
		"stopping: the taker did not advertise in time"},
	{VRRP_HANDING_OVER, VRRP_LEAVING_REFUSED, VRRP_YIELDING, "stopping: the taker refused"},
	{VRRP_HANDING_OVER, VRRP_STALLED, VRRP_BACKUP, "stalled: the taker may have taken over"},
	{VRRP_HANDING_OVER, VRRP_YIELD_OVER, VRRP_INITIALIZE,
		"stopped: stalled while handing over"},
	{VRRP_HANDING_OVER, VRRP_LINK_LOST, VRRP_INITIALIZE, "interface lost"},

	{VRRP_YIELDING, VRRP_SUCCEEDED, VRRP_INITIALIZE, "stopped: another router advertises"},
	{VRRP_YIELDING, VRRP_YIELD_OVER, VRRP_INITIALIZE,
		"stopped: nobody took over in time"},
	{VRRP_YIELDING, VRRP_LINK_LOST, VRRP_INITIALIZE, "interface lost"},
};
// clang-format on

const size_t vrrp_transitions_count = sizeof vrrp_transitions / sizeof *vrrp_transitions;

const struct vrrp_transition *vrrp_transition(enum vrrp_state from, enum vrrp_cause cause)
{
	for (size_t i = 0; i < vrrp_transitions_count; i++)
		if (vrrp_transitions[i].from == from && vrrp_transitions[i].cause == cause)
			return &vrrp_transitions[i];
	return NULL;
}

const char *vrrp_state_name(enum vrrp_state s)
{
	static const char *const names[VRRP_STATES] = {
		[VRRP_INITIALIZE] = "initialize",
		[VRRP_BACKUP] = "backup",
		[VRRP_ACTIVE] = "active",
		[VRRP_HANDING_OVER] = "handing_over",
		[VRRP_YIELDING] = "yielding",
	};

	return s < VRRP_STATES ? names[s] : "?";
}

const char *vrrp_cause_name(enum vrrp_cause c)
{
	static const char *const names[VRRP_CAUSES] = {
		[VRRP_STARTED] = "started",
		[VRRP_STARTED_OWNER] = "started_owner",
		[VRRP_RESUMED] = "resumed",
		[VRRP_ACTIVE_DOWN] = "active_down",
		[VRRP_ACTIVE_LEFT] = "active_left",
		[VRRP_PREEMPTED] = "preempted",
		[VRRP_BECAME_OWNER] = "became_owner",
		[VRRP_ASKED] = "asked",
		[VRRP_STOPPED] = "stopped",
		[VRRP_LINK_LOST] = "link_lost",
		[VRRP_HEARD_HIGHER] = "heard_higher",
		[VRRP_STALLED] = "stalled",
		[VRRP_UNFIT] = "unfit",
		[VRRP_STEPPED_DOWN] = "stepped_down",
		[VRRP_STOPPED_ALONE] = "stopped_alone",
		[VRRP_HANDED_OVER] = "handed_over",
		[VRRP_LEFT_TO_TAKER] = "left_to_taker",
		[VRRP_TAKER_SILENT] = "taker_silent",
		[VRRP_TAKER_REFUSED] = "taker_refused",
		[VRRP_LEAVING_UNANSWERED] = "leaving_unanswered",
		[VRRP_LEAVING_REFUSED] = "leaving_refused",
		[VRRP_YIELD_OVER] = "yield_over",
		[VRRP_SUCCEEDED] = "succeeded",
	};

	return c < VRRP_CAUSES ? names[c] : "?";
}

/* Mermaid ends a label at a colon. */
static void add_label(struct buf *out, const char *why)
{
	for (; *why; why++)
		buf_printf(out, "%c", *why == ':' ? ',' : *why);
}

void vrrp_diagram(struct buf *out)
{
	buf_add_text(out, "stateDiagram-v2\n\t[*] --> initialize\n");
	for (size_t i = 0; i < vrrp_transitions_count; i++) {
		const struct vrrp_transition *t = &vrrp_transitions[i];

		buf_printf(out, "\t%s --> %s: ", vrrp_state_name(t->from), vrrp_state_name(t->to));
		add_label(out, t->why);
		buf_add_text(out, "\n");
	}
}
