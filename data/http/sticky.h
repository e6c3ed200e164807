#pragma once
/*
 * Core: the cookies of persistence (RFC 6265): finds in a request what names a
 * client's server, and says what a response is to carry. What names a server is
 * a token, see data/token.h; what has not the shape of one is no cookie of ours.
 *
 * Modes: `insert`: a cookie of our own, set when the client has none or another
 * server's. `rewrite`: the server sets a cookie of that name, and the client
 * gets the token as its value. `prefix`: the client gets TOKEN~ before the
 * server's value, and the server gets its value back without it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "data/http/h1.h"
#include "data/token.h"

#define STICKY_PREFIX_END '~'
#define STICKY_LINE_MAX (CONF_STICKY_NAME_MAX + TOKEN_TEXT_SIZE + 160) /* of sticky_print() */

/* A cookie of a request that may be ours. */
struct sticky_cookie {
	unsigned char token[BOARD_TOKEN_SIZE];
	uint16_t field;       /* its number */
	struct h1_run prefix; /* of mode prefix: the token and what ends it, in the head's bytes */
};

/*
 * The next such cookie of that name from place *at on (0: the first): true, and *at is behind it.
 */
bool sticky_next(const struct conf_sticky *s, const char *data, const struct h1_head *h,
	uint32_t *at, struct sticky_cookie *ret);
/*
 * Takes the prefix out of the request's bytes without moving any line: the field's value begins
 * later, after more blanks.
 */
void sticky_strip(char *data, struct h1_head *h, const struct sticky_cookie *cookie);

/* The line of mode insert, with its CRLF, to at most STICKY_LINE_MAX bytes: its length. */
size_t sticky_print(
	const struct conf_sticky *s, const unsigned char token[BOARD_TOKEN_SIZE], char *out);
/*
 * Modes rewrite and prefix: the bytes of the response's head that become the token, or before which
 * the token and STICKY_PREFIX_END go (then of length 0): true when the server sets that cookie.
 */
bool sticky_find_set(const struct conf_sticky *s, const char *data, const struct h1_head *h,
	uint16_t *ret_field, struct h1_run *ret);
