#pragma once
/*
 * Shell: one run of ballastctl: what was asked, the client, and how things are
 * printed. The commands live in look.c, change.c, hand.c, follow.c, top.c
 * and explain.c; each takes the run and returns the exit status.
 */
#include "control/ctl/client.h"
#include "control/ctl/invocation.h"
#include "control/ctl/outcome.h"
#include "control/ctl/view.h"

#define CTL_OUT_MAX (256u << 20) /* bytes printed by one command */
#define CTL_PATH_SIZE 4096
#define CTL_ASK_MS 30000

struct ctl {
	struct invocation in;
	struct client *client;
	struct view view;
	struct buf out;             /* what goes to stdout at the end */
	char stack[CONF_NAME_SIZE]; /* filled by ctl_stack() */
	char progress[512]; /* the newest line of ctl_show() */
};

/* The whole program. */
int ctl_main(int argc, char **argv);

/* A sentence to stderr; returns outcome, for commands to return. */
enum outcome ctl_fail(enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* How far it is, on stderr: on a terminal one line that changes, in a pipe a line for each change. */
void ctl_show(struct ctl *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What follows begins on a line of its own. */
void ctl_show_end(struct ctl *c);

/* What stands in out goes to stdout now. */
void ctl_flush(struct ctl *c);

/* Finds the stack: the one given, or the only one there is. DONE, or the outcome after saying why
 * not. */
enum outcome ctl_stack(struct ctl *c);

/*
 * Asks the API. DONE and an answer of a status below 300 (client_answer_fini());
 * else the outcome after the reasons were printed.
 */
enum outcome ctl_ask(
	struct ctl *c, const struct client_request *request, struct client_answer *ret);
/* GET of a path made by printf. */
enum outcome ctl_get(struct ctl *c, struct client_answer *ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* value as --output says (json or yaml), into out. */
void ctl_print_value(struct ctl *c, const json_t *value);

/* The commands. */
enum outcome look_status(struct ctl *c);
enum outcome look_get(struct ctl *c);
enum outcome look_history(struct ctl *c);
enum outcome look_export(struct ctl *c);
enum outcome change_apply(struct ctl *c);
enum outcome change_diff(struct ctl *c);
enum outcome change_delete(struct ctl *c);
enum outcome change_rollback(struct ctl *c);
enum outcome change_confirm(struct ctl *c);
enum outcome hand_state(struct ctl *c); /* drain, ready, disable */
enum outcome hand_weight(struct ctl *c);
enum outcome move_vip(struct ctl *c);    /* move */
enum outcome move_bypass(struct ctl *c); /* bypass clear */
enum outcome maintenance_run(struct ctl *c); /* start, stop */
enum outcome upgrade_run(struct ctl *c);
enum outcome follow_events(struct ctl *c);
enum outcome explain_object(struct ctl *c);
enum outcome top_run(struct ctl *c);
