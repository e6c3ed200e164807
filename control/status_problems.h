#pragma once
/* What status.c and status_problems.c share; for nobody else. */
#include "control/status.h"

/* True when this node serves the stack of a document. */
bool status_is_ours(const struct picture *p, const struct conf *conf);
