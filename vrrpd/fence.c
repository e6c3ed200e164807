/*
 * See fence.h. nfnetlink is spoken with libmnl, as rtnetlink is: the kernel carries a
 * batch out whole, or not at all, inside the send.
 */
#include "vrrpd/fence.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "ballast-vrrpd"
#define CHAIN "input"
#define RULES 4             /* in the chain, when it is whole */
#define MESSAGE_SIZE 1024   /* the largest of one, but for elements */
#define ELEMENTS_EACH 256   /* in one message */
#define ELEMENT_SIZE 64     /* of one, at most */
#define ANSWER_SIZE 16384
/* Of set keys, as the nft program prints them. */
#define TYPE_IPV4_ADDR 7
#define TYPE_IPV6_ADDR 8

struct fence {
	struct mnl_socket *socket; /* NULL: nothing to do with nftables until now */
	struct addr *addresses;
	size_t count;
	uint32_t generation; /* of all rules of this namespace, when ours were known to be there */
	unsigned sequence;
	bool must_write, is_table_there;
	struct mono look_at;
};

/* A batch under construction. */
struct batch {
	char *data;
	size_t size, capacity;
	unsigned *sequence;
};

/* ---- messages ---- */

static struct nlmsghdr *message_begin(
	struct batch *b, uint16_t type, uint16_t flags, int family, uint16_t resource)
{
	struct nlmsghdr *h;
	struct nfgenmsg *g;

	assert(b->size + MESSAGE_SIZE <= b->capacity);
	h = mnl_nlmsg_put_header(b->data + b->size);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++*b->sequence;
	g = mnl_nlmsg_put_extra_header(h, sizeof *g);
	*g = (struct nfgenmsg){.nfgen_family = (uint8_t)family,
		.version = NFNETLINK_V0,
		.res_id = htons(resource)};
	return h;
}

static void message_end(struct batch *b, const struct nlmsghdr *h)
{
	b->size += NLMSG_ALIGN(h->nlmsg_len);
	assert(b->size <= b->capacity);
}

static struct nlmsghdr *table_message(struct batch *b, int type, uint16_t flags)
{
	return message_begin(
		b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

static void put_mark(struct batch *b, uint16_t type)
{
	message_end(b, message_begin(b, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static void put_table(struct batch *b, int type, uint16_t flags)
{
	struct nlmsghdr *h = table_message(b, type, flags);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, TABLE);
	message_end(b, h);
}

static void put_chain(struct batch *b)
{
	struct nlmsghdr *h = table_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, TABLE);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, CHAIN);
	hook = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN));
	mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl(0));
	mnl_attr_nest_end(h, hook);
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	message_end(b, h);
}

/* ---- the addresses, a set for each family ---- */

static const char *set_name(int family)
{
	return family == AF_INET ? "closed4" : "closed6";
}

static uint32_t key_size(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

static void put_set(struct batch *b, int family)
{
	struct nlmsghdr *h = table_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_strz(h, NFTA_SET_TABLE, TABLE);
	mnl_attr_put_strz(h, NFTA_SET_NAME, set_name(family));
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl((uint32_t)family));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE,
		htonl(family == AF_INET ? TYPE_IPV4_ADDR : TYPE_IPV6_ADDR));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(key_size(family)));
	message_end(b, h);
}

static void put_element(struct nlmsghdr *h, const struct addr *a)
{
	int family = addr_family(a);
	struct nlattr *element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);

	mnl_attr_put(h, NFTA_DATA_VALUE, key_size(family),
		family == AF_INET ? (const void *)&a->in.sin_addr
				  : (const void *)&a->in6.sin6_addr);
	mnl_attr_nest_end(h, key);
	mnl_attr_nest_end(h, element);
}

static void put_elements(struct batch *b, const struct fence *f, int family)
{
	for (size_t i = 0; i < f->count;) {
		struct nlmsghdr *h = table_message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
		struct nlattr *list;
		size_t count = 0;

		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, TABLE);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set_name(family));
		list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (; i < f->count && count < ELEMENTS_EACH; i++)
			if (addr_family(&f->addresses[i]) == family) {
				put_element(h, &f->addresses[i]);
				count++;
			}
		mnl_attr_nest_end(h, list);
		if (count > 0)
			message_end(b, h);
	}
}

/* ---- rules ---- */

static struct nlmsghdr *rule_begin(struct batch *b, struct nlattr **ret_expressions)
{
	struct nlmsghdr *h = table_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	mnl_attr_put_strz(h, NFTA_RULE_TABLE, TABLE);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, CHAIN);
	*ret_expressions = mnl_attr_nest_start(h, NFTA_RULE_EXPRESSIONS);
	return h;
}

struct expression {
	struct nlattr *whole, *data;
};

static struct expression expression_begin(struct nlmsghdr *h, const char *name)
{
	struct expression e = {.whole = mnl_attr_nest_start(h, NFTA_LIST_ELEM)};

