/* See command.h. */
#include "control/ctl/command.h"

#include <stdio.h>
#include <string.h>

#define HAND (OPTION_WHY | OPTION_FOR | OPTION_WAIT | OPTION_FORCE | OPTION_LOCAL)
#define HELP_COLUMN 30

/* clang-format off */
const struct command_row command_table[] = {
	{COMMAND_STATUS, "status", "", 0, 0, 0, "Show nodes, VIPs, servers, listeners and what is wrong.", NULL},
	{COMMAND_GET, "get", "KIND [NAME]", 1, 2, 0, "List resources, or show one.",
		"KIND is one of stacks, instances, vips, pools, servers, listeners, certificates, generations; servers are named\n"
		"POOL/SERVER (POOL/ for all of one pool). A table shows what they are doing now; -o json and -o yaml\n"
		"print them as they were configured.\n"},
	{COMMAND_APPLY, "apply", "-f FILE...", 0, 64, OPTION_FILE | OPTION_DRY_RUN | OPTION_WAIT | OPTION_SKIP | OPTION_CONFIRM_WITHIN,
		"Make documents the new configuration.",
		"FILE is JSON or YAML, one document for one stack; - is standard input. With several files all are\n"
		"judged before the first is stored. Every node that is alive is asked whether it can run it, and one\n"
		"that cannot refuses it; a node that does not answer within 3s is named. With --wait it returns when every node runs the new generation.\n"},
	{COMMAND_DIFF, "diff", "-f FILE...", 0, 64, OPTION_FILE, "Show what apply would change.",
		"Exit status 0: no difference; 4: differences were shown.\n"},
	{COMMAND_DELETE, "delete", "KIND NAME", 2, 2, OPTION_YES | OPTION_DRY_RUN | OPTION_WAIT | OPTION_SKIP,
		"Remove a resource, or a whole stack (KIND stack).",
		"Servers are named POOL/SERVER. Asks before it deletes when standard input is a terminal.\n"},
	{COMMAND_HISTORY, "history", "", 0, 0, 0, "List the stack's generations, the newest first.", NULL},
	{COMMAND_ROLLBACK, "rollback", "GENERATION", 1, 1, OPTION_DRY_RUN | OPTION_WAIT | OPTION_SKIP | OPTION_CONFIRM_WITHIN,
		"Make an old generation's document the newest again.", NULL},
	{COMMAND_CONFIRM, "confirm", "[GENERATION]", 0, 1, 0, "Keep what was applied with --confirm-within.",
		"Until then nothing else can be written. Without it each node goes back by itself when its time is over, or\n"
		"when it is rebooted.\n"},
	{COMMAND_DRAIN, "drain", "POOL/SERVER", 1, 1, HAND,
		"Give a server nothing new; what it has goes on.",
		"With --wait it returns when the server has no connection left.\n"},
	{COMMAND_READY, "ready", "POOL/SERVER", 1, 1, HAND, "Let a server work again.",
		"With --wait it returns when the server is up (or unchecked).\n"},
	{COMMAND_DISABLE, "disable", "POOL/SERVER", 1, 1, HAND, "Give a server nothing, and end what it has.",
		"With --wait it returns when the server has no connection left.\n"},
	{COMMAND_WEIGHT, "weight", "POOL/SERVER N", 2, 2, OPTION_WHY | OPTION_FOR | OPTION_LOCAL,
		"Give a server another weight (0 to 1000) until it is cleared.",
		"N may be default: the configured weight counts again.\n"},
	{COMMAND_MOVE, "move", "VIP NODE | VIP --clear", 1, 2, OPTION_WHY | OPTION_FOR | OPTION_CLEAR,
		"Let another node hold a VIP, without a gap; or end that.",
		"It stays there until --clear, the end of --for, or the loss of that node. Returns when the node holds\n"
		"it; a node that does not take it within seconds is a failure, and nothing has changed.\n"},
	{COMMAND_BYPASS, "bypass", "clear NODE", 2, 2, OPTION_WHY,
		"End the bypass of a node that lost its VIPs too often.", NULL},
	{COMMAND_MAINTENANCE, "maintenance", "start | stop NODE", 2, 2, OPTION_WHY | OPTION_FOR | OPTION_WAIT | OPTION_FORCE,
		"Take a node out of service without a lost answer, or let it come back.",
		"start first asks whether the others can carry what it carries, and says all reasons why not. Then the\n"
		"node's VIPs move, its connections end one after the other, and with --wait it returns when nothing is\n"
		"left. One node of a stack at a time; it lasts until stop (or --for), over restarts and reboots. stop\n"
		"first looks whether the node is well; with --wait it waits for that, and until its VIPs are back.\n"},
	{COMMAND_UPGRADE, "upgrade", "[NODE...]", 0, 64, OPTION_ALL | OPTION_RUN | OPTION_YES | OPTION_WHY | OPTION_WAIT | OPTION_FORCE,
		"Upgrade the nodes one after the other: out of service, upgrade, look whether it is well, back.",
		"With --run CMD a shell runs it for each node when the node is idle, with BALLAST_NODE and\n"
		"BALLAST_ADDRESS in its environment: ssh root@$BALLAST_ADDRESS apt-get install -y ballast. Without it\n"
		"you are asked to do it and to confirm. It stops at the first node that fails, which stays in\n"
		"maintenance, and says how to go on. --wait is the patience for each step, 15m unless said otherwise.\n"},
	{COMMAND_EVENTS, "events", "", 0, 0, OPTION_FOLLOW, "List what happened, or follow what happens.", NULL},
	{COMMAND_EXPLAIN, "explain", "POOL/SERVER | vip NAME | listener NAME [URL] | KIND", 1, 3, OPTION_METHOD | OPTION_HEADER | OPTION_CLIENT,
		"Say why something is as it is; or describe the fields of a kind.",
		"explain web/w1, explain vip web, explain listener www, explain instance lb-a: state, reason, evidence\n"
		"and history. explain listener www http://shop.example/api: which route that request would take at this\n"
		"node, why, what the server would get, and why other routes would not have it. explain pool, explain\n"
		"pool.retry: every field with its type, default and meaning.\n"},
	{COMMAND_EXPORT, "export", "", 0, 0, 0, "Print the stack's document, fit for apply.", NULL},
	{COMMAND_TOP, "top", "", 0, 0, OPTION_INTERVAL | OPTION_TIMES | OPTION_SORT,
		"Show what listeners, pools and servers of this node do now.",
		"On a terminal the whole screen, drawn anew: q ends it, s changes the order, r turns it round, arrows\n"
		"scroll the servers. In a pipe, or with -n, a snapshot after each interval, with -o json one a line.\n"
		"Rates are per second; P50 and P99 are the times that half and 99 of 100 requests did not exceed:\n"
		"of a listener whole requests, of pools and servers up to the head of the response.\n"},
	{COMMAND_HELP, "help", "[COMMAND]", 0, 1, 0, "Show this, or the help of one command.", NULL},
	{COMMAND_LATER, "edit", "KIND NAME", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "token", "create | list | revoke", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "setup", "", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "join", "", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "store", "copy", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "support-bundle", "", 0, 64, 0, NULL, NULL},
	{COMMAND_LATER, "import", "FILE", 0, 64, 0, NULL, NULL},
	{0}
};

