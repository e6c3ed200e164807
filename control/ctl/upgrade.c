/*
 * The command upgrade: walks the nodes, one after the other: out of service,
 * the command (or the operator) upgrades it, back in service when it is well.
 * Stops at the first that fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/now.h"
#include "control/ctl/maintenance.h"
#include "control/ctl/question.h"
#include "control/ctl/walk.h"

#define PATIENCE_MS (15 * 60000) /* longer than drain_timeout's default */

struct upgrade {
	struct ctl *ctl;
	struct walk walk;
	size_t at;
	bool is_out; /* the node that is visited is in maintenance */
};

static struct mono deadline_of(const struct ctl *c)
{
	return mono_add_ms(mono_now(), c->in.wait_ms ? c->in.wait_ms : PATIENCE_MS);
}

/* A line of stdout, at once: it takes long until the next one. */
static void say(struct ctl *c, const struct walk_node *n, const char *what)
{
	buf_printf(&c->out, "%s: %s\n", n->name, what);
	ctl_flush(c);
}

/* ---- the upgrade itself ---- */

static enum outcome run_command(struct ctl *c, const struct walk_node *n)
{
	int status;

	setenv("BALLAST_NODE", n->name, 1);
	setenv("BALLAST_ADDRESS", n->address, 1);
	setenv("BALLAST_STACK", c->stack, 1);
	status = system(c->in.run);
	if (status == 0)
		return OUTCOME_DONE;
	if (status > 0 && WIFEXITED(status))
		return ctl_fail(OUTCOME_FAILED, "%s: the command ended with status %d: %s", n->name,
			WEXITSTATUS(status), c->in.run);
	if (status > 0)
		return ctl_fail(OUTCOME_FAILED, "%s: the command was ended by signal %d: %s",
			n->name, WTERMSIG(status), c->in.run);
	return ctl_fail(OUTCOME_FAILED, "%s: the command cannot be started: %m", n->name);
}

static enum outcome ask_operator(const struct ctl *c, const struct walk_node *n)
{
	if (c->in.options & OPTION_YES)
		return OUTCOME_DONE;
	if (question_ask("%s (%s) is idle: upgrade it now. Done, and go on?", n->name,
		    n->address[0] ? n->address : "address not known"))
		return OUTCOME_DONE;
	return ctl_fail(OUTCOME_FAILED, "%s: not confirmed", n->name);
}

/* ---- a visit ---- */

static void add_version(struct ctl *c, const struct walk_node *n, struct buf *out)
{
	struct client_answer answer = {0};

	if (ctl_get(c, &answer, "/v1/status?stack=%s", c->stack) == OUTCOME_DONE)
		walk_print_version(answer.json, n->name, out);
	client_answer_fini(&answer);
}

static enum outcome leave(struct upgrade *u, const struct walk_node *n)
{
	enum outcome outcome = maintenance_start(u->ctl, n->name);

	if (outcome != OUTCOME_DONE)
		return outcome;
	u->is_out = true;
	return maintenance_wait_idle(u->ctl, n->name, deadline_of(u->ctl));
}

static enum outcome come_back(struct upgrade *u, const struct walk_node *n)
{
	struct mono deadline = deadline_of(u->ctl);
	enum outcome outcome = maintenance_stop(u->ctl, n->name, deadline);

	if (outcome != OUTCOME_DONE)
		return outcome;
	u->is_out = false;
	return maintenance_wait_back(u->ctl, n->name, deadline);
}

static enum outcome visit(struct upgrade *u)
{
	const struct walk_node *n = &u->walk.nodes[u->at];
	struct ctl *c = u->ctl;
	struct buf line;
	enum outcome outcome;

	u->is_out = false;
	buf_init(&line, CTL_PATH_SIZE);
	add_version(c, n, &line);
	outcome = leave(u, n);
	if (outcome == OUTCOME_DONE) {
		say(c, n, c->in.run ? "idle; the command runs" : "idle");
		outcome = c->in.run ? run_command(c, n) : ask_operator(c, n);
	}
	if (outcome == OUTCOME_DONE)
		outcome = come_back(u, n);
	if (outcome == OUTCOME_DONE) {
		buf_add_text(&line, " -> ");
		add_version(c, n, &line);
		buf_printf(&c->out, "%s: ready, version %s\n", n->name, buf_text(&line));
		ctl_flush(c);
	}
	buf_fini(&line);
	return outcome;
}

/* Where it stands, and how to go on. Some nodes that are done make the rest a part. */
static enum outcome stop_here(struct upgrade *u, enum outcome why)
{
	struct buf way_out;

	ctl_show_end(u->ctl);
	buf_init(&way_out, CTL_PATH_SIZE * 4);
	walk_print_way_out(&u->walk, u->at, u->is_out, &way_out);
	fprintf(stderr, "ballastctl: upgrade stopped at %s: %s", u->walk.nodes[u->at].name,
		buf_text(&way_out));
	buf_fini(&way_out);
	return u->at > 0 ? OUTCOME_PARTLY : why;
}

static enum outcome plan(struct upgrade *u)
{
	struct ctl *c = u->ctl;
	struct client_answer answer = {0};
	char why[WALK_WHY_SIZE];
	enum outcome outcome = ctl_stack(c);

	if (outcome == OUTCOME_DONE)
		outcome = ctl_get(c, &answer, "/v1/status?stack=%s", c->stack);
	if (outcome == OUTCOME_DONE && walk_plan(answer.json, c->stack, c->in.arguments,
					       c->in.arguments_count, &u->walk, why) < 0)
		outcome = ctl_fail(OUTCOME_FAILED, "%s", why);
	client_answer_fini(&answer);
	return outcome;
}

enum outcome upgrade_run(struct ctl *c)
{
	bool is_all = c->in.options & OPTION_ALL;
	struct upgrade u = {.ctl = c};
	enum outcome outcome;

	if (is_all == (c->in.arguments_count > 0))
		return ctl_fail(OUTCOME_USAGE, "name the nodes to upgrade, or --all of them");
	if (!c->in.run && !(c->in.options & OPTION_YES) && !isatty(STDIN_FILENO))
		return ctl_fail(OUTCOME_USAGE,
			"there is no terminal to ask on: --run CMD says how a node is upgraded, "
			"--yes goes on without it");
	outcome = plan(&u);
	for (; outcome == OUTCOME_DONE && u.at < u.walk.count; u.at++) {
		outcome = visit(&u);
		if (outcome != OUTCOME_DONE)
			return stop_here(&u, outcome);
	}
	if (outcome == OUTCOME_DONE)
		buf_printf(&c->out, "%zu node%s upgraded\n", u.walk.count,
			u.walk.count == 1 ? "" : "s");
	return outcome;
}
