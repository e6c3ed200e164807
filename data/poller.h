#pragma once
/*
 * Shell: where a worker's traffic sockets wait: one epoll of our own, in which
 * the descriptor of the libuv loop is one among them. Against a uv_poll for
 * each socket this saves a dozen system calls in the life of a connection
 * (libuv checks each descriptor by adding and deleting it, and changes interest
 * by deleting and adding); against an epoll that the loop polls, a second wait
 * in each turn. Timers, signals and everything slow stay with libuv, whose loop
 * is run when it has something to do (as its manual describes embedding). One
 * poller a loop, found at loop->data; sockets reach it through socket.c.
 */
#include <stdbool.h>
#include <uv.h>

#include "common/list.h"

#define POLLER_BATCH 64 /* events taken at once */
#define POLLER_PATIENCE_MS 8 /* of sockets that are polled later, at most */
#define POLLER_LATER_MAX 256

struct socket;
struct tls_session;

struct poller {
	uv_loop_t *loop;
	struct list held; /* TLS sessions with bytes that no poll shows */
	uv_timer_t patience; /* runs while sockets are polled later */
	struct socket *later[POLLER_LATER_MAX];
	unsigned later_count;
	int epoll;
	struct socket *closed;      /* freed when the batch is over that may still name them */
	bool is_stopped;
	void (*turned)(void *user); /* after each batch, and after the loop's turn; NULL: nothing */
	void *user;
};

/* Opens it on the loop (loop->data is its own from now on): 0, or a negative errno. */
int poller_open(struct poller *p, uv_loop_t *loop, void (*turned)(void *user), void *user);
/* Serves sockets and loop until poller_stop(), in place of uv_run(). */
void poller_run(struct poller *p);
void poller_stop(struct poller *p);
/* The session's socket is told SOCKET_READ after the sockets of a turn, if it still wants it then. */
void poller_hold(struct poller *p, struct tls_session *t);
/* For socket_interest_later(): true when the socket waits for its turn (already, or now); false: no
 * room. */
bool poller_remember(struct poller *p, struct socket *s);
void poller_forget(struct poller *p, struct socket *s);
/* Every socket must be closed. The loop has to run once more before p may go. */
void poller_close(struct poller *p);
