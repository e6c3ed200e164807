/* measure: what was measured of a change is told, and what was not is left out. */
#include "vrrpd/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define AT(us)                                                                                     \
	{                                                                                          \
		1000000000 + (us) * 1000                                                           \
	}
#define NEVER                                                                                      \
	{                                                                                          \
		INT64_MAX                                                                          \
	}

static const struct {
	struct measure measure;
	bool is_active;
	const char *text;
} rows[] = {
	{{AT(0), AT(361000), AT(361200), AT(361500)}, true,
		"advertised 361.2 ms after the last advertisement heard, advertised 0.2 ms after it was "
		"due, addresses set 0.5 ms after it was due"},
	{{NEVER, AT(100), AT(300), AT(1300)}, true,
		"advertised 0.2 ms after it was due, addresses set 1.2 ms after it was due"},
	/* No interface any more: neither was done. */
	{{AT(0), AT(100), NEVER, NEVER}, true, ""},
	{{AT(0), AT(100), AT(200), AT(1500)}, false, "addresses let go 1.4 ms after it began"},
	{{AT(0), AT(100), NEVER, NEVER}, false, ""},
	/* What lies before it began was not done for it. */
	{{AT(0), AT(100), AT(200), AT(50)}, false, ""},
};

static void is_told(void **state)
{
	char text[MEASURE_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		measure_print(&rows[i].measure, rows[i].is_active, text, sizeof text);
		assert_string_equal(text, rows[i].text);
	}
}

static void keeps_to_its_room(void **state)
{
	char text[20];

	(void)state;
	measure_print(&rows[0].measure, true, text, sizeof text);
	assert_string_equal(text, "advertised 361.2 ms");
}

static void begins_with_nothing(void **state)
{
	struct measure m;
	char text[MEASURE_TEXT_SIZE];

	(void)state;
	measure_init(&m);
	measure_print(&m, true, text, sizeof text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told),
		cmocka_unit_test(keeps_to_its_room),
		cmocka_unit_test(begins_with_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
