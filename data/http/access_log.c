/* See access_log.h. The ring is a plain buffer: it is emptied from the front in batches of whole
 * lines. */
#include "data/http/access_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/log.h"
#include "data/worker.h"

struct access_log {
	struct worker *worker;
	struct worker_reopen reopen;
	struct wheel_timer timer;
	struct board_cells *cells;
	int fd;     /* -1: could not be opened */
	bool waits; /* may wait for the disk: the file system knows no RWF_NOWAIT */
	enum conf_log_format format;
	char *to; /* settings.to; NULL: the default place */
	char *path;
	size_t len;
	char lines[ACCESS_LOG_RING];
};

static void open_file(struct access_log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = open(l->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (l->fd < 0)
		log_warn("data: access log %s cannot be opened: %s; its lines are dropped until "
			 "SIGUSR1 finds it writable",
			l->path, strerror(errno));
}

/* One write of what waits: the number of bytes written, or a negative errno. */
static ssize_t write_some(struct access_log *l)
{
	struct iovec lines = {l->lines, l->len};
	ssize_t n = pwritev2(l->fd, &lines, 1, -1, l->waits ? 0 : RWF_NOWAIT);

	if (n < 0 && (errno == EOPNOTSUPP || errno == EINVAL) && !l->waits) {
		l->waits = true;
		n = pwritev2(l->fd, &lines, 1, -1, 0);
	}
	return n < 0 ? -errno : n;
}

static void drop(struct access_log *l, size_t len)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < len; i++)
		lines += l->lines[i] == '\n';
	board_add(l->cells, BOARD_LISTENER_LOG_DROPPED, lines);
	l->len = 0;
}

static void flush(struct access_log *l)
{
	ssize_t n;

	if (!l->len)
		return;
	if (l->fd < 0) {
		drop(l, l->len);
		return;
	}
	n = write_some(l);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		drop(l, l->len);
		return;
	}
	assert((size_t)n <= l->len);
	l->len -= (size_t)n;
	memmove(l->lines, l->lines + n, l->len);
}

static void expired(struct wheel_timer *timer)
{
	struct access_log *l = list_entry(timer, struct access_log, timer);

	flush(l);
	if (l->len)
		worker_timeout(l->worker, &l->timer, ACCESS_LOG_DELAY_MS);
}

static void reopened(struct worker_reopen *r)
{
	struct access_log *l = list_entry(r, struct access_log, reopen);

	flush(l);
	open_file(l);
}

/* The path, owned; makes the folder of the default one. NULL without memory. */
static char *make_path(struct worker *w, const char *listener, const char *to)
{
	char *path = NULL;

	if (to)
		return strdup(to);
	if (asprintf(&path, "%s/log", w->state_dir) < 0)
		return NULL;
	mkdir(path, 0750);
	free(path);
	return asprintf(&path, "%s/log/%s.log", w->state_dir, listener) < 0 ? NULL : path;
}

struct access_log *access_log_new(struct worker *w, const char *listener,
	const struct conf_access_log *settings, struct board_cells *cells)
{
	struct access_log *l = malloc(sizeof *l);

	if (!l)
		return NULL;
	memset(l, 0, offsetof(struct access_log, lines));
	l->worker = w;
	l->cells = cells;
	l->fd = -1;
	l->format = (enum conf_log_format)settings->format;
	l->to = settings->to ? strdup(settings->to) : NULL;
	l->path = make_path(w, listener, settings->to);
	if (!l->path || (settings->to && !l->to)) {
		free(l->path);
		free(l->to);
		free(l);
		return NULL;
	}
	wheel_timer_init(&l->timer, expired);
	l->reopen.reopen = reopened;
	worker_on_reopen(w, &l->reopen);
	open_file(l);
	return l;
}

void access_log_free(struct access_log *l)
{
	if (!l)
		return;
	flush(l);
	if (l->len)
		drop(l, l->len);
	worker_timeout_clear(l->worker, &l->timer);
	worker_off_reopen(&l->reopen);
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	free(l->to);
	free(l);
}

bool access_log_is_for(const struct access_log *l, const struct conf_access_log *settings)
{
	if (!settings->is_on || l->format != (enum conf_log_format)settings->format)
		return false;
	return settings->to && l->to ? !strcmp(settings->to, l->to) : settings->to == l->to;
}

void access_log_add(struct access_log *l, const struct access_entry *e)
{
	if (ACCESS_LOG_RING - l->len < ACCESS_LINE_MAX)
		flush(l);
	if (ACCESS_LOG_RING - l->len < ACCESS_LINE_MAX) {
		board_add(l->cells, BOARD_LISTENER_LOG_DROPPED, 1);
		return;
	}
	l->len += access_line_print(e, l->format, l->lines + l->len);
	if (l->len >= ACCESS_LOG_BATCH)
		flush(l);
	else if (!wheel_timer_is_set(&l->timer))
		worker_timeout(l->worker, &l->timer, ACCESS_LOG_DELAY_MS);
}
