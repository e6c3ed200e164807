/* Any names in certificates and any name asked for: look-ups stay within their bounds, an exact name finds itself, and
 * what a wildcard answers to is one label longer. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/tls/tls_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines: certificates' names, the last one is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_names *n = tls_names_new();
	const char *text = (const char *)data, *end = text + size, *line = text, *eol;
	char asked[2 * TLS_NAME_SIZE + 1], normal[TLS_NAME_SIZE];
	const struct tls_choice *choice;
	uint32_t count = 0;
	size_t len;

	assert(n);
	while ((eol = memchr(line, '\n', (size_t)(end - line)))) {
		assert(tls_names_add(n, line, (size_t)(eol - line), count % TLS_KEY_KINDS, count) == 0);
		count++;
		line = eol + 1;
	}
	assert(tls_names_build(n) == 0);
	len = (size_t)(end - line) < sizeof asked ? (size_t)(end - line) : sizeof asked - 1;
	memcpy(asked, line, len);
	asked[len] = '\0';
	choice = tls_names_find(n, asked);
	for (int kind = 0; choice && kind < TLS_KEY_KINDS; kind++)
		assert(choice->certificates[kind] == TLS_NAMES_NONE ||
			(choice->certificates[kind] < count &&
				(int)(choice->certificates[kind] % TLS_KEY_KINDS) == kind));
	if (tls_names_has(n, asked, strlen(asked)) && asked[0] != '*')
		assert(choice);
	if (choice) {
		assert(tls_name_normalise(asked, strlen(asked), normal));
		assert(tls_names_has(n, normal, strlen(normal)) || strchr(normal, '.'));
	}
	tls_names_free(n);
	return 0;
}
