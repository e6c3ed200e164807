#pragma once
/* Where a test of the store runs, once on each: SQLite in a fresh folder, and a private PostgreSQL
 * with a fresh schema. cmocka's headers come before this one. */
#include <uv.h>

struct store_bench {
	uv_loop_t loop;
	const char *uri;
	char dir[64];
};

int store_bench_sqlite(void **state);
int store_bench_postgres(void **state);
int store_bench_close(void **state);
/* Of the group: the private PostgreSQL. */
int store_bench_start(void **state);
int store_bench_stop(void **state);

/* clang-format off */
#define ON_BOTH(f)                                                                                 \
	{#f " (sqlite)", f, store_bench_sqlite, store_bench_close, NULL},                          \
	{#f " (postgres)", f, store_bench_postgres, store_bench_close, NULL}
/* clang-format on */
