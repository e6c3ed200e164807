/*
 * objects: one object of a document (an instance, a VIP, a pool, a server of a
 * pool, a listener, a check), read, replaced, added, removed. All are entries
 * of a list with a name, so one body serves them all; a write is an edit of the
 * document and goes through revise.
 */
#include "control/api/revise.h"

#include <stdio.h>
#include <string.h>

#include "common/field.h"
#include "control/withheld.h"

/* Where an object stands: a list of the document, or the servers of a pool. */
struct place {
	const char *kind; /* "pools", "servers", … */
	const char *pool; /* servers only */
	const char *name; /* NULL: the whole list */
};

static struct place place_of(const struct route_match *m)
{
	switch ((int)m->route->id) {
	case ROUTE_SERVERS:
		return (struct place){"servers", m->parameters[1], NULL};
	case ROUTE_SERVER_GET:
	case ROUTE_SERVER_PUT:
	case ROUTE_SERVER_DELETE:
		return (struct place){"servers", m->parameters[1], m->parameters[2]};
	case ROUTE_OBJECTS:
		return (struct place){m->parameters[1], NULL, NULL};
	default:
		return (struct place){m->parameters[1], NULL, m->parameters[2]};
	}
}

static json_t *find_in(const json_t *list, const char *name, size_t *ret_index)
{
	json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *its = json_string_value(json_object_get(entry, "name"));

		if (its && strcmp(its, name) == 0) {
			*ret_index = i;
			return entry;
		}
	}
	return NULL;
}

/* The list of a place in a document (borrowed); NULL: there is none, because its pool is missing or
 * nothing is in it. */
static json_t *list_of(const json_t *document, const struct place *p, bool *ret_has_pool)
{
	const json_t *holder = document;
	size_t i;

	*ret_has_pool = true;
	if (p->pool) {
		holder = find_in(json_object_get(document, "pools"), p->pool, &i);
		*ret_has_pool = holder != NULL;
	}
	return json_object_get(holder, p->kind);
}

static int refuse_later(struct exchange *x, const char *kind)
{
	if (strcmp(kind, "secrets") != 0)
		return 0;
	family_refuse(x, 501, "%s are not there yet in this version", kind);
	return -1;
}

void family_objects(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct place p = place_of(m);
	const struct picture_stack *s;
	bool has_pool;
	json_t *list;

	if (refuse_later(x, p.kind) < 0)
		return;
	s = family_stack(a, x, m->parameters[0]);
	if (!s)
		return;
	list = list_of(conf_document(s->conf), &p, &has_pool);
	if (!has_pool)
		family_refuse(x, 404, "stack %s has no pool %.64s", s->name, p.pool);
	else
		family_answer(
			x, 200, list ? withheld_hide_kind(p.kind, list) : json_array(),
			s->conf->generation);
}

void family_object_get(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct place p = place_of(m);
	const struct picture_stack *s;
	bool has_pool;
	json_t *entry;
	size_t i;

	if (refuse_later(x, p.kind) < 0)
		return;
	s = family_stack(a, x, m->parameters[0]);
	if (!s)
		return;
	entry = find_in(list_of(conf_document(s->conf), &p, &has_pool), p.name, &i);
	if (!has_pool)
		family_refuse(x, 404, "stack %s has no pool %.64s", s->name, p.pool);
	else if (!entry)
		family_refuse(
			x, 404, "there is no %.64s in %s of stack %s", p.name, p.kind, s->name);
	else
		family_answer(
			x, 200, withheld_hide_kind(p.kind, entry), s->conf->generation);
}

/* ---- writing ---- */

static struct place spec_place(const struct revise_spec *spec)
{
	return (struct place){
		spec->names[0], spec->names[1][0] ? spec->names[1] : NULL, spec->names[2]};
}

/* The document to edit (owned), or NULL after filling refusal. */
static json_t *begin_edit(const struct revise *r, const json_t *current, const struct place *p,
	struct answer *refusal)
{
	bool has_pool;

