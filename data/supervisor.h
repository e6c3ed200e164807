#pragma once
/*
 * Shell: the supervisor of the data wing: holds the listening sockets and the
 * board, starts, watches and replaces workers and the agent, and passes
 * snapshots on. It never accepts a connection and never parses traffic; while
 * it is away, workers go on serving.
 */
/* The whole process, `ballast-data` without a hidden role: returns the exit status. */
int supervisor_main(int argc, char **argv);
