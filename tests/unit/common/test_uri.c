/* uri: the one form of hosts and paths, and what is refused because servers would not agree. */
#include "common/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void hosts_have_one_form(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"a.example", "a.example"},
		{"A.Example:8080", "a.example"},
		{"a.example.", "a.example"},
		{"a.example.:80", "a.example"},
		{"10.0.0.1:80", "10.0.0.1"},
		{"[FD00::1]:80", "fd00::1"},
		{"[fd00::1]", "fd00::1"},
		{"", ""},
		{":80", ""},
		{".", "."},
	};
	char out[URI_HOST_SIZE], longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		out[0] = '\0';
		assert_int_equal(
			uri_host(rows[i].in, strlen(rows[i].in), out), strlen(rows[i].out));
		assert_string_equal(out, rows[i].out);
	}
	memset(longest, 'a', sizeof longest);
	assert_int_equal(uri_host(longest, 255, out), 255);
	assert_int_equal(uri_host(longest, 256, out), 0);
}

static void patterns_are_host_names(void **state)
{
	static const char *const good[] = {
		"a", "a.example", "*.example", "*.a.example", "10.0.0.1", "fd00::1", "A.example."};
	static const char *const bad[] = {"", "*", "*.", "a.*.b", "*a.example", "**.example", "a b",
		"a:80", "*.10.0.0.1", "*.fd00::1", "a..b", "-a", "a/b", "*.*.example"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(uri_host_pattern_is_valid(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (uri_host_pattern_is_valid(bad[i]))
			fail_msg("%s was taken for a host", bad[i]);
}

static void paths_have_one_form(void **state)
{
	static const struct {
		const char *in, *out;
		bool has_dots, is_loose;
	} rows[] = {
		{"/", "/"},
		{"/a/b", "/a/b"},
		{"/a/", "/a/"},
		{"/%61%2D%7e%5f", "/a-~_"},
		{"/%e4%2b", "/%E4%2B"},
		{"/a//b///c", "/a/b/c"},
		{"//", "/"},
		{"//a", "/a"},
		{"/a/./b", "/a/b", .has_dots = true},
		{"/a/.", "/a/", .has_dots = true},
		{"/a/..", "/", .has_dots = true},
		{"/a/b/../c", "/a/c", .has_dots = true},
		{"/api/../admin", "/admin", .has_dots = true},
		{"/api/%2e%2E/admin", "/admin", .has_dots = true},
		{"/.hidden/..x/...", "/.hidden/..x/..."},
		{"/a%2fb", "/a%2Fb", .is_loose = true},
		{"/a%5cb", "/a%5Cb", .is_loose = true},
		{"/a\\b", "/a\\b", .is_loose = true},
		{"/a;v=1/b", "/a;v=1/b", .is_loose = true},
		{"/a%3bb", "/a%3Bb"},
		{"/%2525", "/%2525"},
	};
	char out[URI_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct uri_path p;

		assert_int_equal(uri_path(rows[i].in, strlen(rows[i].in), out, &p), 0);
		if (p.len != strlen(rows[i].out) || memcmp(p.text, rows[i].out, p.len) != 0)
			fail_msg("%s became %.*s", rows[i].in, (int)p.len, p.text);
		assert_int_equal(p.has_dots, rows[i].has_dots);
		assert_int_equal(p.is_loose, rows[i].is_loose);
	}
}

static void paths_with_two_meanings_are_refused(void **state)
{
	static const struct {
		const char *in;
		enum uri_fault fault;
	} rows[] = {
		{"/%", URI_FAULT_ESCAPE},
		{"/%6", URI_FAULT_ESCAPE},
		{"/%zz", URI_FAULT_ESCAPE},
		{"/%u0041", URI_FAULT_ESCAPE},
		{"/a%00", URI_FAULT_ESCAPE},
		{"/..", URI_FAULT_CLIMBS},
		{"/a/../../b", URI_FAULT_CLIMBS},
		{"/a//../b", URI_FAULT_DOTS},
		{"/a//b/../../c", URI_FAULT_DOTS},
		{"/a%2fb/../c", URI_FAULT_DOTS},
		{"/a/..%2fb", URI_FAULT_DOTS},
		{"/a/%2e%2e%2fb", URI_FAULT_DOTS},
		{"/a/x%5c..", URI_FAULT_DOTS},
		{"/a/..\\b", URI_FAULT_DOTS},
		{"/a/..;/b", URI_FAULT_DOTS},
		{"/a/.;x/b", URI_FAULT_DOTS},
	};
	char out[URI_PATH_MAX];
	struct uri_path p;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (uri_path(rows[i].in, strlen(rows[i].in), out, &p) != rows[i].fault)
			fail_msg("%s was not refused", rows[i].in);
}

static void the_other_reading(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"/a%2Fb", "/a/b"},
		{"/a%5Cb\\c", "/a/b/c"},
		{"/a;v=1/b;w", "/a/b"},
		{"/a/%2Fb", "/a/b"},
		{"/;x", "/"},
		{"/a%3B", "/a%3B"},
	};
	char out[URI_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = uri_path_loosen(rows[i].in, strlen(rows[i].in), out);

		assert_int_equal(len, strlen(rows[i].out));
		assert_memory_equal(out, rows[i].out, len);
	}
}

static void finds_what_is_behind_a_prefix(void **state)
{
	static const struct {
		const char *path, *prefix, *rest;
	} rows[] = {
		{"/api/v1", "/api", "/v1"},
		{"/api", "/api", ""},
		{"/api/", "/api", "/"},
		{"//api//v1", "/api", "//v1"},
		{"/%61pi/%2f", "/api", "/%2f"},
		{"/a/b/http://c", "/a/b", "/http://c"},
		{"/x", "", "/x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(
			rows[i].path + uri_path_after(rows[i].path, strlen(rows[i].path),
					       rows[i].prefix, strlen(rows[i].prefix)),
			rows[i].rest);
}

static void finds_parameters(void **state)
{
	static const struct {
		const char *query, *name, *value;
		bool is_there;
	} rows[] = {
		{"v=2", "v", "2", true},
		{"a=1&v=2&b=3", "v", "2", true},
		{"v=1&v=2", "v", "2", true},
		{"v=%32", "v", "2", true},
		{"%76=2", "v", "2", true},
		{"v=a+b", "v", "a b", true},
		{"v=a%2Bb", "v", "a+b", true},
		{"v", "v", "", true},
		{"v=", "v", "", true},
		{"", "v", "", false},
		{"vv=2", "v", "2", false},
		{"v=22", "v", "2", false},
		{"v=2%", "v", "2", false},
		{"v=%00", "v", "", false},
		{"&&v=2&", "v", "2", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (uri_query_has(rows[i].query, strlen(rows[i].query), rows[i].name,
			    rows[i].value) != rows[i].is_there)
			fail_msg("%s: %s=%s", rows[i].query, rows[i].name, rows[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_have_one_form),
		cmocka_unit_test(patterns_are_host_names),
		cmocka_unit_test(paths_have_one_form),
		cmocka_unit_test(paths_with_two_meanings_are_refused),
		cmocka_unit_test(the_other_reading),
		cmocka_unit_test(finds_what_is_behind_a_prefix),
		cmocka_unit_test(finds_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
