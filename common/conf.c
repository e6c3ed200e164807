/*
 * See conf.h: from a document to a snapshot and back, counting, and finding
 * objects by name. How a field is written is field's business, what fits
 * together is conf_rules'.
 */
#include "common/conf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/conf_inside.h"
#include "common/conf_rules.h"
#include "common/document.h"
#include "common/field.h"

#define CONF_FORMAT 1

bool conf_name_is_valid(const char *name)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(name);

	return len > 0 && len < CONF_NAME_SIZE && strspn(name, inner) == len && name[0] != '-' &&
	       name[len - 1] != '-';
}

static int digest_add(const char *data, size_t len, void *user)
{
	return EVP_DigestUpdate(user, data, len) == 1 ? 0 : -1;
}

/* "sha256:…" of the document's compact JSON: 0, or -ENOMEM. */
static int digest_print(const json_t *document, char text[CONF_DIGEST_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned len = 0;
	int rc = -ENOMEM;

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		json_dump_callback(document, digest_add, ctx, JSON_COMPACT) == 0 &&
		EVP_DigestFinal_ex(ctx, digest, &len) == 1) {
		char *p = text + snprintf(text, CONF_DIGEST_SIZE, "sha256:");

		for (unsigned i = 0; i < len; i++)
			p += snprintf(p, 3, "%02x", digest[i]);
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	return rc;
}

struct conf *conf_new(void)
{
	struct conf *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->private = calloc(1, sizeof *c->private);
	if (!c->private) {
		free(c);
		return NULL;
	}
	arena_init(&c->private->arena);
	c->private->references = 1;
	return c;
}

static int index_pool(struct conf_pool *p, struct arena *arena)
{
	struct name_index *x = arena_alloc(arena, 1, sizeof *x);

	if (!x)
		return -ENOMEM;
	p->index = x;
	return name_index_build(x, arena, p->servers, p->servers_count, sizeof *p->servers);
}

static int index_all(struct conf *c)
{
	struct conf_private *p = c->private;
	struct arena *a = &p->arena;
	int rc = 0;

	rc |= name_index_build(
		&p->instances, a, c->instances, c->instances_count, sizeof *c->instances);
	rc |= name_index_build(&p->vips, a, c->vips, c->vips_count, sizeof *c->vips);
	rc |= name_index_build(&p->pools, a, c->pools, c->pools_count, sizeof *c->pools);
	rc |= name_index_build(
		&p->listeners, a, c->listeners, c->listeners_count, sizeof *c->listeners);
	rc |= name_index_build(&p->certificates, a, c->certificates, c->certificates_count,
		sizeof *c->certificates);
	rc |= name_index_build(&p->checks, a, c->checks, c->checks_count, sizeof *c->checks);
	for (size_t i = 0; i < c->pools_count; i++)
		rc |= index_pool(&c->pools[i], a);
	return rc ? -ENOMEM : 0;
}

static int resolve_listener(struct conf *c, struct conf_listener *l)
{
	const struct conf_certificate **certificates = arena_alloc(
		&c->private->arena, l->certificate_names_count, sizeof *certificates);

	if (!certificates)
		return -ENOMEM;
	l->pool = l->pool_name ? conf_pool(c, l->pool_name) : NULL;
	for (size_t i = 0; i < l->routes_count; i++) {
		struct conf_route *route = &l->routes[i];

		route->pool = route->pool_name ? conf_pool(c, route->pool_name) : NULL;
	}
	for (size_t i = 0; i < l->certificate_names_count; i++)
		if (l->certificate_names[i])
			certificates[i] = conf_certificate(c, l->certificate_names[i]);
	l->certificates = certificates;
	if (l->client_certificates.ca_name)
		l->client_certificates.ca = conf_certificate(c, l->client_certificates.ca_name);
	return 0;
}

static void resolve_pool(struct conf *c, struct conf_pool *p)
{
	for (size_t i = 0; i < p->servers_count; i++) {
		struct conf_server *s = &p->servers[i];

		s->is_resolved = s->address && addr_parse_port(s->address, &s->ip) == 0;
	}
	if (p->check && !p->check->port)
		p->check->send_proxy_protocol = p->send_proxy_protocol;
	if (p->tls && p->tls->ca_name)
		p->tls->ca = conf_certificate(c, p->tls->ca_name);
}

/* What the structs hold besides the fields: the objects that names mean, the addresses of servers.
 */
static int resolve(struct conf *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->listeners_count; i++)
		rc |= resolve_listener(c, &c->listeners[i]);
	for (size_t i = 0; i < c->pools_count; i++)
		resolve_pool(c, &c->pools[i]);
	return rc ? -ENOMEM : 0;
}

int conf_complete(struct conf *c)
{
	return index_all(c) < 0 || resolve(c) < 0 ? -ENOMEM : 0;
}

/* Fields alone: what they refer to, and nothing about what fits together. */
static int read_fields(struct conf *c, const json_t *document, struct field_reader *reader)
{
	c->private->document = field_read(reader, &field_document, document, NULL, c);
	if (reader->is_out_of_memory)
		return -ENOMEM;
	return c->private->document ? conf_complete(c) : -EINVAL;
}

