/*
 * The command top: what happens now, from two scrapes of /metrics. On a
 * terminal a screen that is drawn anew until q is pressed; in a pipe, or with
 * -n, one snapshot after each interval as plain lines or JSON.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/now.h"
#include "common/report.h"
#include "control/ctl/ctl.h"
#include "control/ctl/screen.h"
#include "control/ctl/view_top.h"

#define INTERVAL_MS 2000
#define INTERVAL_LEAST_MS 1000 /* figures are not newer */
#define INTERVAL_MOST_MS 3600000

struct top {
	struct ctl *ctl;
	struct scrape before, after;
	int64_t before_ms, after_ms; /* when their figures were taken; 0: not yet */
	struct top_look look;
	int64_t interval_ms;
	char trouble[CLIENT_WHY_SIZE]; /* why the last scrape failed; "" */
};

static int64_t now_ms(void)
{
	return mono_now().ns / 1000000;
}

/* Another scrape becomes `after`; the one before is kept. */
static enum outcome look(struct top *t)
{
	struct client_request request = {
		.method = "GET", .path = "/metrics", .timeout_ms = CTL_ASK_MS};
	struct client_answer answer = {0};
	struct scrape next = {0};
	int rc = client_ask(t->ctl->client, &request, &answer, t->trouble);

	if (rc < 0)
		return OUTCOME_NO_ANSWER;
	if (answer.status != 200 || !answer.text) {
		snprintf(t->trouble, sizeof t->trouble, "/metrics was refused (status %ld)",
			answer.status);
		rc = (int)outcome_of_status(answer.status, false);
		client_answer_fini(&answer);
		return rc == OUTCOME_DONE ? OUTCOME_FAILED : (enum outcome)rc;
	}
	rc = scrape_read(&next, answer.text, strlen(answer.text));
	client_answer_fini(&answer);
	if (rc < 0) {
		scrape_fini(&next);
		snprintf(t->trouble, sizeof t->trouble, "out of memory");
		return OUTCOME_FAILED;
	}
	t->trouble[0] = '\0';
	scrape_fini(&t->before);
	t->before = t->after;
	t->before_ms = t->after_ms;
	t->after = next;
	t->after_ms = now_ms() - (int64_t)(next.age * 1000);
	return OUTCOME_DONE;
}

static double seconds_between(const struct top *t)
{
	double s = (double)(t->after_ms - t->before_ms) / 1000;

	return s > 0.001 ? s : 0.001;
}

static void print_value(struct top *t, const struct top_row *rows, const size_t *counts)
{
	json_t *value = view_top_value(rows, counts);
	char time[WALL_TEXT_SIZE], *text;

	json_object_set_new(value, "time", json_string(wall_print(wall_now(), time)));
	json_object_set_new(value, "seconds", json_real(seconds_between(t)));
	if (t->ctl->in.output == OUTPUT_YAML) {
		buf_add_text(&t->ctl->out, "---\n");
		ctl_print_value(t->ctl, value);
	} else {
		text = json_dumps(value, JSON_COMPACT);
		buf_printf(&t->ctl->out, "%s\n", text ? text : "");
		free(text);
	}
	json_decref(value);
}

/* What is known, into ctl->out: before the second look nothing is known to have happened. */
static void print(struct top *t)
{
	const struct scrape *before = t->before_ms ? &t->before : &t->after;
	size_t counts[SCRAPE_KINDS];
	struct top_row *rows = top_rows(before, &t->after, seconds_between(t), &t->look, counts);

	if (!rows)
		return;
	if (t->ctl->in.output == OUTPUT_TABLE)
		view_top(rows, counts, &t->look, &t->ctl->out);
	else
		print_value(t, rows, counts);
	free(rows);
}

/* In a pipe */

static void sleep_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Whether a snapshot is wanted after n of them. */
static bool is_wanted(const struct top *t, int64_t n)
{
	return !t->ctl->in.times || n < t->ctl->in.times;
}

static enum outcome run_plain(struct top *t)
{
	char time[WALL_TEXT_SIZE];
	enum outcome outcome = look(t);

