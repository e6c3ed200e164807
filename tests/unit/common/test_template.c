/* template: pieces of texts with variables. */
#include "common/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Pieces as "text|<variable>|text", and how it ended. */
static const char *show(const char *text)
{
	static char out[256];
	struct template_piece piece;
	size_t len = 0;
	int rc;

	while ((rc = template_next(&text, &piece)) == 0)
		len += (size_t)snprintf(out + len, sizeof out - len,
			piece.variable ? "%s<%.*s>" : "%s%.*s", len ? "|" : "", (int)piece.len,
			piece.text);
	out[len] = '\0';
	if (rc == TEMPLATE_UNKNOWN)
		snprintf(out + len, sizeof out - len, "!%.*s", (int)piece.len, piece.text);
	if (rc == TEMPLATE_UNCLOSED)
		snprintf(out + len, sizeof out - len, "unclosed");
	return out;
}

static void reads_pieces(void **state)
{
	static const struct {
		const char *text, *pieces;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"${client}", "<client>"},
		{"a${host}b${path}", "a|<host>|b|<path>"},
		{"${client_port}${proto}", "<client_port>|<proto>"},
		{"{\"a\":{}}", "{\"a\":{}}"},
		{"$5 $$ $", "$5 $$ $"},
		{"$${client}", "${|client}"},
		{"a$$${client}", "a$|${|client}"},
		{"${nobody}", "!nobody"},
		{"${}", "!"},
		{"x${client", "xunclosed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *shown = show(rows[i].text);

		assert_string_equal(shown, rows[i].pieces);
	}
	for (int v = 1; v < TEMPLATE_VARIABLES; v++)
		assert_non_null(template_variable_name((enum template_variable)v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_pieces)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
