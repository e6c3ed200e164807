#pragma once
/*
 * Shell: sessions of nghttp2 as we make them, for clients and for servers: one set of options and
 * of callbacks for each kind. user is what the callbacks get.
 */
#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "common/rand.h"

struct h2_session_calls {
	nghttp2_on_begin_headers_callback began_headers;
	nghttp2_on_header_callback got_field;
	nghttp2_on_invalid_header_callback got_bad_field;
	nghttp2_on_frame_recv_callback got_frame;
	nghttp2_on_data_chunk_recv_callback got_bytes;
	nghttp2_on_invalid_frame_recv_callback got_bad_frame; /* NULL: not told */
	nghttp2_on_stream_close_callback closed_stream;
	nghttp2_data_source_read_length_callback frame_length;
	nghttp2_send_data_callback write_frame;
};

/* 0 and a session that its owner deletes, or -ENOMEM. */
int h2_session_new(
	const struct h2_session_calls *calls, bool is_server, void *user, nghttp2_session **ret);

/* The Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2): 28 characters and NUL. */
void h2_session_accept(const char *key, size_t len, char ret[29]);
/* A Sec-WebSocket-Key (RFC 6455 section 4.1): 24 characters and NUL. */
void h2_session_key(struct rand_state *rand, char ret[25]);
