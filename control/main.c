/*
 * ballast-control: the API, the plan and the store of a node. Traffic and
 * failover never wait for this process.
 */
#include <signal.h>

#include "control/control.h"

int main(int argc, char **argv)
{
	static const struct daemon_spec spec = {
		.name = "control",
		.help = "keeps the documents of the cluster, serves the API, and tells this node's "
			"daemons "
			"what to run",
		.start = control_start,
		.leave = control_leave,
		.hand_over = control_hand_over,
	};
	struct control control = {0};

	signal(SIGPIPE, SIG_IGN);
	return daemon_main(&spec, argc, argv, &control);
}
