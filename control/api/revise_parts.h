#pragma once
/* What the files of revise share: revise.c judges, revise_store.c stores, revise_answer.c says what
 * came of it. For nobody else. */
#include "control/api/revise.h"

#define REVISE_STORE_MS 8000
#define REVISE_CATCH_UP_MS 5000

/* The stack of the write; NULL: there is none now. */
const struct picture_stack *revise_current(const struct revise *r);
bool revise_is_skipped(const struct revise *r, const char *node);

/* Begins from what the picture shows now. */
void revise_attempt(struct revise *r);
/* Stores the candidate (or the deletion), with the other nodes asked where there are any. */
void revise_store(struct revise *r);
/* Stored as r->generation: waits for the picture, and as wanted for the daemons, and answers. */
void revise_stored(struct revise *r);
/* After the picture has `head`, or not in time. */
void revise_catch_up(struct revise *r, uint64_t head, void (*then)(struct family_wait *, bool));

void revise_free(struct revise *r);
/* Answer, and end r. */
void revise_finish(struct revise *r, struct answer *a);
void revise_refuse(struct revise *r, int status, const char *why);
