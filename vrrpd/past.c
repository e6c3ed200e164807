/* See past.h. One write at a time; what comes meanwhile is in the next. */
#include "vrrpd/past.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/statefile.h"

#define FILE_MAX (8u << 20)

struct past {
	uv_loop_t *loop;
	char path[4096];
	json_t *rows; /* VIP -> row */
	uv_work_t work;
	json_t *written; /* the thread's own copy; NULL: no write under way */
	bool is_dirty, is_closing;
};

int past_open(uv_loop_t *loop, const char *run_dir, struct past **ret)
{
	struct past *p = calloc(1, sizeof *p);
	int rc;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	snprintf(p->path, sizeof p->path, "%s/vrrpd.past", run_dir);
	rc = statefile_load(p->path, FILE_MAX, &p->rows);
	if (rc == 0 && !json_is_object(p->rows)) {
		json_decref(p->rows);
		rc = -EINVAL;
	}
	if (rc < 0)
		p->rows = json_object();
	if (!p->rows) {
		free(p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

static void past_free(struct past *p)
{
	json_decref(p->rows);
	free(p);
}

void past_close(struct past *p)
{
	if (!p)
		return;
	p->is_closing = true;
	if (!p->written)
		past_free(p);
}

int past_recall(const struct past *p, const char *vip, struct report_vip *ret)
{
	return report_vip_decode(json_object_get(p->rows, vip), ret) == 0 ? 0 : -ENOENT;
}

static void write_rows(uv_work_t *work)
{
	struct past *p = work->data;

	/* Lost, a successor begins its story anew: nothing goes by it. */
	(void)statefile_save(p->path, p->written);
}

static void rows_written(uv_work_t *work, int status);

static void write_next(struct past *p)
{
	if (p->written || !p->is_dirty)
		return;
	p->written = json_deep_copy(p->rows);
	p->work.data = p;
	if (!p->written)
		return;
	p->is_dirty = false;
	if (uv_queue_work(p->loop, &p->work, write_rows, rows_written) < 0) {
		json_decref(p->written);
		p->written = NULL;
	}
}

static void rows_written(uv_work_t *work, int status)
{
	struct past *p = work->data;

	(void)status;
	json_decref(p->written);
	p->written = NULL;
	if (p->is_closing)
		past_free(p);
	else
		write_next(p);
}

void past_note(struct past *p, const char *vip, const struct report_vip *report)
{
	if (report)
		json_object_set_new(p->rows, vip, report_vip_encode(report));
	else
		json_object_del(p->rows, vip);
	p->is_dirty = true;
	write_next(p);
}
