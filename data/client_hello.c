/*
 * See client_hello.h. A reader passes over the heads of records, so that the
 * rest sees one run of bytes. Each part takes a part of its own length out of the whole.
 */
#include "data/client_hello.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define RECORD_HEAD 5
#define RECORD_MAX 16384 /* RFC 8446 5.1 */
#define HANDSHAKE 22
#define HELLO_TYPE 1
#define SERVER_NAME 0 /* extension, and its only type of name */
#define HELLO_MIN 38  /* version, random, lengths of session, suites and compressions */

struct reader {
	const uint8_t *at, *end;
	size_t record_left; /* of the running record */
	int error;          /* 0; 1: the bytes ran out; negative: what is wrong */
};

static bool fail(struct reader *r, int error)
{
	if (!r->error)
		r->error = error;
	return false;
}

/* The head of the next record (5.1). What shows early is said early. */
static bool next_record(struct reader *r)
{
	size_t there = (size_t)(r->end - r->at), len;

	if ((there > 0 && r->at[0] != HANDSHAKE) || (there > 1 && r->at[1] != 3))
		return fail(r, -EPROTO);
	if (there < RECORD_HEAD)
		return fail(r, 1);
	len = (size_t)r->at[3] << 8 | r->at[4];
	if (len == 0 || len > RECORD_MAX)
		return fail(r, -EPROTO);
	r->at += RECORD_HEAD;
	r->record_left = len;
	return true;
}

/* n bytes of the handshake into out; NULL: passed over. */
static bool take(struct reader *r, void *out, size_t n)
{
	uint8_t *to = out;

	while (!r->error && n > 0) {
		size_t piece = n;

		if (r->record_left == 0 && !next_record(r))
			return false;
		if (piece > r->record_left)
			piece = r->record_left;
		if (piece > (size_t)(r->end - r->at))
			return fail(r, 1);
		if (to) {
			memcpy(to, r->at, piece);
			to += piece;
		}
		r->at += piece;
		r->record_left -= piece;
		n -= piece;
	}
	return !r->error;
}

/* A number of 1 to 3 bytes, counted off *left. */
static size_t number(struct reader *r, unsigned bytes, size_t *left)
{
	uint8_t b[3];
	size_t value = 0;

	if (*left < bytes)
		return (size_t)fail(r, -EPROTO);
	if (!take(r, b, bytes))
		return 0;
	*left -= bytes;
	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | b[i];
	return value;
}

/* A vector of min..max bytes behind its length, passed over. */
static void pass_vector(
	struct reader *r, unsigned length_bytes, size_t min, size_t max, size_t *left)
{
	size_t n = number(r, length_bytes, left);

	if (r->error)
		return;
	if (n < min || n > max || n > *left) {
		fail(r, -EPROTO);
		return;
	}
	take(r, NULL, n);
	*left -= n;
}

/* Letters, digits, - _ and dots between parts; in lower case. */
static bool normalise(struct client_hello *h)
{
	char before = '.';

	for (size_t i = 0; i < h->name_len; i++) {
		char c = h->name[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 'a' - 'A');
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
			c != '.')
			return false;
		if (c == '.' && before == '.')
			return false;
		h->name[i] = before = c;
	}
	if (h->name_len > 0 && before == '.')
		h->name_len--; /* a name from the root: RFC 6066 says without, some send it */
	h->name[h->name_len] = '\0';
	return h->name_len > 0;
}

/* RFC 6066 section 3: a list of one name of the one type there is. */
static void read_name(struct reader *r, size_t left, struct client_hello *h)
{
	size_t list = number(r, 2, &left), type, len;

	if (!r->error && list != left)
		fail(r, -EPROTO);
	type = number(r, 1, &left);
	len = number(r, 2, &left);
	if (r->error)
		return;
	if (type != SERVER_NAME || len == 0 || len != left || len >= CLIENT_HELLO_NAME_SIZE) {
		fail(r, -EPROTO);
		return;
	}
	h->name_len = len;
	if (take(r, h->name, len) && !normalise(h))
		fail(r, -EPROTO);
}

static void read_extensions(struct reader *r, size_t left, struct client_hello *h)
{
	bool is_named = false;

	while (!r->error && left > 0) {
		size_t type = number(r, 2, &left), len = number(r, 2, &left);

		if (!r->error && len > left)
			fail(r, -EPROTO);
		if (r->error)
			return;
		left -= len;
		if (type != SERVER_NAME) {
			take(r, NULL, len);
			continue;
		}
		if (is_named)
			fail(r, -EPROTO); /* 4.2: one of a type */
		is_named = true;
		read_name(r, len, h);
	}
}

/* RFC 8446 section 4.1.2. */
static void read_hello(struct reader *r, struct client_hello *h)
{
	size_t left = 4, type = number(r, 1, &left), extensions;

	if (!r->error && type != HELLO_TYPE)
		fail(r, -EPROTO);
	left = number(r, 3, &left);
	if (!r->error && left > CLIENT_HELLO_MAX - RECORD_HEAD - 4)
		fail(r, -EMSGSIZE);
	if (!r->error && left < HELLO_MIN)
		fail(r, -EPROTO);
	if (!take(r, NULL, 34)) /* legacy_version, random */
		return;
	left -= 34;
	pass_vector(r, 1, 0, 32, &left);    /* legacy_session_id */
	pass_vector(r, 2, 2, 65534, &left); /* cipher_suites */
	pass_vector(r, 1, 1, 255, &left);   /* legacy_compression_methods */
	if (r->error || left == 0)          /* TLS 1.2 may end here */
		return;
	extensions = number(r, 2, &left);
	if (!r->error && extensions != left)
		fail(r, -EPROTO);
	read_extensions(r, left, h);
}

int client_hello_parse(const uint8_t *bytes, size_t len, struct client_hello *ret)
{
	struct reader r = {.at = bytes, .end = bytes + len};
	struct client_hello h = {.name_len = 0};

	read_hello(&r, &h);
	if (r.error == 1)
		return len < CLIENT_HELLO_MAX ? 0 : -EMSGSIZE;
	if (r.error)
		return r.error;
	if (r.record_left > 0)
		return -EPROTO; /* nothing else may share its record before the server has answered
				 */
	*ret = h;
	return 1;
}
