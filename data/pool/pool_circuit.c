/*
 * A pool's circuit: how much of it may be under way at once over all workers of
 * the node, exact (board.h). What is counted is noted by its holder, so that a
 * generation may set, change and take away limits meanwhile: only what was
 * counted is counted out. Requests and retries are counted where they have a limit
 * (an exchange without one costs no shared counter); connections, which may be
 * there long before their limit, and pending requests always.
 */
#include <assert.h>

#include "data/pool/pool_inside.h"

static int64_t limit_of(const struct conf_circuit *c, enum board_circuit k)
{
	switch (k) {
	case BOARD_CIRCUIT_REQUESTS:
		return c->requests;
	case BOARD_CIRCUIT_CONNECTIONS:
		return c->connections;
	case BOARD_CIRCUIT_PENDING:
		return c->pending;
	case BOARD_CIRCUIT_RETRIES:
		return c->retries;
	case BOARD_CIRCUITS:
		break;
	}
	assert(!"a circuit");
	return 0;
}

bool pool_circuit_enter(struct pool *p, enum board_circuit k, uint8_t *held)
{
	int64_t limit = p->conf->circuit ? limit_of(p->conf->circuit, k) : 0;

	assert(!(*held & 1u << k));
	if (!limit && (k == BOARD_CIRCUIT_REQUESTS || k == BOARD_CIRCUIT_RETRIES))
		return true;
	if (!board_circuit_enter(p->object, p->cells, k, (uint64_t)limit)) {
		p->opened = (uint8_t)k;
		return false;
	}
	*held = (uint8_t)(*held | 1u << k);
	return true;
}

void pool_circuits_leave(struct pool *p, uint8_t *held)
{
	for (unsigned k = 0; *held && k < BOARD_CIRCUITS; k++)
		if (*held & 1u << k)
			board_circuit_leave(p->object, p->cells, (enum board_circuit)k);
	*held = 0;
}

enum board_circuit pool_circuit_open(const struct pool *p)
{
	return (enum board_circuit)p->opened;
}
