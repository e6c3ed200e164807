#pragma once
/*
 * Shell: what this node says to a document: plan's rules and the trial, fed with
 * its node file, its interfaces and its picture. Used for a write that came to
 * this node and for one that another node proposes.
 */
#include "common/nodefile.h"
#include "control/picture.h"

/* 0, or -EINVAL with every reason in problems. Without is_tried only what holds for all nodes alike
 * is judged. */
int judgement_of(const struct nodefile *n, const struct picture *p, const struct conf *candidate,
	bool is_tried, struct conf_problems *problems);
