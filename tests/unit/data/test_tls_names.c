/* tls_names: which certificates answer to which name. */
#include "data/tls/tls_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NONE TLS_NAMES_NONE

/* The certificates of all look-ups below, numbered by their place. */
static const struct {
	const char *name;
	enum tls_key_kind kind;
	uint32_t certificate;
} added[] = {
	{"www.example.test", TLS_KEY_RSA, 0},
	{"WWW.Example.Test", TLS_KEY_ECDSA, 1},
	{"*.example.test", TLS_KEY_RSA, 2},
	{"api.example.test", TLS_KEY_ECDSA, 3},
	{"api.example.test", TLS_KEY_ECDSA, 4},
	{"dotted.test.", TLS_KEY_RSA, 5},
	{"*", TLS_KEY_RSA, 6},
	{"a..b", TLS_KEY_RSA, 6},
	{"sp ace.test", TLS_KEY_RSA, 6},
	{"*.*.test", TLS_KEY_RSA, 6},
	{"w*.other.test", TLS_KEY_RSA, 6},
	{"", TLS_KEY_RSA, 6},
};

static const struct {
	const char *asked;
	uint32_t rsa, ecdsa; /* both NONE: no choice */
} cases[] = {
	{"www.example.test", 0, 1},
	{"WWW.EXAMPLE.TEST", 0, 1},
	{"www.example.test.", 0, 1},
	{"other.example.test", 2, NONE},
	{"api.example.test", NONE, 3}, /* an exact name hides the wildcard; the first one listed */
	{"a.b.example.test", NONE, NONE},
	{"example.test", NONE, NONE},
	{".example.test", NONE, NONE},
	{"*.example.test", NONE, NONE}, /* nobody is called so */
	{"dotted.test", 5, NONE},
	{"a..b", NONE, NONE},
	{"wx.other.test", NONE, NONE},
	{"unknown", NONE, NONE},
	{"", NONE, NONE},
	{"x\xff.example.test", NONE, NONE},
	{NULL, NONE, NONE},
};

static struct tls_names *make(void)
{
	struct tls_names *n = tls_names_new();

	assert_non_null(n);
	for (size_t i = 0; i < sizeof added / sizeof *added; i++)
		assert_int_equal(tls_names_add(n, added[i].name, strlen(added[i].name),
					 added[i].kind, added[i].certificate),
			0);
	assert_null(tls_names_find(n, "www.example.test")); /* not before the build */
	assert_int_equal(tls_names_build(n), 0);
	return n;
}

static void finds_by_name(void **state)
{
	struct tls_names *n = make();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct tls_choice *c = tls_names_find(n, cases[i].asked);

		if (cases[i].rsa == NONE && cases[i].ecdsa == NONE) {
			if (c)
				fail_msg("%s is found", cases[i].asked);
			continue;
		}
		if (!c || c->certificates[TLS_KEY_RSA] != cases[i].rsa ||
			c->certificates[TLS_KEY_ECDSA] != cases[i].ecdsa)
			fail_msg("%s: another choice", cases[i].asked);
	}
	tls_names_free(n);
}

static void finds_among_many(void **state)
{
	struct tls_names *n = tls_names_new();
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		int len = snprintf(name, sizeof name, "host-%u.example.test", i);

		assert_int_equal(tls_names_add(n, name, (size_t)len, TLS_KEY_ECDSA, i), 0);
	}
	assert_int_equal(tls_names_build(n), 0);
	for (unsigned i = 0; i < 20000; i += 997) {
		snprintf(name, sizeof name, "host-%u.example.test", i);
		assert_int_equal(tls_names_find(n, name)->certificates[TLS_KEY_ECDSA], i);
		assert_true(tls_names_has(n, name, strlen(name)));
	}
	assert_null(tls_names_find(n, "host-20000.example.test"));
	tls_names_free(n);
}

/* A name has at most 255 bytes, and one too long is no name. */
static void knows_its_limits(void **state)
{
	char out[TLS_NAME_SIZE], name[TLS_NAME_SIZE + 2];

	(void)state;
	memset(name, 'a', sizeof name);
	assert_int_equal(tls_name_normalise(name, TLS_NAME_SIZE - 1, out), TLS_NAME_SIZE - 1);
	assert_int_equal(tls_name_normalise(name, TLS_NAME_SIZE, out), 0);
	assert_int_equal(tls_name_normalise("a\0b", 3, out), 0);
	assert_int_equal(tls_name_normalise("*.x", 3, out), 3);
	assert_int_equal(tls_name_normalise(".", 1, out), 0);
}

static void is_empty_without_names(void **state)
{
	struct tls_names *n = tls_names_new();

	(void)state;
	assert_int_equal(tls_names_build(n), 0);
	assert_null(tls_names_find(n, "www.example.test"));
	tls_names_free(n);
	tls_names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name),
		cmocka_unit_test(finds_among_many),
		cmocka_unit_test(knows_its_limits),
		cmocka_unit_test(is_empty_without_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
