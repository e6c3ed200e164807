#pragma once
/*
 * A PostgreSQL of the test's own, in a folder of its own, on a unix socket
 * there and nowhere else. Run as root it runs as nobody, for PostgreSQL refuses
 * root. Every function asserts that it worked.
 */
struct private_postgres {
	char dir[64];
	char uri[160];
};

void private_postgres_start(
	struct private_postgres *p); /* makes the folder and the cluster, and starts it */
void private_postgres_stop(
	const struct private_postgres *p, const char *mode); /* "immediate", "fast" */
void private_postgres_again(const struct private_postgres *p);
void private_postgres_remove(const struct private_postgres *p); /* stops it, too */
/* Runs SQL on a connection of its own; the first cell as text in ret (may be NULL), "" for none. */
void private_postgres_sql(
	const struct private_postgres *p, const char *sql, char *ret, unsigned size);
