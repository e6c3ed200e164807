/* exchange_end: the matrix of our own answers, as operators read it in data/http/README.md. */
#include "data/http/exchange_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/conf.h"
#include "data/figures.h"
#include "data/http/h1_fault.h"
#include "data/http/head.h"

#define README_MAX 262144

static char *read_readme(void)
{
	char path[512], *text = calloc(1, README_MAX);
	FILE *f;

	snprintf(path, sizeof path, "%s", __FILE__);
	*strstr(path, "tests/unit/") = '\0';
	strcat(path, "data/http/README.md");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_in_range(fread(text, 1, README_MAX, f), 1, README_MAX - 1);
	fclose(f);
	return text;
}

static void assert_in_readme(const char *table)
{
	char *text = read_readme();

	if (!strstr(text, table)) {
		fputs(table, stderr); /* cmocka cuts long messages short */
		fail_msg("data/http/README.md should contain the table above");
	}
	free(text);
}

static void ends_are_in_the_readme(void **state)
{
	char table[16384] = "| `end` | status | cause | when |\n|---|---|---|---|\n";

	(void)state;
	for (int e = EXCHANGE_END_OK; e < EXCHANGE_ENDS; e++) {
		enum exchange_end end = (enum exchange_end)e;
		int cell = exchange_end_cell(end), status = exchange_end_status(end);
		const char *cause = cell < 0 ? NULL : figures_cause((unsigned)cell);
		char number[12] = "";

		assert_true(*exchange_end_why(end));
		assert_true(end == EXCHANGE_END_OK || cause);
		if (status)
			snprintf(number, sizeof number, "%d", status);
		sprintf(table + strlen(table), "| `%s` | %s | %s | %s |\n", exchange_end_name(end),
			number, cause ? cause : "", exchange_end_why(end));
	}
	assert_in_readme(table);
}

/* "400: `bare-cr` `bare-lf` …", by status. */
static void faults_are_in_the_readme(void **state)
{
	char table[8192] = "| status | faults |\n|---|---|\n";

	(void)state;
	for (int status = 400; status < 600; status++) {
		size_t begin = strlen(table), empty;

		sprintf(table + begin, "| %d |", status);
		empty = strlen(table);
		for (int f = H1_FAULT_NONE + 1; f < H1_FAULTS; f++)
			if (h1_fault_status((enum h1_fault)f) == status)
				sprintf(table + strlen(table), " `%s`",
					h1_fault_name((enum h1_fault)f));
		if (strlen(table) == empty)
			table[begin] = '\0';
		else
			strcat(table, " |\n");
	}
	assert_in_readme(table);
}

/* Every status that we answer an error with has a phrase, and may have a page of the operator's. */
static void every_status_can_have_a_page(void **state)
{
	char text[512];
	int statuses[EXCHANGE_ENDS + H1_FAULTS], count = 0;

	(void)state;
	for (int e = EXCHANGE_END_OK + 1; e < EXCHANGE_ENDS; e++)
		statuses[count++] = exchange_end_status((enum exchange_end)e);
	for (int f = H1_FAULT_NONE + 1; f < H1_FAULTS; f++)
		statuses[count++] = h1_fault_status((enum h1_fault)f);
	for (int i = 0; i < count; i++) {
		struct conf_problems problems = {0};
		struct conf *c;
		int len;

		if (!statuses[i])
			continue;
		len = snprintf(text, sizeof text,
			"stack: s\npools: [{name: p, protocol: http}]\nlisteners: [{name: l, bind: "
			"[\"*:80\"], protocol: http, pool: p, error_pages: {\"%d\": x}}]\n",
			statuses[i]);
		if (conf_parse(text, (size_t)len, CONF_YAML, &problems, &c) < 0)
			fail_msg("%d: %s", statuses[i], problems.items[0].what);
		assert_string_not_equal(head_reason(statuses[i]), "Error");
		conf_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_in_the_readme),
		cmocka_unit_test(faults_are_in_the_readme),
		cmocka_unit_test(every_status_can_have_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
