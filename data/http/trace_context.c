/* See trace_context.h. Sections are those of the W3C recommendation. */
#include "data/http/trace_context.h"

#include <string.h>

/* "VV-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-PPPPPPPPPPPPPPPP-FF" (section 3.2) */
#define VERSION_AT 0
#define TRACE_AT 3
#define PARENT_AT 36
#define FLAGS_AT 53
#define PARENT_LEN 16
#define PARENT_VALUE_LEN 55

#define KEY_MAX 256
#define TENANT_MAX 241
#define SYSTEM_MAX 14
#define VALUE_MAX 256

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '0')
			return false;
	return true;
}

bool trace_parent_is_good(const char *value, size_t len)
{
	bool is_first_version;

	if (len < PARENT_VALUE_LEN || !is_hex(value + VERSION_AT, 2) ||
		memcmp(value + VERSION_AT, "ff", 2) == 0)
		return false;
	is_first_version = memcmp(value + VERSION_AT, "00", 2) == 0;
	if (len > PARENT_VALUE_LEN && (is_first_version || value[PARENT_VALUE_LEN] != '-'))
		return false;
	return value[TRACE_AT - 1] == '-' && is_hex(value + TRACE_AT, TRACE_ID_LEN) &&
	       !is_zero(value + TRACE_AT, TRACE_ID_LEN) && value[PARENT_AT - 1] == '-' &&
	       is_hex(value + PARENT_AT, PARENT_LEN) && !is_zero(value + PARENT_AT, PARENT_LEN) &&
	       value[FLAGS_AT - 1] == '-' && is_hex(value + FLAGS_AT, 2);
}

static bool is_key_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key_run(const char *text, size_t len, size_t most)
{
	if (len == 0 || len > most || !is_key_start(text[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_key_start(text[i]) && !memchr("_-*/", text[i], 4))
			return false;
	return true;
}

/* A vendor, or TENANT@SYSTEM (section 3.3.1.3.1). */
static bool is_key(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	size_t tenant = at ? (size_t)(at - text) : len;

	if (!at)
		return is_key_run(text, len, KEY_MAX);
	return is_key_run(text, tenant, TENANT_MAX) &&
	       is_key_run(at + 1, len - tenant - 1, SYSTEM_MAX);
}

static bool is_value(const char *text, size_t len)
{
	if (len == 0 || len > VALUE_MAX || text[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e || text[i] == ',' || text[i] == '=')
			return false;
	return true;
}

bool trace_state_is_good(const char *value, size_t len, unsigned *members)
{
	struct h1_run run;

	for (size_t at = 0; h1_list_next(value, len, &at, &run);) {
		const char *member = value + run.start, *equals = memchr(member, '=', run.len);
		size_t key = equals ? (size_t)(equals - member) : 0;

		if (run.len == 0)
			continue; /* an empty member is allowed (section 3.3.1.2) */
		if (!equals || !is_key(member, key) || !is_value(equals + 1, run.len - key - 1) ||
			++*members > TRACE_STATE_MEMBERS_MAX)
			return false;
	}
	return true;
}

void trace_context_of(struct trace_context *t, const char *data, const struct h1_head *h)
{
	unsigned parents = 0, members = 0;

	*t = (struct trace_context){.is_state_good = true};
	for (size_t i = 0; i < h->fields_count; i++) {
		const struct h1_field *f = &h->fields[i];
		const char *value = data + f->value.start;

		if (f->id == H1_NAME_TRACEPARENT) {
			t->is_good = ++parents == 1 && trace_parent_is_good(value, f->value.len);
			t->id = (struct h1_run){
				(uint16_t)(f->value.start + TRACE_AT), TRACE_ID_LEN};
		} else if (f->id == H1_NAME_TRACESTATE) {
			t->is_state_good &= trace_state_is_good(value, f->value.len, &members);
		}
	}
	t->is_state_good &= t->is_good; /* a state means nothing without its trace (section 3.3) */
}
