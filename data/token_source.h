#pragma once
/*
 * Shell: where the key for cookies comes from: the cluster key file, so that
 * all nodes understand each other's; without one, a key of this node alone,
 * made once and kept in state_dir/sticky.key.
 */
#include "data/token.h"

/* 0; or a negative errno and a sentence in why. */
int token_source_load(const char *cluster_key_file, const char *state_dir, struct token_keys *ret,
	char why[512]);
