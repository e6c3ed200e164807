#pragma once
/*
 * Shell: a small JSON document on disk that is replaced as a whole. Written to
 * a temporary file beside it, fsync'd and renamed, so that a reader (and the
 * next start after a crash) sees the old one or the new one, never half. Used
 * for the last good snapshot, verdicts and other state that outlives a process.
 */
#include <jansson.h>
#include <stddef.h>

/* Replaces the file at path (mode 0600) by document (borrowed): 0, or a negative errno, and then
 * the old one stays. */
int statefile_save(const char *path, const json_t *document);
/* 0 and an owned document; -ENOENT; -EFBIG past maximum bytes; -EINVAL for what is no JSON; another
 * negative errno. */
int statefile_load(const char *path, size_t maximum, json_t **ret);
