#pragma once
/*
 * Shell: the address behind another instance's host name, looked up off the
 * loop. An instance is usually written with its address, and then nothing is
 * ever looked up.
 */
#include <uv.h>

#include "common/addr.h"

struct lookup;

/* status 0 and an address with port 0 (borrowed), or a negative errno or uv error. The lookup is
 * over and freed. */
typedef void lookup_done(void *user, int status, const struct addr *a);

/* Looks a name up once: 0, or a negative errno (done is not called). done comes from the loop,
 * never before the return. */
int lookup_start(
	uv_loop_t *loop, const char *name, lookup_done *done, void *user, struct lookup **ret);
/* done will not be called. NULL is fine. */
void lookup_cancel(struct lookup *l);
