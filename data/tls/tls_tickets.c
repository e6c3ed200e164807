/* See tls_tickets.h. */
#include "data/tls/tls_tickets.h"

#include <stddef.h>
#include <string.h>

static const struct tls_ticket_key *key_at(const struct tls_tickets *t, uint64_t number)
{
	return &t->keys[number % TLS_TICKETS_RING];
}

bool tls_tickets_is_due(const struct tls_tickets *t, int64_t now_ms)
{
	const struct tls_ticket_key *newest = tls_tickets_newest(t);

	return !newest || now_ms - newest->made_ms >= TLS_TICKETS_ROTATE_MS;
}

void tls_tickets_rotate(
	struct tls_tickets *t, const unsigned char random[TLS_TICKETS_RANDOM], int64_t now_ms)
{
	uint64_t made = atomic_load(&t->made);
	struct tls_ticket_key *k = &t->keys[made % TLS_TICKETS_RING];

	memcpy(k->name, random, sizeof k->name);
	memcpy(k->cipher, random + sizeof k->name, sizeof k->cipher);
	memcpy(k->mac, random + sizeof k->name + sizeof k->cipher, sizeof k->mac);
	k->made_ms = now_ms;
	atomic_store_explicit(&t->made, made + 1, memory_order_release);
}

const struct tls_ticket_key *tls_tickets_newest(const struct tls_tickets *t)
{
	uint64_t made = atomic_load_explicit(&t->made, memory_order_acquire);

	return made ? key_at(t, made - 1) : NULL;
}

const struct tls_ticket_key *tls_tickets_find(
	const struct tls_tickets *t, const unsigned char name[TLS_TICKET_NAME], bool *ret_is_old)
{
	uint64_t made = atomic_load_explicit(&t->made, memory_order_acquire);

	for (uint64_t age = 0; age < TLS_TICKETS_OPEN && age < made; age++) {
		const struct tls_ticket_key *k = key_at(t, made - 1 - age);

		if (memcmp(k->name, name, sizeof k->name) == 0) {
			*ret_is_old = age > 0;
			return k;
		}
	}
	return NULL;
}
