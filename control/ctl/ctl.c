/* See ctl.h: wiring, the terminal, finding the server and the stack, and printing. */
#include "control/ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/document.h"
#include "common/nodefile.h"
#include "common/now.h"

#define DEFAULT_SOCKET "unix:/run/ballast/api.sock"
#define TOKEN_MAX 4096

enum outcome ctl_fail(enum outcome outcome, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "ballastctl: ");
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	return outcome;
}

void ctl_show(struct ctl *c, const char *format, ...)
{
	char line[sizeof c->progress];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (strcmp(line, c->progress) == 0)
		return;
	memcpy(c->progress, line, sizeof line);
	fprintf(stderr, isatty(STDERR_FILENO) ? "\r\033[K%s" : "%s\n", line);
}

void ctl_show_end(struct ctl *c)
{
	if (c->progress[0] && isatty(STDERR_FILENO))
		fprintf(stderr, "\n");
	c->progress[0] = '\0';
}

void ctl_flush(struct ctl *c)
{
	fwrite(buf_text(&c->out), 1, c->out.len, stdout);
	fflush(stdout);
	buf_clear(&c->out);
}

void ctl_print_value(struct ctl *c, const json_t *value)
{
	char *text;

	if (c->in.output == OUTPUT_YAML) {
		document_print_yaml(value, &c->out);
		return;
	}
	text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	buf_printf(&c->out, "%s\n", text ? text : "");
	free(text);
}

enum outcome ctl_ask(struct ctl *c, const struct client_request *request, struct client_answer *ret)
{
	char why[CLIENT_WHY_SIZE];
	struct buf problem;
	enum outcome outcome;

	if (client_ask(c->client, request, ret, why) < 0)
		return ctl_fail(OUTCOME_NO_ANSWER, "%s", why);
	outcome = outcome_of_status(ret->status,
		!strstr(request->path, "/overlay") && !strstr(request->path, "/maintenance"));
	if (outcome == OUTCOME_DONE)
		return outcome;
	buf_init(&problem, CLIENT_BODY_MAX);
	outcome_print_problem(ret->status, ret->json, &problem);
	fprintf(stderr, "ballastctl: %s", buf_text(&problem));
	buf_fini(&problem);
	client_answer_fini(ret);
	return outcome;
}

enum outcome ctl_get(struct ctl *c, struct client_answer *ret, const char *format, ...)
{
	char path[CTL_PATH_SIZE];
	struct client_request request = {.method = "GET", .path = path, .timeout_ms = CTL_ASK_MS};
	va_list ap;

	va_start(ap, format);
	vsnprintf(path, sizeof path, format, ap);
	va_end(ap);
	return ctl_ask(c, &request, ret);
}

static enum outcome choose_stack(struct ctl *c, const json_t *stacks)
{
	const char *name = json_string_value(json_object_get(json_array_get(stacks, 0), "name"));

	if (json_array_size(stacks) == 0 || !name)
		return ctl_fail(OUTCOME_FAILED,
			"there is no stack yet: ballastctl apply -f FILE makes one");
	if (json_array_size(stacks) > 1)
		return ctl_fail(OUTCOME_USAGE,
			"there is more than one stack: choose by --stack NAME "
			"(ballastctl get stacks lists them)");
	snprintf(c->stack, sizeof c->stack, "%s", name);
	return OUTCOME_DONE;
}

enum outcome ctl_stack(struct ctl *c)
{
	struct client_answer answer = {0};
	enum outcome outcome;

	if (c->in.stack && !conf_name_is_valid(c->in.stack))
		return ctl_fail(OUTCOME_USAGE, "%.64s cannot be a stack's name", c->in.stack);
	if (c->in.stack) {
		snprintf(c->stack, sizeof c->stack, "%s", c->in.stack);
		return OUTCOME_DONE;
	}
	outcome = ctl_get(c, &answer, "/v1/stacks");
	if (outcome == OUTCOME_DONE)
		outcome = choose_stack(c, answer.json);
	client_answer_fini(&answer);
	return outcome;
}

static struct table_look look_of_terminal(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct table_look look = {0};
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return look;
	look.is_coloured = !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		look.width = size.ws_col;
	return look;
}

/* The socket of this machine's node, wherever its node file puts it. */
static void default_server(char server[CTL_PATH_SIZE])
{
	struct conf_problems problems = {0};
	struct nodefile *nodefile;

	snprintf(server, CTL_PATH_SIZE, "%s", DEFAULT_SOCKET);
	if (nodefile_load(NODEFILE_DEFAULT_PATH, &problems, &nodefile) == 0) {
		snprintf(server, CTL_PATH_SIZE, "unix:%s/api.sock", nodefile->run_dir);
		nodefile_free(nodefile);
	}
	conf_problems_fini(&problems);
}

