#pragma once
/*
 * Shell: a configuration snapshot and its table of slots as sealed memfds: how
 * generations travel between the processes of the data wing. Whoever receives
 * one can map it, pass it on, and be sure that nobody changes it meanwhile.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"
#include "data/board.h"

/* A sealed memfd with these bytes: the descriptor, or a negative errno. */
int snapshot_seal(const char *name, const void *data, size_t len);
/* conf_encode() as text in a sealed memfd: the descriptor, or a negative errno. */
int snapshot_write(const struct conf *c);
/*
 * Reads one that the agent has judged (borrows fd): 0 and an owned snapshot, or a negative errno and a
 * sentence in why. An unsealed descriptor and one beyond twice CONF_DOCUMENT_MAX are refused.
 */
int snapshot_read(int fd, struct conf **ret, char why[512]);
/* The same in steps, for a process whose clients wait meanwhile. */
struct snapshot_reader;
int snapshot_reader_open(int fd, struct snapshot_reader **ret, char why[512]);
/* As conf_decoder_step(): 1 while there is more. */
int snapshot_reader_step(
	struct snapshot_reader *r, size_t bytes, struct conf **ret, char why[512]);
void snapshot_reader_close(struct snapshot_reader *r); /* NULL is fine */
/* Reads a table of exactly count slots below limit: 0 and an owned array, or a negative errno. */
int snapshot_read_slots(int fd, size_t count, uint32_t limit, uint32_t **ret);