	if (!current) {
		answer_problem(refusal, 404, "there is no stack %s", r->stack);
		return NULL;
	}
	list_of(current, p, &has_pool);
	if (!has_pool) {
		answer_problem(refusal, 404, "stack %s has no pool %s", r->stack, p->pool);
		return NULL;
	}
	return json_deep_copy(current);
}

static json_t *build_put(const struct revise *r, const json_t *current, struct answer *refusal)
{
	struct place p = spec_place(&r->spec);
	json_t *document = begin_edit(r, current, &p, refusal), *holder = document, *list;
	size_t i;

	if (!document)
		return NULL;
	if (p.pool)
		holder = find_in(json_object_get(document, "pools"), p.pool, &i);
	list = json_object_get(holder, p.kind);
	if (!list) {
		list = json_array();
		json_object_set_new(holder, p.kind, list);
	}
	if (find_in(list, p.name, &i))
		json_array_set(list, i, r->spec.material);
	else
		json_array_append(list, r->spec.material);
	return revise_complete(document, current, refusal);
}

static json_t *build_delete(const struct revise *r, const json_t *current, struct answer *refusal)
{
	struct place p = spec_place(&r->spec);
	json_t *document = begin_edit(r, current, &p, refusal), *list;
	bool has_pool;
	size_t i;

	if (!document)
		return NULL;
	list = list_of(document, &p, &has_pool);
	if (find_in(list, p.name, &i)) {
		json_array_remove(list, i);
		return document;
	}
	answer_problem(refusal, 404, "there is no %s in %s of stack %s", p.name, p.kind, r->stack);
	json_decref(document);
	return NULL;
}

static int fill_spec(struct exchange *x, const struct place *p, struct revise_spec *spec)
{
	if (!conf_name_is_valid(p->name)) {
		family_refuse(x, 400,
			"%.80s is no name: lower-case letters, digits and hyphens, at most 63, "
			"beginning and "
			"ending with a letter or digit",
			p->name);
		return -1;
	}
	if (p->pool && !conf_name_is_valid(p->pool)) {
		family_refuse(x, 404, "there is no pool %.80s", p->pool);
		return -1;
	}
	snprintf(spec->names[0], CONF_NAME_SIZE, "%s", p->kind);
	snprintf(spec->names[1], CONF_NAME_SIZE, "%s", p->pool ? p->pool : "");
	snprintf(spec->names[2], CONF_NAME_SIZE, "%s", p->name);
	snprintf(spec->why, sizeof spec->why, "%s %s%s%s", p->kind, p->pool ? p->pool : "",
		p->pool ? "/" : "", p->name);
	return 0;
}

/* The body, with the name of the path; NULL after answering. */
static json_t *read_object(struct exchange *x, const struct place *p)
{
	char why[REQUEST_WHY_SIZE];
	json_t *object;
	const char *name;

	if (request_object(exchange_request(x), field_kind_find(p->kind), &object, why) < 0) {
		family_refuse(x, 400, "%s", why);
		return NULL;
	}
	if (!json_object_get(object, "name"))
		json_object_set_new(object, "name", json_string(p->name));
	name = json_string_value(json_object_get(object, "name"));
	if (name && strcmp(name, p->name) == 0)
		return object;
	family_refuse(x, 422, "the object's name is not %s, as the path says", p->name);
	json_decref(object);
	return NULL;
}

void family_object_put(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct place p = place_of(m);
	struct revise_spec spec = {
		.stack = m->parameters[0], .action = "object", .build = build_put, .is_edit = true};

	if (refuse_later(x, p.kind) < 0 || fill_spec(x, &p, &spec) < 0)
		return;
	spec.material = read_object(x, &p);
	if (spec.material)
		revise_begin(a, x, &spec);
}

void family_object_delete(struct api *a, struct exchange *x, const struct route_match *m)
{
	struct place p = place_of(m);
	struct revise_spec spec = {.stack = m->parameters[0],
		.action = "object",
		.build = build_delete,
		.is_edit = true};

	if (refuse_later(x, p.kind) < 0 || fill_spec(x, &p, &spec) < 0)
		return;
	revise_begin(a, x, &spec);
}
