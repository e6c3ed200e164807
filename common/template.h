#pragma once
/*
 * Texts with variables, as header edits and redirects have them: "${client}"
 * stands for the client's address; "$${" is the text "${"; any other "$" is
 * itself. (Braces alone mean nothing, so that JSON in a header needs no
 * escapes.) This reads them, piece by piece; what a variable is worth is
 * known where requests are (data/http/rewrite.h). Pure.
 */
#include <stdbool.h>
#include <stddef.h>

enum template_variable {
	TEMPLATE_TEXT, /* no variable: the text itself */
	TEMPLATE_CLIENT,
	TEMPLATE_CLIENT_PORT,
	TEMPLATE_HOST,
	TEMPLATE_LISTENER,
	TEMPLATE_METHOD,
	TEMPLATE_PATH,
	TEMPLATE_PROTO,
	TEMPLATE_QUERY,
	TEMPLATE_REQUEST_ID,
	TEMPLATE_ROUTE,
	TEMPLATE_SERVER,
	TEMPLATE_VARIABLES
};

struct template_piece {
	enum template_variable variable;
	const char *text; /* borrowed: the text, or the variable's name */
	size_t len;
};

/* Positive outcomes of template_next(). */
#define TEMPLATE_END 1
#define TEMPLATE_UNKNOWN 2  /* there is no such variable: ret is its name */
#define TEMPLATE_UNCLOSED 3 /* "${" without "}" */

/* The next piece from *at, never an empty text: 0, or one of the above. */
int template_next(const char **at, struct template_piece *ret);

/* "client"; NULL for TEMPLATE_TEXT. */
const char *template_variable_name(enum template_variable v);
