/*
 * What the store does when the store itself is lost: a PostgreSQL stopped and
 * started, its connections cut in the middle of writes, a lock that nobody
 * lets go, a schema from the future; a SQLite folder that is absent, read-only
 * or full. The ordinary calls are in test_store.c.
 */
#include <sched.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libpq-fe.h>
#include <cmocka.h>

#include "tests/store/private_postgres.h"
#include "tests/store/store_client.h"

static struct private_postgres server;
static uv_loop_t loop;
static bool has_mounts; /* we have a mount namespace of our own */

static int setup(void **state)
{
	(void)state;
	private_postgres_sql(&server, "drop schema if exists ballast cascade", NULL, 0);
	return uv_loop_init(&loop);
}

static int teardown(void **state)
{
	(void)state;
	/* A name may still be looked up. */
	for (int turn = 0; uv_loop_alive(&loop) && turn < 500; turn++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(20000);
	}
	return uv_loop_close(&loop);
}

static void open_postgres(struct store_client *c)
{
	store_client_open(c, &loop, server.uri, "/nonexistent");
	store_client_wait_state(c, STORE_CONNECTED, 20000);
}

/* Stopped: calls are refused at once with a sentence. Started: back without a restart, and caught
 * up. */
static void comes_back(void **state)
{
	struct store_client c, other;
	struct answer_text a;
	struct store_call call;

	(void)state;
	open_postgres(&c);
	store_client_put(&c, "a", "shop", "{\"v\":1}", 0, &a);
	assert_int_equal(a.outcome, STORE_OK);
	private_postgres_stop(&server, "immediate");
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_true(strlen(store_status(c.store)->why) > 0);
	call = store_client_call(&a, 10000);
	store_set_overlay(c.store, &(struct store_write){"b", "alice", ""},
		&(struct store_hand){"shop", "instance/lb-a", json_null(), 0, STORE_ANY}, &call);
	store_client_answer(&c, &a, 1000); /* long before the deadline */
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_non_null(strstr(
		a.why, "the store (PostgreSQL) is away, so nothing was changed: "));
	store_client_load(&c, &a);
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_non_null(strstr(a.why, "nothing was read: "));
	memset(c.changes, 0, sizeof c.changes);
	private_postgres_again(&server);
	open_postgres(&other);
	store_client_put(&other, "c", "shop", "{\"v\":2}", 1, &a);
	assert_int_equal(a.outcome, STORE_OK);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_wait(&c, c.changes[STORE_CHANGE_ALL] > 0, 20000);
	store_client_load(&c, &a);
	assert_string_equal(a.lists, "stack shop@2 {\"v\":2}; ");
	store_client_close(&other);
	store_client_close(&c);
}

/* A store that is away at the start is a state, not a failure. */
static void starts_without_a_server(void **state)
{
	struct store_client c;

	(void)state;
	private_postgres_stop(&server, "fast");
	store_client_open(&c, &loop, server.uri, "/nonexistent");
	store_client_wait_state(&c, STORE_LOST, 20000);
	private_postgres_again(&server);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_close(&c);
}

/* Hosts are tried one after the other; with none of them, the last one's reason is told. */
static void tries_every_host(void **state)
{
	static const char *const hosts[] = {
		"/nonexistent,%s", "%s,/nonexistent", "/nonexistent,/tmp,%s"};
	char uri[512], list[256];
	struct store_client c;

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		snprintf(list, sizeof list, hosts[i], server.dir);
		snprintf(uri, sizeof uri, "postgresql:///postgres?host=%s&user=ballast", list);
		store_client_open(&c, &loop, uri, "/nonexistent");
		store_client_wait_state(&c, STORE_CONNECTED, 20000);
		store_client_close(&c);
	}
	store_client_open(
		&c, &loop, "postgresql:///postgres?host=/nonexistent,/absent", "/nonexistent");
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_non_null(strstr(store_status(c.store)->why, "/absent/.s.PGSQL.5432"));
	assert_null(strchr(store_status(c.store)->why, '\n'));
	store_client_close(&c);
}

/* A name that leads nowhere is told, and the loop is not held up while it is looked for. */
static void says_when_a_name_is_not_found(void **state)
{
	struct store_client c;

	(void)state;
	store_client_open(&c, &loop, "postgresql://store.invalid/ballast", "/nonexistent");
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_non_null(strstr(store_status(c.store)->why, "host store.invalid: "));
	store_client_close(&c);
}

static void cut_connections(void)
{
	private_postgres_sql(&server,
		"select pg_terminate_backend(pid) from pg_stat_activity"
		" where application_name = 'ballast-control'",
		NULL, 0);
}

