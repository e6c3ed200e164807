/* See secrecy.h: core(5), "Controlling which mappings are written to the core dump". */
#include "common/secrecy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#define ONLY_HEADERS "0x10"

void secrecy_begin(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, ONLY_HEADERS, strlen(ONLY_HEADERS));

	if (n < 0)
		log_warn("memory is not kept out of core dumps why=\"%s\"", strerror(errno));
	if (fd >= 0)
		close(fd);
}