const struct option_row option_table[] = {
	{OPTION_FILE, "file", 'f', OPTION_HAS_VALUE, "FILE", "A document, JSON or YAML; - is standard input."},
	{OPTION_DRY_RUN, "dry-run", 0, OPTION_HAS_NONE, NULL, "Judge and show the differences; change nothing."},
	{OPTION_WAIT, "wait", 0, OPTION_MAY_HAVE_VALUE, "DURATION", "Wait until it is done everywhere, 60s at most unless said otherwise."},
	{OPTION_WHY, "why", 0, OPTION_HAS_VALUE, "TEXT", "The reason, for whoever looks at it later."},
	{OPTION_FOR, "for", 0, OPTION_HAS_VALUE, "DURATION", "Until then only: 30m, 8h."},
	{OPTION_FORCE, "force", 0, OPTION_HAS_NONE, NULL, "Even if too few servers, or no node that is well, would be left."},
	{OPTION_LOCAL, "local", 0, OPTION_HAS_NONE, NULL, "With the store away: on this node only, exit status 4; brought to the store when it is back."},
	{OPTION_CLEAR, "clear", 0, OPTION_HAS_NONE, NULL, "End the move."},
	{OPTION_CONFIRM_WITHIN, "confirm-within", 0, OPTION_HAS_VALUE, "DURATION", "Go back to what was before unless it is confirmed by then: 5m."},
	{OPTION_SKIP, "skip", 0, OPTION_HAS_VALUE, "NODE", "Do not ask this node whether it can run it; may be given several times."},
	{OPTION_ALL, "all", 0, OPTION_HAS_NONE, NULL, "All nodes of the stack, those with the fewest VIPs first."},
	{OPTION_RUN, "run", 0, OPTION_HAS_VALUE, "CMD", "The command that upgrades a node; anything but 0 stops."},
	{OPTION_YES, "yes", 'y', OPTION_HAS_NONE, NULL, "Do not ask."},
	{OPTION_FOLLOW, "follow", 'f', OPTION_HAS_NONE, NULL, "Go on with what happens from now."},
	{OPTION_METHOD, "method", 0, OPTION_HAS_VALUE, "METHOD", "The request's method; GET unless said otherwise."},
	{OPTION_HEADER, "header", 0, OPTION_HAS_VALUE, "'NAME: VALUE'", "A header field of the request; may be given several times."},
	{OPTION_CLIENT, "client", 0, OPTION_HAS_VALUE, "IP", "The address it comes from."},
	{OPTION_INTERVAL, "interval", 'i', OPTION_HAS_VALUE, "DURATION", "Between two looks; 2s unless said otherwise, 1s at least."},
	{OPTION_TIMES, "times", 'n', OPTION_HAS_VALUE, "N", "End after so many snapshots."},
	{OPTION_SORT, "sort", 0, OPTION_HAS_VALUE, "WORD", "requests, errors, time, connections, bytes or name."},
	{OPTION_OUTPUT, "output", 'o', OPTION_HAS_VALUE, "table|json|yaml", "How to print it."},
	{OPTION_STACK, "stack", 0, OPTION_HAS_VALUE, "NAME", "Which stack; not needed where there is only one."},
	{OPTION_SERVER, "server", 0, OPTION_HAS_VALUE, "URL", "unix:PATH or http(s)://HOST:PORT; else BALLAST_SERVER, else this node's socket."},
	{OPTION_TOKEN_FILE, "token-file", 0, OPTION_HAS_VALUE, "FILE", "The token for http(s)."},
	{OPTION_HELP, "help", 'h', OPTION_HAS_NONE, NULL, "Show help."},
	{OPTION_VERSION, "version", 0, OPTION_HAS_NONE, NULL, "Show the version."},
	{0}
};

