/* See pg_hosts.h. Used by store_pg.c alone. */
#include "control/pg_hosts.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"

/* What we want where the URI says nothing: the writable server of several, a dead one noticed. */
static const char *const defaults[][2] = {
	{"application_name", "ballast-control"},
	{"target_session_attrs", "read-write"},
	{"keepalives_idle", "5"},
	{"keepalives_interval", "2"},
	{"keepalives_count", "3"},
	{"tcp_user_timeout", "8000"},
};

static int option_add(struct pg_hosts *h, const char *keyword, const char *value)
{
	size_t i = 0;

	while (i < h->options && strcmp(h->keywords[i], keyword) != 0)
		i++;
	if (i == PG_OPTIONS_MAX)
		return -EINVAL;
	if (i == h->options) {
		h->keywords[i] = strdup(keyword);
		h->options++;
	}
	free(h->values[i]);
	h->values[i] = strdup(value);
	return h->keywords[i] && h->values[i] ? 0 : -ENOMEM;
}

/* Element `at` of a comma-separated list; a list of one counts for all. Returns owned. */
static char *list_item(const char *list, size_t at)
{
	const char *begin = list ? list : "";

	if (!strchr(begin, ','))
		return strdup(begin);
	for (; at > 0 && *begin; at--)
		begin += strcspn(begin, ",") + (strchr(begin, ',') ? 1 : 0);
	return strndup(begin, strcspn(begin, ","));
}

static size_t list_count(const char *list)
{
	size_t count = 1;

	for (const char *p = list; p && (p = strchr(p, ',')); p++)
		count++;
	return count;
}

static int take_hosts(struct pg_hosts *h, const char *host, const char *address, const char *port)
{
	size_t count = list_count(host);

	if (list_count(address) > count)
		count = list_count(address);
	if (count > PG_HOSTS_MAX)
		return -EINVAL;
	for (h->count = 0; h->count < count; h->count++) {
		struct pg_host *item = &h->items[h->count];

		item->host = list_item(host, h->count);
		item->address = list_item(address, h->count);
		item->port = list_item(port, h->count);
		if (!item->host || !item->address || !item->port)
			return -ENOMEM;
	}
	return 0;
}

static int take_options(struct pg_hosts *h, const PQconninfoOption *options)
{
	const char *host = NULL, *address = NULL, *port = NULL;
	int rc = 0;

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults && rc == 0; i++)
		rc = option_add(h, defaults[i][0], defaults[i][1]);
	for (const PQconninfoOption *o = options; o->keyword && rc == 0; o++) {
		if (!o->val)
			continue;
		if (strcmp(o->keyword, "host") == 0)
			host = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			address = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			port = o->val;
		else
			rc = option_add(h, o->keyword, o->val);
	}
	return rc == 0 ? take_hosts(h, host, address, port) : rc;
}

int pg_hosts_parse(const char *uri, struct pg_hosts *ret)
{
	PQconninfoOption *options = PQconninfoParse(uri, NULL);
	struct pg_hosts h = {0};
	int rc;

	if (!options)
		return -EINVAL;
	rc = take_options(&h, options);
	PQconninfoFree(options);
	if (rc < 0) {
		pg_hosts_fini(&h);
		return rc;
	}
	*ret = h;
	return 0;
}

void pg_hosts_fini(struct pg_hosts *h)
{
	for (size_t i = 0; i < PG_HOSTS_MAX; i++) {
		free(h->items[i].host);
		free(h->items[i].address);
		free(h->items[i].port);
	}
	for (size_t i = 0; i < h->options; i++) {
		free(h->keywords[i]);
		free(h->values[i]);
	}
	*h = (struct pg_hosts){0};
}

bool pg_host_needs_name(const struct pg_host *host)
{
	struct addr ip;

	return host->host[0] && host->host[0] != '/' && host->host[0] != '@' && !host->address[0] &&
	       addr_parse_ip(host->host, &ip) < 0;
}

void pg_hosts_parameters(const struct pg_hosts *h, size_t at, const char *address,
	const char *keywords[PG_OPTIONS_MAX + 4], const char *values[PG_OPTIONS_MAX + 4])
{
	const struct pg_host *host = &h->items[at];
	const char *const named[][2] = {
		{"host", host->host},
		{"hostaddr", address[0] ? address : host->address},
		{"port", host->port},
	};
	size_t n = 0;

	for (size_t i = 0; i < h->options; i++, n++) {
		keywords[n] = h->keywords[i];
		values[n] = h->values[i];
	}
	for (size_t i = 0; i < 3; i++) {
		if (!named[i][1][0])
			continue;
		keywords[n] = named[i][0];
		values[n++] = named[i][1];
	}
	keywords[n] = values[n] = NULL;
}
