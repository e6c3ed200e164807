/* See reach.h. */
#include "vrrpd/reach.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "vrrpd/lookup.h"

#define LOOKUP_AGAIN_MS 30000

static void path_fini(struct reach_path *p)
{
	lookup_cancel(p->lookup);
	free(p->host);
	*p = (struct reach_path){.lookup_at = MONO_NEVER};
}

void reach_fini(struct reach *r)
{
	for (size_t i = 0; i < r->count; i++)
		path_fini(&r->paths[i]);
	r->count = 0;
}

static int path_set(struct reach_path *p, const char *host, uint16_t port)
{
	if (p->host && p->port == port && strcmp(p->host, host) == 0)
		return 0;
	path_fini(p);
	p->host = strdup(host);
	if (!p->host)
		return -ENOMEM;
	p->port = port;
	if (addr_parse_ip(host, &p->to) == 0)
		addr_set_port(&p->to, port);
	else
		p->lookup_at = (struct mono){0};
	return 0;
}

int reach_set(struct reach *r, const struct conf_instance *instance)
{
	size_t count = 1 + instance->ha.addresses_count;

	if (count > REACH_PATHS_MAX)
		count = REACH_PATHS_MAX;
	for (size_t i = count; i < r->count; i++)
		path_fini(&r->paths[i]);
	r->count = count;
	for (size_t i = 0; i < count; i++) {
		const char *host = i ? instance->ha.addresses[i - 1] : instance->address;
		int rc = path_set(&r->paths[i], host, (uint16_t)instance->ha.port);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static void looked_up(void *user, int status, const struct addr *a)
{
	struct reach_path *p = user;

	p->lookup = NULL;
	p->lookup_at = mono_add_ms(mono_now(), LOOKUP_AGAIN_MS);
	if (status == 0) {
		p->to = *a;
		addr_set_port(&p->to, p->port);
	}
}

void reach_tick(struct reach *r, uv_loop_t *loop, struct mono now)
{
	for (size_t i = 0; i < r->count; i++) {
		struct reach_path *p = &r->paths[i];

		if (p->lookup || !mono_reached(p->lookup_at, now))
			continue;
		p->lookup_at = mono_add_ms(now, LOOKUP_AGAIN_MS);
		if (lookup_start(loop, p->host, looked_up, p, &p->lookup) == 0)
			p->lookup_at = MONO_NEVER;
	}
}

struct mono reach_deadline(const struct reach *r)
{
	struct mono t = MONO_NEVER;

	for (size_t i = 0; i < r->count; i++)
		t = mono_min(t, r->paths[i].lookup_at);
	return t;
}
