/* control: opens the parts in the order in which they need each other, tells them of each other's
 * changes, and closes them the other way round. */
#include "control/control.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "common/secrecy.h"

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

/* ---- over a re-execution the API's sockets stay open: who connects meanwhile waits ---- */

static int inherit(void *user, const char *name)
{
	return daemon_take_fd(user, name);
}

static void keep(void *user, const char *name, int fd)
{
	daemon_keep_fd(user, name, fd);
}

json_t *control_hand_over(struct daemon *d, void *user)
{
	struct control *c = user;

	api_each_socket(c->api, keep, d);
	return NULL;
}

static int open_parts(struct control *c)
{
	static const struct keeper_handlers keeper_handlers = {on_changed, on_events};
	static const struct hub_handlers hub_handlers = {on_changed};
	uv_loop_t *loop = daemon_loop(c->daemon);
	const struct nodefile *n = daemon_nodefile(c->daemon);
	struct api_site site = {.loop = loop,
		.nodefile = n,
		.picture = &c->picture,
		.journal = c->journal,
		.inherit = inherit,
		.inherit_user = c->daemon};
	int rc = keeper_open(loop, n, &c->picture, c->journal, &keeper_handlers, c, &c->keeper);

	if (rc == 0)
		rc = hub_open(loop, n->run_dir, &c->picture, c->keeper, &hub_handlers, c, &c->hub);
	site.keeper = c->keeper;
	site.hub = c->hub;
	if (rc == 0)
		rc = api_open(&site, &c->api);
	return rc;
}

int control_start(struct daemon *d, void *user)
{
	struct control *c = user;
	int rc;

	c->daemon = d;
	secrecy_begin();
	uv_idle_init(daemon_loop(d), &c->again);
	c->again.data = c;
	c->journal = journal_new();
	rc = c->journal ? picture_init(&c->picture, daemon_nodefile(d)->node) : -ENOMEM;
	if (rc < 0)
		log_error("out of memory");
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

void control_leave(struct daemon *d, void *user)
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
