/* See http.h. */
#include "data/http/http.h"

#include <stdlib.h>

#include "common/now.h"
#include "data/http/access_log.h"
#include "data/arrival.h"
#include "data/http/client_move.h"
#include "data/http/client_socket.h"
#include "data/http/request.h"
#include "data/worker.h"

#define MALFORMED_BURST 10 /* lines at once; then one a second */

void http_refresh(struct http *h)
{
	struct listener *l = h->listener;

	if (h->conf == l->conf)
		return;
	conf_unref(h->conf);
	h->conf = conf_ref(l->conf);
	if (h->log && access_log_is_for(h->log, &l->settings->access_log))
		return;
	access_log_free(h->log);
	h->log = NULL;
	if (l->settings->access_log.is_on)
		h->log = access_log_new(h->worker, l->name, &l->settings->access_log, l->cells);
}

struct http *http_of(struct worker *w, struct listener *l)
{
	struct http *h = l->state;

	if (!h) {
		h = calloc(1, sizeof *h);
		if (!h)
			return NULL;
		h->worker = w;
		h->listener = l;
		l->state = h;
	}
	http_refresh(h);
	return h;
}

static void accepted(struct worker *w, struct listener *l, const struct arrival *a)
{
	struct http *h = http_of(w, l);

	if (h)
		client_socket_open(h, a);
	else
		listener_starve(l, a->socket);
}

static void released(struct listener *l)
{
	struct http *h = l->state;

	if (!h)
		return;
	while (h->spare) {
		struct request *r = h->spare;

		h->spare = r->next;
		free(r);
	}
	encoders_fini(&h->encoders);
	access_log_free(h->log);
	conf_unref(h->conf);
	free(h);
	l->state = NULL;
}

void http_malformed(struct http *h, const char *who, const char *address, enum h1_fault fault)
{
	unsigned long held;

	h->faults[fault]++;
	if (!log_limit_take(&h->malformed, MALFORMED_BURST, mono_now(), &held))
		return;
	log_info("data: listener=%s malformed input from %s %s refused why=%s count=%llu "
		 "not_logged=%lu",
		h->listener->name, who, address, h1_fault_name(fault),
		(unsigned long long)h->faults[fault], held);
}

const struct listener_protocol http_protocol = {
	.accepted = accepted,
	.released = released,
	.resume = client_move_resume,
};
