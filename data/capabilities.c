/* See capabilities.h. Two capabilities do not make a library worth its while. */
#include "data/capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DROPPED (1u << CAP_NET_RAW | 1u << CAP_NET_BIND_SERVICE)

void capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	/* What is not in the permitted and inheritable sets leaves the ambient one, too. */
	if (syscall(SYS_capget, &header, sets) < 0)
		return;
	sets[0].effective &= ~DROPPED;
	sets[0].permitted &= ~DROPPED;
	sets[0].inheritable &= ~DROPPED;
	syscall(SYS_capset, &header, sets);
}