	mnl_attr_put_strz(h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
	return e;
}

static void expression_end(struct nlmsghdr *h, struct expression e)
{
	mnl_attr_nest_end(h, e.data);
	mnl_attr_nest_end(h, e.whole);
}

static void put_compare(struct nlmsghdr *h, uint8_t value)
{
	struct expression e = expression_begin(h, "cmp");
	struct nlattr *data;

	mnl_attr_put_u32(h, NFTA_CMP_SREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_CMP_OP, htonl(NFT_CMP_EQ));
	data = mnl_attr_nest_start(h, NFTA_CMP_DATA);
	mnl_attr_put(h, NFTA_DATA_VALUE, sizeof value, &value);
	mnl_attr_nest_end(h, data);
	expression_end(h, e);
}

/* Goes on only where that property of the packet has that value. */
static void put_meta(struct nlmsghdr *h, enum nft_meta_keys key, uint8_t value)
{
	struct expression e = expression_begin(h, "meta");

	mnl_attr_put_u32(h, NFTA_META_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_META_KEY, htonl(key));
	expression_end(h, e);
	put_compare(h, value);
}

static void put_load(
	struct nlmsghdr *h, enum nft_payload_bases base, uint32_t offset, uint32_t size)
{
	struct expression e = expression_begin(h, "payload");

	mnl_attr_put_u32(h, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_BASE, htonl(base));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_OFFSET, htonl(offset));
	mnl_attr_put_u32(h, NFTA_PAYLOAD_LEN, htonl(size));
	expression_end(h, e);
}

static void put_verdict(struct nlmsghdr *h, uint32_t verdict)
{
	struct expression e = expression_begin(h, "immediate");
	struct nlattr *data, *code;

	mnl_attr_put_u32(h, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	data = mnl_attr_nest_start(h, NFTA_IMMEDIATE_DATA);
	code = mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(h, NFTA_VERDICT_CODE, htonl(verdict));
	mnl_attr_nest_end(h, code);
	mnl_attr_nest_end(h, data);
	expression_end(h, e);
}

static void put_discovery_rule(struct batch *b, uint8_t type)
{
	struct nlattr *expressions;
	struct nlmsghdr *h = rule_begin(b, &expressions);

	put_meta(h, NFT_META_L4PROTO, IPPROTO_ICMPV6);
	put_load(h, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof type);
	put_compare(h, type);
	put_verdict(h, NF_ACCEPT);
	mnl_attr_nest_end(h, expressions);
	message_end(b, h);
}

static void put_drop_rule(struct batch *b, int family)
{
	struct nlattr *expressions;
	struct nlmsghdr *h = rule_begin(b, &expressions);
	bool is_v4 = family == AF_INET;
	struct expression e;

	put_meta(h, NFT_META_NFPROTO, is_v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_load(h, NFT_PAYLOAD_NETWORK_HEADER, is_v4 ? 16 : 24, key_size(family));
	e = expression_begin(h, "lookup");
	mnl_attr_put_strz(h, NFTA_LOOKUP_SET, set_name(family));
	mnl_attr_put_u32(h, NFTA_LOOKUP_SET_ID, htonl((uint32_t)family));
	mnl_attr_put_u32(h, NFTA_LOOKUP_SREG, htonl(NFT_REG_1));
	expression_end(h, e);
	put_verdict(h, NF_DROP);
	mnl_attr_nest_end(h, expressions);
	message_end(b, h);
}

/* ---- asking the kernel ---- */

static int answers_read(struct fence *f, unsigned from, mnl_cb_t each, void *user)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[ANSWER_SIZE];
	int rc = 0;

	for (;;) {
		ssize_t size = mnl_socket_recvfrom(f->socket, buffer, sizeof buffer);
		int one;

		if (size < 0)
			return errno == EAGAIN ? rc : -errno;
		/* The first error is the cause: what follows in a batch only follows from it. */
		if (((struct nlmsghdr *)buffer)->nlmsg_seq < from)
			continue;
		one = mnl_cb_run(buffer, (size_t)size, 0, 0, each, user);
		if (one < 0 && rc == 0)
			rc = -errno;
	}
}

static int batch_send(struct fence *f, const struct batch *b, mnl_cb_t each, void *user)
{
	unsigned from = ((const struct nlmsghdr *)b->data)->nlmsg_seq;

	if (mnl_socket_sendto(f->socket, b->data, b->size) < 0)
		return -errno;
	return answers_read(f, from, each, user);
}

static int socket_open(struct fence *f)
{
	int size = 1 << 23, fd, rc;

	if (f->socket)
		return 0;
	f->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!f->socket)
		return -errno;
	if (mnl_socket_bind(f->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = -errno;
		mnl_socket_close(f->socket);
		f->socket = NULL;
		return rc;
	}
	fd = mnl_socket_get_fd(f->socket);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	return 0;
}

static int take_generation(const struct nlmsghdr *h, void *user)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_GEN_ID)
			*(uint32_t *)user = ntohl(mnl_attr_get_u32(a));
	return MNL_CB_OK;
}

