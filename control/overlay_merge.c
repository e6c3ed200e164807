/* See overlay_merge.h. */
#include "control/overlay_merge.h"

#include <limits.h>

static int restriction(const struct overlay *o)
{
	switch (o->state) {
	case OVERLAY_READY:
		return 0;
	case OVERLAY_DRAIN:
		return 1;
	case OVERLAY_MAINTENANCE:
		return 2;
	case OVERLAY_DISABLED:
		return 3;
	}
	return 0;
}

int overlay_compare(const struct overlay *a, const struct overlay *b)
{
	int by_state = restriction(a) - restriction(b);
	int weight_a = a->has_weight ? a->weight : INT_MAX;
	int weight_b = b->has_weight ? b->weight : INT_MAX;

	return by_state ? by_state : (weight_a < weight_b) - (weight_a > weight_b);
}

bool overlay_local_counts(const json_t *local, const json_t *stored)
{
	struct overlay a, b = {.state = OVERLAY_READY};

	if (!local || overlay_decode(local, &a) < 0)
		return false;
	if (stored && overlay_decode(stored, &b) < 0)
		return true;
	return overlay_compare(&a, &b) > 0;
}
