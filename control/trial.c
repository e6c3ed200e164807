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

static bool tracks(const struct conf_vip *v, const char *interface)
{
	for (size_t i = 0; i < v->track_count; i++) {
		if (v->track[i].interface && strcmp(v->track[i].interface, interface) == 0)
			return true;
	}
	return false;
}

static bool pairs(const struct conf_ha *ha, const char *interface)
{
	for (size_t i = 0; i < ha->link_pairs_count; i++) {
		const struct conf_link_pair *p = &ha->link_pairs[i];

		if (strcmp(p->ingress, interface) == 0 || strcmp(p->egress, interface) == 0)
			return true;
	}
	return false;
}

static bool is_in_use(const struct trial_site *s, const struct conf *running, const char *interface)
{
	const struct conf_instance *self = running ? conf_instance(running, s->node) : NULL;

	for (size_t i = 0; running && i < running->vips_count; i++) {
		if (strcmp(running->vips[i].interface, interface) == 0 ||
			tracks(&running->vips[i], interface))
			return true;
	}
	return self && pairs(&self->ha, interface);
}

static void judge_interface(const struct trial_site *s, const struct conf *running,
	const char *where, const char *interface, struct conf_problems *problems)
{
	if (!has_word(s->interfaces, s->interfaces_count, interface) &&
		!is_in_use(s, running, interface))
		conf_problems_add(problems, where,
			"node %s has no interface %s: create it there, or name another", s->node,
			interface);
}

static void judge_vip(const struct trial_site *s, const struct conf *running,
	const struct conf_vip *v, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 64];

	snprintf(where, sizeof where, "vips[%s].interface", v->name);
	judge_interface(s, running, where, v->interface, problems);
	for (size_t i = 0; i < v->track_count; i++) {
		snprintf(where, sizeof where, "vips[%s].track[%zu].interface", v->name, i);
		if (v->track[i].interface)
			judge_interface(s, running, where, v->track[i].interface, problems);
	}
}

static void judge_links(const struct trial_site *s, const struct conf *running,
	const struct conf_ha *ha, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 64];

	for (size_t i = 0; i < ha->link_pairs_count; i++) {
		snprintf(where, sizeof where, "instances[%s].ha.link_pairs[%zu]", s->node, i);
		judge_interface(s, running, where, ha->link_pairs[i].ingress, problems);
		judge_interface(s, running, where, ha->link_pairs[i].egress, problems);
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
	for (size_t i = 0; i < candidate->vips_count; i++)
		judge_vip(s, running, &candidate->vips[i], problems);
	judge_links(s, running, &self->ha, problems);
	snprintf(where, sizeof where, "instances[%s].ha.bypass.command", s->node);
	judge_command(s, where, self->ha.bypass.command, problems);
	return problems->count + problems->dropped > before ? -EINVAL : 0;
}
