/* See h2_session.h. */
#include "data/http/h2_session.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "data/memory.h"

#define ACKS_MAX 128 /* that wait for a client which does not read */

static void set_callbacks(nghttp2_session_callbacks *to, const struct h2_session_calls *calls)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(to, calls->began_headers);
	nghttp2_session_callbacks_set_on_header_callback(to, calls->got_field);
	nghttp2_session_callbacks_set_on_invalid_header_callback(to, calls->got_bad_field);
	nghttp2_session_callbacks_set_on_frame_recv_callback(to, calls->got_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, calls->got_bytes);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(to, calls->got_bad_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(to, calls->closed_stream);
	nghttp2_session_callbacks_set_data_source_read_length_callback(to, calls->frame_length);
	nghttp2_session_callbacks_set_send_data_callback(to, calls->write_frame);
}

static void set_options(nghttp2_option *o)
{
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_outbound_ack(o, ACKS_MAX);
}

static void *session_malloc(size_t size, void *user)
{
	(void)user;
	return memory_checked(malloc(size), size);
}

static void session_free(void *p, void *user)
{
	(void)user;
	free(p);
}

static void *session_calloc(size_t count, size_t size, void *user)
{
	(void)user;
	return memory_checked(calloc(count, size), count * size);
}

static void *session_realloc(void *p, size_t size, void *user)
{
	(void)user;
	return memory_checked(realloc(p, size), size);
}

/* nghttp2 keeps a copy; const it does not know. */
static nghttp2_mem memory = {
	NULL, session_malloc, session_free, session_calloc, session_realloc};

int h2_session_new(
	const struct h2_session_calls *calls, bool is_server, void *user, nghttp2_session **ret)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *options = NULL;
	int rc = -ENOMEM;

	if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0) {
		set_callbacks(callbacks, calls);
		set_options(options);
		if ((is_server ? nghttp2_session_server_new3(
					     ret, callbacks, user, options, &memory)
			       : nghttp2_session_client_new3(
					     ret, callbacks, user, options, &memory)) == 0)
			rc = 0;
	} else {
		memory_missed();
	}
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(callbacks);
	return rc;
}

void h2_session_accept(const char *key, size_t len, char ret[29])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[64 + sizeof guid], digest[20];

	len = len < 64 ? len : 64;
	memcpy(text, key, len);
	memcpy(text + len, guid, sizeof guid - 1);
	EVP_Digest(text, len + sizeof guid - 1, digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)ret, digest, sizeof digest);
}

void h2_session_key(struct rand_state *rand, char ret[25])
{
	uint64_t bytes[2] = {rand_next(rand), rand_next(rand)};

	EVP_EncodeBlock((unsigned char *)ret, (const unsigned char *)bytes, sizeof bytes);
}
