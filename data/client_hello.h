#pragma once
/*
 * Core: the name in a TLS ClientHello, read without taking part in the
 * handshake (RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3). The hello may
 * lie in several records; what it offers is of no interest, but its structure
 * is followed to its end: what is not well formed is refused. With encrypted client
 * hello the name is the outer one.
 */
#include <stddef.h>
#include <stdint.h>

#define CLIENT_HELLO_MAX 16368     /* bytes with record headers: one traffic buffer; ours */
#define CLIENT_HELLO_NAME_SIZE 256 /* a DNS name in text and its NUL */

struct client_hello {
	char name[CLIENT_HELLO_NAME_SIZE]; /* in lower case, without a dot at its end; "": none */
	size_t name_len;
};

/*
 * Looks at the first len bytes of a connection. 1: the hello is whole and *ret says its name.
 * 0: not all of it is there. -EPROTO: this is not TLS, or is malformed. -EMSGSIZE: longer than
 * CLIENT_HELLO_MAX.
 */
int client_hello_parse(const uint8_t *bytes, size_t len, struct client_hello *ret);