/*
 * Connections cut while writes go on: what was answered OK is there once, what
 * was not answered is found out by the same request id, and no number is lost.
 */
static void writes_once_though_cut(void **state)
{
	struct answer_text answers[60];
	struct store_client c;
	char text[32];
	size_t done = 0;

	(void)state;
	open_postgres(&c);
	for (size_t i = 0; i < 60; i++) {
		json_t *value = json_pack("{si}", "v", (int)i);
		struct store_put put = {.stack = "shop",
			.document = value,
			.digest = "d",
			.action = "document",
			.expected = STORE_ANY,
			.judged_at = 0};
		struct store_call call = store_client_call(&answers[i], 30000);
		char request[16];

		snprintf(request, sizeof request, "r%d", (int)i);
		put.judged_at = i; /* so each depends on the one before */
		store_put_document(
			c.store, &(struct store_write){request, "alice", ""}, &put, &call);
		json_decref(value);
	}
	for (int turn = 0, cuts = 0; done < 60; turn++) {
		store_client_turn(&c);
		if (store_status(c.store)->state == STORE_CONNECTED && cuts++ < 10)
			cut_connections();
		for (done = 0; done < 60 && answers[done].is_done;)
			done++;
		assert_true(turn < 100000);
	}
	for (size_t i = 0; i < 60; i++) {
		if (answers[i].outcome != STORE_OK)
			fail_msg("write %d: %s", (int)i, answers[i].why);
		assert_int_equal(answers[i].generation, i + 1);
	}
	private_postgres_sql(&server, "select count(*) from ballast.audit", text, sizeof text);
	assert_string_equal(text, "60");
	store_client_close(&c);
}

/* Somebody holds the lock: the deadline holds too, nothing is written, and the next call works. */
static void keeps_deadlines(void **state)
{
	struct store_client c;
	struct answer_text a;
	struct store_call call;
	uint64_t begin;
	PGconn *holder;

	(void)state;
	open_postgres(&c);
	holder = PQconnectdb(server.uri);
	PQclear(PQexec(holder, "begin; lock table ballast.installation in access exclusive mode"));
	call = store_client_call(&a, 300);
	begin = uv_hrtime();
	store_delete_stack(
		c.store, &(struct store_write){"a", "alice", ""}, "shop", STORE_ANY, &call);
	store_client_answer(&c, &a, 5000);
	assert_true(uv_hrtime() - begin < 4000 * 1000000ull);
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_non_null(strstr(a.why, "did not answer in time"));
	PQfinish(holder);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_put(&c, "b", "shop", "{}", 0, &a);
	assert_int_equal(a.outcome, STORE_OK);
	store_client_close(&c);
}

static void refuses_a_newer_schema(void **state)
{
	struct store_client c;

	(void)state;
	open_postgres(&c);
	store_client_close(&c);
	private_postgres_sql(
		&server, "insert into ballast.schema_version values (99, 'later')", NULL, 0);
	store_client_open(&c, &loop, server.uri, "/nonexistent");
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_non_null(strstr(
		store_status(c.store)->why, "schema is version 99 and this program knows only"));
	store_client_close(&c);
}

/* A node opens the store as it is, and writes a generation. */
static void write_one(const char *request, const char *document, int64_t expected)
{
	struct store_client c;
	struct answer_text a;

	store_client_open(&c, &loop, server.uri, "/nonexistent");
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_put(&c, request, "shop", document, expected, &a);
	assert_int_equal(a.outcome, STORE_OK);
	store_client_close(&c);
}

static void assert_sql(const char *sql, const char *expected)
{
	char text[32];

	private_postgres_sql(&server, sql, text, sizeof text);
	assert_string_equal(text, expected);
}

/* What only adds is recorded beside the version, so a program that knows less serves on, and what
 * this one does not know is no hindrance. An addition that an earlier build recorded as a version
 * stays one. */
static void additions_lock_nobody_out(void **state)
{
	struct store_client c;

	(void)state;
	open_postgres(&c);
	store_client_close(&c);
	assert_sql("select max(version) from ballast.schema_version", "2");
	assert_sql("select max(version) from ballast.schema_addition", "3");
	private_postgres_sql(
		&server, "insert into ballast.schema_addition values (99, 'later')", NULL, 0);
	write_one("a", "{}", 0);
	private_postgres_sql(&server,
		"drop table ballast.schema_addition;"
		"insert into ballast.schema_version values (3, '003_rollout.sql')",
		NULL, 0);
	write_one("b", "{\"b\":1}", 1);
	assert_sql("select count(*) from ballast.schema_addition", "0");
}

