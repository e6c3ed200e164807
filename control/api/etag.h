#pragma once
/*
 * Entity tags: the generation of a stack, quoted, "17". Printed on every
 * answer about a stack; If-Match (RFC 9110, section 13.1.1) makes a write
 * conditional on it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETAG_TEXT_SIZE 24
#define ETAG_MATCHES_MAX 8

struct etag_match {
	bool is_given; /* false: the write is unconditional */
	bool is_any;   /* "*": whatever is there, but something */
	uint64_t generations[ETAG_MATCHES_MAX];
	size_t generations_count; /* weak tags never match and are not kept */
};

const char *etag_print(uint64_t generation, char text[ETAG_TEXT_SIZE]); /* returns text */

/* The value of If-Match, NULL when absent: 0, or -EINVAL for anything that is no list of tags of
 * ours. */
int etag_parse_match(const char *value, struct etag_match *ret);

/* True when a write may go on over this generation; 0 says that there is no such stack. */
bool etag_matches(const struct etag_match *m, uint64_t generation);