	for (int64_t n = 0; outcome == OUTCOME_DONE && is_wanted(t, n); n++) {
		sleep_ms(t->interval_ms);
		outcome = look(t);
		if (outcome != OUTCOME_DONE)
			break;
		if (t->ctl->in.output == OUTPUT_TABLE)
			buf_printf(&t->ctl->out, "%s%s\n", n ? "\n" : "",
				wall_print(wall_now(), time));
		print(t);
		ctl_flush(t->ctl);
	}
	return outcome == OUTCOME_DONE ? outcome : ctl_fail(outcome, "%s", t->trouble);
}

/* On a terminal */

/* The two lines above the tables, cut to the screen's width. */
static void draw_head(struct top *t, size_t columns)
{
	struct buf *out = &t->ctl->out;
	char time[WALL_TEXT_SIZE], line[256];
	const char *trouble = t->trouble[0]  ? t->trouble
			      : t->before_ms ? ""
					     : "The first rates come with the next look.";

	wall_print(wall_now(), time);
	snprintf(line, sizeof line,
		"%.8s UTC, every %.3gs, by %s%s. q ends, s sorts, r turns round, arrows scroll",
		time + 11, (double)t->interval_ms / 1000, top_sort_name(t->look.sort),
		t->look.is_reversed ? " (turned)" : "");
	buf_printf(out, "%.*s\n%s%.*s%s\n", (int)columns, line,
		t->trouble[0] ? paint_begin(PAINT_BAD) : "", (int)columns, trouble,
		t->trouble[0] ? paint_end(PAINT_BAD) : "");
}

static void draw(struct top *t)
{
	struct buf *out = &t->ctl->out;
	size_t lines, columns;

	screen_size(&lines, &columns);
	t->look.look.width = columns;
	t->look.lines = lines > 3 ? lines - 2 : 1;
	draw_head(t, columns);
	print(t);
	screen_draw(buf_text(out), out->len);
	buf_clear(out);
}

/* False: it is over. */
static bool take_key(struct top *t, int key)
{
	struct top_look *look = &t->look;
	size_t page = look->lines / 2 + 1;

	switch (key) {
	case 'q':
	case 'Q':
	case SCREEN_END:
		return false;
	case 's':
		look->sort = (enum top_sort)((look->sort + 1) % TOP_SORTS);
		break;
	case 'r':
		look->is_reversed = !look->is_reversed;
		break;
	case SCREEN_UP:
		look->first -= look->first > 0;
		break;
	case SCREEN_DOWN:
		look->first++;
		break;
	case SCREEN_PAGE_UP:
		look->first -= look->first < page ? look->first : page;
		break;
	case SCREEN_PAGE_DOWN:
		look->first += page;
		break;
	case SCREEN_HOME:
		look->first = 0;
		break;
	}
	return true;
}

/* Draws until the next look is due: false when it is over. */
static bool wait_for_next(struct top *t)
{
	int64_t until = now_ms() + t->interval_ms;

	for (;;) {
		int64_t left = until - now_ms();

		draw(t);
		if (left <= 0)
			return true;
		if (!take_key(t, screen_key((int)left)))
			return false;
	}
}

static enum outcome run_screen(struct top *t)
{
	enum outcome outcome = look(t);

	if (outcome != OUTCOME_DONE)
		return ctl_fail(outcome, "%s", t->trouble);
	if (screen_open() < 0)
		return run_plain(t);
	while (wait_for_next(t))
		look(t); /* trouble is shown, and tried again */
	screen_close();
	return OUTCOME_DONE;
}

enum outcome top_run(struct ctl *c)
{
	struct top t = {.ctl = c, .interval_ms = INTERVAL_MS, .look = {.look = c->view.look}};
	enum outcome outcome;

	if (c->in.interval_ms)
		t.interval_ms = c->in.interval_ms;
	if (t.interval_ms < INTERVAL_LEAST_MS || t.interval_ms > INTERVAL_MOST_MS)
		return ctl_fail(OUTCOME_USAGE, "--interval is from 1s to 1h");
	if (c->in.sort)
		t.look.sort = top_sort_of(c->in.sort);
	if (t.look.sort == TOP_SORTS)
		return ctl_fail(OUTCOME_USAGE,
			"--sort is requests, errors, time, connections, bytes or name, not %.64s",
			c->in.sort);
	if (c->in.times || c->in.output != OUTPUT_TABLE)
		outcome = run_plain(&t);
	else
		outcome = run_screen(&t);
	scrape_fini(&t.before);
	scrape_fini(&t.after);
	return outcome;
}
