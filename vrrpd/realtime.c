/* See realtime.h. */
#include "vrrpd/realtime.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "common/log.h"

/* Above the ordinary, below the kernel's own real-time threads (50). */
#define PRIORITY 10
#define NICE (-15)

static void scheduling_request(void)
{
	struct sched_param param = {.sched_priority = PRIORITY};

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0)
		return;
	log_info("no real-time scheduling why=\"%s\": on a busy node advertisements may be late",
		strerror(errno));
	/* Once it has been raised, a re-executed image has it already. */
	if (getpriority(PRIO_PROCESS, 0) > NICE && setpriority(PRIO_PROCESS, 0, NICE) < 0)
		log_info("no better nice value why=\"%s\"", strerror(errno));
}

void realtime_request(void)
{
	scheduling_request();
	/* Pages are locked when touched: the stacks of idle threads cost nothing. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_info("memory is not locked why=\"%s\": a swapping node may be late",
			strerror(errno));
}
