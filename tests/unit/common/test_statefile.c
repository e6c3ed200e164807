/* statefile: what was saved comes back; what is broken, too large or absent is told apart. */
#include "common/statefile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/ballast-test-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void saves_and_loads(void **state)
{
	json_t *out, *in = json_pack("{s:i}", "n", 7);
	struct stat st;

	(void)state;
	assert_int_equal(statefile_load(path, 4096, &out), -ENOENT);
	assert_int_equal(statefile_save(path, in), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(statefile_load(path, 4096, &out), 0);
	assert_true(json_equal(in, out));
	json_decref(out);
	assert_int_equal(statefile_load(path, 3, &out), -EFBIG);
	json_decref(in);
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const texts[] = {"", "{", "{\"a\":1}x", "{\"a\":1,\"a\":2}"};
	json_t *out;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *f = fopen(path, "w");

		fputs(texts[i], f);
		fclose(f);
		assert_int_equal(statefile_load(path, 4096, &out), -EINVAL);
	}
	assert_int_equal(statefile_load(folder, 4096, &out), -EINVAL);
	assert_int_equal(statefile_save("/nonexistent/file", json_null()), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves_and_loads),
		cmocka_unit_test(refuses_what_is_no_json),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
