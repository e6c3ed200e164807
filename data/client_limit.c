/* See client_limit.h; the counting is client_counts.h. */
#include "data/client_limit.h"

#include "data/client_counts.h"
#include "data/listener.h"
#include "data/worker.h"

static bool is_asked(const struct listener *l)
{
	return l->settings->maximum_connections_per_client > 0;
}

int client_limit_take(struct listener *l, const struct addr *client, uint32_t *ret_seat)
{
	struct board *b = &l->worker->board;
	int64_t limit = l->settings->maximum_connections_per_client;
	uint64_t key;
	int rc;

	if (limit == 0) /* perhaps by a generation that came while a PROXY header was awaited */
		return 0;
	key = client_counts_key(b, (uint32_t)(l->object - b->objects), client);
	rc = client_counts_take(b, l->worker->column, key,
		limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX, ret_seat);
	if (rc < 0)
		board_add(l->cells, BOARD_LISTENER_CLIENT_LIMIT, 1);
	return rc;
}

static enum arrival_outcome step(struct arrival *a, unsigned events)
{
	(void)events;
	return client_limit_take(a->listener, &a->client, &a->seat) < 0 ? ARRIVAL_REFUSED
									: ARRIVAL_READY;
}

const struct arrival_stage client_limit_stage = {
	.is_asked = is_asked, .step = step, .late_cell = BOARD_LISTENER_INTERNAL};