static int judge(struct conf *c, struct field_reader *reader)
{
	conf_rules(c, reader);
	if (reader->is_out_of_memory)
		return -ENOMEM;
	return digest_print(c->private->document, c->digest);
}

/* What is passed over is passed on all the same, and counts for the digest. */
static void keep_whole(struct conf *c, const json_t *document)
{
	json_decref(c->private->document);
	c->private->document = json_incref((json_t *)(uintptr_t)document);
}

/* is_snapshot: fields of a newer version are passed over. */
static int compile(const json_t *document, bool is_snapshot, struct conf_problems *problems,
	struct conf **ret)
{
	size_t before = problems->count + problems->dropped;
	struct field_reader reader = {.problems = problems};
	struct conf *c = conf_new();
	int rc;

	if (!c)
		return -ENOMEM;
	reader.arena = &c->private->arena;
	reader.passed_over = is_snapshot ? c->passed_over : NULL;
	rc = read_fields(c, document, &reader);
	if (rc == 0 && c->passed_over[0])
		keep_whole(c, document);
	if (rc == 0)
		rc = judge(c, &reader);
	if (rc == 0 && problems->count + problems->dropped > before)
		rc = -EINVAL;
	if (rc < 0) {
		conf_unref(c);
		return rc;
	}
	*ret = c;
	return 0;
}

int conf_from_json(const json_t *document, struct conf_problems *problems, struct conf **ret)
{
	return compile(document, false, problems, ret);
}

int conf_parse(const char *text, size_t len, enum conf_format format,
	struct conf_problems *problems, struct conf **ret)
{
	json_t *document;
	int rc = document_parse(text, len, format, &field_document, problems, &document);

	if (rc < 0)
		return rc;
	rc = conf_from_json(document, problems, ret);
	json_decref(document);
	return rc;
}

const json_t *conf_document(const struct conf *c)
{
	return c->private->document;
}

void conf_print_yaml(const struct conf *c, struct buf *out)
{
	document_print_yaml(c->private->document, out);
}

json_t *conf_encode(const struct conf *c)
{
	return json_pack("{s:i, s:I, s:s, s:O}", "format", CONF_FORMAT, "generation",
		(json_int_t)c->generation, "digest", c->digest, "document", c->private->document);
}

int conf_read_head(const json_t *value, struct conf_problems *problems, uint64_t *ret_generation,
	const char **ret_digest)
{
	const char *digest;
	json_int_t format, generation;

	if (json_unpack((json_t *)value, "{s:I, s:I, s:s}", "format", &format, "generation",
		    &generation, "digest", &digest) < 0 ||
		generation < 0) {
		conf_problems_add(problems, "", "not a snapshot");
		return -EINVAL;
	}
	if (format != CONF_FORMAT) {
		conf_problems_add(
			problems, "format", "%lld is not known to this version", (long long)format);
		return -EINVAL;
	}
	*ret_generation = (uint64_t)generation;
	*ret_digest = digest;
	return 0;
}

int conf_decode(const json_t *value, struct conf_problems *problems, struct conf **ret)
{
	const char *digest;
	uint64_t generation;
	const json_t *document = json_object_get(value, "document");
	struct conf *c;
	int rc = conf_read_head(value, problems, &generation, &digest);

	if (rc == 0 && !document) {
		conf_problems_add(problems, "", "not a snapshot");
		rc = -EINVAL;
	}
	if (rc == 0)
		rc = compile(document, true, problems, &c);
	if (rc < 0)
		return rc;
	if (strcmp(c->digest, digest) != 0) {
		conf_problems_add(problems, "digest", "does not fit the document");
		conf_unref(c);
		return -EINVAL;
	}
	c->generation = generation;
	*ret = c;
	return 0;
}

void conf_set_generation(struct conf *c, uint64_t generation)
{
	assert(c->private->references == 1);
	c->generation = generation;
}

struct conf *conf_ref(struct conf *c)
{
	assert(c->private->references > 0);
	c->private->references++;
	return c;
}

void conf_unref(struct conf *c)
{
	if (!c)
		return;
	assert(c->private->references > 0);
	if (--c->private->references > 0)
		return;
	json_decref(c->private->document);
	arena_fini(&c->private->arena);
	free(c->private);
	free(c);
}

const struct conf_instance *conf_instance(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->instances, name);
}

const struct conf_vip *conf_vip(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->vips, name);
}

const struct conf_pool *conf_pool(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->pools, name);
}

const struct conf_listener *conf_listener(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->listeners, name);
}

const struct conf_certificate *conf_certificate(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->certificates, name);
}

const struct conf_check *conf_check(const struct conf *c, const char *name)
{
	return name_index_find(&c->private->checks, name);
}

const struct conf_server *conf_server(const struct conf_pool *p, const char *name)
{
	return name_index_find(p->index, name);
}

int conf_vip_priority(const struct conf *c, const struct conf_vip *v, const char *instance)
{
	const struct conf_instance *i = conf_instance(c, instance);

	for (size_t n = 0; n < v->priority_count; n++)
		if (strcmp(v->priority[n].instance, instance) == 0)
			return (int)v->priority[n].priority;
	return i && i->ha.primary ? 200 : 100;
}
