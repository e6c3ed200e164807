#pragma once
/*
 * Core: may a proposed generation become one? The nodes it concerns are asked
 * before (decision C2): one no refuses it, those that are alive are waited for,
 * but not for long, and a proposal that nobody brought to an end is void. Judged
 * in the transaction that commits it, by the store's clock. Knows neither
 * documents nor the store.
 */
#include <stddef.h>
#include <stdint.h>

#define PROPOSAL_SILENCE_MS 3000 /* who has not answered by then is away */
#define PROPOSAL_LIFE_MS 6000    /* from then on anyone may remove it, and nobody can commit it */

enum proposal_vote { PROPOSAL_SILENT, PROPOSAL_YES, PROPOSAL_NO };

/* One node that was asked. Texts are borrowed. */
struct proposal_voter {
	const char *node;
	const char *reason; /* of a no; "" else */
	enum proposal_vote vote;
	int64_t beat_age_ms; /* of its heartbeat row; negative: it has none */
};

enum proposal_state {
	PROPOSAL_OPEN,    /* a live node has still time to answer */
	PROPOSAL_PASSED,  /* nobody said no, and everybody answered or is away */
	PROPOSAL_REFUSED, /* somebody said no, alive or not by now */
	PROPOSAL_EXPIRED  /* too old, whatever the votes say */
};
const char *proposal_state_name(enum proposal_state s); /* "open", … */

/* age_ms: of the proposal. */
enum proposal_state proposal_judge(
	const struct proposal_voter *voters, size_t count, int64_t age_ms);
