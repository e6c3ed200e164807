/* See store_bench.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/store/private_postgres.h"
#include "tests/store/store_bench.h"

static struct private_postgres server;

static int bench_open(void **state, const char *uri)
{
	struct store_bench *b = calloc(1, sizeof *b);

	if (!b)
		return -1;
	b->uri = uri;
	snprintf(b->dir, sizeof b->dir, "/tmp/ballast-store-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	uv_loop_init(&b->loop);
	*state = b;
	return 0;
}

int store_bench_sqlite(void **state)
{
	return bench_open(state, "sqlite");
}

int store_bench_postgres(void **state)
{
	private_postgres_sql(&server, "drop schema if exists ballast cascade", NULL, 0);
	return bench_open(state, server.uri);
}

int store_bench_close(void **state)
{
	struct store_bench *b = *state;
	char command[128];

	uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	snprintf(command, sizeof command, "rm -rf %s", b->dir);
	assert_int_equal(system(command), 0);
	free(b);
	return 0;
}

int store_bench_start(void **state)
{
	(void)state;
	private_postgres_start(&server);
	return 0;
}

int store_bench_stop(void **state)
{
	(void)state;
	private_postgres_remove(&server);
	return 0;
}
