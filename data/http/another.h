#pragma once
/*
 * Core: whether a response goes to the client, or another server is asked first:
 * because its status is one that is tried again (retry.on), or one on which the
 * next server may have what this one lacks (fallback_status: replicated object
 * stores). Only responses of which the client has seen nothing.
 *
 * Of a fallback the first answer is held until a better one comes; without one
 * the client gets the first. An answer that says that the object was deleted
 * (x-amz-delete-marker: true) is final: the next server's copy is older.
 */
#include <stdbool.h>

#include "common/conf.h"
#include "data/http/h1.h"

/* What the decision needs of request and response. */
struct another_facts {
	int status;
	bool is_get_or_head, is_idempotent;
	bool is_replayable; /* all of the request was sent, and can be sent again */
	bool is_deleted;    /* the response says that what it is about was deleted */
	bool has_held;      /* an earlier server's answer is held */
	bool may_ask;       /* there is room for another server that was asked */
};

enum another {
	ANOTHER_NOT,   /* the response goes on to the client; what is held is dropped */
	ANOTHER_HOLD,  /* hold this one, once it is whole, and ask the next server */
	ANOTHER_ASK,   /* throw it away and ask the next server: the first answer is held */
	ANOTHER_FIRST, /* throw it away: the client gets the first answer */
	ANOTHER_RETRY  /* throw it away and try again, if the budget allows; else as NOT */
};

enum another another_decide(const struct conf_pool *p, const struct another_facts *f);

/* True when the response says that its object is a delete marker. */
bool another_is_deleted(const char *data, const struct h1_head *h);
