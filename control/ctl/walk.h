#pragma once
/*
 * Core: which nodes an upgrade visits, in which order, and how to go on when it
 * stopped. From /v1/status and what was asked.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/conf.h"

#define WALK_NODES_MAX 64
#define WALK_WHY_SIZE 512

struct walk_node {
	char name[CONF_NAME_SIZE];
	char address[ADDR_TEXT_SIZE]; /* "": not known */
	long long vips;               /* that it holds */
};

struct walk {
	struct walk_node nodes[WALK_NODES_MAX]; /* in the order of the visits */
	size_t count;
};

/*
 * names (count of them): these, as they were given; count 0: all nodes of the stack, those with the
 * fewest VIPs first, so that each VIP moves as seldom as can be. 0; or -1 with a sentence: a node that
 * the stack does not have, one that is named twice, or none at all.
 */
int walk_plan(const json_t *status, const char *stack, const char *const *names, size_t count,
	struct walk *ret, char why[WALK_WHY_SIZE]);

/* "control 1.0.0, data 1.0.0, …" of a node, or "1.0.0" where all are the same; "?" where none is
 * known. */
void walk_print_version(const json_t *status, const char *node, struct buf *out);

/* What to do after the visit of nodes[at] failed; is_out: that node is in maintenance. */
void walk_print_way_out(const struct walk *w, size_t at, bool is_out, struct buf *out);
