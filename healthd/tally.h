#pragma once
/* What healthd counts, as the reply to the verb `counters` (common/metric.h). */
#include <jansson.h>

#include "common/bus.h"
#include "healthd/roster.h"

/* An owned set of metrics. */
json_t *tally_metrics(const struct roster *r, const struct bus *b);
