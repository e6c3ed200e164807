#pragma once
/*
 * Shell: the HTTP server (libmicrohttpd without threads of its own, on our uv
 * loop): listens on the unix socket and on TCP, keeps connections few and their
 * clients in time. What requests mean is the business of admit and handle.
 */
#include <uv.h>

#include "common/addr.h"
#include "control/api/exchange.h"

#define SERVER_CONNECTIONS_MAX                                                                     \
	256                      /* per door; the one that idled longest gives way to a new one    \
				  */
#define SERVER_HEAD_MS 30000     /* between requests, and for a request's head */
#define SERVER_PATIENCE_MS 60000 /* for a whole request, and for taking its answer */

struct server;

struct server_spec {
	const char *unix_path;  /* NULL: none */
	const char *unix_group; /* the socket becomes 0660 of this group where it exists */
	const struct addr *addresses;
	size_t addresses_count;
	const char *tls_certificate,
		*tls_key; /* files; NULL: no TLS, then only loopback addresses are allowed */
	enum access_role unix_role;
	void (*admit)(void *user, struct exchange *x);
	void (*handle)(void *user, struct exchange *x);
	void *user; /* kept */
	/* The listening descriptor of the process image before us, by name: now ours; or negative.
	 * May be NULL. */
	int (*inherit)(void *user, const char *name);
	void *inherit_user;
};

/* 0 and the server, or a negative errno after logging which address or file failed. The loop is
 * kept. */
int server_open(uv_loop_t *loop, const struct server_spec *spec, struct server **ret);

/* All streams may have something new to send; with is_sign those that have not send a sign of life.
 */
void server_wake(struct server *s, bool is_sign);

/* Shows each listening descriptor (borrowed) with the name it can be inherited by. */
void server_each_socket(
	const struct server *s, void (*visit)(void *user, const char *name, int fd), void *user);

/* Every exchange must have been answered. closed(user) (may be NULL) is called from the loop when
 * the memory is gone. */
void server_close(struct server *s, void (*closed)(void *user), void *user);
