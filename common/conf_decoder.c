/*
 * See conf_decoder.h. One pass over the text finds where each entry of the
 * document's lists stands, and of the lists of long entries (a listener with
 * thousands of routes); then each is parsed and read on its own. The pass only
 * counts brackets and skips strings: what stands between them is judged by the
 * JSON parser, piece by piece.
 */
#include "common/conf_decoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_inside.h"
#include "common/field.h"

#define KEY_MAX 64
#define LONG 16384 /* bytes of a list within an entry, whose own entries are pieces */
#define NO_LIST SIZE_MAX

/* A list whose entries are pieces. */
struct list_of {
	const struct field *field;
	size_t count, done; /* entries */
	void *object;       /* the struct that has it; NULL until that one is read */
	json_t *canonical;  /* borrowed from the document */
};

/* The text of an entry. */
struct piece {
	size_t list; /* that it is an entry of */
	const char *text;
	size_t len;
	size_t inner; /* a list of the entry that is read in pieces of its own, or NO_LIST: */
	size_t inner_at, inner_len; /* where it stands in the text */
};

struct conf_decoder {
	const char *at, *end; /* of the pass */
	struct conf *conf;
	json_t *head, *rest; /* of the snapshot but its document; of the document but its lists */
	struct piece *pieces;
	size_t count, capacity, next;
	struct list_of *lists;
	size_t lists_count;
};

struct conf_decoder *conf_decoder_new(const char *text, size_t len)
{
	struct conf_decoder *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->at = text;
	d->end = text + len;
	d->conf = conf_new();
	d->head = json_object();
	d->rest = json_object();
	if (d->conf && d->head && d->rest)
		return d;
	conf_decoder_free(d);
	return NULL;
}

void conf_decoder_free(struct conf_decoder *d)
{
	if (!d)
		return;
	conf_unref(d->conf);
	json_decref(d->head);
	json_decref(d->rest);
	free(d->pieces);
	free(d->lists);
	free(d);
}

/* The pass: each function leaves d->at behind what it is named for, or returns false. */

static void skip_space(struct conf_decoder *d)
{
	while (d->at < d->end && strchr(" \t\r\n", *d->at) && *d->at)
		d->at++;
}

static bool take(struct conf_decoder *d, char c)
{
	skip_space(d);
	if (d->at == d->end || *d->at != c)
		return false;
	d->at++;
	return true;
}

static bool take_string(struct conf_decoder *d)
{
	if (!take(d, '"'))
		return false;
	for (; d->at < d->end; d->at++) {
		if (*d->at == '"') {
			d->at++;
			return true;
		}
		if (*d->at == '\\' && ++d->at == d->end)
			return false;
	}
	return false;
}

static bool take_scalar(struct conf_decoder *d)
{
	const char *start = d->at;

	while (d->at < d->end && *d->at && !strchr(",]} \t\r\n", *d->at))
		d->at++;
	return d->at > start;
}

static bool take_value(struct conf_decoder *d)
{
	size_t depth = 0;

	skip_space(d);
	if (d->at < d->end && !strchr("\"{[", *d->at))
		return take_scalar(d);
	while (d->at < d->end) {
		if (*d->at == '"') {
			if (!take_string(d))
				return false;
		} else {
			depth += *d->at == '{' || *d->at == '[';
			depth -= *d->at == '}' || *d->at == ']';
			d->at++;
		}
		if (depth == 0)
			return true;
	}
	return false;
}

/* To the next entry of a list or member of an object: 1, 0 behind its end. */
static int next(struct conf_decoder *d, char end, bool is_first)
{
	if (take(d, end))
		return 0;
	if (!is_first && !take(d, ','))
		return -EINVAL;
	skip_space(d);
	return 1;
}

/* A member's name; names with escapes are none of ours. */
static bool take_key(struct conf_decoder *d, char key[KEY_MAX])
{
	const char *start;
	size_t len;

	skip_space(d);
	start = d->at + 1;
	if (!take_string(d))
		return false;
	len = (size_t)(d->at - 1 - start);
	if (len >= KEY_MAX || memchr(start, '\\', len) || memchr(start, '\0', len))
		return false;
	memcpy(key, start, len);
	key[len] = '\0';
	return take(d, ':');
}

/* Lists are few: those of the document, and one of a long entry. */
static int add_list(struct conf_decoder *d, const struct field *f, size_t *ret)
{
	struct list_of *lists = realloc(d->lists, (d->lists_count + 1) * sizeof *lists);

	if (!lists)
		return -ENOMEM;
	d->lists = lists;
	lists[d->lists_count] = (struct list_of){.field = f};
	*ret = d->lists_count++;
	return 0;
}

