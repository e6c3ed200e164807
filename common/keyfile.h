#pragma once
/* Shell: the cluster key file of this node, read once at start. seal.h says what it holds. */
#include <stddef.h>

#include "common/seal.h"

#define KEYFILE_SIZE_MAX 4096

/*
 * 0 and keys that the caller owns; -ENOENT when there is no such file; another
 * negative errno, and then a sentence that names the file in why. A file that
 * others than its owner and group may read is -EACCES.
 */
int keyfile_load(const char *path, struct seal_keys **ret, char why[512]);
