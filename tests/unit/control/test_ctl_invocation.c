/* ctl/invocation: what arguments mean, and what is said when they mean nothing. */
#include "control/ctl/invocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define WORDS_MAX 12

static enum invocation_fault parse(
	const char *const *words, struct invocation *in, char why[INVOCATION_WHY_SIZE])
{
	char *argv[WORDS_MAX];
	int argc = 0;

	for (; words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	return invocation_parse(argc, argv, in, why);
}

static void refuses_with_a_way_out(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		enum invocation_fault fault;
		const char *why;
	} rows[] = {
		{{NULL}, INVOCATION_USAGE, "ballastctl help"},
		{{"stauts"}, INVOCATION_USAGE, "did you mean status?"},
		{{"xyzzy"}, INVOCATION_USAGE, "ballastctl help"},
		{{"status", "extra"}, INVOCATION_USAGE, "usage: ballastctl status"},
		{{"status", "--wat"}, INVOCATION_USAGE, "unknown option --wat"},
		{{"drain", "web/w1", "--wiat"}, INVOCATION_USAGE, "did you mean --wait?"},
		{{"status", "--wait"}, INVOCATION_USAGE, "unknown option --wait"},
		{{"status", "-o", "xml"}, INVOCATION_USAGE, "table, json or yaml"},
		{{"status", "-o"}, INVOCATION_USAGE, "-o needs a value"},
		{{"status", "--output"}, INVOCATION_USAGE, "--output needs a value"},
		{{"apply"}, INVOCATION_USAGE, "apply needs -f FILE"},
		{{"apply", "-f"}, INVOCATION_USAGE, "-f needs a value"},
		{{"apply", "-f", "x", "--dry-run=1"}, INVOCATION_USAGE, "takes no value"},
		{{"drain"}, INVOCATION_USAGE, "usage: ballastctl drain POOL/SERVER"},
		{{"drain", "web/w1", "--for", "5"}, INVOCATION_USAGE, "needs a duration"},
		{{"drain", "web/w1", "--wait=soon"}, INVOCATION_USAGE, "needs a duration"},
		{{"drain", "web/w1", "--wait=9d"}, INVOCATION_USAGE, "at most 1d"},
		{{"weight", "web/w1"}, INVOCATION_USAGE, "usage: ballastctl weight POOL/SERVER N"},
		{{"move"}, INVOCATION_USAGE, "usage: ballastctl move VIP NODE | VIP --clear"},
		{{"join", "lb-b"}, INVOCATION_LATER,
			"join is not available in this version"},
		{{"apply", "-f", "x", "--confirm-within", "soon"}, INVOCATION_USAGE,
			"--confirm-within needs a duration"},
		{{"confirm", "--skip", "lb-a"}, INVOCATION_USAGE, "unknown option --skip"},
		{{"rollback", "3", "--skip", "LB"}, INVOCATION_USAGE, "needs the name of a node"},
		{{"move", "web", "lb-a", "--local"}, INVOCATION_USAGE, "unknown option --local"},
		{{"explain", "listener", "www", "/", "--header", "x"}, INVOCATION_USAGE,
			"NAME: VALUE"},
		{{"status", "--method", "GET"}, INVOCATION_USAGE, "unknown option --method"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[INVOCATION_WHY_SIZE];
		struct invocation in;

		assert_int_equal(parse(rows[i].words, &in, why), rows[i].fault);
		if (!strstr(why, rows[i].why))
			fail_msg("row %zu says: %s", i, why);
	}
}

static void reads_options_anywhere(void **state)
{
	static const char *const words[] = {"--server", "unix:/x", "drain", "-o", "json", "web/w1",
		"--why=kernel update", "--for", "30m", "--wait", "10s", "--force", NULL};
	char why[INVOCATION_WHY_SIZE];
	struct invocation in;

	(void)state;
	assert_int_equal(parse(words, &in, why), INVOCATION_GOOD);
	assert_int_equal(in.command->id, COMMAND_DRAIN);
	assert_string_equal(in.server, "unix:/x");
	assert_string_equal(in.arguments[0], "web/w1");
	assert_string_equal(in.why, "kernel update");
	assert_string_equal(in.expires_in, "30m");
	assert_int_equal(in.wait_ms, 10000);
	assert_int_equal(in.output, OUTPUT_JSON);
	assert_true(in.options & OPTION_FORCE);
}

static void reads_files_and_joined_letters(void **state)
{
	static const char *const apply[] = {
		"apply", "-fa.yaml", "b.yaml", "--wait", "-f", "-", NULL};
	static const char *const events[] = {"events", "-f", "-ojson", NULL};
	static const char *const dashes[] = {"get", "--", "servers", "-x", NULL};
	char why[INVOCATION_WHY_SIZE];
	struct invocation in;

	(void)state;
	assert_int_equal(parse(apply, &in, why), INVOCATION_GOOD);
	assert_int_equal(in.files_count, 3);
	assert_string_equal(in.files[0], "a.yaml");
	assert_string_equal(in.files[1], "b.yaml");
	assert_string_equal(in.files[2], "-");
	assert_int_equal(in.wait_ms, INVOCATION_WAIT_DEFAULT_MS);
	assert_int_equal(parse(events, &in, why), INVOCATION_GOOD);
	assert_true(in.options & OPTION_FOLLOW);
	assert_int_equal(in.files_count, 0);
	assert_int_equal(in.output, OUTPUT_JSON);
	assert_int_equal(parse(dashes, &in, why), INVOCATION_GOOD);
	assert_string_equal(in.arguments[1], "-x");
}

static void every_command_has_a_page(void **state)
{
	struct buf page;

	(void)state;
	buf_init(&page, 65536);
	for (const struct command_row *c = command_table; c->name; c++) {
		buf_clear(&page);
		command_print_help(c, &page);
		assert_non_null(strstr(buf_text(&page), c->name));
		assert_ptr_equal(command_find(c->name), c);
	}
	command_print_all(&page);
	assert_false(page.failed);
	buf_fini(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_with_a_way_out),
		cmocka_unit_test(reads_options_anywhere),
		cmocka_unit_test(reads_files_and_joined_letters),
		cmocka_unit_test(every_command_has_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
