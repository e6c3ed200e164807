/* Which of two hands counts, by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "control/overlay_merge.h"

/* "drain", "ready 50", "" for none, "?" for what is no overlay. */
struct row {
	const char *local, *stored;
	bool counts;
};

static const struct row rows[] = {
	{"drain", "", true},
	{"ready", "", false},
	{"", "drain", false},
	{"?", "", false},
	{"drain", "?", true},
	{"disabled", "drain", true},
	{"drain", "disabled", false},
	{"drain", "drain", false},
	{"ready", "drain", false},
	{"maintenance", "drain", true},
	{"disabled", "maintenance", true},
	{"ready 50", "", true},
	{"ready 50", "ready 20", false},
	{"ready 20", "ready 50", true},
	{"drain 50", "ready 0", true},
	{"drain", "drain 50", false},
};

static json_t *make(const char *text)
{
	struct overlay o = {.who = "alice", .since = {1}};
	char state[16] = "";

	if (!*text)
		return NULL;
	o.has_weight = sscanf(text, "%15s %d", state, &o.weight) == 2;
	if (overlay_state_parse(state, &o.state) < 0)
		return json_object();
	return overlay_encode(&o);
}

static void the_more_restrictive_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *local = make(rows[i].local), *stored = make(rows[i].stored);

		if (overlay_local_counts(local, stored) != rows[i].counts)
			fail_msg("local \"%s\", stored \"%s\"", rows[i].local, rows[i].stored);
		json_decref(local);
		json_decref(stored);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(the_more_restrictive_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
