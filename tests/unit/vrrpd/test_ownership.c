/* ownership: records outlive their writer, half-written ones do not count, and one writer is
 * enough. */
#include "vrrpd/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define KEY "web/51/eth0/ipv4"

static char folder[64], path[96];

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/ballast-ownership-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/vrrpd.ownership", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static struct ownership *opened(void)
{
	struct ownership *o = NULL;

	assert_int_equal(ownership_open(folder, &o), 0);
	return o;
}

static struct lease_record record(int64_t sent_ns)
{
	struct lease_record r;

	memset(&r, 0, sizeof r);
	r.is_active = 1;
	r.sent_ns = sent_ns;
	r.patience_ns = 2000;
	return r;
}

static void finds_what_else_a_vip_was(void **state)
{
	struct ownership *o = opened();
	struct lease_record r = record(5000), found;
	char key[OWNERSHIP_KEY_SIZE];

	(void)state;
	ownership_write(o, KEY, &r);
	ownership_write(o, "web2/53/eth0/ipv4", &r);
	assert_int_equal(ownership_read_other(o, "web", KEY, key, &found), -ENOENT);
	ownership_write(o, "web/52/eth0/ipv4", &r);
	r.sent_ns = 6000;
	ownership_write(o, "web/53/eth1/ipv4", &r);
	assert_int_equal(ownership_read_other(o, "web", KEY, key, &found), 0);
	assert_string_equal(key, "web/53/eth1/ipv4");
	assert_int_equal(found.sent_ns, 6000);
	ownership_clear(o, key);
	assert_int_equal(ownership_read_other(o, "web", KEY, key, &found), 0);
	assert_string_equal(key, "web/52/eth0/ipv4");
	ownership_close(o);
}

static void keeps_records_for_the_successor(void **state)
{
	struct ownership *o = opened();
	struct lease_record r = record(5000), found;

	(void)state;
	assert_int_equal(ownership_read(o, KEY, &found), -ENOENT);
	ownership_write(o, KEY, &r);
	r.sent_ns = 6000;
	ownership_write(o, KEY, &r);
	ownership_close(o);
	o = opened();
	assert_int_equal(ownership_read(o, KEY, &found), 0);
	assert_int_equal(found.sent_ns, 6000);
	assert_string_equal(found.boot_id, ownership_boot_id(o));
	assert_int_equal(ownership_read(o, "mail/52/eth0/ipv4", &found), -ENOENT);
	ownership_clear(o, KEY);
	assert_int_equal(ownership_read(o, KEY, &found), -ENOENT);
	ownership_close(o);
}

static void admits_one_writer(void **state)
{
	struct ownership *o = opened(), *second = NULL;

	(void)state;
	assert_int_equal(ownership_open(folder, &second), -EBUSY);
	ownership_close(o);
	ownership_close(opened());
}

/* Death in the middle of a write: whatever byte is wrong, the record before it is read. */
static void passes_over_a_torn_record(void **state)
{
	struct ownership *o = opened();
	struct lease_record older = record(5000), newer = record(6000), found;
	unsigned char *file;
	long at = -1, size;
	FILE *f;

	(void)state;
	ownership_write(o, KEY, &older);
	ownership_write(o, KEY, &newer);
	assert_int_equal(ownership_read(o, KEY, &newer), 0); /* as sealed */
	ownership_close(o);

	f = fopen(path, "r+b");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	file = malloc((size_t)size);
	rewind(f);
	assert_int_equal(fread(file, 1, (size_t)size, f), size);
	for (long i = 0; i + (long)sizeof newer <= size && at < 0; i++)
		if (memcmp(file + i, &newer, sizeof newer) == 0)
			at = i;
	assert_true(at >= 0);
	for (size_t i = 0; i < sizeof newer; i++) {
		int torn = file[at + (long)i] ^ 0x40;

		fseek(f, at + (long)i, SEEK_SET);
		fputc(torn, f);
		fflush(f);
		o = opened();
		assert_int_equal(ownership_read(o, KEY, &found), 0);
		assert_int_equal(found.sent_ns, 5000);
		ownership_close(o);
		fseek(f, at + (long)i, SEEK_SET);
		fputc(file[at + (long)i], f);
		fflush(f);
	}
	fclose(f);
	free(file);
}

static void makes_a_strange_file_anew(void **state)
{
	static const char *const contents[] = {"", "BALOWN01 of another layout", NULL};
	struct lease_record found;

	(void)state;
	for (size_t i = 0; contents[i]; i++) {
		FILE *f = fopen(path, "w");
		struct ownership *o;

		assert_non_null(f);
		fputs(contents[i], f);
		fclose(f);
		o = opened();
		assert_int_equal(ownership_read(o, KEY, &found), -ENOENT);
		ownership_close(o);
	}
}

static void the_oldest_gives_way(void **state)
{
	struct ownership *o = opened();
	struct lease_record found;
	char key[32];

	(void)state;
	for (int i = 0; i <= OWNERSHIP_ROWS; i++) {
		struct lease_record r = record(1000 + (i == 7 ? -1 : i));

		snprintf(key, sizeof key, "vip-%d", i);
		ownership_write(o, key, &r);
	}
	assert_int_equal(ownership_read(o, "vip-7", &found), -ENOENT);
	assert_int_equal(ownership_read(o, "vip-6", &found), 0);
	assert_int_equal(ownership_read(o, key, &found), 0);
	ownership_close(o);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_records_for_the_successor),
		TEST(finds_what_else_a_vip_was),
		TEST(admits_one_writer),
		TEST(passes_over_a_torn_record),
		TEST(makes_a_strange_file_anew),
		TEST(the_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
