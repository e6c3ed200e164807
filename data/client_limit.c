/* See client_limit.h; the counting is client_counts.h. */
#include "data/client_limit.h"

#include "data/client_counts.h"
#include "data/listener.h"
#include "data/worker.h"

static bool is_asked(const struct listener *l)
{
	return l->settings->maximum_connections_per_client > 0;
}

static enum arrival_outcome step(struct arrival *a, unsigned events)
{
	struct listener *l = a->listener;
	struct board *b = &l->worker->board;
	int64_t limit = l->settings->maximum_connections_per_client;
	uint64_t key = client_counts_key(b, (uint32_t)(l->object - b->objects), &a->client);

	(void)events;
	if (limit == 0) /* by a generation that came while the PROXY header was awaited */
		return ARRIVAL_READY;
	if (client_counts_take(b, l->worker->column, key,
		    limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX, &a->seat) == 0)
		return ARRIVAL_READY;
	board_add(l->cells, BOARD_LISTENER_CLIENT_LIMIT, 1);
	return ARRIVAL_REFUSED;
}

const struct arrival_stage client_limit_stage = {
	.is_asked = is_asked, .step = step, .late_cell = BOARD_LISTENER_INTERNAL};