static int count_message(const struct nlmsghdr *h, void *user)
{
	(void)h;
	++*(int *)user;
	return MNL_CB_OK;
}

/* One request without a batch; what answers it is given to each. */
static int ask(struct fence *f, int type, uint16_t flags, const char *table, uint16_t attribute,
	mnl_cb_t each, void *user)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[MESSAGE_SIZE];
	struct batch b = {.data = buffer, .capacity = sizeof buffer, .sequence = &f->sequence};
	struct nlmsghdr *h = table_message(&b, type, flags);

	if (table)
		mnl_attr_put_strz(h, attribute, table);
	message_end(&b, h);
	return batch_send(f, &b, each, user);
}

/* ---- the table ---- */

/* A table that was there goes, with what others have made of it; all in one transaction. */
static void batch_fill(struct batch *b, const struct fence *f)
{
	put_mark(b, NFNL_MSG_BATCH_BEGIN);
	put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_table(b, NFT_MSG_DELTABLE, f->count ? 0 : NLM_F_ACK);
	if (f->count) {
		put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
		put_set(b, AF_INET);
		put_set(b, AF_INET6);
		put_elements(b, f, AF_INET);
		put_elements(b, f, AF_INET6);
		put_chain(b);
		put_discovery_rule(b, ND_NEIGHBOR_SOLICIT);
		put_discovery_rule(b, ND_NEIGHBOR_ADVERT);
		put_drop_rule(b, AF_INET);
		put_drop_rule(b, AF_INET6);
	}
	put_mark(b, NFNL_MSG_BATCH_END);
}

static int table_write(struct fence *f)
{
	struct batch b = {.capacity = 32 * MESSAGE_SIZE + f->count * ELEMENT_SIZE,
		.sequence = &f->sequence};
	int rc;

	b.data = calloc(1, b.capacity);
	if (!b.data)
		return -ENOMEM;
	batch_fill(&b, f);
	rc = batch_send(f, &b, NULL, NULL);
	free(b.data);
	if (rc < 0)
		return rc;
	f->must_write = false;
	f->is_table_there = f->count > 0;
	return ask(f, NFT_MSG_GETGEN, 0, NULL, 0, take_generation, &f->generation);
}

/* True when the table is there, of this life or a former one. */
static bool table_exists(struct fence *f)
{
	int found = 0;

	return ask(f, NFT_MSG_GETTABLE, 0, TABLE, NFTA_TABLE_NAME, count_message, &found) == 0 &&
	       found > 0;
}

static int renew(struct fence *f)
{
	int rc = socket_open(f);

	if (rc < 0)
		return f->count ? rc : 0; /* where there is no nftables, there is no table */
	if (f->count == 0 && !f->is_table_there && !table_exists(f)) {
		f->must_write = false;
		return 0;
	}
	return table_write(f);
}

/* ---- life ---- */

struct fence *fence_new(void)
{
	struct fence *f = calloc(1, sizeof *f);

	if (f)
		f->look_at = MONO_NEVER;
	return f;
}

void fence_free(struct fence *f)
{
	if (!f)
		return;
	if (f->socket)
		mnl_socket_close(f->socket);
	free(f->addresses);
	free(f);
}

static bool is_same(const struct fence *f, const struct addr *addresses, size_t count)
{
	if (!f->addresses || f->must_write || count != f->count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!addr_is_same_ip(&addresses[i], &f->addresses[i]))
			return false;
	return true;
}

int fence_set(struct fence *f, const struct addr *addresses, size_t count)
{
	struct addr *copy;

	if (is_same(f, addresses, count))
		return 0;
	copy = calloc(count ? count : 1, sizeof *copy);
	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, addresses, count * sizeof *copy);
	free(f->addresses);
	f->addresses = copy;
	f->count = count;
	f->must_write = true;
	f->look_at = (struct mono){0};
	return renew(f);
}

int fence_tick(struct fence *f, struct mono now)
{
	uint32_t generation = f->generation;
	int rules = 0, rc;

	if (!mono_reached(f->look_at, now))
		return 0;
	f->look_at = f->count || f->must_write ? mono_add_ms(now, FENCE_LOOK_MS) : MONO_NEVER;
	if (f->must_write)
		return renew(f);
	if (f->count == 0)
		return 0;
	rc = ask(f, NFT_MSG_GETGEN, 0, NULL, 0, take_generation, &generation);
	if (rc < 0 || generation == f->generation)
		return rc;
	rc = ask(f, NFT_MSG_GETRULE, NLM_F_DUMP, TABLE, NFTA_RULE_TABLE, count_message, &rules);
	if (rc == 0 && rules == RULES) {
		f->generation = generation;
		return 0;
	}
	rc = table_write(f);
	return rc < 0 ? rc : 1;
}

struct mono fence_deadline(const struct fence *f)
{
	return f->look_at;
}
