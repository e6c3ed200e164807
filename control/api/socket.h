#pragma once
/* Shell: listening sockets of the API, made before the HTTP server gets them. */
#include "common/addr.h"

/*
 * A stream socket bound and listening, non-blocking, close-on-exec: its
 * descriptor, which the caller owns, or a negative errno. A socket file that a
 * dead process left is replaced; a live one is -EADDRINUSE. The file is 0660
 * and belongs to `group` where that exists (NULL: to nobody else).
 */
int socket_listen_unix(const char *path, const char *group);
int socket_listen_tcp(const struct addr *a);
