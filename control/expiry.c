/* See expiry.h. */
#include "control/expiry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WARN_MS ((int64_t)CERTIFICATE_WARN_DAYS * 24 * 3600 * 1000)

static struct certificate facts_of(const struct expiry *before, const struct conf_certificate *k)
{
	const struct conf_certificate *was = before->conf ? conf_certificate(before->conf, k->name)
							  : NULL;
	struct certificate facts = {0};
	char why[256];

	if (was && strcmp(was->certificate_pem, k->certificate_pem) == 0)
		return before->facts[was - before->conf->certificates];
	certificate_read(k->certificate_pem, &facts, why);
	return facts;
}

int expiry_note(struct expiry *e, struct conf *conf)
{
	struct expiry now = {0};

	if (e->conf == conf)
		return 0;
	if (conf) {
		now.facts = calloc(conf->certificates_count + 1, sizeof *now.facts);
		if (!now.facts) {
			expiry_fini(e);
			return -ENOMEM;
		}
		now.conf = conf_ref(conf);
		for (size_t i = 0; i < conf->certificates_count; i++)
			now.facts[i] = facts_of(e, &conf->certificates[i]);
	}
	expiry_fini(e);
	*e = now;
	return 0;
}

void expiry_fini(struct expiry *e)
{
	conf_unref(e->conf);
	free(e->facts);
	*e = (struct expiry){0};
}

const struct conf_certificate *expiry_next(
	const struct expiry *e, struct wall now, size_t *number, struct wall *ret_end)
{
	while (e->conf && *number < e->conf->certificates_count) {
		size_t i = (*number)++;
		struct wall end = e->facts[i].not_after;

		if (end.ms && end.ms - now.ms <= WARN_MS) {
			*ret_end = end;
			return &e->conf->certificates[i];
		}
	}
	return NULL;
}
