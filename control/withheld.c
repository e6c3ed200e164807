/* See withheld.h. */
#include "control/withheld.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "sha256:"
#define FINGERPRINT_SIZE (sizeof PREFIX + 64)

/* A list of the document, and the field of its entries that is not shown. */
static const struct {
	const char *kind, *field;
} withheld[] = {{"certificates", "key_pem"}};

#define COUNT (sizeof withheld / sizeof *withheld)

static int print_fingerprint(const char *text, char out[FINGERPRINT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char *p = out + snprintf(out, FINGERPRINT_SIZE, PREFIX);

	if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	for (unsigned i = 0; i < len; i++)
		p += snprintf(p, 3, "%02x", digest[i]);
	return 0;
}

static bool is_fingerprint(const char *text)
{
	size_t len = strlen(PREFIX);

	return strncmp(text, PREFIX, len) == 0 && strlen(text) == len + 64 &&
	       strspn(text + len, "0123456789abcdef") == 64;
}

/* What cannot be fingerprinted is left out rather than shown. */
static void hide_field(json_t *object, const char *field)
{
	const char *text = json_string_value(json_object_get(object, field));
	char fingerprint[FINGERPRINT_SIZE];

	if (!json_object_get(object, field))
		return;
	if (text && print_fingerprint(text, fingerprint) == 0)
		json_object_set_new(object, field, json_string(fingerprint));
	else
		json_object_del(object, field);
}

json_t *withheld_hide_kind(const char *kind, const json_t *value)
{
	json_t *copy = json_deep_copy(value), *entry;
	size_t i;

	for (size_t w = 0; w < COUNT; w++) {
		if (strcmp(withheld[w].kind, kind) != 0)
			continue;
		if (json_is_object(copy))
			hide_field(copy, withheld[w].field);
		json_array_foreach (copy, i, entry)
			hide_field(entry, withheld[w].field);
	}
	return copy;
}

json_t *withheld_hide(const json_t *document)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)document); /* shares the sections */

	for (size_t w = 0; w < COUNT; w++) {
		const json_t *list = json_object_get(document, withheld[w].kind);

		if (list)
			json_object_set_new(
				copy, withheld[w].kind, withheld_hide_kind(withheld[w].kind, list));
	}
	return copy;
}

/* A list by its entries' names, owned: documents may hold thousands. */
static json_t *index_of(const json_t *list)
{
	json_t *index = json_object(), *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *name = json_string_value(json_object_get(entry, "name"));

		if (name)
			json_object_set(index, name, entry);
	}
	return index;
}

static void refuse(struct conf_problems *problems, const char *kind, const char *name,
	const char *field, const char *has)
{
	char where[CONF_NAME_SIZE + 64];

	snprintf(where, sizeof where, "%s[%s].%s", kind, name, field);
	conf_problems_add(problems, where,
		"is a fingerprint, and what is stored under this name %s: give the value itself, "
		"or leave the field out to keep what is there",
		has);
}

/* One entry keeps what the entry of the same name has, or is refused. */
static void keep_field(json_t *entry, const json_t *index, const char *kind, const char *field,
	struct conf_problems *problems)
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	const char *given = json_string_value(json_object_get(entry, field));
	json_t *kept = name ? json_object_get(json_object_get(index, name), field) : NULL;
	char fingerprint[FINGERPRINT_SIZE];

	if (!name || (given && !is_fingerprint(given)))
		return;
	if (!given) {
		if (kept && !json_object_get(entry, field))
			json_object_set(entry, field, kept);
		return;
	}
	if (!kept)
		refuse(problems, kind, name, field, "has none");
	else if (print_fingerprint(json_string_value(kept), fingerprint) < 0 ||
		 strcmp(fingerprint, given) != 0)
		refuse(problems, kind, name, field, "has another one");
	else
		json_object_set(entry, field, kept);
}

static int keep_kind(json_t *document, const json_t *current, const char *kind, const char *field,
	struct conf_problems *problems)
{
	json_t *list = json_deep_copy(json_object_get(document, kind)), *index, *entry;
	size_t i;

	if (!list)
		return 0;
	index = index_of(json_object_get(current, kind));
	json_array_foreach (list, i, entry)
		if (json_is_object(entry))
			keep_field(entry, index, kind, field, problems);
	json_decref(index);
	return json_object_set_new(document, kind, list) < 0 ? -ENOMEM : 0;
}

int withheld_keep(json_t *document, const json_t *current, struct conf_problems *problems)
{
	size_t before = problems->count + problems->dropped;

	for (size_t w = 0; w < COUNT; w++)
		if (keep_kind(document, current, withheld[w].kind, withheld[w].field, problems) < 0)
			return -ENOMEM;
	return problems->count + problems->dropped > before ? -EINVAL : 0;
}
