#pragma once
/*
 * A write to a stack's document, whoever asks for it (the document itself, one
 * object of it, a roll-back, a deletion): condition, build, judge, store, wait,
 * answer. When the store says that something changed meanwhile, it begins again
 * from what is there then; nothing is written over that was not seen.
 */
#include "control/api/family.h"

#define REVISE_ATTEMPTS_MAX 10
#define REVISE_SKIP_SIZE 1024

/*
 * Makes the new document from the current one (borrowed; NULL: no such stack):
 * an owned value; or NULL after filling *refusal. Called once per attempt.
 */
struct revise;
typedef json_t *revise_build(const struct revise *r, const json_t *current, struct answer *refusal);

struct revise_spec {
	const char *stack;
	const char *action;  /* for the audit trail: "document", "object", "rollback", "delete";
				static */
	char why[256];       /* for the audit trail and the history: what the action touched */
	revise_build *build; /* NULL: the stack is deleted */
	bool is_edit;        /* built from the current one: it must be the newest when stored */
	json_t *material;    /* for build; taken */
	char names[3][CONF_NAME_SIZE]; /* for build: kind or pool, name, server */
};

struct revise {
	struct family_wait wait; /* first: found from it */
	struct api *api;
	struct exchange *x;
	struct revise_spec spec;
	char stack[CONF_NAME_SIZE];
	bool is_dry_run;
	int64_t wait_ms, confirm_within_ms; /* 0: no */
	int attempts;
	uint64_t wanted_head; /* of the picture, before going on */
	uint64_t judged_over; /* the stack's generation this attempt was judged over; 0: none */
	struct conf *candidate;
	struct conf *ended; /* what a deletion ends; NULL: not known */
	char request[REQUEST_ID_MAX + 1]; /* the client's key, or one of our own */
	char fingerprint[96];             /* of what the client sent; "" without a key */
	char skip[REVISE_SKIP_SIZE];      /* nodes that are not asked, as " lb-a lb-b " */
	struct buf asked;                 /* those that are, likewise */
	uint64_t began_ms;                /* by the loop's clock */
	uint64_t judged_at;               /* the picture's head */
	uint64_t proposal_news;           /* the picture's, when the store was asked last */
	/* Once stored: */
	char digest[CONF_DIGEST_SIZE]; /* "" for a deletion */
	json_t *away;                  /* names of nodes that were asked and did not answer */
	uint64_t generation;
	bool is_new, is_unchanged;
};

/* Answers x in the end, whatever comes. Takes what spec owns; the rest of it is copied. */
void revise_begin(struct api *a, struct exchange *x, const struct revise_spec *spec);

/*
 * The end of a build: what the document leaves out because nobody is shown it comes from the
 * current one (withheld.h). Takes document; owned, or NULL after filling *refusal.
 */
json_t *revise_complete(json_t *document, const json_t *current, struct answer *refusal);

/* The lines of a difference ("~ pools[web].check.rise: 2 -> 3") as an array of {where, what}.
 * Owned. Pure. */
json_t *revise_difference(const json_t *before, const json_t *after);
