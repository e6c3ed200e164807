/* See connection_log.h. */
#include "data/l4/connection_log.h"

#include "common/now.h"
#include "data/http/access_log.h"
#include "data/listener.h"

static void refresh(struct connection_log *k, struct listener *l)
{
	if (k->conf == l->conf)
		return;
	conf_unref(k->conf);
	k->conf = conf_ref(l->conf);
	if (k->log && access_log_is_for(k->log, &l->settings->access_log))
		return;
	access_log_free(k->log);
	k->log = NULL;
	if (l->settings->access_log.is_on)
		k->log = access_log_new(l->worker, l->name, &l->settings->access_log, l->cells);
}

void connection_log_fini(struct connection_log *k)
{
	access_log_free(k->log);
	conf_unref(k->conf);
}

const char *connection_log_end(unsigned cell)
{
	static const struct {
		unsigned cell;
		const char *end;
	} rows[] = {
		{BOARD_LISTENER_CELLS, "ok"},
		{BOARD_LISTENER_CLIENT_RESET, "client-abort"},
		{BOARD_LISTENER_SERVER_RESET, "server-reset"},
		{BOARD_LISTENER_IDLE_TIMEOUT, "tunnel-idle"},
		{BOARD_LISTENER_NO_SERVER, "no-server"},
		{BOARD_LISTENER_QUEUE_FULL, "queue-full"},
		{BOARD_LISTENER_QUEUE_TIMEOUT, "queue-timeout"},
		{BOARD_LISTENER_CONNECT_FAILED, "connect-failed"},
		{BOARD_LISTENER_CONNECT_TIMEOUT, "connect-timeout"},
		{BOARD_LISTENER_SERVER_LOST, "server-lost"},
		{BOARD_LISTENER_DRAINED, "drained"},
		{BOARD_LISTENER_INTERNAL, "internal"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].cell == cell)
			return rows[i].end;
	return "failed";
}

void connection_log_add(struct connection_log *k, struct listener *l, struct access_entry *e)
{
	refresh(k, l);
	if (!k->log)
		return;
	e->listener = l->name;
	e->time = (struct wall){wall_now().ms - e->total_us / 1000};
	access_log_add(k->log, e);
}
