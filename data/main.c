/*
 * ballast-data: supervisor, agent and worker in one program. Only the
 * supervisor is started by hand; it starts the others as `ballast-data agent …`
 * and `ballast-data worker …`.
 */
#include <string.h>

#include "common/secrecy.h"
#include "data/agent.h"
#include "data/supervisor.h"
#include "data/worker.h"

int main(int argc, char **argv)
{
	secrecy_begin(); /* of all three: certificates' keys go through each */
	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return worker_main(argc, argv);
	if (argc > 1 && strcmp(argv[1], "agent") == 0)
		return agent_main(argc, argv);
	return supervisor_main(argc, argv);
}
