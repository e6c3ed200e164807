/* See statefile_keeper.h. */
#include "common/statefile_keeper.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct statefile_keeper {
	uv_loop_t *loop;
	uv_timer_t again;
	uv_work_t work;
	uv_sem_t is_saved; /* posted by the thread that writes */
	char path[PATH_MAX];
	const char *consequence;
	json_t *next;   /* to be written; NULL: none */
	json_t *saving; /* is being written; NULL: none */
	int status;     /* of the last write */
	char why[STATEFILE_WHY_SIZE];
	statefile_told *told;
	void *user;
	bool is_finished, is_closing;
};

static void save_next(struct statefile_keeper *k);

static void tell(struct statefile_keeper *k)
{
	char why[STATEFILE_WHY_SIZE] = "";

	if (k->status < 0)
		snprintf(why, sizeof why, "%.130s cannot be written: %s; %s", k->path,
			strerror(-k->status), k->consequence);
	if (strcmp(why, k->why) == 0)
		return;
	snprintf(k->why, sizeof k->why, "%s", why);
	if (why[0])
		log_error("%s", why);
	else
		log_info("%s is written", k->path);
	k->told(k->user, why);
}

static void closed(uv_handle_t *handle)
{
	struct statefile_keeper *k = handle->data;

	json_decref(k->next);
	uv_sem_destroy(&k->is_saved);
	free(k);
}

static void save(uv_work_t *work)
{
	struct statefile_keeper *k = work->data;

	k->status = statefile_save(k->path, k->saving);
	uv_sem_post(&k->is_saved);
}

static void due(uv_timer_t *timer)
{
	save_next(timer->data);
}

static void settle(struct statefile_keeper *k)
{
	if (k->status < 0 && !k->next)
		k->next = json_incref(k->saving);
	json_decref(k->saving);
	k->saving = NULL;
	if (k->is_closing) {
		uv_close((uv_handle_t *)&k->again, closed);
		return;
	}
	if (k->is_finished)
		return;
	tell(k);
	if (k->status < 0)
		uv_timer_start(&k->again, due, STATEFILE_AGAIN_MS, 0);
	else
		save_next(k);
}

static void saved(uv_work_t *work, int status)
{
	struct statefile_keeper *k = work->data;

	(void)status;
	uv_sem_trywait(&k->is_saved);
	settle(k);
}

static void save_next(struct statefile_keeper *k)
{
	int rc;

	if (k->saving || !k->next)
		return;
	uv_timer_stop(&k->again);
	k->saving = k->next;
	k->next = NULL;
	k->work.data = k;
	rc = uv_queue_work(k->loop, &k->work, save, saved); /* from here on status is the thread's */
	if (rc == 0)
		return;
	k->status = rc;
	settle(k);
}

int statefile_keeper_open(uv_loop_t *loop, const char *folder, const char *name,
	const char *consequence, statefile_told *told, void *user, struct statefile_keeper **ret)
{
	struct statefile_keeper *k = calloc(1, sizeof *k);
	int rc = -ENOMEM;

	if (!k)
		return rc;
	if (snprintf(k->path, sizeof k->path, "%s/%s", folder, name) >= (int)sizeof k->path)
		rc = -ENAMETOOLONG;
	else
		rc = uv_sem_init(&k->is_saved, 0);
	if (rc < 0) {
		free(k);
		return rc;
	}
	k->loop = loop;
	k->consequence = consequence;
	k->told = told;
	k->user = user;
	uv_timer_init(loop, &k->again);
	k->again.data = k;
	*ret = k;
	return 0;
}

void statefile_keeper_keep(struct statefile_keeper *k, json_t *document)
{
	if (!document)
		return;
	k->is_finished = false; /* the exec that was to follow failed */
	json_decref(k->next);
	k->next = document;
	save_next(k);
}

void statefile_keeper_finish(struct statefile_keeper *k)
{
	if (!k || k->is_finished)
		return;
	k->is_finished = true;
	if (k->saving)
		uv_sem_wait(&k->is_saved);
	if (k->next)
		statefile_save(k->path, k->next);
}

void statefile_keeper_close(struct statefile_keeper *k)
{
	if (!k || k->is_closing)
		return;
	k->is_closing = true;
	uv_timer_stop(&k->again);
	if (!k->saving)
		uv_close((uv_handle_t *)&k->again, closed);
}
