/* See node_speech.h. */
#include "tests/sim/node_speech.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/node_identity.h"
#include "vrrpd/advert.h"

struct addr node_address(size_t index)
{
	return (struct addr){
		.in = {.sin_family = AF_INET, .sin_addr = {htonl(0x0a000001u + (uint32_t)index)}}};
}

struct addr_prefix node_virtual_address(void)
{
	return (struct addr_prefix){.addr = node_address(99), .length = 24};
}

static void send_as(struct node *n, const struct identity *i, int priority, int64_t now_ns)
{
	static struct advert a;
	struct packet p = {.path = n->segment, .from = n->index};
	int len;

	a = (struct advert){.version = n->vrrp.config.version,
		.family = AF_INET,
		.virtual_router_id = (uint8_t)i->virtual_router_id,
		.priority = (uint8_t)priority,
		.interval_cs = n->vrrp.config.interval_cs,
		.has_pseudo_header = true,
		.source = node_address(n->index),
		.destination = node_address(200),
		.addresses = {node_virtual_address().addr, node_address(98), node_address(97)},
		.addresses_count = (size_t)node_document(n)->addresses};
	len = advert_encode(&a, p.data, sizeof p.data);
	assert(len > 0);
	p.len = (size_t)len;
	if (n->is_linked)
		network_broadcast(n->network, now_ns, &p);
}

void node_send_advertisement(struct node *n, int priority, int64_t now_ns)
{
	send_as(n, &n->identities.spoken, priority, now_ns);
	if (n->identities.is_both_spoken)
		send_as(n, &n->identities.coming, priority, now_ns);
}

static void send_to_peer(struct node *of, size_t to, struct peer_message *m, int64_t now_ns)
{
	struct node *n = node_first(of);
	struct packet p = {.path = NETWORK_CHANNEL, .from = n->index, .to = to};
	struct mono now = node_local(n, now_ns);
	uint64_t head[2] = {n->session, ++n->counter};
	int len;

	snprintf(m->node, sizeof m->node, "%s", n->name);
	m->echo = peer_echo(&n->peers[to], now);
	memcpy(p.data, head, FRAME_HEAD);
	len = peer_encode(m, p.data + FRAME_HEAD, sizeof p.data - FRAME_HEAD);
	assert(len > 0);
	p.len = (size_t)len + FRAME_HEAD;
	peer_sent(&n->peers[to], n->counter, now);
	network_send(n->network, now_ns, &p);
}

static void tell_of(const struct node *n, struct peer_vip *ret)
{
	*ret = (struct peer_vip){.state = (uint8_t)n->vrrp.state,
		.priority = (uint8_t)n->vrrp.wish.priority,
		.base = (uint8_t)node_base(n),
		.is_fit = n->result.is_fit,
		.spent_move = n->role.spent_move};
	snprintf(ret->name, sizeof ret->name, "%s", node_vip(n));
}

void node_send_heartbeats(struct node *n, int64_t now_ns)
{
	static struct peer_message m;

	m.kind = PEER_HEARTBEAT;
	m.generation = n->generation;
	m.vips_count = n->twin ? 2 : 1;
	tell_of(n, &m.vips[0]);
	if (n->twin)
		tell_of(n->twin, &m.vips[1]);
	for (size_t i = 0; n->scene->has_channel && i < n->scene->nodes; i++)
		if (i != n->index)
			send_to_peer(n, i, &m, now_ns);
	n->heartbeat_at = mono_add_ms(node_local(n, now_ns), n->scene->check_interval_ms);
}

void node_send_take(struct node *n, bool is_leaving, int64_t now_ns)
{
	static struct peer_message m;

	m = (struct peer_message){.kind = PEER_TAKE,
		.number = ++n->take_number,
		.source = node_address(n->index),
		.is_leaving = is_leaving};
	snprintf(m.vip, sizeof m.vip, "%s", node_vip(n));
	for (size_t i = 0; n->result.taker && i < n->scene->nodes; i++)
		if (n->result.taker[3] == (char)('a' + (int)i))
			send_to_peer(n, i, &m, now_ns);
	trace_say(n->trace, n->name, "asks %s to take over",
		n->result.taker ? n->result.taker : "nobody");
}

void node_send_taken(struct node *n, const char *refusal, int64_t now_ns)
{
	static struct peer_message m;

	m = (struct peer_message){
		.kind = PEER_TAKEN, .number = n->asker_number, .is_taken = !refusal};
	snprintf(m.vip, sizeof m.vip, "%s", node_vip(n));
	snprintf(m.why, sizeof m.why, "%s", refusal ? refusal : "");
	send_to_peer(n, n->asker, &m, now_ns);
	if (refusal)
		trace_say(n->trace, n->name, "refuses to take over: %s", refusal);
}
