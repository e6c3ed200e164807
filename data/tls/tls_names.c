/* See tls_names.h. Names are collected, sorted, merged into choices, and indexed. */
#include "data/tls/tls_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/name_index.h"

/* A name of one certificate; after the build, of all that have it. name_index wants it first. */
struct entry {
	const char *name;
	uint32_t certificate;
	enum tls_key_kind kind;
	struct tls_choice choice;
};

struct tls_names {
	struct arena arena;
	struct entry *entries;
	size_t count, room;
	struct name_index index;
	bool is_built;
};

struct tls_names *tls_names_new(void)
{
	struct tls_names *n = calloc(1, sizeof *n);

	if (n)
		arena_init(&n->arena);
	return n;
}

void tls_names_free(struct tls_names *n)
{
	if (!n)
		return;
	arena_fini(&n->arena);
	free(n->entries);
	free(n);
}

static bool is_name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

size_t tls_name_normalise(const char *name, size_t len, char out[TLS_NAME_SIZE])
{
	size_t i = 0;
	char before = '.';

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= TLS_NAME_SIZE)
		return 0;
	if (len > 2 && name[0] == '*' && name[1] == '.') {
		memcpy(out, "*.", 2);
		i = 2;
	}
	for (; i < len; i++) {
		char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 'a' - 'A') : name[i];

		if (!is_name_letter(c) && (c != '.' || before == '.'))
			return 0;
		before = out[i] = c;
	}
	out[len] = '\0';
	return len;
}

static int grow(struct tls_names *n)
{
	size_t room = n->room ? 2 * n->room : 16;
	struct entry *entries = reallocarray(n->entries, room, sizeof *entries);

	if (!entries)
		return -ENOMEM;
	n->entries = entries;
	n->room = room;
	return 0;
}

int tls_names_add(struct tls_names *n, const char *name, size_t len, enum tls_key_kind kind,
	uint32_t certificate)
{
	char normal[TLS_NAME_SIZE];
	const char *kept;

	if (!tls_name_normalise(name, len, normal))
		return 0;
	kept = arena_text(&n->arena, normal);
	if (!kept || (n->count == n->room && grow(n) < 0))
		return -ENOMEM;
	n->entries[n->count++] = (struct entry){
		.name = kept, .certificate = certificate, .kind = kind};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->certificate < y->certificate ? -1 : x->certificate > y->certificate;
}

int tls_names_build(struct tls_names *n)
{
	size_t kept = 0;

	if (n->count > 1)
		qsort(n->entries, n->count, sizeof *n->entries, by_name);
	for (size_t i = 0; i < n->count; i++) {
		struct entry e = n->entries[i];
		uint32_t *place;

		if (kept == 0 || strcmp(n->entries[kept - 1].name, e.name) != 0) {
			memset(&e.choice, 0xff, sizeof e.choice);
			n->entries[kept++] = e;
		}
		place = &n->entries[kept - 1].choice.certificates[e.kind];
		if (*place == TLS_NAMES_NONE)
			*place = e.certificate;
	}
	n->count = kept;
	n->is_built = true;
	return name_index_build(&n->index, &n->arena, n->entries, n->count, sizeof *n->entries);
}

const struct tls_choice *tls_names_find(const struct tls_names *n, const char *asked)
{
	char name[TLS_NAME_SIZE + 1];
	const struct entry *e;
	char *dot;

	if (!n->is_built || !asked || asked[0] == '*' ||
		!tls_name_normalise(asked, strlen(asked), name + 1))
		return NULL;
	e = name_index_find(&n->index, name + 1);
	dot = strchr(name + 1, '.');
	if (!e && dot) {
		dot[-1] = '*'; /* "www.example.com" becomes "*.example.com" */
		e = name_index_find(&n->index, dot - 1);
	}
	return e ? &e->choice : NULL;
}

bool tls_names_has(const struct tls_names *n, const char *name, size_t len)
{
	char normal[TLS_NAME_SIZE];

	return n->is_built && tls_name_normalise(name, len, normal) &&
	       name_index_find(&n->index, normal);
}
