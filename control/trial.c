/* See trial.h. Called by judgement, a shell that knows the node. */
#include "control/trial.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has_word(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static void judge_command(const struct trial_site *s, const char *where, const char *command,
	struct conf_problems *problems)
{
	if (command && !has_word(s->commands, s->commands_count, command))
		conf_problems_add(problems, where,
			"node %s has no command %s: name it under commands: in its node file",
			s->node, command);
}

static bool is_in_use(const struct conf *running, const char *interface)
{
	for (size_t i = 0; running && i < running->vips_count; i++) {
		if (strcmp(running->vips[i].interface, interface) == 0)
			return true;
	}
	return false;
}

static void judge_vips(const struct trial_site *s, const struct conf *running,
	const struct conf *c, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 32];

	for (size_t i = 0; i < c->vips_count; i++) {
		const char *interface = c->vips[i].interface;

		if (has_word(s->interfaces, s->interfaces_count, interface) ||
			is_in_use(running, interface))
			continue;
		snprintf(where, sizeof where, "vips[%s].interface", c->vips[i].name);
		conf_problems_add(problems, where,
			"node %s has no interface %s: create it there, or name another", s->node,
			interface);
	}
}

int trial_judge(const struct trial_site *s, const struct conf *running,
	const struct conf *candidate, struct conf_problems *problems)
{
	const struct conf_instance *self = conf_instance(candidate, s->node);
	size_t before = problems->count + problems->dropped;
	char where[CONF_NAME_SIZE + 32];

	if (!self || self->ha.mode == CONF_HA_OFF)
		return 0;
	judge_vips(s, running, candidate, problems);
	snprintf(where, sizeof where, "instances[%s].ha.bypass.command", s->node);
	judge_command(s, where, self->ha.bypass.command, problems);
	return problems->count + problems->dropped > before ? -EINVAL : 0;
}
