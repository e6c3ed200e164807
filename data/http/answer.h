#pragma once
/*
 * Shell: an answer of our own to a client: what its route says (redirect,
 * respond), or an error with the listener's page or a line of text.
 */
#include <stddef.h>

struct client;

/* Writes what the exchange wants answered to out, HEAD_SIZE bytes; returns its length. */
size_t answer_write(struct client *c, char *out);
