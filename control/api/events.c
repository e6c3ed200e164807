/*
 * events: followed as server-sent events, or listed. A family of the API. A
 * follower starts with what happens from now on; Last-Event-ID or ?since=
 * makes it start behind that event, so one that reconnects misses nothing
 * that the journal still has.
 */
#include "control/api/family.h"

static void fill(void *user, uint64_t *cursor, struct buf *out)
{
	struct api *a = user;

	journal_print_sse(a->site.journal, cursor, out);
}

static void follow(struct api *a, struct exchange *x, uint64_t since, bool has_since)
{
	const struct request *r = exchange_request(x);
	uint64_t cursor = journal_newest(a->site.journal);

	if (has_since)
		cursor = since;
	if (r->has_last_event_id)
		cursor = r->last_event_id;
	if (exchange_stream(x, fill, a, cursor) < 0)
		family_refuse(x, 503, "%d clients follow the events already: try again later",
			EXCHANGE_STREAMS_MAX);
}

void family_events(struct api *a, struct exchange *x, const struct route_match *m)
{
	const struct target *t = &exchange_request(x)->target;
	bool has_since = target_query(t, "since") != NULL, follows = true;
	uint64_t since = 0, limit = 100;

	(void)m;
	if (target_query(t, "follow") && target_query_flag(t, "follow", &follows) < 0)
		family_refuse(x, 400, "follow must be 1 or 0");
	else if (target_query_number(t, "since", INT64_MAX, &since) < 0)
		family_refuse(x, 400, "since must be the number of an event");
	else if (target_query_number(t, "limit", JOURNAL_EVENTS_MAX, &limit) < 0 || limit == 0)
		family_refuse(x, 400, "limit must be a number from 1 to %d", JOURNAL_EVENTS_MAX);
	else if (follows)
		follow(a, x, since, has_since);
	else
		family_answer(x, 200, journal_list(a->site.journal, since, (size_t)limit), 0);
}
