#pragma once
/*
 * Core: which route a request would take, as an explanation: the question for
 * the data plane of this node, and its answer in the shape of explanation.h,
 * with all of it under "request".
 */
#include <jansson.h>

#include "common/clock.h"
#include "common/conf.h"

#define EXPLANATION_ROUTE_WHY_SIZE 256

/* What is asked; texts borrowed, NULL: not given. */
struct explanation_route {
	const char *listener, *url, *method, *client;
	const char *header; /* "NAME: VALUE", or a JSON object of several */
};

/* The body of data's verb `route`: 0 and an owned value, or -EINVAL with a sentence. */
int explanation_route_ask(
	const struct explanation_route *q, json_t **ret, char why[EXPLANATION_ROUTE_WHY_SIZE]);

/* Owned: {"object","stack","state","since","why","evidence","history","request"}. */
json_t *explanation_route_print(
	const struct explanation_route *q, const char *stack, const json_t *reply, struct wall now);
