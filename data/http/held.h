#pragma once
/*
 * Shell: the response of one server put aside while another is asked, as
 * another.h decides. It is held only when it is small and whole; then it can be
 * given to the client as an answer of our own, whatever became of the others.
 * Embedded in struct request.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"

struct client;
struct io_buffer;

struct held {
	struct io_buffer *bytes; /* head and content; NULL: nothing is held */
	uint16_t status, content_len;
	char server[CONF_NAME_SIZE];
};

enum held_outcome {
	HELD_PASS, /* the response goes on to the client */
	HELD_MORE, /* more of it is to be received first */
	HELD_TOLD  /* the exchange was told: nothing is left to do with it */
};

/* The final head in c->request->response is whole, and its body may have begun to come. */
enum held_outcome held_weigh(struct client *c);
/* What is held is the answer: true when there is something, and the exchange was told. */
bool held_answer(struct client *c);
/* Writes it to out (HEAD_SIZE bytes) when it is the answer: its length; 0: it is not. */
size_t held_write(struct client *c, char *out);
void held_drop(struct client *c);
