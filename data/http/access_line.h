#pragma once
/*
 * Core: one line of the access log, of a request or of a connection at its
 * end, as text, logfmt or JSON. What came from
 * outside is escaped, so that no request can forge a line or a field. Not the
 * file (access_log.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/conf.h"

#define ACCESS_LINE_MAX 4096 /* bytes of a line with its newline */
#define ACCESS_TEXT_MAX 512 /* bytes of a text from outside; the rest is cut off */

/* Text from outside: any bytes. */
struct access_text {
	const char *data;
	size_t len;
};

struct access_entry {
	bool is_connection; /* of tcp and the like: method … trace_id are not there, bytes_in is */
	struct wall time; /* when the request's first byte, or the connection, came */
	const char *listener;
	const char *client; /* an IP address */
	const char *protocol; /* of a request: "http/1.0", "http/1.1", "h2"; NULL: not known */
	const char *tls; /* of a request: the version, "1.3"; NULL: plain, and not there */
	struct access_text method, host, path; /* empty: not known */
	int status; /* sent to the client; 0: none */
	uint64_t bytes; /* sent to the client, head included */
	uint64_t bytes_in; /* of a connection: from the client */
	const char *route, *pool, *server; /* NULL: none, or without a name */
	unsigned retries;
	const char *end;
	int64_t queue_us, connect_us, response_us; /* microseconds; -1: it did not come to that */
	int64_t total_us;
	struct access_text request_id, trace_id;
};

/* Writes the line with its newline, no NUL; returns its length. */
size_t access_line_print(const struct access_entry *e, enum conf_log_format format,
	char out[ACCESS_LINE_MAX]);
