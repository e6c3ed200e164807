/* See proposal.h. Called by the script that commits (store_proposals.c). */
#include "control/proposal.h"

#include <assert.h>
#include <stdbool.h>

#include "control/fleet.h"

const char *proposal_state_name(enum proposal_state s)
{
	static const char *const names[] = {"open", "passed", "refused", "expired"};

	assert(s <= PROPOSAL_EXPIRED);
	return names[s];
}

static bool is_live(const struct proposal_voter *v)
{
	return v->beat_age_ms >= 0 && v->beat_age_ms < FLEET_LIVE_MS;
}

enum proposal_state proposal_judge(
	const struct proposal_voter *voters, size_t count, int64_t age_ms)
{
	enum proposal_state state = PROPOSAL_PASSED;

	if (age_ms >= PROPOSAL_LIFE_MS)
		return PROPOSAL_EXPIRED;
	for (size_t i = 0; i < count; i++) {
		if (voters[i].vote == PROPOSAL_NO)
			return PROPOSAL_REFUSED;
		if (voters[i].vote == PROPOSAL_SILENT && is_live(&voters[i]) &&
			age_ms < PROPOSAL_SILENCE_MS)
			state = PROPOSAL_OPEN;
	}
	return state;
}
