#pragma once
/*
 * Shell: what a peer's kernel has acknowledged of the bytes sent on a socket.
 * A request of which it took nothing before it sent its FIN cannot have been
 * seen by the server, and may be sent again even when it is not idempotent. A
 * reset proves nothing: the kernel does not count what that acknowledges. (A
 * file of its own, as the kernel's struct tcp_info and libc's shorter one cannot be included together.)
 */
#include <stdint.h>

/* Bytes acknowledged since the connection began; UINT64_MAX when it cannot be told. */
uint64_t delivery_acknowledged(int fd);
