/* See store_notice.h. */
#include "control/store_notice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
	[STORE_CHANGE_ALL] = "all",
	[STORE_CHANGE_DOCUMENT] = "document",
	[STORE_CHANGE_OVERLAY] = "overlay",
	[STORE_CHANGE_NODE] = "node",
	[STORE_CHANGE_EVENT] = "event",
	[STORE_CHANGE_PROPOSAL] = "proposal",
};
#define WORDS (sizeof words / sizeof *words)

void store_notice_print(const struct store_notice *n, char *text, size_t size)
{
	const char *object = n->object[0] && !strpbrk(n->object, " \n") ? n->object : "-";

	snprintf(text, size, "%s %s %" PRIu64, words[n->what], object, n->number);
}

int store_notice_parse(const char *text, struct store_notice *ret)
{
	struct store_notice n = {0};
	char word[16], end;

	if (sscanf(text, "%15s %127s %" SCNu64 "%c", word, n.object, &n.number, &end) != 3)
		return -EINVAL;
	if (strcmp(n.object, "-") == 0)
		n.object[0] = '\0';
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		n.what = (enum store_change_what)i;
		*ret = n;
		return 0;
	}
	return -EINVAL;
}
