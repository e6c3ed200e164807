/* See plain.h. */
#include "control/ctl/plain.h"

#include <string.h>

/* C1 controls arrive as two bytes in UTF-8: C2 80 to C2 9F. */
static size_t control_length(const char *p)
{
	unsigned char first = (unsigned char)p[0], second = (unsigned char)p[1];

	if (first < 0x20 || first == 0x7f)
		return 1;
	return first == 0xc2 && second >= 0x80 && second <= 0x9f ? 2 : 0;
}

void plain_add(struct buf *out, const char *text)
{
	const char *begin = text, *p = text;

	while (p && *p) {
		size_t len = control_length(p);

		if (!len) {
			p++;
			continue;
		}
		buf_add(out, begin, (size_t)(p - begin));
		buf_add_text(out, "?");
		begin = p += len;
	}
	if (p)
		buf_add(out, begin, (size_t)(p - begin));
}
