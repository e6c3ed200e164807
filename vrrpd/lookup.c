/* See lookup.h. */
#include "vrrpd/lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
	uv_getaddrinfo_t request;
	lookup_done *done; /* NULL: cancelled */
	void *user;
};

static void answered(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *l = request->data;
	struct addr a = {0};

	for (struct addrinfo *i = list; i && !addr_family(&a); i = i->ai_next) {
		if (i->ai_family == AF_INET && i->ai_addrlen == sizeof a.in)
			memcpy(&a.in, i->ai_addr, sizeof a.in);
		if (i->ai_family == AF_INET6 && i->ai_addrlen == sizeof a.in6)
			memcpy(&a.in6, i->ai_addr, sizeof a.in6);
	}
	uv_freeaddrinfo(list);
	if (status == 0 && !addr_family(&a))
		status = -ENOENT;
	if (l->done)
		l->done(l->user, status, status == 0 ? &a : NULL);
	free(l);
}

int lookup_start(
	uv_loop_t *loop, const char *name, lookup_done *done, void *user, struct lookup **ret)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct lookup *l = calloc(1, sizeof *l);
	int rc;

	if (!l)
		return -ENOMEM;
	l->done = done;
	l->user = user;
	l->request.data = l;
	rc = uv_getaddrinfo(loop, &l->request, answered, name, NULL, &hints);
	if (rc < 0) {
		free(l);
		return rc;
	}
	*ret = l;
	return 0;
}

void lookup_cancel(struct lookup *l)
{
	if (!l)
		return;
	l->done = NULL; /* freed when the answer comes */
	uv_cancel((uv_req_t *)&l->request);
}