/* A store as a program left it that knew versions 1 and 2 alone. */
static void an_earlier_store_gets_what_it_lacks(void **state)
{
	struct store_client c;

	(void)state;
	open_postgres(&c);
	store_client_close(&c);
	write_one("a", "{}", 0);
	private_postgres_sql(&server,
		"drop table ballast.schema_addition, ballast.proposal, ballast.vote;"
		"alter table ballast.generation drop column confirm_within, drop column confirmed",
		NULL, 0);
	write_one("b", "{\"b\":1}", 1);
	assert_sql("select max(version)::text || ' ' || (select count(*) from ballast.proposal)"
		   " from ballast.schema_version",
		"2 0");
}

static void refuses_a_newer_file(void **state)
{
	char dir[] = "/tmp/ballast-store-XXXXXX", path[64], command[96];
	struct store_client c;
	sqlite3 *db;

	(void)state;
	assert_non_null(mkdtemp(dir));
	store_client_open(&c, &loop, "sqlite", dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_close(&c);
	snprintf(path, sizeof path, "%s/store.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "insert into schema_version values (99, 'later')", NULL,
				 NULL, NULL),
		0);
	sqlite3_close(db);
	store_client_open(&c, &loop, "sqlite", dir);
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_non_null(strstr(store_status(c.store)->why, "upgrade Ballast on this node"));
	store_client_close(&c);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* Absent, then there: the folder is found without a restart. */
static void waits_for_the_folder(void **state)
{
	char dir[] = "/tmp/ballast-store-XXXXXX", command[96];
	struct store_client c;
	struct answer_text a;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(rmdir(dir), 0);
	store_client_open(&c, &loop, "sqlite", dir);
	store_client_wait_state(&c, STORE_LOST, 20000);
	assert_non_null(strstr(store_status(c.store)->why, "/store.db cannot be opened: "));
	assert_non_null(strstr(store_status(c.store)->why, "No such file or directory"));
	store_client_load(&c, &a);
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_int_equal(mkdir(dir, 0700), 0);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_close(&c);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static json_t *large_document(void)
{
	static char text[64 * 1024];

	memset(text, 'x', sizeof text - 1);
	return json_pack("{ss}", "description", text);
}

static void put_large(struct store_client *c, int number, uint64_t head, struct answer_text *ret)
{
	json_t *value = large_document();
	struct store_put put = {.stack = "shop",
		.document = value,
		.digest = "d",
		.action = "document",
		.expected = STORE_ANY,
		.judged_at = head};
	struct store_call call = store_client_call(ret, 10000);
	char request[16];

	snprintf(request, sizeof request, "r%d", number);
	store_put_document(c->store, &(struct store_write){request, "alice", ""}, &put, &call);
	json_decref(value);
	store_client_answer(c, ret, 11000);
}

/* A small disk fills up, then turns read-only: writes say so, what was written before is read. */
static void says_what_is_wrong_with_the_disk(void **state)
{
	char dir[] = "/tmp/ballast-store-XXXXXX";
	struct store_client c;
	struct answer_text a;
	uint64_t good = 0;

	(void)state;
	if (!has_mounts)
		skip();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("tmpfs", dir, "tmpfs", 0, "size=600k"), 0);
	store_client_open(&c, &loop, "sqlite", dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	for (put_large(&c, 0, 0, &a); a.outcome == STORE_OK; put_large(&c, (int)good, good, &a))
		good = a.generation;
	assert_in_range(good, 1, 20);
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_non_null(strstr(a.why, "is full: make room there"));
	store_client_load(&c, &a);
	assert_int_equal(a.head, good);
	store_client_close(&c);
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	store_client_open(&c, &loop, "sqlite", dir);
	store_client_wait_state(&c, STORE_CONNECTED, 20000);
	store_client_load(&c, &a);
	assert_int_equal(a.head, good);
	put_large(&c, 99, good, &a);
	assert_int_equal(a.outcome, STORE_AWAY);
	assert_non_null(strstr(a.why, "store.db cannot be written: "));
	store_client_close(&c);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static int server_start(void **state)
{
	(void)state;
	/* Before any thread of libuv's is made, or it would stay in the old namespace. */
	has_mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
		     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	private_postgres_start(&server);
	return 0;
}

static int server_stop(void **state)
{
	(void)state;
	private_postgres_remove(&server);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(starts_without_a_server, setup, teardown),
		cmocka_unit_test_setup_teardown(tries_every_host, setup, teardown),
		cmocka_unit_test_setup_teardown(says_when_a_name_is_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(writes_once_though_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_deadlines, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_newer_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(additions_lock_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(an_earlier_store_gets_what_it_lacks, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_newer_file, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_the_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(says_what_is_wrong_with_the_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, server_start, server_stop);
}
