#pragma once
/*
 * Authenticated encryption of frames between nodes with the cluster key
 * (decision C6). A frame is: version (1), key id (8), sender's session id (8),
 * counter (8), ciphertext, tag (16): AES-256-GCM from OpenSSL; the session and
 * counter make the nonce, an HKDF-SHA256 subkey per use and session the key.
 * Pure but for OpenSSL; randomness is an argument.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_OVERHEAD 41
#define SEAL_KEYS_MAX 2
#define SEAL_KEY_SIZE 32

struct seal_keys; /* what a key file holds: one or two keys, the first is sent with */

/*
 * Text of a key file: lines "id:base64(32 bytes)", # comments; an id is any
 * text without a colon or blanks. 0 and keys that the caller owns, or -EINVAL
 * and a sentence in why.
 */
int seal_keys_parse(const char *text, size_t len, struct seal_keys **ret, char why[256]);
void seal_keys_free(struct seal_keys *k);

#define SEAL_NO_KEY 1
/*
 * A key for another use than frames, the same for all who have the file: HKDF-SHA256 of key number
 * n (0: the newest): 0; SEAL_NO_KEY: there are fewer; or -ENOMEM.
 */
int seal_keys_derive(
	const struct seal_keys *k, size_t n, const char *use, unsigned char ret[SEAL_KEY_SIZE]);

/* One direction's sender. session is random and new for each start. use names the subkey: "heartbeat". */
struct seal_sender;
int seal_sender_new(const struct seal_keys *k, const char *use, uint64_t session, struct seal_sender **ret);
void seal_sender_free(struct seal_sender *s);
/* Writes len + SEAL_OVERHEAD bytes to frame: their number, or -EMSGSIZE. */
int seal_encode(struct seal_sender *s, const void *data, size_t len, void *frame, size_t frame_size);
/* The counter of the frame sealed last; the first one's is 1. 0: none yet. */
uint64_t seal_sender_counter(const struct seal_sender *s);

enum seal_refusal { SEAL_OK, SEAL_SHORT, SEAL_VERSION, SEAL_KEY, SEAL_FORGED, SEAL_REFUSALS };
/*
 * Opens a frame. Returns the length of the plain text (0 is possible) and the
 * session and counter it was sealed with (replay is judged by the caller: the
 * counter must grow within a session), or -EBADMSG with the refusal; a frame
 * that is too short, or too long for data_size, is SEAL_SHORT.
 */
int seal_decode(const struct seal_keys *k, const char *use, const void *frame, size_t len, void *data,
	size_t data_size, uint64_t *ret_session, uint64_t *ret_counter, enum seal_refusal *ret_refusal);

/* "none", "short", "version", "key", "forged": for counters and log lines. */
const char *seal_refusal_name(enum seal_refusal r);
