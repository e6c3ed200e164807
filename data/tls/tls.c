/* See tls.h. */
#include "data/tls/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/tls/tls_wire.h"

int tls_open(const struct tls_tickets *tickets, struct tls **ret)
{
	struct tls *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->tickets = tickets;
	t->wire = tls_wire_method();
	t->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (!t->wire || !t->ticket_cipher) {
		tls_close(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

/* What belongs to one generation. */
static void forget(struct tls *t)
{
	struct conf *c = t->conf;

	for (size_t i = 0; c && t->servers && i < c->listeners_count; i++)
		tls_server_unref(t->servers[i]);
	for (size_t i = 0; c && t->certificates && i < c->certificates_count; i++)
		tls_certificate_unref(t->certificates[i]);
	for (size_t i = 0; c && t->clients && i < c->pools_count; i++)
		tls_client_unref(t->clients[i]);
	free(t->clients);
	free(t->servers);
	free(t->certificates);
	conf_unref(c);
}

void tls_close(struct tls *t)
{
	if (!t)
		return;
	forget(t);
	EVP_CIPHER_free(t->ticket_cipher);
	BIO_meth_free(t->wire);
	free(t);
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct conf_certificate *a, const struct conf_certificate *b)
{
	return is_same_text(a->certificate_pem, b->certificate_pem) &&
	       is_same_text(a->key_pem, b->key_pem) && is_same_text(a->ocsp_file, b->ocsp_file);
}

/* Certificates that an earlier generation had just so stay parsed. */
static int take_certificates(struct tls *t, const struct tls *before)
{
	t->certificates = calloc(t->conf->certificates_count + 1, sizeof *t->certificates);
	if (!t->certificates)
		return -ENOMEM;
	for (size_t i = 0; before->conf && i < t->conf->certificates_count; i++) {
		const struct conf_certificate *now = &t->conf->certificates[i];
		const struct conf_certificate *was = conf_certificate(before->conf, now->name);
		struct tls_certificate *c =
			was && is_same(was, now)
				? before->certificates[was - before->conf->certificates]
				: NULL;

		t->certificates[i] = c ? tls_certificate_ref(c) : NULL;
	}
	return 0;
}

static int make_servers(struct tls *t, const struct tls *before, char why[256])
{
	int rc = 0;

	t->servers = calloc(t->conf->listeners_count + 1, sizeof *t->servers);
	if (!t->servers)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < t->conf->listeners_count; i++) {
		const struct conf_listener *now = &t->conf->listeners[i];
		const struct conf_listener *was = before->conf
							  ? conf_listener(before->conf, now->name)
							  : NULL;

		if (tls_server_is_wanted(now))
			rc = tls_server_for(t, now,
				was ? before->servers[was - before->conf->listeners] : NULL,
				&t->servers[i], why);
	}
	return rc;
}

static int make_clients(struct tls *t, const struct tls *before, char why[256])
{
	int rc = 0;

	t->clients = calloc(t->conf->pools_count + 1, sizeof *t->clients);
	if (!t->clients)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < t->conf->pools_count; i++) {
		const struct conf_pool *now = &t->conf->pools[i];
		const struct conf_pool *was = before->conf ? conf_pool(before->conf, now->name)
							   : NULL;

		if (now->tls)
			rc = tls_client_for(t, now,
				was ? before->clients[was - before->conf->pools] : NULL,
				&t->clients[i], why);
	}
	return rc;
}

int tls_apply(struct tls *t, struct conf *conf, char why[256])
{
	struct tls before = *t;
	int rc;

	t->conf = conf_ref(conf);
	t->certificates = NULL;
	t->servers = NULL;
	t->clients = NULL;
	snprintf(why, 256, "out of memory");
	rc = take_certificates(t, &before);
	if (rc == 0)
		rc = make_servers(t, &before, why);
	if (rc == 0)
		rc = make_clients(t, &before, why);
	if (rc < 0) {
		forget(t);
		*t = before;
		return rc;
	}
	forget(&before);
	t->refresh_next = 0;
	return 0;
}

struct tls_server *tls_server_at(struct tls *t, const struct conf_listener *l)
{
	return t->servers[l - t->conf->listeners];
}

struct tls_client *tls_client_at(struct tls *t, const struct conf_pool *p)
{
	return t->clients[p - t->conf->pools];
}

int tls_certificate_at(
	struct tls *t, const struct conf_certificate *conf, struct tls_certificate **ret)
{
	struct tls_certificate **place = &t->certificates[conf - t->conf->certificates];
	int rc = *place ? 0 : tls_certificate_new(conf, place);

	if (rc == 0)
		*ret = *place;
	return rc;
}

void tls_tick(struct tls *t)
{
	size_t count = t->conf ? t->conf->certificates_count : 0;
	for (size_t i = 0; i < count; i++) {
		struct tls_certificate *c = t->certificates[t->refresh_next];

		t->refresh_next = (t->refresh_next + 1) % count;
		if (c && c->ocsp_file) {
			tls_certificate_refresh(c);
			return;
		}
	}
}
