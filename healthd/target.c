/* See target.h. */
#include "healthd/target.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "healthd/roster.h"

struct target *target_new(struct roster *r, struct conf *conf, const char *key,
	const struct conf_check *check, const char *address_text)
{
	struct target *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	assert(strlen(key) < sizeof t->key);
	snprintf(t->key, sizeof t->key, "%s", key);
	t->roster = r;
	t->conf = conf_ref(conf);
	t->check = check;
	t->address_text = address_text;
	verdict_init(&t->verdict, wall_now());
	return t;
}

void target_free(struct target *t)
{
	if (!t)
		return;
	if (t->probe)
		probe_cancel(t->probe);
	resolver_remove(t->name);
	conf_unref(t->conf);
	free(t);
}

static void target_on_found(void *user, const struct addr *address, const char *why)
{
	struct target *t = user;
	struct verdict_row *row = &t->verdict.row;
	bool is_new;

	if (!address) {
		if (row->has_address || !t->check)
			return;
		/* Without any address nothing can be measured: that is a failed check like another.
		 */
		roster_take_finding(
			t->roster, t, &(struct probe_finding){.result = VERDICT_FAILED}, why);
		return;
	}
	is_new = !row->has_address || !addr_is_equal(&row->address, address);
	t->address = row->address = *address;
	row->has_address = true;
	if (is_new)
		roster_publish(t->roster, t);
}

void target_start(struct target *t)
{
	if (!addr_parse_port(t->address_text, &t->address))
		return;
	t->name = resolver_add(roster_resolver(t->roster), t->address_text, target_on_found, t);
	if (!t->name)
		log_error("target=%s %s cannot be looked up", t->key, LOG_Q(t->address_text));
}

bool target_adopt(struct target *t, struct target *next)
{
	bool is_same = t->definition == next->definition;
	struct conf *conf = t->conf;

	if (!is_same && t->probe) {
		probe_cancel(t->probe);
		roster_probe_ended(t->roster, t);
	}
	/* A probe under way keeps the check of the old snapshot in use until it ends: they are
	 * equal. */
	if (is_same && t->probe)
		return false;
	t->conf = conf_ref(next->conf);
	conf_unref(conf);
	t->check = next->check;
	t->address_text = next->address_text;
	t->definition = next->definition;
	if (!is_same)
		verdict_restart(&t->verdict);
	return !is_same;
}

static void target_on_finding(void *user, const struct probe_finding *finding)
{
	struct target *t = user;

	roster_probe_ended(t->roster, t);
	roster_take_finding(t->roster, t, finding, NULL);
}

bool target_probe(struct target *t)
{
	struct addr to = t->address;

	assert(!t->probe && t->check);
	if (t->name && !t->verdict.row.has_address)
		return false;
	if (t->check->port)
		addr_set_port(&to, (uint16_t)t->check->port);
	t->is_excused = false;
	t->probe = probe_start(
		roster_loop(t->roster), t->check, &to, t->address_text, target_on_finding, t);
	return t->probe != NULL;
}
