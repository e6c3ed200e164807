#pragma once
/* Shell: the board's memory: a memfd that can never shrink, mapped by every process of the wing. */
#include "data/board.h"

/* A new board: its descriptor (owned), or a negative errno. */
int board_create(uint32_t columns, uint32_t objects);
/* Maps one (borrows fd): 0, or a negative errno; -EPROTO when it is not one of this build's. */
int board_map(int fd, struct board *ret);
void board_unmap(struct board *b);
