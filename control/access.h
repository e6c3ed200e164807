#pragma once
/*
 * Core: who asks, and what they may do. Today the unix socket is the only door
 * for people (decision X1): root is admin, everybody else whom the socket's
 * group lets in has the node file's api.unix_role. Tokens will add names and
 * stacks here.
 */
#include <stdbool.h>
#include <stdint.h>

enum access_role { ACCESS_NOBODY, ACCESS_VIEWER, ACCESS_OPERATOR, ACCESS_EDITOR, ACCESS_ADMIN };

#define ACCESS_WHO_SIZE 128

struct access {
	enum access_role role;
	bool is_local;             /* came by the unix socket */
	bool is_loopback;          /* came by TCP from this machine */
	char who[ACCESS_WHO_SIZE]; /* for the audit trail: "uid:0(root)"; "" for nobody */
};

/* "viewer", "operator", "editor", "admin": 0, or -EINVAL. */
int access_role_parse(const char *text, enum access_role *ret);
const char *access_role_name(enum access_role r); /* "nobody" for none */

/* A peer of the unix socket; name is its user name, NULL when it has none. */
void access_from_peer(
	uint32_t uid, const char *name, enum access_role unix_role, struct access *ret);
/* A peer over TCP: nobody until there are tokens. */
void access_from_network(bool is_loopback, struct access *ret);

/* True when a holder of the role may do what needs the other. */
bool access_allows(enum access_role has, enum access_role needs);
