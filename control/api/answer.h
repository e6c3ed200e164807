#pragma once
/*
 * What goes back to a client: a status, a body, a few headers. Built by the
 * resource families, sent by exchange. Errors are problem documents (RFC 9457)
 * with one sentence in detail and, where there are places, a list of
 * {where, what}. Pure.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/conf.h"

#define ANSWER_BODY_MAX (64u << 20)

enum answer_type { ANSWER_JSON, ANSWER_YAML, ANSWER_TEXT, ANSWER_METRICS, ANSWER_PROBLEM };

struct answer {
	int status; /* 0: nothing answered yet */
	enum answer_type type;
	struct buf body;
	bool has_etag;
	uint64_t etag;
	char allow[48]; /* with 405, else "" */
};

/* All of these fill an empty answer, which the caller ends with answer_fini() or gives away. */
void answer_json(
	struct answer *a, int status, json_t *body); /* takes body; NULL (no memory) becomes 500 */
void answer_yaml(struct answer *a, int status, json_t *body); /* the same as YAML */
void answer_text(struct answer *a, int status, const char *text);
void answer_problem(struct answer *a, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with the list of places: takes errors, an array of {where, what}. */
void answer_problem_list(struct answer *a, int status, json_t *errors, const char *detail);
/* 422 with all reasons why a document is refused. */
void answer_document_problems(struct answer *a, const struct conf_problems *problems);
/* 409 with all reasons why something cannot be now, and a sentence that says the way out. */
void answer_reasons(struct answer *a, const struct conf_problems *reasons, const char *detail);

void answer_set_etag(struct answer *a, uint64_t generation);
void answer_fini(struct answer *a);

const char *answer_type_text(enum answer_type t); /* the Content-Type */
