/*
 * How the supervisor begins: the board, sockets and workers of an earlier one
 * where they are found (decision S4), else new ones, and the last good snapshot.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/lastgood.h"
#include "common/log.h"
#include "common/now.h"
#include "data/board_map.h"
#include "data/snapshot.h"
#include "data/supervisor_inside.h"
#include "data/token_source.h"

static int open_board(struct supervisor *s, int adopted_fd)
{
	int rc = adopted_fd >= 0 ? board_map(adopted_fd, &s->board) : -ENOENT;

	s->news.board_fd = adopted_fd;
	if (rc < 0) {
		s->news.board_fd = board_create(
			s->roster.places * (1 + ROSTER_RETIRED_SETS), BOARD_OBJECTS_MAX);
		if (s->news.board_fd < 0)
			return s->news.board_fd;
		rc = board_map(s->news.board_fd, &s->board);
	}
	if (rc < 0)
		return rc;
	s->slots = slots_new(&s->board);
	return s->slots ? 0 : -ENOMEM;
}

/*
 * A worker that has its place still, or one that is to leave: retired already, late, or one more
 * than there are places for. One of another board has no column on ours.
 */
static void adopt_worker(struct supervisor *s, struct adoption_line *line)
{
	struct process *like = &line->found, *p;
	bool is_ours = like->column < ROSTER_COLUMNS_MAX &&
		       atomic_load(&s->board.columns[like->column].pid) == like->pid;
	int rc = -EEXIST;

	if (line->has_column)
		roster_free_column(&s->roster, like->column);
	if (is_ours && !like->is_retired)
		rc = roster_adopt(&s->roster, like->place, like->column, mono_now());
	if (rc < 0 && is_ours)
		roster_take_column(&s->roster, like->column);
	if (!is_ours)
		like->column = ROSTER_NO_COLUMN;
	if (process_adopt(&s->news, like, line->fd, &supervisor_children, s, &p) < 0) {
		log_error("supervisor: worker pid=%d cannot be adopted", (int)like->pid);
		if (rc == 0)
			roster_died(&s->roster, like->place, mono_now());
		return;
	}
	p->is_old = line->is_old || daemon_inherited(s->daemon);
	s->upgrade |= p->is_old;
	s->children[s->children_count++] = p;
	if (rc < 0)
		process_retire(p, true);
}

/* An agent holds nothing that lasts: its place is filled when it has gone. */
static void adopt_agent(struct supervisor *s, struct adoption_line *line)
{
	struct process *p;

	if (roster_adopt(&s->roster, ROSTER_AGENT, 0, mono_now()) < 0) {
		close(line->fd); /* late: there is another one */
		kill(line->found.pid, SIGTERM);
		return;
	}
	if (process_adopt(&s->news, &line->found, line->fd, &supervisor_children, s, &p) < 0) {
		roster_died(&s->roster, ROSTER_AGENT, mono_now());
		return;
	}
	s->children[s->children_count++] = p;
	process_end(p, false);
}

static void adopt(struct supervisor *s, struct adoption_line *line)
{
	if (s->children_count == CHILDREN_MAX)
		close(line->fd);
	else if (line->found.role == CHANNEL_AGENT)
		adopt_agent(s, line);
	else
		adopt_worker(s, line);
	line->fd = -1;
}

/* Who has not answered yet still writes to its column. */
static void reserve_column(struct supervisor *s, struct adoption_line *line)
{
	for (uint32_t i = 0; i < s->board.head->columns && i < ROSTER_COLUMNS_MAX; i++) {
		if (atomic_load(&s->board.columns[i].pid) != line->found.pid ||
			s->roster.is_column_taken[i])
			continue;
		line->found.column = i;
		line->has_column = true;
		roster_take_column(&s->roster, i);
		return;
	}
}

static void release_column(struct supervisor *s, struct adoption_line *line)
{
	if (line->has_column) {
		board_clear_column(&s->board, line->found.column);
		roster_free_column(&s->roster, line->found.column);
	}
	line->has_column = false;
}

static void adopt_all(struct supervisor *s)
{
	for (unsigned i = 0; i < s->adoption->count; i++) {
		struct adoption_line *line = &s->adoption->lines[i];

		if (line->is_whole)
			adopt(s, line);
		else if (line->fd >= 0)
			reserve_column(s, line);
	}
	/* Who died while there was no supervisor still counts. */
	for (uint32_t column = 0; column < s->board.head->columns && column < ROSTER_COLUMNS_MAX;
		column++)
		if (!s->roster.is_column_taken[column])
			board_clear_column(&s->board, column);
}

