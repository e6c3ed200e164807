/* See store_schema.h. The table of migrations itself is made at build time by schema/embed.py. */
#include "control/store_schema.h"

#include "control/store_scripts.h"

/* Held to the end of the transaction; the number is "ballast" in ASCII. */
#define POSTGRES_LOCK "select pg_advisory_xact_lock(27692382013552500);"

static enum store_step postgres_lock(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	ret->is_batch = true;
	return store_run(ret,
		"set search_path to ballast;"
		"set client_min_messages to warning;"
		"set statement_timeout to '20s';"
		"set idle_in_transaction_session_timeout to '20s';"
		"listen ballast;" POSTGRES_LOCK,
		NULL);
}

static enum store_step postgres_find(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"select 1 from pg_catalog.pg_tables where schemaname = 'ballast'"
		" and tablename in ('schema_version', 'schema_addition')",
		NULL);
}

#define ADDITIONS "create table schema_addition (version integer primary key, name text not null);"

/* Asked for first because creating needs a right that a set-up store's user may lack. */
static enum store_step postgres_create(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	ret->is_batch = true;
	if (rows->count == 2)
		return store_run(ret, "select 1", NULL);
	if (rows->count == 1) /* made by a program that knew of no additions */
		return store_run(ret, ADDITIONS, NULL);
	return store_run(ret,
		"create schema if not exists ballast;"
		"create table schema_version (version integer primary key, name text not "
		"null);" ADDITIONS,
		NULL);
}

static enum store_step sqlite_create(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	ret->is_batch = true;
	return store_run(ret,
		"create table if not exists schema_version"
		" (version integer primary key, name text not null);"
		"create table if not exists schema_addition"
		" (version integer primary key, name text not null)",
		NULL);
}

static enum store_step version(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	(void)j;
	(void)rows;
	return store_run(ret,
		"select (select coalesce(max(version), 0) from schema_version),"
		" (select coalesce(max(version), 0) from schema_addition)",
		NULL);
}

static enum store_step migrate(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	const struct store_migration *m;

	/* One row comes from version(); from record() comes none. */
	if (rows->count == 1) {
		size_t needed = (size_t)store_rows_number(rows, 0, 0);
		size_t added = (size_t)store_rows_number(rows, 0, 1);

		if (needed > store_migrations_count)
			return store_job_refuse(j, STORE_AWAY,
				"the store's schema is version %zu and this program knows only up "
				"to %zu: upgrade Ballast on this node",
				needed, store_migrations_count);
		j->at = added > needed ? added : needed;
	}
	if (j->at >= store_migrations_count) {
		j->step++;
		return store_script_poll.steps[0](j, rows, ret);
	}
	m = &store_migrations[j->at];
	ret->is_batch = true;
	if (m->is_postgres_only && j->script == &store_schema_sqlite)
		return store_run(ret, "select 1", NULL);
	return store_run(ret, m->sql, NULL);
}

static enum store_step record(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	const struct store_migration *m = &store_migrations[j->at];

	(void)rows;
	j->at++;
	j->step -= 2; /* back to migrate() */
	return store_run(ret,
		m->is_addition
			? "insert into schema_addition (version, name) values (cast($1 as "
			  "integer), $2)"
			: "insert into schema_version (version, name) values (cast($1 as integer), "
			  "$2)",
		store_job_number(j, 0, (int64_t)j->at), m->name, NULL);
}

static enum store_step polled(
	struct store_job *j, const struct store_rows *rows, struct store_statement *ret)
{
	return store_script_poll.steps[1](j, rows, ret);
}

const struct store_script store_schema_postgres = {
	STORE_WRITE,
	{postgres_lock, postgres_find, postgres_create, version, migrate, record, polled},
};

const struct store_script store_schema_sqlite = {
	STORE_WRITE,
	{sqlite_create, version, migrate, record, polled},
};
