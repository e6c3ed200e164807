#pragma once
/*
 * What a transaction announces to every control, as one line of text (the
 * payload of PostgreSQL's NOTIFY): "WHAT OBJECT NUMBER", e.g. "document shop 12";
 * OBJECT is "-" for none. NUMBER is the installation's revision for documents,
 * overlays and new proposals (0 for their votes), by which a reader knows that it missed one, and the newest id for events.
 */
#include <stddef.h>

#include "control/store.h"

#define STORE_NOTICE_OBJECT_SIZE 128

struct store_notice {
	enum store_change_what what;
	char object[STORE_NOTICE_OBJECT_SIZE];
	uint64_t number;
};

/* Prints into text; an object that does not fit is left out. */
void store_notice_print(const struct store_notice *n, char *text, size_t size);
/* 0, or -EINVAL for a line that is none of ours (anyone may NOTIFY). */
int store_notice_parse(const char *text, struct store_notice *ret);
