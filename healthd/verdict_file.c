/* See verdict_file.h. */
#include "healthd/verdict_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/log.h"
#include "common/now.h"
#include "common/statefile.h"

#define VERDICT_FILE_EVERY_MS 1000
#define VERDICT_FILE_MAX (256u << 20)

struct verdict_file {
	char path[PATH_MAX];
	struct roster *roster;
	uv_timer_t timer;
	uv_work_t work;
	json_t *document; /* what the thread writes; NULL: only the time */
	int result;       /* of the thread */
	bool is_writing, is_closing, is_timer_closed;
	struct log_limit limit;
};

static void verdict_file_free_if_done(struct verdict_file *f)
{
	if (f->is_closing && f->is_timer_closed && !f->is_writing)
		free(f);
}

static json_t *verdict_file_document(struct verdict_file *f)
{
	json_t *document = json_object();

	json_object_set_new(document, "format", json_integer(1));
	json_object_set_new(document, "verdicts", roster_save(f->roster));
	return document;
}

/* On a thread of uv's. */
static void verdict_file_write(uv_work_t *work)
{
	struct verdict_file *f = work->data;

	if (f->document)
		f->result = statefile_save(f->path, f->document);
	else if (utimensat(AT_FDCWD, f->path, NULL, 0) < 0)
		f->result = -errno;
	else
		f->result = 0;
}

static void verdict_file_on_written(uv_work_t *work, int status)
{
	struct verdict_file *f = work->data;
	unsigned long held;

	(void)status;
	json_decref(f->document);
	f->document = NULL;
	f->is_writing = false;
	if (f->result && f->result != -ENOENT && log_limit_take(&f->limit, 1, mono_now(), &held))
		log_error("verdicts cannot be kept in %s: %s; a restart would forget them", f->path,
			strerror(-f->result));
	verdict_file_free_if_done(f);
}

static void verdict_file_on_timer(uv_timer_t *timer)
{
	struct verdict_file *f = timer->data;

	if (f->is_writing)
		return;
	if (roster_take_changed(f->roster))
		f->document = verdict_file_document(f);
	f->is_writing = !uv_queue_work(
		timer->loop, &f->work, verdict_file_write, verdict_file_on_written);
}

struct verdict_file *verdict_file_open(
	uv_loop_t *loop, const char *state_dir, struct roster *roster)
{
	struct verdict_file *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	snprintf(f->path, sizeof f->path, "%s/healthd.verdicts", state_dir);
	f->roster = roster;
	f->work.data = f;
	uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	uv_timer_start(
		&f->timer, verdict_file_on_timer, VERDICT_FILE_EVERY_MS, VERDICT_FILE_EVERY_MS);
	return f;
}

void verdict_file_restore(struct verdict_file *f)
{
	struct wall until = {0};
	json_t *document;
	struct stat st;
	int rc = statefile_load(f->path, VERDICT_FILE_MAX, &document);

	if (rc == -ENOENT)
		return;
	if (rc) {
		log_warn("verdicts of the last run cannot be read: %s: %s: everything is checked "
			 "anew",
			f->path, strerror(-rc));
		return;
	}
	if (!stat(f->path, &st))
		until.ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (json_integer_value(json_object_get(document, "format")) == 1)
		roster_restore(f->roster, json_object_get(document, "verdicts"), until);
	json_decref(document);
}

void verdict_file_save_now(struct verdict_file *f)
{
	json_t *document = verdict_file_document(f);
	int rc = statefile_save(f->path, document);

	json_decref(document);
	if (rc)
		log_error("verdicts cannot be kept in %s: %s", f->path, strerror(-rc));
}

static void verdict_file_on_closed(uv_handle_t *handle)
{
	struct verdict_file *f = handle->data;

	f->is_timer_closed = true;
	verdict_file_free_if_done(f);
}

void verdict_file_close(struct verdict_file *f)
{
	f->is_closing = true;
	uv_close((uv_handle_t *)&f->timer, verdict_file_on_closed);
}
