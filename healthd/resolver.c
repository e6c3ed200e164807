/* See resolver.h. */
#include "healthd/resolver.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "common/list.h"
#include "common/now.h"

#define RESOLVER_HOST_SIZE 256

struct resolver_name {
	struct schedule_entry entry;
	struct resolver *resolver;
	uv_getaddrinfo_t request;
	char host[RESOLVER_HOST_SIZE];
	uint16_t port;
	bool has_address, is_under_way, is_removed;
	struct addr address;
	resolver_found *found;
	void *user;
};

static void resolver_pump(struct resolver *r);

static void resolver_on_timer(uv_timer_t *timer)
{
	resolver_pump(timer->data);
}

static bool resolver_is_among(const struct addr *address, const struct addrinfo *list)
{
	for (; list; list = list->ai_next) {
		struct addr one = {0};

		memcpy(&one, list->ai_addr, list->ai_addrlen);
		if (addr_is_same_ip(&one, address))
			return true;
	}
	return false;
}

static void resolver_take(struct resolver_name *n, const struct addrinfo *list)
{
	if (!n->has_address || !resolver_is_among(&n->address, list)) {
		memset(&n->address, 0, sizeof n->address);
		memcpy(&n->address, list->ai_addr, list->ai_addrlen);
		addr_set_port(&n->address, n->port);
		n->has_address = true;
	}
	n->found(n->user, &n->address, NULL);
}

static void resolver_on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct resolver_name *n = request->data;
	struct resolver *r = n->resolver;

	r->under_way--;
	n->is_under_way = false;
	if (n->is_removed) {
		uv_freeaddrinfo(list);
		free(n);
		resolver_pump(r);
		return;
	}
	schedule_add(&r->schedule, &n->entry,
		mono_add_ms(mono_now(),
			status && !n->has_address ? RESOLVER_RETRY_MS : RESOLVER_AGAIN_MS));
	if (!status && list)
		resolver_take(n, list);
	else
		n->found(n->user, NULL, uv_strerror(status));
	uv_freeaddrinfo(list);
	resolver_pump(r);
}

static void resolver_begin(struct resolver *r, struct resolver_name *n)
{
	static const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	int rc;

	n->request.data = n;
	rc = uv_getaddrinfo(r->loop, &n->request, resolver_on_answer, n->host, NULL, &hints);
	if (rc) {
		schedule_add(&r->schedule, &n->entry, mono_add_ms(mono_now(), RESOLVER_RETRY_MS));
		return;
	}
	n->is_under_way = true;
	r->under_way++;
}

static void resolver_pump(struct resolver *r)
{
	struct mono now = mono_now(), deadline;

	while (r->under_way < RESOLVER_AT_ONCE) {
		struct schedule_entry *e = schedule_pop(&r->schedule, now);

		if (!e)
			break;
		resolver_begin(r, list_entry(e, struct resolver_name, entry));
	}
	deadline = schedule_deadline(&r->schedule);
	if (r->under_way < RESOLVER_AT_ONCE && !mono_is_never(deadline))
		uv_timer_start(&r->timer, resolver_on_timer,
			mono_reached(deadline, now) ? 0
						    : (uint64_t)mono_since_ms(deadline, now) + 1,
			0);
}

int resolver_init(struct resolver *r, uv_loop_t *loop)
{
	*r = (struct resolver){.loop = loop};
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	return 0;
}

void resolver_fini(struct resolver *r)
{
	uv_close((uv_handle_t *)&r->timer, NULL);
	schedule_fini(&r->schedule);
}

struct resolver_name *resolver_add(
	struct resolver *r, const char *address, resolver_found *found, void *user)
{
	struct resolver_name *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	if (addr_split_port(address, n->host, sizeof n->host, &n->port) ||
		schedule_add(&r->schedule, &n->entry, mono_now())) {
		free(n);
		return NULL;
	}
	n->resolver = r;
	n->found = found;
	n->user = user;
	uv_timer_start(&r->timer, resolver_on_timer, 0, 0);
	return n;
}

void resolver_remove(struct resolver_name *n)
{
	if (!n)
		return;
	schedule_remove(&n->resolver->schedule, &n->entry);
	if (!n->is_under_way) {
		free(n);
		return;
	}
	n->is_removed = true;
	uv_cancel((uv_req_t *)&n->request);
}
