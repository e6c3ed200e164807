/* See bypass.h. */
#include "vrrpd/bypass.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

#define RETRY_MS 10000
#define ARGUMENTS_MAX 64
#define BRIDGES_MAX 64

struct bypass {
	struct netlink *netlink;
	const struct nodefile *nodefile;
	uv_loop_t *loop;
	bool is_forwarding;
	bool is_commanded; /* by a command: its `off` ends it */
	char command[CONF_NAME_SIZE];
	struct mono retry_at;
	uv_process_t process; /* of a command under way */
	bool is_running, is_turning_on, is_closing;
};

static void bridge_name(size_t number, char name[IF_NAMESIZE])
{
	snprintf(name, IF_NAMESIZE, "ballast-by%zu", number);
}

static const struct nodefile_command *find_command(const struct nodefile *n, const char *name)
{
	for (size_t i = 0; name && i < n->commands_count; i++)
		if (strcmp(n->commands[i].name, name) == 0)
			return &n->commands[i];
	return NULL;
}

/* Bridges that a process before us left behind are known by their names. */
static size_t bridges_count(const struct bypass *b)
{
	struct netlink_link l;
	char name[IF_NAMESIZE];
	size_t count = 0;

	for (; count < BRIDGES_MAX; count++) {
		bridge_name(count, name);
		if (netlink_link_read(b->netlink, name, &l) < 0)
			break;
	}
	return count;
}

int bypass_open(
	uv_loop_t *loop, struct netlink *n, const struct nodefile *nodefile, struct bypass **ret)
{
	struct bypass *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	b->loop = loop;
	b->netlink = n;
	b->nodefile = nodefile;
	b->is_forwarding = bridges_count(b) > 0;
	*ret = b;
	return 0;
}

void bypass_close(struct bypass *b)
{
	if (!b)
		return;
	b->is_closing = true;
	if (!b->is_running)
		free(b);
}

const char *bypass_refuse(const struct nodefile *nodefile, const struct conf_ha *ha, char text[256])
{
	const char *name = ha->bypass.command;

	if (ha->bypass.driver != CONF_BYPASS_COMMAND || find_command(nodefile, name))
		return NULL;
	snprintf(text, 256,
		"ha.bypass.command: this node's file has no command %.64s: add it under commands",
		name ? name : "?");
	return text;
}

/* ---- bridges ---- */

static int pair_join(struct bypass *b, size_t number, const struct conf_link_pair *pair)
{
	const char *ends[] = {pair->ingress, pair->egress};
	struct netlink_link bridge, end;
	char name[IF_NAMESIZE];
	int rc;

	bridge_name(number, name);
	rc = netlink_bridge_add(b->netlink, name);
	if (rc == 0)
		rc = netlink_link_read(b->netlink, name, &bridge);
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		rc = netlink_link_read(b->netlink, ends[i], &end);
		if (rc == 0)
			rc = netlink_master_set(b->netlink, end.index, bridge.index);
	}
	return rc == 0 ? netlink_up_set(b->netlink, bridge.index, true) : rc;
}

/* Ports go back to being links of their own with their bridge. */
static int bridges_remove(struct bypass *b)
{
	int rc = 0;

	for (size_t i = bridges_count(b); i > 0; i--) {
		char name[IF_NAMESIZE];
		int one;

		bridge_name(i - 1, name);
		one = netlink_link_remove(b->netlink, name);
		rc = one < 0 ? one : rc;
	}
	return rc;
}

static int bridges_make(struct bypass *b, const struct conf_ha *ha)
{
	for (size_t i = 0; i < ha->link_pairs_count && i < BRIDGES_MAX; i++) {
		int rc = pair_join(b, i, &ha->link_pairs[i]);

		if (rc < 0) {
			log_error("bypass: %s and %s cannot be joined: %s",
				ha->link_pairs[i].ingress, ha->link_pairs[i].egress, strerror(-rc));
			bridges_remove(b);
			return rc;
		}
	}
	return 0;
}

/* ---- commands ---- */

static void command_gone(uv_handle_t *handle)
{
	struct bypass *b = handle->data;

	b->is_running = false;
	if (b->is_closing)
		free(b);
}

static void command_ended(uv_process_t *process, int64_t status, int signal)
{
	struct bypass *b = process->data;
	const char *word = b->is_turning_on ? "on" : "off";

	if (status == 0 && signal == 0) {
		b->is_forwarding = b->is_turning_on;
		b->is_commanded = b->is_turning_on;
		b->retry_at = (struct mono){0};
		log_warn("bypass: command %s %s is done", b->command, word);
	} else {
		log_error("bypass: command %s %s failed with %s %d", b->command, word,
			signal ? "signal" : "status", signal ? signal : (int)status);
	}
	uv_close((uv_handle_t *)process, command_gone);
}

static int command_run(struct bypass *b, bool is_on)
{
	const struct nodefile_command *c = find_command(b->nodefile, b->command);
	char *argv[ARGUMENTS_MAX + 2], word[8];
	uv_process_options_t options = {.exit_cb = command_ended, .args = argv};
	size_t n = 0;
	int rc;

	if (!c)
		return -ENOENT;
	for (; c->argv[n] && n < ARGUMENTS_MAX; n++)
		argv[n] = (char *)(uintptr_t)c->argv[n];
	snprintf(word, sizeof word, "%s", is_on ? "on" : "off");
	argv[n] = word;
	argv[n + 1] = NULL;
	options.file = argv[0];
	b->is_turning_on = is_on;
	b->process.data = b;
	rc = uv_spawn(b->loop, &b->process, &options);
	b->is_running = true;
	if (rc < 0)
		uv_close((uv_handle_t *)&b->process, command_gone);
	return rc;
}

/* ---- what is wanted ---- */

static int turn_on(struct bypass *b, const struct conf_ha *ha)
{
	int rc;

	switch ((enum conf_bypass_driver)ha->bypass.driver) {
	case CONF_BYPASS_NONE:
		return 0;
	case CONF_BYPASS_BRIDGE:
		rc = bridges_make(b, ha);
		b->is_forwarding = rc == 0;
		if (rc == 0)
			log_warn("bypass: %zu link pairs are bridged", ha->link_pairs_count);
		return rc;
	case CONF_BYPASS_COMMAND:
		snprintf(b->command, sizeof b->command, "%s", ha->bypass.command);
		return command_run(b, true);
	}
	return 0;
}

static int turn_off(struct bypass *b)
{
	int rc;

	if (b->is_commanded)
		return command_run(b, false);
	rc = bridges_remove(b);
	b->is_forwarding = rc < 0;
	if (rc == 0)
		log_info("bypass: no link pair is bridged any more");
	return rc;
}

void bypass_want(struct bypass *b, const struct conf_ha *ha, bool is_forwarding, struct mono now)
{
	bool is_wanted = is_forwarding && ha && ha->bypass.driver != CONF_BYPASS_NONE;
	int rc;

	if (b->is_running || is_wanted == b->is_forwarding)
		return;
	if (b->retry_at.ns && !mono_reached(b->retry_at, now))
		return;
	b->retry_at = mono_add_ms(now, RETRY_MS);
	rc = is_wanted ? turn_on(b, ha) : turn_off(b);
	if (rc < 0)
		log_error("bypass: cannot be turned %s: %s; tried again in %d s",
			is_wanted ? "on" : "off", strerror(-rc), RETRY_MS / 1000);
	else if (!b->is_running)
		b->retry_at = (struct mono){0};
}

bool bypass_is_forwarding(const struct bypass *b)
{
	return b->is_forwarding;
}
