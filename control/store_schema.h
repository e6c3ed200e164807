#pragma once
/*
 * The migrations of control/schema, built into the program, and the scripts
 * that bring a store to them. A script runs under a lock of the store, so nodes
 * that start together do it once. Called by the two bodies when they open.
 */
#include <stdbool.h>
#include <stddef.h>

#include "control/store_job.h"

struct store_migration {
	const char *name;
	bool is_postgres_only; /* SQLite records it and does nothing */
	bool is_addition;      /* a program that does not know it works with the store as before */
	const char *sql;
};

extern const struct store_migration store_migrations[];
extern const size_t store_migrations_count;

/* How far a store is: what is not an addition is recorded in schema_version, an addition in
 * schema_addition. Whatever is numbered up to the greater of the two is there. A store is refused
 * only when its schema_version is greater than what the program knows, so an addition locks no
 * earlier program out. Both end like store_script_poll: revision and event_id are set. */
extern const struct store_script store_schema_postgres;
extern const struct store_script store_schema_sqlite;
