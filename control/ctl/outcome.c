/* See outcome.h. */
#include "control/ctl/outcome.h"

#include <string.h>

#include "control/ctl/plain.h"

enum outcome outcome_of_status(long status, bool is_document)
{
	if (status >= 200 && status < 300)
		return OUTCOME_DONE;
	if (status == 409 && is_document)
		return OUTCOME_CONFLICT;
	return OUTCOME_FAILED;
}

/* A daemon that says why it does not run the generation, rather than not having answered yet. */
static bool has_refusal(const json_t *nodes)
{
	const char *node, *daemon;
	json_t *daemons, *row;

	json_object_foreach((json_t *)nodes, node, daemons)
		json_object_foreach(daemons, daemon, row)
	{
		const char *reason = json_string_value(json_object_get(row, "reason"));

		if (reason && *reason)
			return true;
	}
	return false;
}

enum outcome outcome_of_write(const json_t *body, bool has_waited)
{
	if (!has_waited || json_is_true(json_object_get(body, "complete")))
		return OUTCOME_DONE;
	return has_refusal(json_object_get(body, "nodes")) ? OUTCOME_PARTLY : OUTCOME_TIMED_OUT;
}

static void print_error(const json_t *error, struct buf *out)
{
	const char *where = json_string_value(json_object_get(error, "where"));
	const char *what = json_string_value(json_object_get(error, "what"));

	buf_add_text(out, "  ");
	plain_add(out, where);
	buf_add_text(out, where && *where ? ": " : "");
	plain_add(out, what);
	buf_add_text(out, "\n");
}

void outcome_print_problem(long status, const json_t *body, struct buf *out)
{
	const char *detail = json_string_value(json_object_get(body, "detail"));
	const char *title = json_string_value(json_object_get(body, "title"));
	const json_t *errors = json_object_get(body, "errors"), *error;
	size_t i;

	if (detail && *detail)
		plain_add(out, detail);
	else if (title)
		plain_add(out, title);
	else
		buf_printf(out, "the API answered with status %ld and no reason", status);
	buf_add_text(out, "\n");
	json_array_foreach(errors, i, error) print_error(error, out);
}
