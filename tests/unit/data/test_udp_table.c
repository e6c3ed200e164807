/* udp_table: who is told apart, growing, and the order of silence. */
#include "data/l4/udp_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct udp_key key(const void *port, const char *client, const char *local)
{
	struct addr from, to;
	struct udp_key k;

	assert_int_equal(addr_parse_port(client, &from), 0);
	if (local)
		assert_int_equal(addr_parse_ip(local, &to), 0);
	memset(&k, 0xa5, sizeof k);
	udp_key_init(&k, port, &from, local ? &to : NULL);
	return k;
}

static void tells_apart(void **state)
{
	static const int port_a, port_b;
	const struct udp_key keys[] = {
		key(&port_a, "10.0.0.1:5", NULL),
		key(&port_b, "10.0.0.1:5", NULL),
		key(&port_a, "10.0.0.1:6", NULL),
		key(&port_a, "10.0.0.2:5", NULL),
		key(&port_a, "[a00:1::]:5", NULL), /* the bytes of 10.0.0.1 */
		key(&port_a, "10.0.0.1:5", "10.0.0.9"),
		key(&port_a, "10.0.0.1:5", "10.0.0.8"),
		key(&port_a, "10.0.0.1:5", "a00:9::"),
	};
	struct udp_entry entries[sizeof keys / sizeof *keys];
	struct udp_table t;

	(void)state;
	udp_table_init(&t, 7);
	assert_null(udp_table_find(&t, &keys[0]));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		assert_null(udp_table_find(&t, &keys[i]));
		assert_int_equal(udp_table_add(&t, &entries[i], &keys[i], 1), 0);
	}
	udp_table_check(&t);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_ptr_equal(udp_table_find(&t, &keys[i]), &entries[i]);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		udp_table_remove(&t, &entries[i]);
	udp_table_fini(&t);
}

static void keeps_the_order_of_silence(void **state)
{
	enum { N = 1000 };
	struct udp_entry *e = calloc(N, sizeof *e);
	struct udp_table t;

	(void)state;
	assert_non_null(e);
	udp_table_init(&t, 7);
	assert_null(udp_table_oldest(&t));
	for (int i = 0; i < N; i++) {
		struct addr client = {.in = {.sin_family = AF_INET, .sin_port = (uint16_t)i}};
		struct udp_key k;

		udp_key_init(&k, NULL, &client, NULL);
		assert_int_equal(udp_table_add(&t, &e[i], &k, i), 0);
	}
	udp_table_check(&t);
	assert_ptr_equal(udp_table_oldest(&t), &e[0]);
	udp_table_touch(&t, &e[0], N);
	assert_ptr_equal(udp_table_oldest(&t), &e[1]);
	udp_table_remove(&t, &e[1]);
	assert_ptr_equal(udp_table_oldest(&t), &e[2]);
	udp_table_check(&t);
	for (int i = 0; i < N; i++)
		if (i != 1)
			udp_table_remove(&t, &e[i]);
	udp_table_check(&t);
	udp_table_fini(&t);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_apart),
		cmocka_unit_test(keeps_the_order_of_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
