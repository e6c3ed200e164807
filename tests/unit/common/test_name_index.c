/* arena and name_index: memory that is zeroed and aligned, and names found among many. */
#include "common/name_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct item {
	const char *name;
	int number;
};

static void gives_zeroed_memory_of_any_size(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 1000, 20000, 65536, 1000000, 3};
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned char *p = arena_alloc(&a, sizes[i], 1);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0xff, sizes[i]);
	}
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 4));
	assert_string_equal(arena_text(&a, "text"), "text");
	arena_fini(&a);
}

static void finds_names(void **state)
{
	static struct item items[10000];
	struct name_index x;
	struct arena a;
	char name[16];

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "s%d", i % 9000);
		items[i] = (struct item){i == 5 ? NULL : arena_text(&a, name), i};
	}
	assert_int_equal(name_index_build(&x, &a, items, 10000, sizeof *items), 0);
	assert_int_equal(((const struct item *)name_index_find(&x, "s8999"))->number, 8999);
	assert_int_equal(name_index_number(&x, "s999"), 999); /* the first of two */
	assert_int_equal(name_index_number(&x, "s5"), 9005);  /* the first has no name */
	assert_int_equal(name_index_number(&x, "s9000"), -1);
	assert_null(name_index_find(&x, ""));
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_zeroed_memory_of_any_size),
		cmocka_unit_test(finds_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