static int add_piece(struct conf_decoder *d, size_t list, const char *text, size_t *ret)
{
	if (d->count == d->capacity) {
		size_t capacity = d->capacity ? 2 * d->capacity : 1024;
		struct piece *pieces = realloc(d->pieces, capacity * sizeof *pieces);

		if (!pieces)
			return -ENOMEM;
		d->pieces = pieces;
		d->capacity = capacity;
	}
	d->pieces[d->count] = (struct piece){list, text, (size_t)(d->at - text), NO_LIST, 0, 0};
	*ret = d->count++;
	return 0;
}

static bool is_list_of_objects(const struct field *f)
{
	return f && f->is_list && f->is_stored && f->type == FIELD_OBJECT;
}

static int find_inner(struct conf_decoder *d, size_t number);

static int find_entries(struct conf_decoder *d, size_t list, bool is_inner)
{
	struct list_of *l;
	bool is_first = true;
	int rc;

	if (!take(d, '['))
		return -EINVAL;
	for (; (rc = next(d, ']', is_first)) > 0; is_first = false) {
		const char *start = d->at;
		size_t number;

		l = &d->lists[list];
		if (l->count++ == l->field->most || !take_value(d))
			return -EINVAL;
		rc = add_piece(d, list, start, &number);
		if (rc == 0 && !is_inner && d->at - start > LONG)
			rc = find_inner(d, number);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* The first long list of an entry, if there is one; the pass is behind the entry again. */
static int find_inner(struct conf_decoder *d, size_t number)
{
	struct piece *p = &d->pieces[number];
	const struct field_kind *kind = d->lists[p->list].field->kind;
	const char *start = p->text, *end = d->at;
	char key[KEY_MAX];
	bool is_first = true;
	int rc = 0;

	d->at = start;
	if (!take(d, '{'))
		rc = -EINVAL;
	for (; rc == 0 && (rc = next(d, '}', is_first)) > 0; is_first = false) {
		const char *value;

		if (!take_key(d, key))
			return -EINVAL;
		skip_space(d);
		value = d->at;
		rc = take_value(d) ? 0 : -EINVAL;
		if (rc < 0 || d->at - value <= LONG || !is_list_of_objects(field_find(kind, key)))
			continue;
		rc = add_list(d, field_find(kind, key), &p->inner);
		if (rc < 0)
			return rc;
		p->inner_at = (size_t)(value - start);
		p->inner_len = (size_t)(d->at - value);
		d->at = value;
		rc = find_entries(d, p->inner, true);
		d->at = end;
		return rc;
	}
	d->at = end;
	return rc;
}

/* A member that is no list of objects: small. */
static int keep(struct conf_decoder *d, json_t *into, const char *key)
{
	const char *start = d->at;
	json_t *value;

	if (!take_value(d))
		return -EINVAL;
	value = json_loadb(start, (size_t)(d->at - start), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
		NULL);
	return value && json_object_set_new(into, key, value) == 0 ? 0 : -EINVAL;
}

static int find_document(struct conf_decoder *d)
{
	char key[KEY_MAX];
	bool is_first = true;
	int rc;

	if (!take(d, '{'))
		return -EINVAL;
	for (; (rc = next(d, '}', is_first)) > 0; is_first = false) {
		const struct field *f;
		size_t list = NO_LIST;

		if (!take_key(d, key))
			return -EINVAL;
		f = field_find(&field_document, key);
		rc = is_list_of_objects(f) ? add_list(d, f, &list) : keep(d, d->rest, key);
		if (rc == 0 && is_list_of_objects(f))
			rc = find_entries(d, list, false);
		if (rc < 0)
			return rc;
	}
	return rc;
}

static int find_all(struct conf_decoder *d)
{
	char key[KEY_MAX];
	bool is_first = true;
	int rc;

	if (!take(d, '{'))
		return -EINVAL;
	for (; (rc = next(d, '}', is_first)) > 0; is_first = false) {
		if (!take_key(d, key))
			return -EINVAL;
		rc = strcmp(key, "document") == 0 ? find_document(d) : keep(d, d->head, key);
		if (rc < 0)
			return rc;
	}
	skip_space(d);
	return rc == 0 && d->at != d->end ? -EINVAL : rc;
}

/* Reading */

static struct field_reader reader(struct conf_decoder *d, struct conf_problems *problems)
{
	return (struct field_reader){.arena = &d->conf->private->arena,
		.problems = problems,
		.passed_over = d->conf->passed_over};
}

static int outcome(const struct field_reader *r)
{
	if (r->is_out_of_memory)
		return -ENOMEM;
	return r->problems->count ? -EINVAL : 0;
}

static void **items_of(const struct list_of *l)
{
	return (void **)(void *)((char *)l->object + l->field->at);
}

/* The object that has the list is there: room for its entries, which are not. */
static int begin_list(struct conf_decoder *d, struct list_of *l, void *object, json_t *canonical)
{
	l->object = object;
	*items_of(l) = arena_alloc(&d->conf->private->arena, l->count, l->field->kind->size);
	l->canonical = json_array();
	if (!*items_of(l) || json_object_set_new(canonical, l->field->name, l->canonical) < 0)
		return -ENOMEM;
	return 0;
}

static int begin_lists(struct conf_decoder *d)
{
	json_t *document = d->conf->private->document;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < d->lists_count; i++) {
		struct list_of *l = &d->lists[i];

		if (field_find(&field_document, l->field->name) != l->field)
			continue; /* that of an entry */
		rc = json_object_get(document, l->field->name) ? -EINVAL : 0; /* twice */
		if (rc == 0)
			rc = begin_list(d, l, d->conf, document);
	}
	return rc;
}

/* What is no list, and where lists will stand. */
static int begin(struct conf_decoder *d, struct conf_problems *problems)
{
	struct field_reader r = reader(d, problems);
	const char *digest;
	int rc = find_all(d);

	if (rc == -EINVAL)
		conf_problems_add(problems, "", "not a snapshot");
	if (rc == 0)
		rc = conf_read_head(d->head, problems, &d->conf->generation, &digest);
	if (rc < 0)
		return rc;
	d->conf->private->document = field_read(&r, &field_document, d->rest, NULL, d->conf);
	rc = outcome(&r);
	if (rc == 0)
		rc = begin_lists(d);
	if (rc == -EINVAL && !problems->count)
		conf_problems_add(problems, "", "a list stands there twice");
	if (rc == 0)
		snprintf(d->conf->digest, sizeof d->conf->digest, "%s", digest);
	return rc;
}

/* The entry, without its inner list: owned, NULL when it is not JSON (or memory is short). */
static json_t *parse(const struct piece *p)
{
	size_t rest_at = p->inner_at + p->inner_len;
	json_t *value;
	char *text;

	if (p->inner == NO_LIST)
		return json_loadb(p->text, p->len, JSON_REJECT_DUPLICATES, NULL);
	text = malloc(p->len - p->inner_len + 2);
	if (!text)
		return NULL;
	memcpy(text, p->text, p->inner_at);
	memcpy(text + p->inner_at, "[]", 2);
	memcpy(text + p->inner_at + 2, p->text + rest_at, p->len - rest_at);
	value = json_loadb(text, p->len - p->inner_len + 2, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return value;
}

static int read_piece(struct conf_decoder *d, const struct piece *p, struct conf_problems *problems)
{
	struct list_of *l = &d->lists[p->list];
	struct field_reader r = reader(d, problems);
	struct field_place up = {.name = l->field->name}, at = {.up = &up, .index = l->done};
	char *object = (char *)*items_of(l) + l->done * l->field->kind->size;
	json_t *value = parse(p), *canonical;
	int rc;

	if (!value) {
		field_problem(&r, &at, "is not JSON");
		return -EINVAL;
	}
	at.key = json_string_value(json_object_get(value, "name"));
	canonical = field_read(&r, l->field->kind, value, &at, object);
	rc = outcome(&r);
	if (canonical && json_array_append_new(l->canonical, canonical) < 0)
		rc = -ENOMEM;
	if (rc == 0 && p->inner != NO_LIST)
		rc = begin_list(d, &d->lists[p->inner], object, canonical);
	json_decref(value);
	*(size_t *)(void *)((char *)l->object + l->field->count_at) = ++l->done;
	return rc;
}

int conf_decoder_step(
	struct conf_decoder *d, size_t bytes, struct conf_problems *problems, struct conf **ret)
{
	int rc = 0;

	if (!d->conf->private->document)
		rc = begin(d, problems);
	for (size_t done = 0; rc == 0 && d->next < d->count && done < bytes; d->next++) {
		rc = read_piece(d, &d->pieces[d->next], problems);
		done += d->pieces[d->next].len;
	}
	if (rc == 0 && d->next < d->count)
		return 1;
	if (rc == 0)
		rc = conf_complete(d->conf);
	if (rc < 0)
		return rc;
	*ret = d->conf;
	d->conf = NULL;
	return 0;
}
