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

#include "common/metric_table.h"
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
	atomic_store(&board.objects[2].kind, BOARD_POOL);
	strcpy(board.objects[2].name, "web");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

/* All tables of a page as text. */
static void print_page(const json_t *page, struct buf *out)
{
	json_t *table;
	size_t i;

	buf_init(out, 1u << 20);
	json_array_foreach (json_object_get(page, "tables"), i, table)
		assert_int_equal(metric_table_print(table, out), 0);
}

/* The text format wants the lines of a name together: so its columns stand side by side. */
static void each_name_is_one_group(void **state)
{
	json_t *set = figures_metrics(&board, NULL, 0);
	const char *at, *end;
	struct buf out, name;

	(void)state;
	print_page(set, &out);
	for (at = strstr(buf_text(&out), "# HELP "); at; at = strstr(end, "# HELP ")) {
		end = strchr(at + 7, ' ');
		buf_init(&name, 256);
		buf_add(&name, at, (size_t)(end - at) + 1);
		assert_null(strstr(end, buf_text(&name)));
		buf_fini(&name);
	}
	buf_fini(&out);
	json_decref(set);
}

static void a_row_has_nothing_left_from_before(void **state)
{
	struct report_server r;

	(void)state;
	memset(&r, 0x55, sizeof r);
	figures_server(&board, 1, &r);
	assert_int_equal(r.connections, 0);
	assert_string_equal(r.ejected, "");
	assert_int_equal(r.ejected_since.ms, 0);
}

static void metrics_add_all_workers_up(void **state)
{
	static const char *const lines[] = {
		"ballast_listener_requests_total{stack=\"\",listener=\"www\",code=\"2xx\"} 10\n",
		"ballast_listener_requests_total{stack=\"\",listener=\"www\",code=\"5xx\"} 0\n",
		"ballast_listener_errors_total{stack=\"\",listener=\"www\",cause=\"bad_request\"} "
		"2\n",
		"ballast_server_bytes_total{stack=\"\",pool=\"web\",server=\"w1\",direction="
		"\"out\"} 200\n",
		"ballast_server_connects_total{stack=\"\",pool=\"web\",server=\"w1\"} 0\n",
		"ballast_listener_request_duration_seconds_bucket{stack=\"\",listener=\"www\",le="
		"\"0.0005\"} 0\n",
		"ballast_listener_request_duration_seconds_bucket{stack=\"\",listener=\"www\",le="
		"\"0.004\"} 2\n",
		"ballast_listener_request_duration_seconds_sum{stack=\"\",listener=\"www\"} "
		"0.006\n",
		"ballast_listener_request_duration_seconds_count{stack=\"\",listener=\"www\"} 2\n",
		"ballast_server_connect_duration_seconds_count{stack=\"\",pool=\"web\",server="
		"\"w1\"} 0\n",
		"ballast_pool_waiting{stack=\"\",pool=\"web\"} 6\n",
	};
	struct buf out;
	json_t *set;

	(void)state;
	for (uint32_t column = 0; column < 2; column++) {
		struct board_cells *listener = board_cells_of(&board, column, 0);

		board_use_column(&board, column);
		board_add(listener, BOARD_LISTENER_REQUESTS_2XX, 5);
		board_add(listener, BOARD_LISTENER_BAD_REQUEST, 1);
		histogram_add(&listener->histograms[BOARD_LISTENER_TOTAL], 3000);
		board_add(board_cells_of(&board, column, 1), BOARD_SERVER_BYTES_OUT, 100);
		board_add(board_cells_of(&board, column, 2), BOARD_POOL_WAITING, 3);
	}
	set = figures_metrics(&board, NULL, 0);
	assert_null(json_object_get(set, "next"));
	print_page(set, &out);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_non_null(strstr(buf_text(&out), lines[i]));
	buf_fini(&out);
	json_decref(set);
}

/* What is told of more objects than fit a page, page by page: each of them once. */
static void many_objects_come_in_pages(void **state)
{
	uint32_t count = FIGURES_PAGE + 3, from = 0, pages = 0, rows = 0;
	size_t size = board_size(1, count);
	void *many = aligned_alloc(4096, size);
	struct board b;

	(void)state;
	memset(many, 0, size);
	board_make(many, 1, count);
	assert_int_equal(board_view(many, size, &b), 0);
	atomic_store(&b.head->objects_used, count);
	for (uint32_t i = 0; i < count; i++) {
		atomic_store(&b.objects[i].kind, BOARD_POOL);
		snprintf(b.objects[i].name, BOARD_NAME_SIZE, "p%u", i);
	}
	do {
		json_t *set = figures_metrics(&b, NULL, from), *table;
		size_t i;

		json_array_foreach (json_object_get(set, "tables"), i, table)
			rows += (uint32_t)json_array_size(json_object_get(table, "rows"));
		from = (uint32_t)json_integer_value(json_object_get(set, "next"));
		pages++;
		json_decref(set);
	} while (from);
	assert_int_equal(pages, 2);
	assert_int_equal(rows, count);
	free(many);
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
		cmocka_unit_test(many_objects_come_in_pages),
		cmocka_unit_test_setup_teardown(
			a_row_has_nothing_left_from_before, setup, teardown),
		cmocka_unit_test_setup_teardown(each_name_is_one_group, setup, teardown),
		cmocka_unit_test_setup_teardown(listeners_say_how_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(only_accepting_workers_count, setup, teardown),
		cmocka_unit_test(buffers_are_reused_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
