/* What happens to a server by its use: see server.h. */
#include "data/pool/server.h"

#include <assert.h>
#include <errno.h>

#include "data/pool/pool.h"

void server_done(struct server_use *use)
{
	struct server *s = use->server;

	if (!s)
		return;
	assert(s->connections > 0);
	use->server = NULL;
	use->is_aside = false;
	pool_circuits_leave(s->pool, &use->circuits);
	list_unlink(&use->link);
	s->connections--;
	board_unuse(s->object);
	board_sub(s->cells, BOARD_SERVER_CONNECTIONS, 1);
	pool_use_ended(s);
}

void server_share(struct server *s, struct server_shared *shared)
{
	list_push_back(&s->shared, &shared->link);
	s->shared_count++;
}

void server_unshare(struct server *s, struct server_shared *shared)
{
	assert(s->shared_count > 0);
	list_unlink(&shared->link);
	s->shared_count--;
	pool_shared_ended(s);
}

void server_connected(struct server *s)
{
	s->avoid_until_ms = 0;
	board_add(s->cells, BOARD_SERVER_CONNECTS, 1);
}

void server_refused(struct server *s, int64_t now_ms)
{
	s->avoid_until_ms = now_ms + SERVER_AVOID_MS;
	board_add(s->cells, BOARD_SERVER_CONNECT_FAILURES, 1);
	server_erred(s);
}

void server_erred(struct server *s)
{
	atomic_fetch_add_explicit(&s->object->errors, 1, memory_order_relaxed);
}

bool server_is_leaving(const struct server *s)
{
	return s->is_removed || ((s->word & BOARD_WORD_SAID) && board_word_rank(s->word) == 3);
}

int server_address(const struct server *s, struct addr *ret)
{
	if (s->conf->is_resolved) {
		*ret = s->conf->ip;
		return 0;
	}
	return board_address(s->object, ret) ? 0 : -EHOSTUNREACH;
}
