/*
 * See heartbeat.h. One socket for both families (IPv4 as mapped addresses),
 * one sealed session for all peers: each frame has a counter of its own, so
 * every peer sees them grow. A frame goes to all paths of a peer; the second to
 * arrive is a replay and is dropped.
 */
#include "vrrpd/heartbeat.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/now.h"
#include "vrrpd/reach.h"

#define USE "heartbeat"
#define FRAME_MAX (PEER_PAYLOAD_MAX + SEAL_OVERHEAD)

/* One other instance. */
struct neighbour {
	char name[CONF_NAME_SIZE];
	struct peer peer;
	struct reach reach;
};

struct heartbeat {
	uv_loop_t *loop;
	char node[CONF_NAME_SIZE];
	struct seal_keys *keys;
	struct seal_sender *sender; /* NULL without keys */
	uint64_t session;
	const struct heartbeat_handlers *handlers;
	void *user;
	uv_poll_t *poll; /* freed in its own close callback, so that a new one can follow at once */
	int fd, family;  /* of the socket; fd -1: closed */
	uint16_t port;
	int64_t interval_ms;
	struct mono send_at;
	struct neighbour *peers[HEARTBEAT_PEERS_MAX];
	size_t peers_count;
	struct peer_message said; /* composed; too large for the stack, as is heard */
	struct peer_message heard;
	struct heartbeat_counters counters;
};

/* ---- life ---- */

static void neighbour_free(struct neighbour *n)
{
	if (!n)
		return;
	reach_fini(&n->reach);
	free(n);
}

static int session_open(struct heartbeat *h)
{
	while (h->session == 0)
		if (getrandom(&h->session, sizeof h->session, 0) != sizeof h->session)
			return -errno;
	return h->keys ? seal_sender_new(h->keys, USE, h->session, &h->sender) : 0;
}

int heartbeat_open(uv_loop_t *loop, const char *node, struct seal_keys *keys,
	const struct heartbeat_handlers *handlers, void *user, struct heartbeat **ret)
{
	struct heartbeat *h = calloc(1, sizeof *h);
	int rc;

	if (!h) {
		seal_keys_free(keys);
		return -ENOMEM;
	}
	assert(strlen(node) < sizeof h->node);
	strcpy(h->node, node);
	h->loop = loop;
	h->keys = keys;
	h->handlers = handlers;
	h->user = user;
	h->fd = -1;
	h->send_at = MONO_NEVER;
	rc = session_open(h);
	if (rc < 0) {
		heartbeat_close(h);
		return rc;
	}
	*ret = h;
	return 0;
}

static void poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void socket_close(struct heartbeat *h)
{
	if (h->fd < 0)
		return;
	uv_poll_stop(h->poll);
	uv_close((uv_handle_t *)h->poll, poll_closed);
	close(h->fd);
	h->poll = NULL;
	h->fd = -1;
}

void heartbeat_close(struct heartbeat *h)
{
	if (!h)
		return;
	socket_close(h);
	for (size_t i = 0; i < h->peers_count; i++)
		neighbour_free(h->peers[i]);
	seal_sender_free(h->sender);
	seal_keys_free(h->keys);
	free(h);
}

/* ---- peers ---- */

/* Takes the peer of that name out of the list; NULL: there was none. */
static struct neighbour *neighbour_take(struct heartbeat *h, const char *name)
{
	for (size_t i = 0; i < h->peers_count; i++) {
		struct neighbour *n = h->peers[i];

		if (n && strcmp(n->name, name) == 0) {
			h->peers[i] = NULL;
			return n;
		}
	}
	return NULL;
}

/* We miss a heartbeat only when the slower of both sides should have sent one. */
static struct peer_config peer_config_of(
	const struct conf_instance *self, const struct conf_instance *other)
{
	int64_t ours = self->ha.peer_check_interval_ms, theirs = other->ha.peer_check_interval_ms;

	return (struct peer_config){.check_interval_ms = ours > theirs ? ours : theirs,
		.failure_threshold = (int)self->ha.peer_failure_threshold,
		.recovery_threshold = (int)self->ha.peer_recovery_threshold};
}

/* The peer for that instance, the one there was or a new one; NULL without memory. */
static struct neighbour *neighbour_make(struct heartbeat *h, const struct conf_instance *self,
	const struct conf_instance *other, struct mono now)
{
	struct peer_config config = peer_config_of(self, other);
	struct neighbour *n = neighbour_take(h, other->name);

	if (n) {
		peer_configure(&n->peer, &config, now);
	} else {
		n = calloc(1, sizeof *n);
		if (!n)
			return NULL;
		strncpy(n->name, other->name, sizeof n->name - 1);
		peer_init(&n->peer, &config, h->session, now);
	}
	if (reach_set(&n->reach, other) < 0) {
		neighbour_free(n);
		return NULL;
	}
	return n;
}