void supervisor_adopt_late(struct supervisor *s)
{
	struct adoption *a = s->adoption;

	if (!a)
		return;
	for (unsigned i = 0; i < a->count; i++) {
		struct adoption_line *line = &a->lines[i];

		if (adoption_hear(a, s->bindings, line))
			adopt(s, line);
		else if (line->fd < 0 && !line->is_whole)
			release_column(s, line);
	}
	if (adoption_waits(a))
		return;
	free(a);
	s->adoption = NULL;
}

/* What the workers run, or what ran when this node was last well, or nothing. */
static void open_snapshot(struct supervisor *s, int adopted_fd)
{
	struct conf_problems problems = {0};
	const char *state_dir = s->news.state_dir;
	char why[512];
	struct conf *c = NULL;
	int rc = -ENOENT, fd = adopted_fd;

	if (fd >= 0)
		rc = snapshot_read(fd, &c, why);
	if (rc < 0) {
		rc = lastgood_load(state_dir, "data", &problems, &c);
		fd = rc == 0 ? snapshot_write(c) : -1;
	}
	if (rc == 0 && fd >= 0)
		supervisor_publish(s, c, fd, why);
	else if (rc == -ENOENT)
		log_info("supervisor: no snapshot yet; nothing is served until control sends one");
	else
		log_error("supervisor: the last good snapshot in %s cannot be read why=\"%s\"",
			state_dir, problems.count ? problems.items[0].what : strerror(-rc));
	conf_problems_fini(&problems);
}

static unsigned count_places(const struct nodefile *n)
{
	long cores = n->data_workers > 0 ? n->data_workers : sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > ROSTER_PLACES_MAX ? ROSTER_PLACES_MAX : (unsigned)cores;
}

/* As many descriptors as the system lets us have; workers inherit it. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int make_folder(const char *run_dir)
{
	char path[108];

	if ((size_t)snprintf(path, sizeof path, "%s/data", run_dir) >= sizeof path - 32)
		return -ENAMETOOLONG;
	return mkdir(path, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	return names[level];
}

static void fill_news(struct supervisor *s)
{
	const struct nodefile *n = daemon_nodefile(s->daemon);

	s->news = (struct process_news){.loop = daemon_loop(s->daemon),
		.program = s->program,
		.node = n->node,
		.run_dir = n->run_dir,
		.state_dir = n->state_dir,
		.log_level = level_name(n->log_level),
		.bindings = s->bindings,
		.board_fd = -1,
		.snapshot_fd = -1,
		.slots_fd = -1};
}

/* The board of workers that go on serving does not grow: more of them have to wait for a new one.
 */
static void limit_places(struct supervisor *s)
{
	unsigned most = s->board.head->columns / (1 + ROSTER_RETIRED_SETS);

	if (s->roster.places <= most || most == 0)
		return;
	log_warn("supervisor: %u workers instead of %u: the running ones share memory for no more; "
		 "stop and start data to have all of them",
		most, s->roster.places);
	roster_init(&s->roster, most, mono_now());
	bindings_limit(s->bindings, most);
}

/* Without a key, clients with cookies are balanced like others: traffic goes on. */
static void load_token_keys(struct supervisor *s)
{
	const struct nodefile *n = daemon_nodefile(s->daemon);
	char why[512];

	if (token_source_load(n->cluster_key_file, n->state_dir, &s->token_keys, why) < 0)
		log_error(
			"supervisor: no key for sticky cookies: clients do not keep their servers "
			"why=\"%s\"",
			why);
}

static int open_all(struct supervisor *s)
{
	struct adoption *a = s->adoption;
	const struct nodefile *n = daemon_nodefile(s->daemon);
	int rc = make_folder(n->run_dir);

	roster_init(&s->roster, count_places(n), mono_now());
	if (rc == 0)
		rc = bindings_new(s->roster.places, &s->bindings);
	if (rc < 0)
		return rc;
	fill_news(s);
	adoption_collect(n->run_dir, s->bindings, a);
	rc = open_board(s, a->board_fd);
	if (rc < 0)
		return rc;
	limit_places(s);
	load_token_keys(s);
	adopt_all(s);
	open_snapshot(s, a->snapshot_fd);
	return 0;
}

int supervisor_open(struct supervisor *s)
{
	int rc;

	s->adoption = calloc(1, sizeof *s->adoption);
	s->program = realpath("/proc/self/exe", NULL);
	raise_descriptors();
	rc = s->program && s->adoption ? open_all(s) : -ENOMEM;
	if (rc == 0)
		supervisor_adopt_late(s);
	return rc;
}
