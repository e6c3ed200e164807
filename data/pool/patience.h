#pragma once
/*
 * Core: how long a server lets its connections idle, as one worker has seen it. A connection
 * that the server ends at the moment of a request may be the request lost: an idempotent one is
 * sent again, of another nobody can tell whether it was carried out. So idle connections are given
 * up before the server ends them, and what must not be sent twice goes only over one that has
 * idled for less than others have been seen to bear.
 */
#include <stdbool.h>
#include <stdint.h>

/* Zero-initialise. 0: not known. */
struct patience {
	int64_t ended_age_ms; /* how long the last one had idled that it ended */
	int64_t ends_after_ms, ends_until_ms; /* its rule, believed until then */
	int64_t borne_ms; /* what one has idled without being ended, since it ended a younger one */
};

#define PATIENCE_LEARN_MS 10      /* shorter ages tell nothing: it may have restarted */
#define PATIENCE_BELIEF_MS 600000 /* then its rule is found out anew */
#define PATIENCE_LEAST_MS 20      /* what every server is taken to bear */

/* How long a connection may be kept idle: idle_ms, or less when the server ends them earlier. */
int64_t patience_idle_ms(const struct patience *p, int64_t idle_ms, int64_t now_ms);

/*
 * True when a connection may carry what must not be sent twice. age_ms: since it was given to its
 * last user, as the server may have begun to count before we saw the end of its response.
 */
bool patience_is_sure(const struct patience *p, int64_t age_ms);

/* The server ended a connection that had idled for so long. Two alike in a row are a rule. */
void patience_ended(struct patience *p, int64_t age_ms, int64_t now_ms);

/* One that had idled for so long was still good: it carried a request, or was given up by us. */
void patience_bore(struct patience *p, int64_t age_ms);
