#pragma once
/* What befalls the cluster of one seed: storms of faults, calms, and single blows in a calm. */
#include "tests/sim/world.h"

/* Lives through the whole seed; the judge has the verdict. */
void fate_run(struct world *w);
