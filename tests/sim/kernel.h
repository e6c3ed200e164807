#pragma once
/* A machine's kernel as far as it matters: one address that is there, or not, and until when. */
#include <stdbool.h>
#include <stdint.h>

#include "vrrpd/lease.h"

struct kernel {
	bool has_address;
	uint32_t valid_s;   /* as last told */
	struct mono told;   /* in the machine's own time */
	int64_t expires_ns; /* INT64_MAX: never */
};

void kernel_init(struct kernel *k);
void kernel_apply(struct kernel *k, const struct lease_change *c, struct mono now, int64_t now_ns);
/* True when the lease has run out just now. */
bool kernel_expire(struct kernel *k, int64_t now_ns);
