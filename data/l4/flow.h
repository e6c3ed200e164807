#pragma once
/*
 * Core: the decisions of a carried connection: given what arrived, left or
 * broke, what is to be read, written, ended or closed next. Knows no socket and
 * no byte. Called by tunnel.c.
 */
#include <stdbool.h>
#include <stdint.h>

enum flow_side { FLOW_CLIENT, FLOW_SERVER, FLOW_SIDES };

/* Why a flow ended. */
enum flow_end {
	FLOW_END_NONE, /* it goes on */
	FLOW_END_CLOSED, /* both sides ended in order */
	FLOW_END_CLIENT_RESET,
	FLOW_END_SERVER_RESET,
	FLOW_END_IDLE,
	FLOW_END_INTERNAL /* short of memory */
};
