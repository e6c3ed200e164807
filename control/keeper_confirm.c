/*
 * keeper, confirm: counts down generations that are to be confirmed, and keeps
 * what a restart must know of them: since when, in which boot, and the snapshot
 * to go back to. The part of keeper that knows the clock; called by keeper.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "common/quantity.h"
#include "common/statefile.h"
#include "control/keeper_parts.h"

#define FILE_MAX (1u << 20)
#define BASE_NAME "control-before" /* as a last good snapshot */

static void file_path(const struct keeper *k, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/confirmations", k->nodefile->state_dir);
}

void keeper_read_boot(char boot[CONFIRMATION_BOOT_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, boot, CONFIRMATION_BOOT_SIZE - 1);

	boot[n > 0 ? n : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static void save(struct keeper *k)
{
	const struct picture *p = k->picture;
	json_t *all = json_object();
	char path[PATH_MAX];
	int rc;

	for (size_t i = 0; i < p->stacks_count; i++) {
		if (p->stacks[i].confirmation.generation)
			json_object_set_new(all, p->stacks[i].name,
				confirmation_encode(&p->stacks[i].confirmation));
	}
	file_path(k, path);
	rc = statefile_save(path, all);
	if (rc < 0)
		log_error("%s cannot be written: %s; a restart would count the time to confirm "
			  "anew",
			path, strerror(-rc));
	json_decref(all);
}

static void save_base(struct keeper *k, const struct picture_stack *s)
{
	int rc = s->base ? lastgood_save(k->nodefile->state_dir, BASE_NAME, s->base) : 0;

	if (rc < 0)
		log_error("the snapshot to go back to cannot be written to %s: %s",
			k->nodefile->state_dir, strerror(-rc));
}

static void tell(struct keeper *k, const struct picture_stack *s, const char *kind,
	const char *from, const char *to, const char *why)
{
	struct event_place place = {k->picture->node, s->name};

	log_info("stack=%s %s generation=%s: %s", s->name, kind, to, why);
	keeper_event(k, event_make(&place, kind, s->name, from, to, why));
}

static void go_back(struct keeper *k, const struct picture_stack *s)
{
	char from[24], to[24], why[256], within[QUANTITY_TEXT_SIZE];

	snprintf(from, sizeof from, "%" PRIu64, s->generation);
	snprintf(to, sizeof to, "%" PRIu64, s->base ? s->base->generation : 0);
	quantity_print_duration(s->confirmation.within_ms, within);
	snprintf(why, sizeof why,
		"not confirmed within %s, or this node was rebooted: %s went back", within,
		k->picture->node);
	tell(k, s, "unconfirmed", from, to, why);
}

void keeper_confirm(struct keeper *k)
{
	struct picture *p = k->picture;
	bool is_news = false;

	for (size_t i = 0; i < p->stacks_count; i++) {
		struct picture_stack *s = &p->stacks[i];
		bool was_lapsed = s->confirmation.is_lapsed;
		char to[24];

		switch (picture_confirm(p, s, k->boot, mono_now())) {
		case CONFIRMATION_NOTHING:
			continue;
		case CONFIRMATION_BEGAN:
			save_base(k, s);
			break;
		case CONFIRMATION_LAPSED:
			go_back(k, s);
			break;
		case CONFIRMATION_ENDED:
			snprintf(to, sizeof to, "%" PRIu64, s->generation);
			if (was_lapsed)
				tell(k, s, "confirmed", NULL, to,
					"found after this node had gone back: it goes forward");
			break;
		}
		is_news = true;
	}
	if (is_news)
		save(k);
}

static void start_stack(struct keeper *k, const char *name, const struct confirmation *c)
{
	struct conf_problems problems = {0};
	struct conf *base = NULL;

	if (lastgood_load(k->nodefile->state_dir, BASE_NAME, &problems, &base) == 0) {
		if (strcmp(base->stack, name) == 0)
			picture_start_confirmation(k->picture, c, base);
		conf_unref(base);
	}
	conf_problems_fini(&problems);
}

void keeper_start_confirm(struct keeper *k)
{
	struct confirmation c;
	json_t *all = NULL, *row;
	const char *name;
	char path[PATH_MAX];

	file_path(k, path);
	if (statefile_load(path, FILE_MAX, &all) < 0)
		return;
	json_object_foreach (all, name, row) {
		if (confirmation_decode(row, &c) == 0)
			start_stack(k, name, &c);
	}
	json_decref(all);
}
