/*
 * ballast-control: the API, the plan and the store of a node. Wires keeper
 * (store), hub (bus) and api to one picture; what they do is theirs. Traffic
 * and failover never wait for this process.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/daemon.h"
#include "common/log.h"
#include "control/api/api.h"
#include "control/hub.h"
#include "control/journal.h"
#include "control/keeper.h"
#include "control/picture.h"

struct control {
	struct daemon *daemon;
	struct picture picture;
	struct journal *journal;
	struct keeper *keeper;
	struct hub *hub;
	struct api *api;
	uv_idle_t again; /* one look at the picture after all changes of a turn of the loop */
	bool is_leaving;
};

static void on_again(uv_idle_t *idle)
{
	struct control *c = idle->data;

	uv_idle_stop(idle);
	if (c->is_leaving)
		return;
	hub_publish(c->hub);
	api_changed(c->api);
}

static void on_changed(void *user)
{
	struct control *c = user;

	if (c->api && !c->is_leaving)
		uv_idle_start(&c->again, on_again);
}

static void on_events(void *user)
{
	struct control *c = user;

	if (c->api && !c->is_leaving)
		api_events(c->api);
}

static int open_parts(struct control *c)
{
	static const struct keeper_handlers keeper_handlers = {on_changed, on_events};
	static const struct hub_handlers hub_handlers = {on_changed};
	uv_loop_t *loop = daemon_loop(c->daemon);
	const struct nodefile *n = daemon_nodefile(c->daemon);
	struct api_site site = {
		.loop = loop, .nodefile = n, .picture = &c->picture, .journal = c->journal};
	int rc = keeper_open(loop, n, &c->picture, c->journal, &keeper_handlers, c, &c->keeper);

	if (rc == 0)
		rc = hub_open(loop, n->run_dir, &c->picture, c->keeper, &hub_handlers, c, &c->hub);
	site.keeper = c->keeper;
	site.hub = c->hub;
	if (rc == 0)
		rc = api_open(&site, &c->api);
	return rc;
}

static int start(struct daemon *d, void *user)
{
	struct control *c = user;
	int rc;

	c->daemon = d;
	uv_idle_init(daemon_loop(d), &c->again);
	c->again.data = c;
	c->journal = journal_new();
	rc = c->journal ? picture_init(&c->picture, daemon_nodefile(d)->node) : -ENOMEM;
	if (rc < 0)
		log_error("control: out of memory");
	else
		rc = open_parts(c);
	if (rc < 0)
		return rc;
	daemon_ready(d, "serving the API");
	on_changed(c);
	return 0;
}

/* ---- leaving, in the order in which the parts need each other ---- */

static void on_api_closed(void *user)
{
	struct control *c = user;

	picture_fini(&c->picture);
	journal_free(c->journal);
	daemon_exit(c->daemon, 0);
}

static void on_keeper_closed(void *user)
{
	struct control *c = user;

	api_close(c->api, on_api_closed, c);
}

static void on_hub_closed(void *user)
{
	struct control *c = user;

	keeper_close(c->keeper, on_keeper_closed, c);
}

static void leave(struct daemon *d, void *user)
{
	struct control *c = user;

	(void)d;
	if (c->is_leaving)
		return;
	c->is_leaving = true;
	uv_close((uv_handle_t *)&c->again, NULL);
	api_leave(c->api);
	hub_close(c->hub, on_hub_closed, c);
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "control",
		.help = "keeps the documents of the cluster, serves the API, and tells this node's "
			"daemons "
			"what to run",
		.start = start,
		.leave = leave,
	};
	struct control control = {0};

	signal(SIGPIPE, SIG_IGN);
	return daemon_main(&spec, argc, argv, &control);
}
