/* The reasons why a document is refused, kept up to a limit. Declared in conf.h. */
#include "common/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conf_problems_add(struct conf_problems *p, const char *where, const char *format, ...)
{
	struct conf_problem item = {0};
	va_list ap;

	if (p->count == CONF_PROBLEMS_MAX) {
		p->dropped++;
		return;
	}
	va_start(ap, format);
	if (vasprintf(&item.what, format, ap) < 0)
		item.what = NULL;
	va_end(ap);
	item.where = strdup(where);
	if (!item.where || !item.what) {
		free(item.where);
		free(item.what);
		p->dropped++;
		return;
	}
	p->items[p->count++] = item;
}

void conf_problems_fini(struct conf_problems *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].where);
		free(p->items[i].what);
	}
	memset(p, 0, sizeof *p);
}
