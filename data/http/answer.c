/* See answer.h. */
#include "data/http/answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "data/http/client.h"

#define RETRY_AFTER_S 1 /* of a 503: servers come back, queues empty */

/* The operator's body for a status, or NULL. */
static const char *error_page(const struct conf_listener *l, int status)
{
	for (size_t i = 0; i < l->error_pages.count; i++)
		if (atoi(l->error_pages.items[i].name) == status)
			return l->error_pages.items[i].value;
	return NULL;
}

static void take_page(const struct request *r, struct head_answer *a)
{
	a->body = error_page(r->settings, a->status);
	a->body_len = a->body ? strlen(a->body) : 0;
	if (a->status == 503)
		a->retry_after_s = RETRY_AFTER_S;
	else if (a->status == 429)
		a->retry_after_s = r->choice.retry_after_s;
}

static void take_route_s(const struct request *r, struct head_answer *a)
{
	const struct conf_route *route = r->choice.route->conf;

	a->lines = (struct rewrite_run){(const char *)r->forward->data, r->choice.lines_len};
	a->is_storable = true;
	if (route->redirect)
		return; /* a line of text for those who do not follow */
	a->body = route->respond->body ? route->respond->body : "";
	a->body_len = strlen(a->body);
}

size_t answer_write(struct client *c, char *out)
{
	const struct exchange *x = &c->exchange;
	const struct request *r = c->request;
	struct head_answer a = {
		.status = x->status,
		.is_for_head = r->is_parsed && r->head.method == H1_HEAD,
		.says_close = x->closes,
		.says_keep_alive = r->is_parsed && x->request.is_http10,
	};
	size_t len = held_write(c, out);

	if (len)
		return len;
	if (r->choice.status == x->status && r->choice.end == EXCHANGE_END_OK)
		take_route_s(r, &a);
	else
		take_page(r, &a);
	len = head_write_answer(&a, out);
	assert(len);
	return len;
}
