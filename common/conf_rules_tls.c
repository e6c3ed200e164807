/*
 * The rules about TLS: which certificates a listener and a pool name, and that
 * they are there. What is inside a certificate is certificate.h's: that is
 * judged once, when a document is written, and not by every daemon that reads
 * it. See conf_rules.h.
 */
#include "common/conf_rules.h"

#include <stddef.h>

#include "common/nearest.h"

static void refuse_unknown(const struct conf *c, struct field_reader *r, const char *name,
	const struct field_place *at)
{
	char quote[FIELD_QUOTE_SIZE];
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < c->certificates_count && !field_problems_are_full(r); i++)
		if (c->certificates[i].name)
			nearest_look(&nearest, c->certificates[i].name);
	if (nearest.best)
		field_problem(r, at, "there is no certificate %s; did you mean %s?",
			field_quote(name, quote), nearest.best);
	else
		field_problem(r, at, "there is no certificate %s in this document",
			field_quote(name, quote));
}

static void check_names(const struct conf *c, struct field_reader *r, const struct conf_listener *l,
	const struct field_place *up)
{
	struct field_place list = {.up = up, .name = "certificates"};

	for (size_t i = 0; i < l->certificate_names_count; i++) {
		struct field_place at = {.up = &list, .index = i};

		if (l->certificate_names[i] && !l->certificates[i])
			refuse_unknown(c, r, l->certificate_names[i], &at);
	}
}

static void check_clients(const struct conf *c, struct field_reader *r,
	const struct conf_listener *l, bool ends_tls, const struct field_place *up)
{
	const struct conf_client_certificates *k = &l->client_certificates;
	struct field_place object = {.up = up, .name = "client_certificates"};
	struct field_place ca = {.up = &object, .name = "ca"};

	if (k->ca_name && !k->ca)
		refuse_unknown(c, r, k->ca_name, &ca);
	if (k->mode == CONF_CLIENTS_OFF)
		return;
	if (!k->ca_name)
		field_problem(r, &ca,
			"is required: name the certificate that clients are verified "
			"by, or set mode to off");
	if (!ends_tls)
		field_problem(r, &object,
			"is for listeners that end TLS: set protocol to https, or give a tcp "
			"listener certificates");
}

static void check_listener(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_listener *l = &c->listeners[number];
	struct field_place list = {.name = "listeners"};
	struct field_place at = {.up = &list, .key = l->name, .index = number};
	struct field_place certificates = {.up = &at, .name = "certificates"};
	bool may_end = l->protocol == CONF_LISTENER_HTTPS || l->protocol == CONF_LISTENER_TCP;
	bool has_any = l->certificate_names_count > 0;

	check_names(c, r, l, &at);
	check_clients(c, r, l, may_end && has_any, &at);
	if (l->protocol == CONF_LISTENER_HTTPS && !has_any)
		field_problem(r, &certificates,
			"is required: an https listener needs at least one certificate");
	if (!may_end && has_any)
		field_problem(r, &certificates,
			l->protocol == CONF_LISTENER_TLS
				? "are of no use to a tls listener, which passes TLS on: set "
				  "protocol to https or tcp to end it here"
				: "are for listeners of protocol https and tcp");
}

static void check_pool(const struct conf *c, struct field_reader *r, size_t number)
{
	const struct conf_pool *p = &c->pools[number];
	struct field_place list = {.name = "pools"};
	struct field_place at = {.up = &list, .key = p->name, .index = number};
	struct field_place tls = {.up = &at, .name = "tls"};
	struct field_place ca = {.up = &tls, .name = "ca"};

	if (!p->tls)
		return;
	if (p->protocol == CONF_POOL_UDP)
		field_problem(r, &tls, "is not possible with udp: remove it");
	if (p->tls->ca_name && !p->tls->ca)
		refuse_unknown(c, r, p->tls->ca_name, &ca);
	if (p->tls->ca_name && !p->tls->verify)
		field_problem(r, &ca, "is not looked at while verify is false: remove one of them");
}

void conf_rules_tls(const struct conf *c, struct field_reader *r)
{
	conf_rules_unique(
		r, "certificates", c->certificates, c->certificates_count, sizeof *c->certificates);
	for (size_t i = 0; i < c->pools_count; i++)
		check_pool(c, r, i);
	for (size_t i = 0; i < c->listeners_count; i++)
		check_listener(c, r, i);
}
