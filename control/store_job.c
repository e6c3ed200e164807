/* See store_job.h. Used by store.c, the scripts and both bodies; no input or output here. */
#include "control/store_job.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *store_rows_text(const struct store_rows *rows, size_t row, size_t column)
{
	const char *text = rows->cell(rows, row, column);

	return text ? text : "";
}

int64_t store_rows_number(const struct store_rows *rows, size_t row, size_t column)
{
	return strtoll(store_rows_text(rows, row, column), NULL, 10);
}

static void blocks_free(struct store_block **blocks)
{
	while (*blocks) {
		struct store_block *b = *blocks;

		*blocks = b->next;
		json_decref(b->json);
		free(b);
	}
}

static void fail(struct store_job *j, const char *why)
{
	if (!j->has_failed)
		snprintf(j->why_text, sizeof j->why_text, "%s", why);
	j->has_failed = true;
}

static struct store_block *block_new(struct store_job *j, struct store_block **blocks, size_t size)
{
	struct store_block *b = calloc(1, sizeof *b + size);

	if (!b) {
		fail(j, "the control daemon is out of memory");
		return NULL;
	}
	b->next = *blocks;
	*blocks = b;
	return b;
}

struct store_job *store_job_new(const struct store_script *script)
{
	struct store_job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	list_init(&j->link);
	j->script = script;
	j->request = j->fingerprint = j->who = j->why = j->action = j->stack = j->object =
		j->value = j->digest = j->node_id = j->node = j->asked = "";
	store_job_restart(j);
	return j;
}

void store_job_free(struct store_job *j)
{
	if (!j)
		return;
	blocks_free(&j->blocks);
	blocks_free(&j->kept);
	json_decref(j->events);
	free(j);
}

static const char *text_copy(struct store_job *j, struct store_block **blocks, const char *text)
{
	size_t len = strlen(text);
	struct store_block *b = block_new(j, blocks, len + 1);

	if (!b)
		return "";
	memcpy(b + 1, text, len + 1);
	return (const char *)(b + 1);
}

const char *store_job_keep(struct store_job *j, const char *text)
{
	return text ? text_copy(j, &j->kept, text) : "";
}

void store_job_restart(struct store_job *j)
{
	blocks_free(&j->blocks);
	j->answer = (struct store_answer){.outcome = STORE_OK, .why = ""};
	j->step = j->at = 0;
	j->revision = j->event_id = 0;
	j->notice[0] = '\0';
	j->has_failed = false;
}

enum store_step store_job_step(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	size_t step = j->step++;
	enum store_step next;

	assert(step < STORE_STEPS_MAX && j->script->steps[step]);
	*ret = (struct store_statement){0};
	next = j->script->steps[step](j, rows, ret);
	if (!j->has_failed)
		return next;
	j->answer.outcome = STORE_AWAY;
	j->answer.why = j->why_text;
	return STORE_STEP_ROLLBACK;
}

void *store_job_array(struct store_job *j, size_t count, size_t size)
{
	struct store_block *b = block_new(j, &j->blocks, count * size);

	return b ? b + 1 : NULL;
}

const char *store_job_text(struct store_job *j, const char *text)
{
	return text_copy(j, &j->blocks, text ? text : "");
}

const json_t *store_job_json(struct store_job *j, const char *text)
{
	struct store_block *b;
	json_error_t error;

	if (!text)
		return NULL;
	b = block_new(j, &j->blocks, 0);
	if (!b)
		return NULL;
	b->json = json_loads(text, JSON_DECODE_ANY, &error);
	if (!b->json)
		fail(j, "a row of the store holds no JSON where it should: was it changed by "
			"hand?");
	return b->json;
}

const char *store_job_number(struct store_job *j, size_t slot, int64_t number)
{
	assert(slot < sizeof j->numbers / sizeof *j->numbers);
	snprintf(j->numbers[slot], sizeof j->numbers[slot], "%" PRId64, number);
	return j->numbers[slot];
}

enum store_step store_job_refuse(
	struct store_job *j, enum store_outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(j->why_text, sizeof j->why_text, format, args);
	va_end(args);
	j->answer.outcome = outcome;
	j->answer.why = j->why_text;
	return STORE_STEP_ROLLBACK;
}

enum store_step store_run(struct store_statement *ret, const char *sql, ...)
{
	const char *parameter;
	va_list args;

	ret->sql = sql;
	va_start(args, sql);
	while ((parameter = va_arg(args, const char *))) {
		assert(ret->count < STORE_PARAMETERS_MAX);
		ret->parameters[ret->count++] = parameter;
	}
	va_end(args);
	return STORE_STEP_RUN;
}
