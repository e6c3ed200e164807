#pragma once
/*
 * Shell: what the processes behind the supervisor may do. It alone makes the
 * listening sockets, so it alone needs the rights for that; they carry nobody
 * into the processes that read what strangers send.
 */

/* Gives up CAP_NET_RAW and CAP_NET_BIND_SERVICE for good; harmless without them. */
void capabilities_drop(void);
