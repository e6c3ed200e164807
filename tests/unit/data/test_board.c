/* board: layout, exact counts, words and addresses, and what a dead worker leaves. */
#include "data/board.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COLUMNS 3
#define OBJECTS 8

static void *memory;
static struct board board;

static int setup(void **state)
{
	size_t size = board_size(COLUMNS, OBJECTS);

	(void)state;
	memory = aligned_alloc(4096, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	board_make(memory, COLUMNS, OBJECTS);
	assert_int_equal(board_view(memory, size, &board), 0);
	board_use_column(&board, board.head->columns - 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void refuses_other_layouts(void **state)
{
	struct board b;
	size_t size = board_size(COLUMNS, OBJECTS);

	(void)state;
	assert_int_equal(board_view(memory, size - 1, &b), -EPROTO);
	assert_int_equal(board_view(memory, 10, &b), -EPROTO);
	board.head->magic++;
	assert_int_equal(board_view(memory, size, &b), -EPROTO);
	board.head->magic--;
	board.head->objects += 64;
	assert_int_equal(board_view(memory, size, &b), -EPROTO);
	board.head->objects -= 64;
	board.head->cells_size--;
	assert_int_equal(board_view(memory, size, &b), -EPROTO);
}

static void cells_do_not_overlap(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < COLUMNS; c++)
		for (uint32_t o = 0; o < OBJECTS; o++)
			for (unsigned i = 0; i < BOARD_CELLS; i++)
				board_add(board_cells_of(&board, c, o), i, c * 10000 + o * 100 + i);
	for (uint32_t c = 0; c < COLUMNS; c++)
		for (uint32_t o = 0; o < OBJECTS; o++)
			for (unsigned i = 0; i < BOARD_CELLS; i++)
				assert_int_equal(board_read(board_cells_of(&board, c, o), i),
					c * 10000 + o * 100 + i);
	assert_int_equal(board_sum(&board, 2, 5), 30000 + 3 * 205);
	assert_true(BOARD_LISTENER_CELLS <= BOARD_CELLS && BOARD_SERVER_CELLS <= BOARD_CELLS);
}

static void limits_are_exact(void **state)
{
	struct board_object *o = &board.objects[0];

	(void)state;
	assert_true(board_use(o, 2));
	assert_true(board_use(o, 2));
	assert_false(board_use(o, 2));
	assert_true(board_use(o, 3)); /* the limit was raised */
	assert_true(board_use(o, 0)); /* or taken away */
	board_unuse(o);
	board_unuse(o);
	assert_false(board_use(o, 2));
	board_unuse(o);
	assert_true(board_use(o, 2));
}

static void words_are_told_when_they_change(void **state)
{
	struct board_object *pool = &board.objects[0], *server = &board.objects[1];
	uint64_t word = board_word(1, EFFECTIVE_UNKNOWN, 1000);

	(void)state;
	assert_int_equal(board_word_rank(word), 1);
	assert_int_equal(board_word_state(word), EFFECTIVE_UNKNOWN);
	assert_int_equal(board_word_weight(word), 1000);
	assert_true(word & BOARD_WORD_SAID);
	assert_true(board_word(0, EFFECTIVE_UNCHECKED, 0) != 0);
	assert_true(board_say(&board, pool, server, word));
	assert_false(board_say(&board, pool, server, word));
	assert_int_equal(atomic_load(&pool->word), 1);
	assert_int_equal(atomic_load(&board.head->changes), 1);
}

static void addresses_are_whole_or_absent(void **state)
{
	struct board_object *pool = &board.objects[0], *server = &board.objects[1];
	struct addr a, got;

	(void)state;
	assert_false(board_address(server, &got));
	assert_int_equal(addr_parse_port("10.0.0.1:80", &a), 0);
	assert_true(board_say_address(&board, pool, server, &a));
	assert_false(board_say_address(&board, pool, server, &a));
	assert_true(board_address(server, &got));
	assert_true(addr_is_equal(&a, &got));
	atomic_fetch_add(&server->address_version, 1); /* a writer died under way */
	assert_false(board_address(server, &got));
	assert_true(board_say_address(&board, pool, server, &a)); /* the next one repairs it */
	assert_true(board_address(server, &got));
	assert_true(board_say_address(&board, pool, server, NULL));
	assert_false(board_address(server, &got));
}

static void a_dead_worker_holds_nothing(void **state)
{
	struct board_object *l = &board.objects[0], *s = &board.objects[1];
	struct board_cells *dead_l = board_cells_of(&board, 1, 0),
			   *dead_s = board_cells_of(&board, 1, 1);

	(void)state;
	atomic_store(&board.head->objects_used, 2);
	atomic_store(&l->kind, BOARD_LISTENER);
	atomic_store(&s->kind, BOARD_SERVER);
	for (int i = 0; i < 3; i++)
		assert_true(board_use(l, 0) && board_use(s, 0));
	board_add(dead_l, BOARD_LISTENER_CONNECTIONS, 2); /* two of three were its own */
	board_add(dead_l, BOARD_LISTENER_ACCEPTED, 7);
	board_add(dead_s, BOARD_SERVER_CONNECTIONS, 2);
	board_add(dead_s, BOARD_SERVER_IDLE, 4);
	atomic_store(&board.columns[1].pid, 77);
	board_clear_column(&board, 1);
	assert_int_equal(atomic_load(&l->uses), 1);
	assert_int_equal(atomic_load(&s->uses), 1);
	assert_int_equal(board_read(dead_l, BOARD_LISTENER_CONNECTIONS), 0);
	assert_int_equal(board_read(dead_s, BOARD_SERVER_IDLE), 0);
	assert_int_equal(
		board_read(dead_l, BOARD_LISTENER_ACCEPTED), 7); /* what was counted stays */
	assert_int_equal(atomic_load(&board.columns[1].pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_other_layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_do_not_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(words_are_told_when_they_change, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_are_whole_or_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_worker_holds_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
