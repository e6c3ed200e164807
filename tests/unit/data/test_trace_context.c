/* trace_context: what is passed on of a trace, and what is dropped. */
#include "data/http/trace_context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define GOOD "00-" TRACE "-00f067aa0ba902b7-01"

static void parents_are_judged(void **state)
{
	static const struct {
		const char *value;
		bool is_good;
	} cases[] = {
		{GOOD, true},
		{"00-" TRACE "-00f067aa0ba902b7-ff", true},
		{"cc-" TRACE "-00f067aa0ba902b7-01", true}, /* a version to come */
		{"cc-" TRACE "-00f067aa0ba902b7-01-what-else", true},
		{"cc-" TRACE "-00f067aa0ba902b7-01.what-else", false},
		{GOOD "-what-else", false}, /* version 00 has nothing else */
		{"ff-" TRACE "-00f067aa0ba902b7-01", false},
		{"0-" TRACE "-00f067aa0ba902b7-01", false},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
		{"00-" TRACE "-0000000000000000-01", false},
		{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
		{"00-" TRACE "-00f067aa0ba902b7-0", false},
		{"00-" TRACE "-00f067aa0ba902b7-0g", false},
		{"00-" TRACE "_00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e47361-0f067aa0ba902b7-01", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (trace_parent_is_good(cases[i].value, strlen(cases[i].value)) !=
			cases[i].is_good)
			fail_msg("%s", cases[i].value);
}

static void states_are_judged(void **state)
{
	static const struct {
		const char *value;
		bool is_good;
	} cases[] = {
		{"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true},
		{"fw529a3039@dt=FfAAAAAAA", true},
		{"1a=b", true},
		{" a=1 ,\tb=2, ,,", true},
		{"", true},
		{"a= b c", true},
		{"a", false},
		{"a=", false},
		{"=b", false},
		{"A=b", false},
		{"a=b=c", false},
		{"a@=b", false},
		{"@a=b", false},
		{"a@b@c=d", false},
		{"a=b\x7f", false},
		{"_a=b", false},
	};
	char many[512] = "";
	unsigned members;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		members = 0;
		if (trace_state_is_good(cases[i].value, strlen(cases[i].value), &members) !=
			cases[i].is_good)
			fail_msg("%s", cases[i].value);
	}
	for (unsigned i = 0; i < TRACE_STATE_MEMBERS_MAX; i++)
		sprintf(many + strlen(many), "a%u=1,", i);
	members = 0;
	assert_true(trace_state_is_good(many, strlen(many), &members));
	assert_false(trace_state_is_good("b=1", 3, &members)); /* one more, in another field */
}

#define HEAD(fields) "GET / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static void requests_are_judged(void **state)
{
	static const struct {
		const char *head;
		bool is_good, is_state_good;
	} cases[] = {
		{HEAD(""), false, false},
		{HEAD("Traceparent: " GOOD "\r\n"), true, true},
		{HEAD("traceparent: " GOOD "\r\ntracestate: a=1\r\ntracestate: b=2\r\n"), true,
			true},
		{HEAD("tracestate: a=1\r\ntraceparent: " GOOD "\r\n"), true, true},
		{HEAD("traceparent: " GOOD "\r\ntracestate: a\r\n"), true, false},
		{HEAD("traceparent: " GOOD "\r\ntracestate: a\r\ntracestate: b=1\r\n"), true,
			false},
		{HEAD("traceparent: x\r\ntracestate: a=1\r\n"), false, false},
		{HEAD("traceparent: " GOOD "\r\ntraceparent: " GOOD "\r\n"), false, false},
		{HEAD("tracestate: a=1\r\n"), false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct trace_context t;
		struct h1_head h;

		h1_head_init(&h);
		assert_int_equal(h1_parse_request(&h, cases[i].head, strlen(cases[i].head)), 0);
		trace_context_of(&t, cases[i].head, &h);
		if (t.is_good != cases[i].is_good || t.is_state_good != cases[i].is_state_good)
			fail_msg("%s", cases[i].head);
		if (t.is_good)
			assert_memory_equal(cases[i].head + t.id.start, TRACE, TRACE_ID_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parents_are_judged),
		cmocka_unit_test(states_are_judged),
		cmocka_unit_test(requests_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
