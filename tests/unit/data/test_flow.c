/* flow: half-close, resets, back-pressure and ends, as tables of events. */
#include "data/l4/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/*
 * A script: one letter an event. Lower case: the client, upper case: the server.
 *   b  bytes of it are stored, with room left   f  its store is full   e  its store was emptied
 *   x  it ended                                  r  it broke            i  the flow idled
 *   s  we ask whether it is to be told that the other ended: expected yes      n  expected no
 */
static void play(struct flow *f, const char *script)
{
	for (; *script; script++) {
		enum flow_side side = *script >= 'a' ? FLOW_CLIENT : FLOW_SERVER;

		switch (*script | 0x20) {
		case 'b':
			flow_stored(f, side, true, false);
			break;
		case 'f':
			flow_stored(f, side, true, true);
			break;
		case 'e':
			flow_stored(f, side, false, false);
			break;
		case 'x':
			flow_ended(f, side);
			break;
		case 'r':
			flow_broke(f, side);
			break;
		case 'i':
			flow_idled(f);
			break;
		case 's':
			assert_true(flow_takes_shut(f, side));
			break;
		case 'n':
			assert_false(flow_takes_shut(f, side));
			break;
		}
		flow_check(f);
	}
}

static void decides(void **state)
{
	static const struct {
		const char *script;
		const char *wants; /* r w of the client, R W of the server, in this order */
		enum flow_end end;
		bool is_reset;
	} rows[] = {
		{"", "rR", FLOW_END_NONE, false},
		{"b", "rRW", FLOW_END_NONE, false},
		{"f", "RW", FLOW_END_NONE, false}, /* back-pressure on the client */
		{"fe", "rR", FLOW_END_NONE, false},
		{"fF", "wW", FLOW_END_NONE, false},
		{"x", "R", FLOW_END_NONE, false},
		{"xS", "R", FLOW_END_NONE, false},   /* half-closed: the server still talks */
		{"xSN", "R", FLOW_END_NONE, false},  /* told once */
		{"bxN", "RW", FLOW_END_NONE, false}, /* not before its bytes are gone */
		{"bxNeS", "R", FLOW_END_NONE, false},
		{"xSB", "wR", FLOW_END_NONE, false},
		{"xSXs", "", FLOW_END_CLOSED, false},
		{"XsxS", "", FLOW_END_CLOSED, false},
		{"xSBXnEs", "", FLOW_END_CLOSED, false},
		{"r", "", FLOW_END_CLIENT_RESET, true},
		{"R", "", FLOW_END_SERVER_RESET, true},
		{"fR", "", FLOW_END_SERVER_RESET, true},  /* what is stored is lost with it */
		{"Rri", "", FLOW_END_SERVER_RESET, true}, /* the first reason counts */
		{"i", "", FLOW_END_IDLE, false},
		{"xSi", "", FLOW_END_IDLE, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char wants[5] = "";
		struct flow f;

		flow_init(&f);
		play(&f, rows[i].script);
		for (int side = 0; side < FLOW_SIDES; side++) {
			if (flow_wants_read(&f, side))
				strcat(wants, side == FLOW_CLIENT ? "r" : "R");
			if (flow_wants_write(&f, side))
				strcat(wants, side == FLOW_CLIENT ? "w" : "W");
		}
		if (strcmp(wants, rows[i].wants) != 0)
			fail_msg("%s: wants %s, not %s", rows[i].script, wants, rows[i].wants);
		assert_int_equal(flow_over(&f), rows[i].end);
		assert_int_equal(f.is_reset, rows[i].is_reset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
