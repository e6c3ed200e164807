#pragma once
/*
 * Shell: the last good snapshot of a daemon, state_dir/NAME.snapshot: what it
 * starts from when control is away. Written to a temporary file, fsync'd and
 * renamed, mode 0600, so a reader sees the old or the new, never half.
 */
#include "common/conf.h"

/* What it means that one cannot be written. */
#define LASTGOOD_CONSEQUENCE "a restart without control would run an older generation"

/* 0, or a negative errno (the file that was there stays). */
int lastgood_save(const char *state_dir, const char *daemon, const struct conf *conf);
/* 0 and an owned snapshot; -ENOENT when there is none; -EINVAL with problems for one that does not parse; a negative errno. */
int lastgood_load(const char *state_dir, const char *daemon, struct conf_problems *problems,
	struct conf **ret);
