/* figures and io_buffer: what others are told of the board; buffers from the free list. */
#include "data/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/io_buffer.h"

static void *memory;
static struct board board;

static int setup(void **state)
{
	size_t size = board_size(2, 4);

	(void)state;
	memory = aligned_alloc(4096, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	board_make(memory, 2, 4);
	assert_int_equal(board_view(memory, size, &board), 0);
	atomic_store(&board.head->objects_used, 3);
	atomic_store(&board.objects[0].kind, BOARD_LISTENER);
	strcpy(board.objects[0].name, "www");
	atomic_store(&board.objects[1].kind, BOARD_SERVER);
	strcpy(board.objects[1].name, "web/w1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* The value of the sample of a family that has this label; -1: none. */
static json_int_t sample(
	const json_t *set, const char *family, const char *label, const char *value)
{
	const json_t *samples = json_object_get(json_object_get(set, family), "samples");
	json_t *s;
	size_t i;

	json_array_foreach (samples, i, s) {
		const char *text = json_string_value(
			json_object_get(json_object_get(s, "labels"), label));

		if (text && strcmp(text, value) == 0)
			return json_integer_value(json_object_get(s, "value"));
	}
	return -1;
}

static void metrics_add_all_workers_up(void **state)
{
	json_t *set;

	(void)state;
	for (uint32_t column = 0; column < 2; column++) {
		board_add(board_cells_of(&board, column, 0), BOARD_LISTENER_REQUESTS_2XX, 5);
		board_add(board_cells_of(&board, column, 0), BOARD_LISTENER_BAD_REQUEST, 1);
		board_add(board_cells_of(&board, column, 1), BOARD_SERVER_BYTES_OUT, 100);
	}
	set = figures_metrics(&board, NULL);
	assert_non_null(set);
	assert_int_equal(sample(set, "ballast_listener_requests_total", "code", "2xx"), 10);
	assert_int_equal(sample(set, "ballast_listener_requests_total", "code", "5xx"), 0);
	assert_int_equal(sample(set, "ballast_listener_errors_total", "cause", "bad_request"), 2);
	assert_int_equal(sample(set, "ballast_server_bytes_total", "direction", "out"), 200);
	assert_int_equal(sample(set, "ballast_server_connects_total", "server", "w1"), 0);
	assert_int_equal(sample(set, "ballast_server_connects_total", "pool", "web"), 0);
	json_decref(set);
}

static void listeners_say_how_they_are(void **state)
{
	static const struct {
		int64_t uses, maximum;
		bool is_removed;
		const char *failure;
		enum report_listener_state expected;
	} rows[] = {
		{0, 0, false, NULL, REPORT_LISTENER_OPEN},
		{9, 10, false, NULL, REPORT_LISTENER_OPEN},
		{10, 10, false, NULL, REPORT_LISTENER_PAUSED},
		{10, 0, false, NULL, REPORT_LISTENER_OPEN},
		{3, 0, true, NULL, REPORT_LISTENER_DRAINING},
		{0, 0, false, "10.0.0.1:80: in use", REPORT_LISTENER_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct conf_listener l = {.maximum_connections = rows[i].maximum};
		struct report_listener r;

		atomic_store(&board.objects[0].uses, (uint64_t)rows[i].uses);
		atomic_store(&board.objects[0].is_removed, rows[i].is_removed);
		figures_listener(&board, 0, &l, rows[i].failure, &r);
		assert_int_equal(r.state, rows[i].expected);
		assert_int_equal(r.connections, rows[i].uses);
		if (rows[i].failure)
			assert_string_equal(r.reason, rows[i].failure);
	}
}

static void only_accepting_workers_count(void **state)
{
	static struct report_daemon r;

	(void)state;
	atomic_store(&board.columns[0].state, BOARD_WORKER_STARTING);
	atomic_store(&board.columns[1].state, BOARD_WORKER_ACCEPTING);
	atomic_store(&board.columns[1].pid, 42);
	atomic_store(&board.columns[1].connections, 7);
	figures_workers(&board, &r);
	assert_int_equal(r.workers_count, 1);
	assert_int_equal(r.workers[0].pid, 42);
	assert_int_equal(r.workers[0].connections, 7);
}

static void buffers_are_reused_and_bounded(void **state)
{
	struct io_buffer *a, *b;
	struct io_buffers pool;

	(void)state;
	io_buffers_init(&pool, 2);
	a = io_buffer_get(&pool);
	b = io_buffer_get(&pool);
	assert_true(a && b && a != b);
	assert_null(io_buffer_get(&pool));
	memcpy(a->data, "..hello", 7);
	a->start = 2;
	a->end = 7;
	io_buffer_compact(a);
	assert_int_equal(io_buffer_len(a), 5);
	assert_int_equal(io_buffer_room(a), IO_BUFFER_SIZE - 5);
	assert_memory_equal(io_buffer_head(a), "hello", 5);
	io_buffer_put(&pool, a);
	assert_ptr_equal(io_buffer_get(&pool), a);
	assert_int_equal(io_buffer_len(a), 0);
	io_buffer_put(&pool, a);
	io_buffer_put(&pool, b);
	io_buffer_put(&pool, NULL);
	assert_int_equal(pool.in_use, 0);
	io_buffers_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(metrics_add_all_workers_up, setup, teardown),
		cmocka_unit_test_setup_teardown(listeners_say_how_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(only_accepting_workers_count, setup, teardown),
		cmocka_unit_test(buffers_are_reused_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
