/* access: who is who, and what a role may do. */
#include "control/access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void knows_peers_of_the_unix_socket(void **state)
{
	struct access a;

	(void)state;
	access_from_peer(0, "root", ACCESS_VIEWER, &a);
	assert_int_equal(a.role, ACCESS_ADMIN);
	assert_string_equal(a.who, "uid:0(root)");
	access_from_peer(1000, NULL, ACCESS_VIEWER, &a);
	assert_int_equal(a.role, ACCESS_VIEWER);
	assert_string_equal(a.who, "uid:1000");
	assert_true(a.is_local);
	access_from_network(true, &a);
	assert_int_equal(a.role, ACCESS_NOBODY);
	assert_true(a.is_loopback);
	assert_false(a.is_local);
}

static void orders_roles(void **state)
{
	static const char *const names[] = {"viewer", "operator", "editor", "admin"};
	enum access_role roles[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(access_role_parse(names[i], &roles[i]), 0);
		assert_string_equal(access_role_name(roles[i]), names[i]);
		for (size_t j = 0; j <= i; j++)
			assert_true(access_allows(roles[i], roles[j]));
		assert_false(access_allows(ACCESS_NOBODY, roles[i]));
	}
	assert_false(access_allows(roles[1], roles[2]));
	assert_int_equal(access_role_parse("root", &roles[0]), -EINVAL);
	assert_int_equal(access_role_parse("nobody", &roles[0]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_peers_of_the_unix_socket),
		cmocka_unit_test(orders_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
