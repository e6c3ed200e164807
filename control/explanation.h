#pragma once
/*
 * Core: why one object is as it is, with evidence and times: {"object","state",
 * "since","why","evidence":[{"time","text"}],"history":[{"time","from","to","why"}]}.
 */
#include <jansson.h>

#include "control/picture.h"

#define EXPLANATION_WHY_SIZE 256

/*
 * object: "POOL/SERVER", or "vip/NAME", "listener/NAME", "pool/NAME",
 * "instance/NAME" (a blank may stand for the first slash). stack NULL: the
 * first stack that has it, our own before others. Returns owned; NULL with a
 * sentence when there is no such object.
 */
json_t *explanation_print(const struct picture *p, const char *stack, const char *object,
	struct wall now, char why[EXPLANATION_WHY_SIZE]);
