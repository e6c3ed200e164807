/* See private_postgres.h. */
#include "tests/store/private_postgres.h"

#include <glob.h>
#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define OPTIONS                                                                                    \
	"-c listen_addresses= -c unix_socket_directories=%s -c fsync=off -c full_page_writes=off"

/* The newest installed one: "/usr/lib/postgresql/15/bin". */
static void find_programs(char *path, size_t size)
{
	glob_t found;

	assert_int_equal(glob("/usr/lib/postgresql/*/bin", 0, NULL, &found), 0);
	snprintf(path, size, "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

static void run(const struct private_postgres *p, const char *format, ...)
{
	char programs[128], words[512], command[1024];
	va_list args;

	find_programs(programs, sizeof programs);
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	snprintf(command, sizeof command, "%s env HOME=%s %s/%s >%s/out 2>&1",
		geteuid() ? "" : "setpriv --reuid=nobody --regid=nogroup --clear-groups", p->dir,
		programs, words, p->dir);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

void private_postgres_start(struct private_postgres *p)
{
	char command[256];

	snprintf(p->dir, sizeof p->dir, "/tmp/ballast-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->uri, sizeof p->uri, "postgresql:///postgres?host=%s&user=ballast", p->dir);
	snprintf(command, sizeof command, "chown nobody:nogroup %s", p->dir);
	if (geteuid() == 0)
		assert_int_equal(system(command), 0);
	run(p, "initdb -D %s/data -U ballast -A trust --no-sync -E UTF8 --locale=C", p->dir);
	private_postgres_again(p);
}

void private_postgres_again(const struct private_postgres *p)
{
	run(p, "pg_ctl -D %s/data -w -l %s/log -o \"" OPTIONS "\" start", p->dir, p->dir, p->dir);
}

void private_postgres_stop(const struct private_postgres *p, const char *mode)
{
	run(p, "pg_ctl -D %s/data -w -m %s stop", p->dir, mode);
}

void private_postgres_remove(const struct private_postgres *p)
{
	char command[128];

	private_postgres_stop(p, "immediate");
	snprintf(command, sizeof command, "rm -rf %s", p->dir);
	assert_int_equal(system(command), 0);
}

static void ignore_notice(void *user, const PGresult *notice)
{
	(void)user;
	(void)notice;
}

void private_postgres_sql(
	const struct private_postgres *p, const char *sql, char *ret, unsigned size)
{
	PGconn *conn = PQconnectdb(p->uri);
	PGresult *r;

	PQsetNoticeReceiver(conn, ignore_notice, NULL);
	r = PQexec(conn, sql);
	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	if (ret)
		snprintf(ret, size, "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(conn);
}