/* The first line of the token file: 0, or -1 after saying why not. */
static int read_token(const char *path, char token[TOKEN_MAX])
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(token, TOKEN_MAX, f)) {
		ctl_fail(OUTCOME_FAILED, "cannot read the token file %s: %m", path);
		if (f)
			fclose(f);
		return -1;
	}
	fclose(f);
	token[strcspn(token, "\r\n")] = '\0';
	return 0;
}

static enum outcome open_client(struct ctl *c)
{
	char server[CTL_PATH_SIZE], token[TOKEN_MAX], why[CLIENT_WHY_SIZE];
	const char *from_env = getenv("BALLAST_SERVER");

	if (c->in.server)
		snprintf(server, sizeof server, "%s", c->in.server);
	else if (from_env && *from_env)
		snprintf(server, sizeof server, "%s", from_env);
	else
		default_server(server);
	if (c->in.token_file && read_token(c->in.token_file, token) < 0)
		return OUTCOME_FAILED;
	if (client_open(server, c->in.token_file ? token : NULL, &c->client, why) < 0)
		return ctl_fail(OUTCOME_USAGE, "%s", why);
	return OUTCOME_DONE;
}

/* Help and version need no server. */
static enum outcome help(struct ctl *c)
{
	const struct command_row *command = c->in.command;

	if (c->in.options & OPTION_VERSION) {
		buf_add_text(&c->out, "ballastctl " BALLAST_VERSION "\n");
		return OUTCOME_DONE;
	}
	if (command && command->id == COMMAND_HELP)
		command = c->in.arguments_count ? command_find(c->in.arguments[0]) : NULL;
	if (command)
		command_print_help(command, &c->out);
	else if (c->in.arguments_count)
		return ctl_fail(OUTCOME_USAGE, "unknown command %.64s; see: ballastctl help",
			c->in.arguments[0]);
	else
		command_print_all(&c->out);
	return OUTCOME_DONE;
}

static enum outcome run(struct ctl *c)
{
	switch (c->in.command->id) {
	case COMMAND_STATUS:
		return look_status(c);
	case COMMAND_GET:
		return look_get(c);
	case COMMAND_APPLY:
		return change_apply(c);
	case COMMAND_DIFF:
		return change_diff(c);
	case COMMAND_DELETE:
		return change_delete(c);
	case COMMAND_HISTORY:
		return look_history(c);
	case COMMAND_ROLLBACK:
		return change_rollback(c);
	case COMMAND_CONFIRM:
		return change_confirm(c);
	case COMMAND_DRAIN:
	case COMMAND_READY:
	case COMMAND_DISABLE:
		return hand_state(c);
	case COMMAND_WEIGHT:
		return hand_weight(c);
	case COMMAND_MOVE:
		return move_vip(c);
	case COMMAND_BYPASS:
		return move_bypass(c);
	case COMMAND_MAINTENANCE:
		return maintenance_run(c);
	case COMMAND_UPGRADE:
		return upgrade_run(c);
	case COMMAND_EVENTS:
		return follow_events(c);
	case COMMAND_EXPLAIN:
		return explain_object(c);
	case COMMAND_EXPORT:
		return look_export(c);
	case COMMAND_TOP:
		return top_run(c);
	case COMMAND_HELP:
	case COMMAND_LATER:
		break;
	}
	return help(c);
}

int ctl_main(int argc, char **argv)
{
	struct ctl c = {.view = {.look = look_of_terminal(), .now = wall_now()}};
	char why[INVOCATION_WHY_SIZE];
	enum outcome outcome;

	switch (invocation_parse(argc - 1, argv + 1, &c.in, why)) {
	case INVOCATION_USAGE:
		return ctl_fail(OUTCOME_USAGE, "%s", why);
	case INVOCATION_LATER:
		return ctl_fail(OUTCOME_FAILED, "%s", why);
	case INVOCATION_GOOD:
		break;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	buf_init(&c.out, CTL_OUT_MAX);
	if ((c.in.options & (OPTION_HELP | OPTION_VERSION)) || c.in.command->id == COMMAND_HELP)
		outcome = help(&c);
	else if ((outcome = open_client(&c)) == OUTCOME_DONE)
		outcome = run(&c);
	ctl_flush(&c);
	buf_fini(&c.out);
	client_close(c.client);
	curl_global_cleanup();
	return (int)outcome;
}
