#pragma once
/*
 * Shell: the agent of the data wing: its only user of the bus. Snapshots come
 * in here and go to the supervisor as sealed memfds; overlay and verdicts
 * become words on the board; the board's figures go out as reports. Its death
 * touches no traffic: workers keep the last words, and the supervisor starts
 * another.
 */

/* The whole process: argv of `ballast-data agent NODE RUN_DIR STATE_DIR LOG_LEVEL`, the
 * supervisor's channel on descriptor 3. Returns the exit status. */
int agent_main(int argc, char **argv);
