/*
 * See seal.h. Everything secret is wiped before its memory is given back.
 * Integers in a frame are big-endian. A frame's associated data is its header,
 * so neither version, key id, session nor counter can be altered unnoticed.
 */
#include "common/seal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define VERSION 1
#define KEY_SIZE SEAL_KEY_SIZE
#define ID_SIZE 8
#define HEADER_SIZE 25
#define TAG_SIZE 16
#define NONCE_SIZE 12
#define AT_ID 1
#define AT_SESSION 9
#define AT_COUNTER 17
#define USE_MAX 32

_Static_assert(HEADER_SIZE + TAG_SIZE == SEAL_OVERHEAD, "the contract's overhead");

struct seal_key {
	unsigned char id[ID_SIZE]; /* SHA-256 of the name, cut */
	unsigned char secret[KEY_SIZE];
};

struct seal_keys {
	struct seal_key items[SEAL_KEYS_MAX];
	size_t count;
};

struct seal_sender {
	EVP_CIPHER_CTX *cipher;
	unsigned char header[HEADER_SIZE]; /* the counter is filled in for each frame */
	uint64_t counter;                  /* of the last frame */
};

static void put_u64(unsigned char *to, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		to[i] = (unsigned char)v;
}

static uint64_t get_u64(const unsigned char *from)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | from[i];
	return v;
}

/* Strict base64 of exactly 32 bytes: 43 characters and one '='. 0 or -EINVAL. */
static int secret_parse(const char *text, size_t len, unsigned char ret[KEY_SIZE])
{
	unsigned char raw[KEY_SIZE + 1]; /* decoding writes one byte for the padding */
	int n;

	if (len != 44 || text[43] != '=' || text[42] == '=')
		return -EINVAL;
	n = EVP_DecodeBlock(raw, (const unsigned char *)text, 44);
	if (n == sizeof raw)
		memcpy(ret, raw, KEY_SIZE);
	OPENSSL_cleanse(raw, sizeof raw);
	return n == sizeof raw ? 0 : -EINVAL;
}

