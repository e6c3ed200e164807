/* ballast-vrrpd: moves the addresses when a node dies. This file only wires agent to daemon. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon.h"
#include "common/log.h"
#include "vrrpd/agent.h"
#include "common/keyfile.h"
#include "vrrpd/precedence.h"

struct main {
	struct daemon *daemon;
	struct agent *agent;
};

static int start(struct daemon *d, void *user)
{
	const struct nodefile *nodefile = daemon_nodefile(d);
	struct seal_keys *keys = NULL;
	struct main *m = user;
	char why[512];
	int rc;

	m->daemon = d;
	rc = keyfile_load(nodefile->cluster_key_file, &keys, why);
	if (rc == -ENOENT)
		log_info("no cluster key at %s: no heartbeats, peers count as unknown",
			nodefile->cluster_key_file);
	else if (rc < 0)
		log_error("%s; no heartbeats, peers count as unknown", why);
	precedence_request();
	rc = agent_open(daemon_loop(d), nodefile, keys, &m->agent);
	if (rc == 0)
		daemon_ready(d, "Virtual routers are served");
	return rc;
}

static void left(void *user)
{
	struct main *m = user;

	agent_close(m->agent);
	daemon_exit(m->daemon, 0);
}

static void leave(struct daemon *d, void *user)
{
	struct main *m = user;

	(void)d;
	agent_leave(m->agent, left, m);
}

/* A successor, be it re-executed or restarted after kill -9, resumes from the addresses on the
 * interfaces and the ownership record: that shall lie where it will look. */
static json_t *hand_over(struct daemon *d, void *user)
{
	struct main *m = user;

	(void)d;
	agent_keep(m->agent);
	return NULL;
}

static int check(struct daemon *d, const struct conf *conf, void *user)
{
	const char *path = daemon_nodefile(d)->cluster_key_file;
	struct seal_keys *keys = NULL;
	char why[512];
	int rc = keyfile_load(path, &keys, why);

	(void)conf;
	(void)user;
	seal_keys_free(keys);
	if (rc == 0 || rc == -ENOENT)
		return 0;
	fprintf(stderr, "ballast-vrrpd: %s\n", why);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {.name = "vrrpd",
		.help = "moves virtual addresses between nodes (VRRP, RFC 9568)",
		.start = start,
		.leave = leave,
		.hand_over = hand_over,
		.check = check};
	struct main m = {0};

	return daemon_main(&spec, argc, argv, &m);
}
