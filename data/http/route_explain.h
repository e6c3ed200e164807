#pragma once
/*
 * Core: which route a request would take, and why no other: the answer to an
 * operator's question, by the code that decides in the workers (decision.h). Called by
 * the agent, which has the snapshot in force.
 */
#include <jansson.h>

#include "common/conf.h"

#define ROUTE_EXPLAIN_WHY_SIZE 256 /* as of bus verbs */
#define ROUTE_EXPLAIN_ROUTES_MAX 16 /* that are told of one by one */

/*
 * question: {"listener": "www", "url": "http://shop.example/api?x=1" or a path, "method": "GET",
 * "headers": {"x-beta": "1"}, "client": "10.0.0.9"}, all but the first two optional. 0 and an owned
 * answer:
 *   {"outcome": "pool" | "redirect" | "respond" | "refused", "why": a sentence,
 *    "route": number or null, "status": of our own answer or null, "end": word of the access log,
 *    "pool", "target", "host": what a server would get, "location": of a redirect,
 *    "evidence": [sentences],
 *    "routes": [{"route": number, "matches": what, "verdict": "taken" | "lost" | "no match", "why"}],
 *    "others": routes for other hosts and paths}
 * or -EINVAL / -ENOENT with a sentence.
 */
int route_explain(const struct conf *conf, const json_t *question, json_t **ret,
	char why[ROUTE_EXPLAIN_WHY_SIZE]);
