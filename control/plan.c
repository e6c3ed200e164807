/* See plan.h. */
#include "control/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_other(const struct conf *stack, const struct conf *candidate)
{
	return stack && strcmp(stack->stack, candidate->stack) != 0;
}

static void judge_instances(
	const struct conf *other, const struct conf *candidate, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 16];

	for (size_t i = 0; i < candidate->instances_count; i++) {
		const char *name = candidate->instances[i].name;

		if (!conf_instance(other, name))
			continue;
		snprintf(where, sizeof where, "instances[%s]", name);
		conf_problems_add(problems, where,
			"is in stack %s already: an instance belongs to one stack; remove it there "
			"first",
			other->stack);
	}
	if (other->instances_count == 0 && candidate->instances_count == 0)
		conf_problems_add(problems, "instances",
			"are required: stack %s has none either, and serves every node that no "
			"stack lists",
			other->stack);
}

/* SQLite is one node's file: what another node would have to know is not there. */
static void judge_sqlite(const struct conf *const *stacks, size_t count,
	const struct conf *candidate, struct conf_problems *problems)
{
	size_t instances = candidate->instances_count;

	for (size_t i = 0; i < count; i++)
		instances += is_other(stacks[i], candidate) ? stacks[i]->instances_count : 0;
	if (candidate->instances_count > 0 && instances > 1)
		conf_problems_add(problems, "instances",
			"are %zu in all, and more than one needs a store that they share: set "
			"store: "
			"postgresql://… in their node files",
			instances);
}

static void judge_store(
	const struct plan_site *site, const struct conf_vip *vip, struct conf_problems *problems)
{
	char where[CONF_NAME_SIZE + 32], text[ADDR_TEXT_SIZE];

	snprintf(where, sizeof where, "vips[%s].addresses", vip->name);
	for (size_t i = 0; i < vip->addresses_count; i++) {
		for (size_t j = 0; j < site->store_addresses_count; j++) {
			if (!addr_is_same_ip(&vip->addresses[i].addr, &site->store_addresses[j]))
				continue;
			conf_problems_add(problems, where,
				"%s is where the store is: the cluster would need itself to start; "
				"set "
				"store_through_self: true to allow it",
				addr_print_ip(&site->store_addresses[j], text));
		}
	}
}

int plan_judge(const struct plan_site *site, const struct conf *const *stacks, size_t count,
	const struct conf *candidate, struct conf_problems *problems)
{
	size_t before = problems->count + problems->dropped;

	for (size_t i = 0; i < count; i++) {
		if (is_other(stacks[i], candidate))
			judge_instances(stacks[i], candidate, problems);
	}
	if (site->store_is_sqlite)
		judge_sqlite(stacks, count, candidate, problems);
	for (size_t i = 0; i < candidate->vips_count && !candidate->store_through_self; i++)
		judge_store(site, &candidate->vips[i], problems);
	return problems->count + problems->dropped > before ? -EINVAL : 0;
}

const struct conf *plan_serving(const struct conf *const *stacks, size_t count, const char *node)
{
	const struct conf *open = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!stacks[i])
			continue;
		if (conf_instance(stacks[i], node))
			return stacks[i];
		if (stacks[i]->instances_count == 0 && !open)
			open = stacks[i];
	}
	return open;
}

struct conf *plan_nothing(uint64_t generation)
{
	json_t *document = json_pack("{ss}", "stack", "none");
	struct conf_problems problems = {0};
	struct conf *c = NULL;

	if (document && conf_from_json(document, &problems, &c) == 0)
		conf_set_generation(c, generation);
	conf_problems_fini(&problems);
	json_decref(document);
	return c;
}

const char *plan_daemon_name(enum plan_daemon d)
{
	static const char *const names[] = {"data", "vrrpd", "healthd"};

	assert(d < PLAN_DAEMONS);
	return names[d];
}

