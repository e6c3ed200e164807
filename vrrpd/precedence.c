/* See precedence.h. */
#include "vrrpd/precedence.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

/*
 * Not SCHED_RR: libuv's and nng's threads hand over to each other by spinning
 * and by plain mutexes. A real-time loop that preempts the very thread it waits
 * for starves it, until the kernel throttles it: measured, 950 ms.
 */
#define NICE (-15)

static void scheduling_request(void)
{
	/* A re-executed image has it already. */
	if (getpriority(PRIO_PROCESS, 0) > NICE && setpriority(PRIO_PROCESS, 0, NICE) < 0)
		log_info("no better nice value why=\"%s\": on a busy node advertisements may be "
			 "late",
			strerror(errno));
}

/* True when RLIMIT_MEMLOCK does not bind us. */
static bool may_lock_all(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		return true;
	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & CAP_TO_MASK(CAP_IPC_LOCK));
}

/*
 * Under a limit, what is mapped later (the stacks of threads) would be refused
 * once it is reached: then rather not at all.
 */
static int memory_lock(void)
{
	if (!may_lock_all())
		return -EPERM;
	/* Pages are locked when touched: the stacks of idle threads cost nothing. */
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 0;
}

void precedence_request(void)
{
	int rc;

	scheduling_request();
	rc = memory_lock();
	if (rc < 0)
		log_info("memory is not locked why=\"%s\": a swapping node may be late",
			strerror(-rc));
}
