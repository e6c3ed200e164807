/*
 * See conf_diff.h: objects are found by name and compared as canonical JSON
 * along the tables of fields, so that writing a default changes nothing. An
 * object's place in its list is its place in the document's.
 */
#include "common/conf_diff.h"

#include <string.h>

#include "common/field.h"

typedef void diff_visit(void *user, const struct conf_diff_item *item);

struct diff {
	const struct conf *before, *after; /* before may be NULL */
	diff_visit *visit;
	void *user;
	size_t count;
};

/* One kind of top-level object: where its list lies, and how one is found by name. */
struct diff_list {
	enum conf_kind kind;
	const struct field_kind *fields;
	const char *except;          /* compared on its own */
	size_t at, count_at, stride; /* in struct conf */
	const void *(*find)(const struct conf *c, const char *name);
};

static const void *find_instance(const struct conf *c, const char *name)
{
	return conf_instance(c, name);
}

static const void *find_vip(const struct conf *c, const char *name)
{
	return conf_vip(c, name);
}

static const void *find_pool(const struct conf *c, const char *name)
{
	return conf_pool(c, name);
}

static const void *find_listener(const struct conf *c, const char *name)
{
	return conf_listener(c, name);
}

static const void *find_check(const struct conf *c, const char *name)
{
	return conf_check(c, name);
}

#define LIST(member) offsetof(struct conf, member), offsetof(struct conf, member##_count)

static const struct diff_list lists[] = {
	{CONF_KIND_INSTANCE, &field_instance, NULL, LIST(instances), sizeof(struct conf_instance),
		find_instance},
	{CONF_KIND_VIP, &field_vip, NULL, LIST(vips), sizeof(struct conf_vip), find_vip},
	{CONF_KIND_POOL, &field_pool, "servers", LIST(pools), sizeof(struct conf_pool), find_pool},
	{CONF_KIND_LISTENER, &field_listener, NULL, LIST(listeners), sizeof(struct conf_listener),
		find_listener},
	{CONF_KIND_CHECK, &field_standing_check, NULL, LIST(checks), sizeof(struct conf_check),
		find_check},
};
#define LISTS (sizeof lists / sizeof *lists)

static const char *items_of(const struct conf *c, const struct diff_list *l)
{
	return c ? *(const char *const *)(const void *)((const char *)c + l->at) : NULL;
}

static size_t count_of(const struct conf *c, const struct diff_list *l)
{
	return c ? *(const size_t *)(const void *)((const char *)c + l->count_at) : 0;
}

static const char *name_of(const void *object)
{
	return *(const char *const *)object;
}

static const json_t *json_of(const struct conf *c, const struct diff_list *l, const void *object)
{
	size_t number = (size_t)((const char *)object - items_of(c, l)) / l->stride;

	return json_array_get(json_object_get(conf_document(c), l->fields->plural), number);
}

static void report(struct diff *d, const struct conf_diff_item *item)
{
	d->count++;
	d->visit(d->user, item);
}

/* Objects of `from` that `other` does not have. */
static void visit_missing(struct diff *d, const struct diff_list *l, enum conf_change change)
{
	const struct conf *from = change == CONF_REMOVED ? d->before : d->after;
	const struct conf *other = change == CONF_REMOVED ? d->after : d->before;

	for (size_t i = 0; i < count_of(from, l); i++) {
		const void *object = items_of(from, l) + i * l->stride;

		if (!other || !l->find(other, name_of(object)))
			report(d, &(struct conf_diff_item){
					  .kind = l->kind,
					  .change = change,
					  .name = name_of(object),
					  .a = change == CONF_REMOVED ? object : NULL,
					  .b = change == CONF_ADDED ? object : NULL,
				  });
	}
}

static void visit_changed(struct diff *d, const struct diff_list *l)
{
	for (size_t i = 0; d->before && i < count_of(d->after, l); i++) {
		const void *b = items_of(d->after, l) + i * l->stride;
		const void *a = l->find(d->before, name_of(b));

		if (a && !field_is_same(l->fields, json_of(d->before, l, a),
				 json_of(d->after, l, b), l->except))
			report(d, &(struct conf_diff_item){.kind = l->kind,
					  .change = CONF_CHANGED,
					  .name = name_of(b),
					  .a = a,
					  .b = b});
	}
}

static const json_t *server_json(
	const struct conf *c, const struct conf_pool *p, const struct conf_server *s)
{
	const json_t *pool = json_array_get(
		json_object_get(conf_document(c), "pools"), (size_t)(p - c->pools));

	return json_array_get(json_object_get(pool, "servers"), (size_t)(s - p->servers));
}

/* Servers of one pool, which is new (a NULL), gone (b NULL), or in both. */
static void visit_servers(struct diff *d, const struct conf_pool *a, const struct conf_pool *b,
	enum conf_change change)
{
	const struct conf_pool *from = change == CONF_REMOVED ? a : b,
			       *other = change == CONF_REMOVED ? b : a;

	for (size_t i = 0; from && i < from->servers_count; i++) {
		const struct conf_server *s = &from->servers[i];
		const struct conf_server *o = other ? conf_server(other, s->name) : NULL;
		bool is_change = change == CONF_CHANGED;

		if (is_change != !!o)
			continue;
		if (is_change && field_is_same(&field_server, server_json(d->before, a, o),
					 server_json(d->after, b, s), NULL))
			continue;
		report(d, &(struct conf_diff_item){
				  .kind = CONF_KIND_SERVER,
				  .change = change,
				  .name = s->name,
				  .a = change == CONF_REMOVED ? s : o,
				  .b = change == CONF_REMOVED ? NULL : s,
				  .pool_a = a,
				  .pool_b = b,
			  });
	}
}

static void visit_pools_servers(struct diff *d, enum conf_change change)
{
	const struct conf *from = change == CONF_REMOVED ? d->before : d->after;
	const struct conf *other = change == CONF_REMOVED ? d->after : d->before;

	for (size_t i = 0; from && i < from->pools_count; i++) {
		const struct conf_pool *p = &from->pools[i];
		const struct conf_pool *o = other ? conf_pool(other, p->name) : NULL;

		if (change == CONF_REMOVED)
			visit_servers(d, p, o, change);
		else
			visit_servers(d, o, p, change);
	}
}

size_t conf_diff(const struct conf *before, const struct conf *after,
	void (*visit)(void *user, const struct conf_diff_item *item), void *user)
{
	struct diff d = {before, after, visit, user, 0};

	visit_pools_servers(&d, CONF_REMOVED);
	for (size_t i = 0; i < LISTS; i++)
		visit_missing(&d, &lists[i], CONF_REMOVED);
	for (size_t i = 0; i < LISTS; i++)
		visit_changed(&d, &lists[i]);
	visit_pools_servers(&d, CONF_CHANGED);
	for (size_t i = 0; i < LISTS; i++)
		visit_missing(&d, &lists[i], CONF_ADDED);
	visit_pools_servers(&d, CONF_ADDED);
	return d.count;
}
