#pragma once
/*
 * Shell: the server of one exchange: finds one, connects, sends it the request.
 * What comes back is response.h. Embedded in struct request; every function
 * takes the client it works for, and tells its exchange what happened.
 */
#include <stdbool.h>
#include <stdint.h>

#include "data/http/affinity.h"
#include "data/http/exchange.h"
#include "data/pool/pool.h"
#include "data/pool/upstream.h"

struct client;

struct origin {
	struct client *client;
	struct pool *pool; /* counted by the request; NULL: the listener has none */
	struct affinity affinity;
	struct pool_tried tried;
	struct pool_waiter waiter;
	struct server_use use;
	struct upstream *upstream; /* connecting or connected */
	bool is_connected;
	bool wants_write; /* the request waits for room at the server */
	bool is_send_broken; /* the server takes no more; its response may still be there */
	uint8_t last_failure; /* enum exchange_end */
	uint64_t acknowledged; /* bytes the server's kernel had acknowledged before this request */
	uint64_t bytes_out;
	int64_t sought_us, opened_us, sent_us; /* when (worker_now_us()); 0: not yet */
};

/* Without a pool yet. */
void origin_init(struct origin *o, struct client *c);

void origin_find(struct client *c);
void origin_avoid(struct client *c);
void origin_release(struct client *c, bool keeps);

/* Sends the request from its first byte, or what has come of it since. */
void origin_send_again(struct client *c);
void origin_send(struct client *c);

/*
 * Takes the connection out for a tunnel; the server is released with the exchange. Returns
 * owned.
 */
struct socket *origin_detach(struct client *c);
/* Sets what the loop is to report of the server's socket. */
void origin_interest(struct client *c);
/* The connection ended for a reason known elsewhere (server lost). */
void origin_failed(struct client *c, enum exchange_end end);
