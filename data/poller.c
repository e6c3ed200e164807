/* One epoll for all sockets of a worker: see poller.h. */
#include "data/poller.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "data/socket.h"
#include "data/tls/tls_session.h"

static void free_closed(struct poller *p)
{
	while (p->closed) {
		struct socket *next = p->closed->next;

		free(p->closed);
		p->closed = next;
	}
}

static void dispatch(const struct epoll_event *e)
{
	struct socket *s = e->data.ptr;
	unsigned ready = 0;

	s->is_due = false;
	/* Closed by an earlier event of this batch, or laid to rest: what came is asked for again. */
	if (s->fd < 0 || !s->polls)
		return;
	if (e->events & EPOLLERR) {
		/* Told once: what is wrong stays with the descriptor. */
		socket_interest(s, 0);
		s->is_broken = true;
		s->ready(s, SOCKET_READ | SOCKET_WRITE | SOCKET_ERROR);
		return;
	}
	if (e->events & (EPOLLIN | EPOLLHUP))
		ready |= SOCKET_READ;
	if (e->events & (EPOLLOUT | EPOLLHUP))
		ready |= SOCKET_WRITE;
	if (__builtin_expect(s->tls != NULL, 0)) {
		ready = socket_turn_tls(s, ready);
		if (!ready)
			return;
	}
	s->ready(s, ready);
}

static void serve_held(struct poller *p)
{
	struct list turn;

	list_init(&turn); /* what holds bytes again has its turn after the polls */
	while (!list_is_empty(&p->held)) {
		struct list *l = p->held.next;

		list_unlink(l);
		list_push_back(&turn, l);
	}
	while (!list_is_empty(&turn)) {
		struct tls_session *t = list_entry(turn.next, struct tls_session, held);

		list_unlink(&t->held);
		if (tls_session_holds(t) && t->socket->interest & SOCKET_READ)
			t->socket->ready(t->socket, SOCKET_READ);
	}
}

void poller_hold(struct poller *p, struct tls_session *t)
{
	list_unlink(&t->held);
	list_push_back(&p->held, &t->held);
}

static void patience_over(uv_timer_t *timer)
{
	struct poller *p = timer->data;

	while (p->later_count > 0) {
		struct socket *s = p->later[p->later_count - 1];

		socket_interest(s, s->interest); /* forgets it here */
	}
}

bool poller_remember(struct poller *p, struct socket *s)
{
	if (s->later)
		return true;
	if (p->later_count == POLLER_LATER_MAX)
		return false;
	if (p->later_count == 0 && !uv_is_active((uv_handle_t *)&p->patience))
		uv_timer_start(&p->patience, patience_over, POLLER_PATIENCE_MS, 0);
	p->later[p->later_count++] = s;
	s->later = (uint16_t)p->later_count;
	return true;
}

void poller_forget(struct poller *p, struct socket *s)
{
	struct socket *last = p->later[--p->later_count];

	assert(s->later && p->later[s->later - 1] == s);
	p->later[s->later - 1] = last;
	last->later = s->later;
	s->later = 0;
}

/* After sockets or timers have been served. */
static void end_batch(struct poller *p)
{
	if (p->turned)
		p->turned(p->user);
	free_closed(p);
}

/* Who uses a socket in another's turn can tell that something has come on it. */
static bool note_due(struct epoll_event *batch, int n)
{
	bool is_loop_ready = false;

	for (int i = 0; i < n; i++) {
		struct socket *s = batch[i].data.ptr;

		if (s)
			s->is_due = true;
		else
			is_loop_ready = true;
	}
	return is_loop_ready;
}

/* One wait, the sockets that are ready, and the loop when it has something to do. */
static void turn(struct poller *p)
{
	struct epoll_event batch[POLLER_BATCH];
	int patience_ms = list_is_empty(&p->held) ? uv_backend_timeout(p->loop) : 0;
	int n = epoll_wait(p->epoll, batch, POLLER_BATCH, patience_ms);
	bool is_loop_ready;

	assert(n >= 0 || errno == EINTR);
	uv_update_time(p->loop);
	is_loop_ready = note_due(batch, n);
	for (int i = 0; i < n; i++)
		if (batch[i].data.ptr)
			dispatch(&batch[i]);
	serve_held(p);
	end_batch(p);
	if (!is_loop_ready && uv_backend_timeout(p->loop) != 0)
		return; /* no timer is due */
	uv_run(p->loop, UV_RUN_NOWAIT);
	end_batch(p);
	uv_update_time(p->loop); /* a new generation may have taken its time */
}

void poller_run(struct poller *p)
{
	while (!p->is_stopped)
		turn(p);
}

void poller_stop(struct poller *p)
{
	p->is_stopped = true;
}

int poller_open(struct poller *p, uv_loop_t *loop, void (*turned)(void *user), void *user)
{
	struct epoll_event e = {.events = EPOLLIN}; /* without a socket: the loop */

	*p = (struct poller){.loop = loop, .turned = turned, .user = user};
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll < 0)
		return -errno;
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, uv_backend_fd(loop), &e) < 0) {
		int error = errno;

		close(p->epoll);
		return -error;
	}
	list_init(&p->held);
	uv_timer_init(loop, &p->patience);
	p->patience.data = p;
	loop->data = p;
	return 0;
}

void poller_close(struct poller *p)
{
	uv_close((uv_handle_t *)&p->patience, NULL);
	close(p->epoll);
	free_closed(p);
	p->loop->data = NULL;
}
