#pragma once
/* Text from outside, fit for a terminal. Pure. */
#include "common/buf.h"

/* Appends text with control characters (escape sequences among them) shown as '?'; NULL adds
 * nothing. */
void plain_add(struct buf *out, const char *text);