/* Keeps or makes the peers that c names and drops the others. */
static int peers_renew(struct heartbeat *h, const struct conf *c, const struct conf_instance *self,
	struct mono now)
{
	struct neighbour *kept[HEARTBEAT_PEERS_MAX] = {NULL};
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; self && i < c->instances_count && rc == 0; i++) {
		const struct conf_instance *other = &c->instances[i];

		if (other == self || other->ha.mode == CONF_HA_OFF)
			continue;
		if (count == HEARTBEAT_PEERS_MAX)
			rc = -E2BIG;
		else if ((kept[count] = neighbour_make(h, self, other, now)))
			count++;
		else
			rc = -ENOMEM;
	}
	for (size_t i = 0; i < h->peers_count; i++)
		neighbour_free(h->peers[i]);
	memcpy(h->peers, kept, sizeof kept);
	h->peers_count = count;
	return rc;
}

/* ---- the socket ---- */

static void readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	heartbeat_drain(poll->data);
}

static int socket_bind(int family, uint16_t port)
{
	struct addr any = {.sa.sa_family = (sa_family_t)family};
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	addr_set_port(&any, port);
	setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &(int){6}, sizeof(int));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
	if (bind(fd, &any.sa, addr_length(&any)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* Polls fd, which it takes. */
static int socket_poll(struct heartbeat *h, int fd)
{
	uv_poll_t *poll = calloc(1, sizeof *poll);
	int rc = poll ? uv_poll_init(h->loop, poll, fd) : -ENOMEM;

	if (rc < 0) {
		free(poll);
		close(fd);
		return rc;
	}
	socket_close(h);
	h->fd = fd;
	h->poll = poll;
	poll->data = h;
	uv_poll_start(poll, UV_READABLE, readable);
	return 0;
}

static int socket_open(struct heartbeat *h, uint16_t port)
{
	int family = AF_INET6, fd, rc;

	if (h->fd >= 0 && h->port == port)
		return 0;
	fd = socket_bind(family, port);
	if (fd == -EAFNOSUPPORT) {
		family = AF_INET;
		fd = socket_bind(family, port);
	}
	rc = fd < 0 ? fd : socket_poll(h, fd);
	if (rc < 0)
		return rc;
	h->family = family;
	h->port = port;
	return 0;
}

int heartbeat_configure(struct heartbeat *h, const struct conf *c, struct mono now)
{
	const struct conf_instance *self = conf_instance(c, h->node);
	int rc, socket_rc;

	if (self && self->ha.mode == CONF_HA_OFF)
		self = NULL;
	rc = peers_renew(h, c, self, now);
	if (h->peers_count == 0 || !h->sender) {
		socket_close(h);
		h->send_at = MONO_NEVER;
		return rc;
	}
	socket_rc = socket_open(h, (uint16_t)self->ha.port);
	if (mono_is_never(h->send_at) || h->interval_ms != self->ha.peer_check_interval_ms)
		h->send_at = now;
	h->interval_ms = self->ha.peer_check_interval_ms;
	return rc < 0 ? rc : socket_rc;
}

/* ---- sending ---- */

static void frame_send(struct heartbeat *h, const struct addr *to, const void *frame, size_t len)
{
	struct addr a = *to;

	if (h->family == AF_INET6 && addr_family(to) == AF_INET) {
		a = (struct addr){.in6 = {.sin6_family = AF_INET6, .sin6_port = to->in.sin_port}};
		a.in6.sin6_addr.s6_addr[10] = a.in6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&a.in6.sin6_addr.s6_addr[12], &to->in.sin_addr, 4);
	}
	if (sendto(h->fd, frame, len, 0, &a.sa, addr_length(&a)) < 0)
		h->counters.send_errors++;
	else
		h->counters.sent++;
}

/* Seals m for one peer and sends it on all paths: 0 or a negative errno. */
static int message_send(struct heartbeat *h, struct neighbour *n, struct peer_message *m)
{
	uint8_t payload[PEER_PAYLOAD_MAX], frame[FRAME_MAX];
	struct mono now = mono_now();
	int len;

	if (!h->sender || h->fd < 0)
		return -ENOENT;
	strcpy(m->node, h->node);
	m->echo = peer_echo(&n->peer, now);
	len = peer_encode(m, payload, sizeof payload);
	if (len < 0)
		return len;
	len = seal_encode(h->sender, payload, (size_t)len, frame, sizeof frame);
	if (len < 0)
		return len;
	peer_sent(&n->peer, seal_sender_counter(h->sender), now);
	for (size_t i = 0; i < n->reach.count; i++)
		if (addr_family(&n->reach.paths[i].to))
			frame_send(h, &n->reach.paths[i].to, frame, (size_t)len);
	return 0;
}

static struct neighbour *neighbour_find(const struct heartbeat *h, const char *name)
{
	for (size_t i = 0; i < h->peers_count; i++)
		if (strcmp(h->peers[i]->name, name) == 0)
			return h->peers[i];
	return NULL;
}

int heartbeat_send(struct heartbeat *h, const char *node, struct peer_message *m)
{
	struct neighbour *n = neighbour_find(h, node);

	assert(m->kind == PEER_TAKE || m->kind == PEER_TAKEN);
	return n ? message_send(h, n, m) : -ENOENT;
}

static void beat(struct heartbeat *h, struct neighbour *n)
{
	if (message_send(h, n, &h->said) < 0)
		h->counters.send_errors++;
}

static void compose(struct heartbeat *h)
{
	h->said = (struct peer_message){.kind = PEER_HEARTBEAT};
	h->handlers->compose(h->user, &h->said);
}

/* ---- receiving ---- */

static void message_judge(struct heartbeat *h, uint64_t session, uint64_t counter)
{
	struct peer_message *m = &h->heard;
	struct neighbour *n = neighbour_find(h, m->node);

	if (!n) {
		h->counters.strangers++;
		return;
	}
	switch (peer_heard(&n->peer, session, counter, m, mono_now())) {
	case PEER_REPLAYED:
		h->counters.replayed++;
		return;
	case PEER_UNPROVEN:
		h->counters.unproven++;
		compose(h);
		beat(h, n);
		return;
	case PEER_FRESH:
	case PEER_VERDICTS:
		break;
	}
	h->counters.received++;
	switch (m->kind) {
	case PEER_HEARTBEAT:
		h->handlers->changed(h->user, n->name);
		break;
	case PEER_TAKE:
		h->handlers->asked(h->user, n->name, m);
		break;
	case PEER_TAKEN:
		h->handlers->answered(h->user, n->name, m);
		break;
	}
}

static void frame_handle(struct heartbeat *h, const uint8_t *frame, size_t len)
{
	uint8_t payload[PEER_PAYLOAD_MAX];
	enum seal_refusal refusal = SEAL_OK;
	uint64_t session, counter;
	int size = seal_decode(
		h->keys, USE, frame, len, payload, sizeof payload, &session, &counter, &refusal);

	if (size < 0)
		h->counters.refused[refusal]++;
	else if (peer_decode(payload, (size_t)size, &h->heard) < 0)
		h->counters.malformed++;
	else
		message_judge(h, session, counter);
}

void heartbeat_drain(struct heartbeat *h)
{
	uint8_t frame[FRAME_MAX + 1]; /* one more, so that a longer one is seen to be longer */

	for (int i = 0; i < HEARTBEAT_DRAIN_MAX && h->fd >= 0; i++) {
		ssize_t len = recv(h->fd, frame, sizeof frame, 0);

		if (len < 0 && errno == EAGAIN)
			return;
		if (len >= 0) /* else an ICMP error of a peer that is away */
			frame_handle(h, frame, (size_t)len);
	}
}

/* ---- time ---- */

void heartbeat_tick(struct heartbeat *h, struct mono now)
{
	for (size_t i = 0; i < h->peers_count; i++) {
		struct neighbour *n = h->peers[i];

		reach_tick(&n->reach, h->loop, now);
		if (h->sender && mono_reached(peer_deadline(&n->peer), now) &&
			peer_tick(&n->peer, now))
			h->handlers->changed(h->user, n->name);
	}
	if (!mono_reached(h->send_at, now))
		return;
	compose(h);
	for (size_t i = 0; i < h->peers_count; i++)
		beat(h, h->peers[i]);
	h->send_at = mono_add_ms(h->send_at, h->interval_ms);
	if (mono_reached(h->send_at, now)) /* the loop was late: no burst to catch up */
		h->send_at = mono_add_ms(now, h->interval_ms);
}

struct mono heartbeat_deadline(const struct heartbeat *h)
{
	struct mono t = h->send_at;

	for (size_t i = 0; i < h->peers_count; i++) {
		if (h->sender)
			t = mono_min(t, peer_deadline(&h->peers[i]->peer));
		t = mono_min(t, reach_deadline(&h->peers[i]->reach));
	}
	return t;
}

/* ---- looking ---- */

size_t heartbeat_peers(const struct heartbeat *h)
{
	return h->peers_count;
}

bool heartbeat_has_key(const struct heartbeat *h)
{
	return h->sender != NULL;
}

const char *heartbeat_name(const struct heartbeat *h, size_t index)
{
	assert(index < h->peers_count);
	return h->peers[index]->name;
}

const struct peer *heartbeat_peer(const struct heartbeat *h, size_t index)
{
	assert(index < h->peers_count);
	return &h->peers[index]->peer;
}

int64_t heartbeat_age_ns(
	const struct heartbeat *h, const char *node, const struct peer_message *m, struct mono now)
{
	const struct neighbour *n = neighbour_find(h, node);

	return n ? peer_age_ns(&n->peer, m, now) : INT64_MAX;
}

const struct addr *heartbeat_address(const struct heartbeat *h, size_t index, int family)
{
	const struct reach *r;

	assert(index < h->peers_count);
	r = &h->peers[index]->reach;
	for (size_t i = 0; i < r->count; i++)
		if (addr_family(&r->paths[i].to) == family)
			return &r->paths[i].to;
	return NULL;
}

const struct heartbeat_counters *heartbeat_counters(const struct heartbeat *h)
{
	return &h->counters;
}