static const char exits[] =
	"Exit status: 0 done (diff: no difference), 1 refused or failed, 2 usage, 3 timed out waiting,\n"
	"4 done in part, or differences shown, 5 no answer from the API, 6 conflict.\n";
/* clang-format on */

const struct command_row *command_find(const char *name)
{
	for (const struct command_row *c = command_table; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static bool is_allowed(const struct command_row *command, const struct option_row *o)
{
	return (OPTIONS_GLOBAL & o->id) || (command && (command->options & o->id));
}

const struct option_row *option_find(
	const struct command_row *command, const char *name, size_t len)
{
	for (const struct option_row *o = option_table; o->name; o++)
		if (is_allowed(command, o) && strlen(o->name) == len &&
			memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

const struct option_row *option_find_letter(const struct command_row *command, char letter)
{
	for (const struct option_row *o = option_table; o->name; o++)
		if (is_allowed(command, o) && o->letter == letter)
			return o;
	return NULL;
}

static void print_option(const struct option_row *o, struct buf *out)
{
	char left[64];
	int len = o->letter ? snprintf(left, sizeof left, "-%c, ", o->letter)
			    : snprintf(left, sizeof left, "    ");

	len += snprintf(left + len, sizeof left - (size_t)len, "--%s", o->name);
	if (o->value)
		snprintf(left + len, sizeof left - (size_t)len,
			o->takes == OPTION_MAY_HAVE_VALUE ? "[=%s]" : " %s", o->value);
	buf_printf(out, "  %-*s %s\n", HELP_COLUMN, left, o->help);
}

static void print_options(unsigned mask, struct buf *out)
{
	for (const struct option_row *o = option_table; o->name; o++)
		if ((mask & o->id) && o->help)
			print_option(o, out);
}

void command_print_all(struct buf *out)
{
	char left[64];

	buf_add_text(out, "ballastctl: look at and steer Ballast, the load balancer.\n\n"
			  "Usage: ballastctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (const struct command_row *c = command_table; c->name; c++) {
		if (!c->help)
			continue;
		snprintf(left, sizeof left, "%s %s", c->name,
			c->id == COMMAND_EXPLAIN ? "OBJECT | KIND" : c->arguments);
		buf_printf(out, "  %-*s %s\n", HELP_COLUMN, left, c->help);
	}
	buf_add_text(out, "\nOptions for all:\n");
	print_options(OPTIONS_GLOBAL, out);
	buf_printf(out, "\n%s\nMore: ballastctl help COMMAND, ballastctl explain KIND.\n", exits);
}

void command_print_help(const struct command_row *command, struct buf *out)
{
	buf_printf(out, "Usage: ballastctl %s%s%s%s\n\n", command->name,
		*command->arguments ? " " : "", command->arguments,
		command->options ? " [OPTION...]" : "");
	if (!command->help) {
		buf_printf(out, "%s is not available in this version.\n", command->name);
		return;
	}
	buf_printf(out, "%s\n", command->help);
	if (command->more)
		buf_printf(out, "%s", command->more);
	if (command->options) {
		buf_add_text(out, "\nOptions:\n");
		print_options(command->options, out);
	}
	buf_add_text(out, "\nOptions for all:\n");
	print_options(OPTIONS_GLOBAL, out);
	buf_printf(out, "\n%s", exits);
}
