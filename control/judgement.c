/* See judgement.h. Called by the API's revise and by keeper_ballot. */
#include "control/judgement.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "control/plan.h"
#include "control/trial.h"

#define STORE_ADDRESSES_MAX 16
#define INTERFACES_MAX 4096

static int judge_plan(const struct nodefile *n, const struct picture *p,
	const struct conf *candidate, struct conf_problems *problems)
{
	struct addr addresses[STORE_ADDRESSES_MAX];
	bool is_sqlite = strcmp(n->store, "sqlite") == 0;
	struct plan_site site = {.store_is_sqlite = is_sqlite, .store_addresses = addresses};

	if (!is_sqlite)
		site.store_addresses_count =
			plan_store_addresses(n->store, addresses, STORE_ADDRESSES_MAX);
	return plan_judge(&site, p->confs, p->confs_count, candidate, problems);
}

static size_t list_commands(const struct nodefile *n, const char **words)
{
	for (size_t i = 0; i < n->commands_count; i++)
		words[i] = n->commands[i].name;
	return n->commands_count;
}

static size_t list_interfaces(const struct if_nameindex *list, const char **words)
{
	size_t count = 0;

	for (; list[count].if_index != 0 && count < INTERFACES_MAX; count++)
		words[count] = list[count].if_name;
	return count;
}

static int judge_trial(const struct nodefile *n, const struct picture *p,
	const struct conf *candidate, struct conf_problems *problems)
{
	const struct picture_stack *s = picture_stack(p, candidate->stack);
	struct if_nameindex *list = if_nameindex();
	const char **words = calloc(n->commands_count + INTERFACES_MAX, sizeof *words);
	struct trial_site site = {.node = p->node, .commands = words};
	int rc = -ENOMEM;

	if (list && words) {
		site.commands_count = list_commands(n, words);
		site.interfaces = words + n->commands_count;
		site.interfaces_count = list_interfaces(list, words + n->commands_count);
		rc = trial_judge(&site, s ? s->conf : NULL, candidate, problems);
	} else {
		conf_problems_add(problems, "", "node %s cannot list its interfaces: try again",
			p->node);
	}
	if (list)
		if_freenameindex(list);
	free(words);
	return rc;
}

int judgement_of(const struct nodefile *n, const struct picture *p, const struct conf *candidate,
	bool is_tried, struct conf_problems *problems)
{
	judge_plan(n, p, candidate, problems);
	if (is_tried)
		judge_trial(n, p, candidate, problems);
	return problems->count + problems->dropped > 0 ? -EINVAL : 0;
}
