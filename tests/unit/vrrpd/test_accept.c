/* accept: for which addresses a node takes no packets (RFC 9568 6.4.3). */
#include "vrrpd/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define FORM                                                                                       \
	"stack: s\ninstances:\n"                                                                   \
	"- {name: a, address: 10.0.0.1, ha: {mode: active-active}}\n"                              \
	"- {name: b, address: 10.0.0.2, ha: {mode: active-active}}\n"                              \
	"vips:\n"                                                                                  \
	"- {name: v, virtual_router_id: 1, interface: e0, addresses: [10.0.0.8/24, \"fd00::8/64\"], "  \
	"%s}\n"                                                                                    \
	"- {name: w, virtual_router_id: 2, interface: e0, addresses: [10.0.0.9/24], %s}\n"

static const struct {
	const char *v, *w, *node, *refused;
} rows[] = {
	{"accept: true", "accept: true", "a", ""},
	{"accept: false", "accept: true", "a", "10.0.0.8 fd00::8 "},
	{"accept: false", "accept: false", "a", "10.0.0.8 fd00::8 10.0.0.9 "},
	{"accept: true", "accept: false", "b", "10.0.0.9 "},
	/* The owner takes them all the same, the others do not. */
	{"accept: false, priority: {a: 255}", "accept: false", "a", "10.0.0.9 "},
	{"accept: false, priority: {a: 255}", "accept: false", "b", "10.0.0.8 fd00::8 10.0.0.9 "},
};

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[1024], got[256] = "", ip[ADDR_TEXT_SIZE];
		struct conf_problems problems = {0};
		struct addr refused[8];
		struct conf *c;
		size_t count;

		snprintf(text, sizeof text, FORM, rows[i].v, rows[i].w);
		assert_int_equal(conf_parse(text, strlen(text), CONF_YAML, &problems, &c), 0);
		count = accept_refused(c, rows[i].node, refused, 8);
		for (size_t j = 0; j < count; j++) {
			strcat(got, addr_print_ip(&refused[j], ip));
			strcat(got, " ");
		}
		assert_string_equal(got, rows[i].refused);
		assert_int_equal(accept_refused(c, rows[i].node, NULL, 0), count);
		conf_unref(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(refuses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