/* One line "id:base64" without its end: 0, or -EINVAL and why. */
static int key_parse(const char *line, size_t len, struct seal_key *ret, const char **ret_why)
{
	const char *colon = memchr(line, ':', len);
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t id_len = colon ? (size_t)(colon - line) : 0;
	struct seal_key key;

	*ret_why =
		"expected id:base64, as `echo \"1:$(head -c 32 /dev/urandom | base64)\"` makes it";
	if (id_len == 0 || memchr(line, ' ', id_len) || memchr(line, '\t', id_len))
		return -EINVAL;
	*ret_why = "the part after the colon is not the base64 text of 32 bytes";
	if (secret_parse(colon + 1, len - id_len - 1, key.secret) < 0)
		return -EINVAL;
	if (EVP_Digest(line, id_len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 of memory cannot fail but for lack of memory */
	memcpy(key.id, digest, ID_SIZE);
	*ret = key;
	OPENSSL_cleanse(&key, sizeof key);
	return 0;
}

static int keys_add(struct seal_keys *k, const char *line, size_t len, const char **ret_why)
{
	*ret_why = "more than two keys; keep the newest first and the one before it";
	if (k->count == SEAL_KEYS_MAX)
		return -EINVAL;
	if (key_parse(line, len, &k->items[k->count], ret_why) < 0)
		return -EINVAL;
	*ret_why = "two keys have the same id";
	if (k->count == 1 && memcmp(k->items[0].id, k->items[1].id, ID_SIZE) == 0)
		return -EINVAL;
	k->count++;
	return 0;
}

static size_t blank_prefix(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return n;
}

static size_t without_blank_end(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	return len;
}

int seal_keys_parse(const char *text, size_t len, struct seal_keys **ret, char why[256])
{
	struct seal_keys *k = calloc(1, sizeof *k);
	const char *reason = "no key in it; expected a line id:base64";
	unsigned number = 0;

	if (!k)
		return -ENOMEM;
	for (size_t at = 0; at < len;) {
		const char *line = text + at, *end = memchr(line, '\n', len - at);
		size_t line_len = end ? (size_t)(end - line) : len - at, skip;

		at += line_len + 1;
		number++;
		line_len = without_blank_end(line, line_len);
		skip = blank_prefix(line, line_len);
		if (skip == line_len || line[skip] == '#')
			continue;
		if (keys_add(k, line + skip, line_len - skip, &reason) < 0)
			goto refused;
	}
	if (k->count == 0)
		goto refused;
	*ret = k;
	return 0;
refused:
	snprintf(why, 256, "line %u: %s", number, reason);
	seal_keys_free(k);
	return -EINVAL;
}

void seal_keys_free(struct seal_keys *k)
{
	if (!k)
		return;
	OPENSSL_cleanse(k, sizeof *k);
	free(k);
}

/* The key of one use in one session (RFC 5869): 0, or -ENOMEM. */
static int subkey_derive(const struct seal_key *key, const char *use,
	const unsigned char session[8], unsigned char ret[KEY_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char info[USE_MAX + 16];
	int len = snprintf(info, sizeof info, "ballast seal 1 %s", use), rc = -ENOMEM;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA256"}, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, (void *)key->secret, KEY_SIZE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)session, 8),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)len),
		OSSL_PARAM_construct_end(),
	};

	assert(strlen(use) <= USE_MAX);
	if (ctx && EVP_KDF_derive(ctx, ret, KEY_SIZE, params) == 1)
		rc = 0;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

int seal_keys_derive(
	const struct seal_keys *k, size_t n, const char *use, unsigned char ret[SEAL_KEY_SIZE])
{
	static const unsigned char no_session[8];

	if (n >= k->count)
		return SEAL_NO_KEY;
	return subkey_derive(&k->items[n], use, no_session, ret);
}

static void nonce_make(const unsigned char *header, unsigned char nonce[NONCE_SIZE])
{
	memset(nonce, 0, NONCE_SIZE - 8);
	memcpy(nonce + NONCE_SIZE - 8, header + AT_COUNTER, 8);
}

int seal_sender_new(
	const struct seal_keys *k, const char *use, uint64_t session, struct seal_sender **ret)
{
	struct seal_sender *s = calloc(1, sizeof *s);
	unsigned char subkey[KEY_SIZE];

	if (!s)
		return -ENOMEM;
	assert(k->count > 0);
	s->header[0] = VERSION;
	memcpy(s->header + AT_ID, k->items[0].id, ID_SIZE);
	put_u64(s->header + AT_SESSION, session);
	s->cipher = EVP_CIPHER_CTX_new();
	if (!s->cipher || subkey_derive(&k->items[0], use, s->header + AT_SESSION, subkey) < 0)
		goto failed;
	if (EVP_EncryptInit_ex(s->cipher, EVP_aes_256_gcm(), NULL, subkey, NULL) != 1)
		goto failed;
	OPENSSL_cleanse(subkey, sizeof subkey);
	*ret = s;
	return 0;
failed:
	OPENSSL_cleanse(subkey, sizeof subkey);
	seal_sender_free(s);
	return -ENOMEM;
}

void seal_sender_free(struct seal_sender *s)
{
	if (!s)
		return;
	EVP_CIPHER_CTX_free(s->cipher);
	free(s);
}

int seal_encode(struct seal_sender *s, const void *data, size_t len, void *frame, size_t frame_size)
{
	unsigned char nonce[NONCE_SIZE], *to = frame, *text = to + HEADER_SIZE;
	int n;

	if (len > INT_MAX - SEAL_OVERHEAD || frame_size < len + SEAL_OVERHEAD)
		return -EMSGSIZE;
	assert(s->counter < UINT64_MAX); /* a nonce is never used twice */
	put_u64(s->header + AT_COUNTER, ++s->counter);
	memcpy(to, s->header, HEADER_SIZE);
	nonce_make(s->header, nonce);
	if (EVP_EncryptInit_ex(s->cipher, NULL, NULL, NULL, nonce) != 1 ||
		EVP_EncryptUpdate(s->cipher, NULL, &n, to, HEADER_SIZE) != 1 ||
		EVP_EncryptUpdate(s->cipher, text, &n, data, (int)len) != 1 ||
		EVP_EncryptFinal_ex(s->cipher, text + len, &n) != 1 ||
		EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + len) != 1)
		return -ENOMEM;
	return (int)(len + SEAL_OVERHEAD);
}

uint64_t seal_sender_counter(const struct seal_sender *s)
{
	return s->counter;
}

static const struct seal_key *keys_find(const struct seal_keys *k, const unsigned char *id)
{
	for (size_t i = 0; i < k->count; i++)
		if (memcmp(k->items[i].id, id, ID_SIZE) == 0)
			return &k->items[i];
	return NULL;
}

/* Decrypts and authenticates text_len bytes of a whole frame: 0, -EBADMSG or -ENOMEM. */
static int frame_open(const unsigned char *frame, size_t text_len, const unsigned char *subkey,
	unsigned char *data)
{
	const unsigned char *text = frame + HEADER_SIZE;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char nonce[NONCE_SIZE], tag[TAG_SIZE];
	int n, rc = -ENOMEM;

	nonce_make(frame, nonce);
	memcpy(tag, text + text_len, TAG_SIZE);
	if (!c || EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, subkey, nonce) != 1 ||
		EVP_DecryptUpdate(c, NULL, &n, frame, HEADER_SIZE) != 1 ||
		EVP_DecryptUpdate(c, data, &n, text, (int)text_len) != 1 ||
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1)
		goto done;
	rc = EVP_DecryptFinal_ex(c, data + text_len, &n) == 1 ? 0 : -EBADMSG;
done:
	EVP_CIPHER_CTX_free(c);
	return rc;
}

static int refuse(enum seal_refusal r, enum seal_refusal *ret_refusal)
{
	*ret_refusal = r;
	return -EBADMSG;
}

int seal_decode(const struct seal_keys *k, const char *use, const void *frame, size_t len,
	void *data, size_t data_size, uint64_t *ret_session, uint64_t *ret_counter,
	enum seal_refusal *ret_refusal)
{
	const unsigned char *from = frame;
	const struct seal_key *key;
	unsigned char subkey[KEY_SIZE];
	size_t text_len;
	int rc;

	if (len < SEAL_OVERHEAD || len > INT_MAX || len - SEAL_OVERHEAD > data_size)
		return refuse(SEAL_SHORT, ret_refusal);
	if (from[0] != VERSION)
		return refuse(SEAL_VERSION, ret_refusal);
	key = keys_find(k, from + AT_ID);
	if (!key)
		return refuse(SEAL_KEY, ret_refusal);
	text_len = len - SEAL_OVERHEAD;
	rc = subkey_derive(key, use, from + AT_SESSION, subkey);
	if (rc == 0)
		rc = frame_open(from, text_len, subkey, data);
	OPENSSL_cleanse(subkey, sizeof subkey);
	if (rc < 0) {
		OPENSSL_cleanse(data, text_len); /* nobody sees unauthenticated text */
		return refuse(SEAL_FORGED, ret_refusal);
	}
	*ret_session = get_u64(from + AT_SESSION);
	*ret_counter = get_u64(from + AT_COUNTER);
	return (int)text_len;
}

const char *seal_refusal_name(enum seal_refusal r)
{
	static const char *const names[] = {"none", "short", "version", "key", "forged"};

	assert(r < SEAL_REFUSALS);
	return names[r];
}
