#pragma once
/*
 * A request target, "/v1/stacks/shop/document?wait=10s", taken apart: decoded
 * path segments and decoded query parameters. Origin form only (RFC 9112,
 * section 3.2.1). Pure and fuzzed; says nothing about what exists.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_TEXT_MAX 4096 /* bytes of a target as sent */
#define TARGET_SEGMENTS_MAX 12
#define TARGET_QUERY_MAX 16

struct target_parameter {
	const char *name, *value; /* "" when there is no value */
};

/* Points into itself: never copied. */
struct target {
	char text[TARGET_TEXT_MAX + 1];
	const char *segments[TARGET_SEGMENTS_MAX];
	size_t segments_count;
	struct target_parameter query[TARGET_QUERY_MAX];
	size_t query_count;
};

/*
 * 0, or -EINVAL with a sentence in *ret_why (static text): too long, not
 * beginning with a slash, a bad escape, a control character, text that is not
 * UTF-8, too many segments or parameters, a parameter given twice. "/a/b" has
 * two segments; "/a/" has two, the last empty. A fragment is refused.
 */
int target_parse(const char *text, struct target *t, const char **ret_why);

/* The value of a query parameter, or NULL when it was not given. */
const char *target_query(const struct target *t, const char *name);

/* "", "1", "true", "yes" are true; "0", "false", "no" false; absent is false: 0, or -EINVAL. */
int target_query_flag(const struct target *t, const char *name, bool *ret);
/* "10s", "500ms", "2m", "1h", or milliseconds; 1 when absent; -EINVAL for no duration or one above
 * maximum_ms. */
int target_query_duration(
	const struct target *t, const char *name, int64_t maximum_ms, int64_t *ret_ms);
/* A decimal number: 0; 1 when absent; -EINVAL. */
int target_query_number(const struct target *t, const char *name, uint64_t maximum, uint64_t *ret);

/* The same rules for one text: what expires_in of an overlay is read by. 0 or -EINVAL. */
int target_parse_duration(const char *text, int64_t maximum_ms, int64_t *ret_ms);