/* Who is told what of a document; sections that are not here go to all. */
static const struct {
	const char *section;
	unsigned daemons;
} audiences[] = {
	{"vips", 1u << PLAN_VRRPD},
	{"listeners", 1u << PLAN_DATA | 1u << PLAN_VRRPD},
	{"checks", 1u << PLAN_HEALTHD | 1u << PLAN_VRRPD},
	{"secrets", 1u << PLAN_HEALTHD},
};

/* Private keys are data's alone (B4); certificates without them go to all, to verify by. */
static int drop_keys(json_t *document)
{
	json_t *list = json_copy(json_object_get(document, "certificates")), *entry;
	size_t i;
	int rc = 0;

	json_array_foreach (list, i, entry) {
		json_t *bare = json_copy(entry);

		json_object_del(bare, "key_pem");
		rc |= json_array_set_new(list, i, bare);
	}
	return list && (rc || json_object_set_new(document, "certificates", list)) ? -ENOMEM : 0;
}

int plan_project(struct conf *conf, enum plan_daemon daemon, struct conf **ret)
{
	json_t *document = json_copy(
		(json_t *)(uintptr_t)conf_document(conf)); /* shares the sections */
	struct conf_problems problems = {0};
	struct conf *c = NULL;
	int rc = document ? 0 : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < sizeof audiences / sizeof *audiences; i++) {
		if (!(audiences[i].daemons & 1u << daemon))
			json_object_del(document, audiences[i].section);
	}
	if (rc == 0 && daemon != PLAN_DATA)
		rc = drop_keys(document);
	if (rc == 0)
		rc = conf_from_json(document, &problems, &c);
	conf_problems_fini(&problems);
	json_decref(document);
	if (rc < 0)
		return rc;
	conf_set_generation(c, conf->generation);
	*ret = c;
	return 0;
}

/* One host of the list, "10.0.0.5:5432", "[fd00::5]" or a name. */
static size_t take_host(
	const char *text, size_t len, struct addr *addresses, size_t count, size_t max)
{
	char host[ADDR_TEXT_SIZE];
	const char *end;

	if (len > 0 && text[0] == '[') {
		end = memchr(text, ']', len);
		text++;
		len = end ? (size_t)(end - text) : 0;
	} else if ((end = memchr(text, ':', len)) &&
		   !memchr(end + 1, ':', len - (size_t)(end + 1 - text))) {
		len = (size_t)(end - text);
	}
	if (len == 0 || len >= sizeof host || count == max)
		return count;
	memcpy(host, text, len);
	host[len] = '\0';
	return addr_parse_ip(host, &addresses[count]) == 0 ? count + 1 : count;
}

static size_t take_list(
	const char *text, size_t len, struct addr *addresses, size_t count, size_t max)
{
	while (len > 0) {
		const char *comma = memchr(text, ',', len);
		size_t one = comma ? (size_t)(comma - text) : len;

		count = take_host(text, one, addresses, count, max);
		one += comma ? 1 : 0;
		text += one;
		len -= one;
	}
	return count;
}

size_t plan_store_addresses(const char *uri, struct addr *addresses, size_t max)
{
	const char *begin = strstr(uri, "://"), *query = strchr(uri, '?'), *at;
	size_t count = 0, len;

	if (!begin)
		return 0;
	begin += 3;
	len = strcspn(begin, "/?");
	at = memrchr(begin, '@', len);
	if (at) {
		len -= (size_t)(at + 1 - begin);
		begin = at + 1;
	}
	count = take_list(begin, len, addresses, count, max);
	/* The same may be said by parameters, which libpq prefers. */
	for (; query; query = strchr(query + 1, '&')) {
		const char *value = strchr(query, '=');

		if (strncmp(query + 1, "host=", 5) != 0 && strncmp(query + 1, "hostaddr=", 9) != 0)
			continue;
		count = take_list(value + 1, strcspn(value + 1, "&"), addresses, count, max);
	}
	return count;
}
