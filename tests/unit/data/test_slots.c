/* slots and judge: places on the board by name, and words for servers from overlay and verdicts. */
#include "data/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data/judge.h"

#define OBJECTS 16

static void *memory;
static struct board board;

static int setup(void **state)
{
	size_t size = board_size(2, OBJECTS);

	(void)state;
	memory = aligned_alloc(4096, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	board_make(memory, 2, OBJECTS);
	assert_int_equal(board_view(memory, size, &board), 0);
	board_use_column(&board, board.head->columns - 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static struct conf *parse(const char *text)
{
	static struct conf_problems problems;
	struct conf *c;

	if (conf_parse(text, strlen(text), CONF_YAML, &problems, &c) < 0)
		fail_msg("%s: %s", problems.items[0].where, problems.items[0].what);
	return c;
}

#define HEAD                                                                                       \
	"stack: t\nlisteners:\n- {name: a, bind: ['10.0.0.1:1'], protocol: tcp, pool: "            \
	"a}\npools:\n"
#define ONE                                                                                        \
	HEAD "- {name: a, protocol: tcp, servers: [{name: a, address: '10.0.0.1:1'}, {name: b, "   \
	     "address: 'b.x:1'}]}\n"
#define TWO                                                                                        \
	HEAD "- {name: z, protocol: tcp, servers: []}\n- {name: a, protocol: tcp, servers: "       \
	     "[{name: b, address: 'b.x:1'}]}\n"

static void names_keep_their_slots(void **state)
{
	uint32_t one[OBJECTS], two[OBJECTS], again[OBJECTS];
	struct conf *c1 = parse(ONE), *c2 = parse(TWO);
	struct slots *s = slots_new(&board);

	(void)state;
	assert_int_equal(slots_count(c1), 4);
	assert_int_equal(slots_assign(s, c1, one), 0);
	for (int i = 0; i < 4; i++) /* the same name, of four kinds and places */
		for (int k = 0; k < i; k++)
			assert_int_not_equal(one[i], one[k]);
	assert_int_equal(atomic_load(&board.objects[one[0]].kind), BOARD_LISTENER);
	assert_string_equal(board.objects[one[3]].name, "a/b");
	board_add(board_cells_of(&board, 1, one[3]), 3, 9);
	assert_int_equal(slots_assign(s, c2, two), 0);
	assert_int_equal(two[0], one[0]);
	assert_int_equal(two[2], one[1]); /* pool a */
	assert_int_equal(two[3], one[3]); /* a/b, with its counters */
	assert_int_equal(board_sum(&board, two[3], 3), 9);
	assert_int_equal(atomic_load(&board.objects[one[2]].is_removed), 1);
	slots_free(s);
	s = slots_new(&board); /* a new supervisor finds them again */
	assert_int_equal(slots_assign(s, c2, again), 0);
	assert_memory_equal(two, again, 4 * sizeof *two);
	slots_free(s);
	conf_unref(c1);
	conf_unref(c2);
}

/* Routes that have a name come last, listener by listener. */
static void named_routes_have_slots(void **state)
{
	struct conf *c = parse(
		"stack: s\npools: [{name: p, protocol: http, servers: []}]\nlisteners:\n"
		"- {name: a, bind: ['127.0.0.1:1'], protocol: http, pool: p, routes: ["
		"{name: x, match: {path: /x}, pool: p}, {match: {path: /y}, pool: p}]}\n"
		"- {name: b, bind: ['127.0.0.1:2'], protocol: http, pool: p, routes: ["
		"{name: x, match: {path: /x}, pool: p}]}\n");
	struct slots *s = slots_new(&board);
	uint32_t table[OBJECTS];

	(void)state;
	assert_int_equal(slots_count(c), 5);
	assert_int_equal(slots_before_routes(c), 3);
	assert_int_equal(slots_of_routes(&c->listeners[0]), 1);
	assert_int_equal(slots_assign(s, c, table), 0);
	assert_int_equal(atomic_load(&board.objects[table[3]].kind), BOARD_ROUTE);
	assert_string_equal(board.objects[table[3]].name, "a/x");
	assert_string_equal(board.objects[table[4]].name, "b/x");
	slots_free(s);
	conf_unref(c);
}

static void removed_ones_go_when_unused(void **state)
{
	uint32_t one[OBJECTS], two[OBJECTS];
	struct conf *c1 = parse(ONE), *c2 = parse(TWO);
	struct slots *s = slots_new(&board);

	(void)state;
	assert_int_equal(slots_assign(s, c1, one), 0);
	board_add(board_cells_of(&board, 0, one[2]), 3, 9);
	assert_true(board_use(&board.objects[one[2]], 0));
	assert_int_equal(slots_assign(s, c2, two), 0);
	slots_sweep(s);
	assert_int_equal(atomic_load(&board.objects[one[2]].kind), BOARD_SERVER); /* still in use */
	board_unuse(&board.objects[one[2]]);
	slots_sweep(s);
	assert_int_equal(atomic_load(&board.objects[one[2]].kind), BOARD_FREE);
	assert_int_equal(slots_assign(s, c1, one), 0);
	assert_int_equal(
		board_sum(&board, one[2], 3), 0); /* another object now, though of the same name */
	slots_free(s);
	conf_unref(c1);
	conf_unref(c2);
}

static void a_full_board_refuses(void **state)
{
	uint32_t table[64];
	char text[2048] = HEAD "- {name: a, protocol: tcp, servers: [";
	struct slots *s = slots_new(&board);
	struct conf *c1 = parse(ONE), *c2;

	(void)state;
	for (int i = 0; i < OBJECTS; i++)
		sprintf(text + strlen(text), "%s{name: s%d, address: '10.0.0.1:%d'}", i ? ", " : "",
			i, i + 1);
	strcat(text, "]}\n");
	c2 = parse(text);
	assert_int_equal(slots_assign(s, c1, table), 0);
	assert_int_not_equal(slots_assign(s, c2, table), 0);
	assert_int_equal(atomic_load(&board.objects[table[0]].is_removed), 0);
	slots_sweep(s);
	assert_int_equal(slots_assign(s, c1, table), 0);
	slots_free(s);
	conf_unref(c1);
	conf_unref(c2);
}

static json_t *overlay(enum overlay_state state, int64_t until)
{
	struct overlay o = {
		.state = state, .since = {1}, .until = {until}, .who = "alice", .why = "test"};

	return overlay_encode(&o);
}

static json_t *verdict(enum verdict_state state, const char *address)
{
	struct verdict_row v = {.state = state, .since = {1}, .checked = {1}};

	v.has_address = address && addr_parse_port(address, &v.address) == 0;
	return verdict_row_encode(&v);
}

static enum effective_state state_of(uint32_t slot)
{
	return board_word_state(atomic_load(&board.objects[slot].word));
}

static struct judge_now at(int64_t ms)
{
	return (struct judge_now){{ms}, ms};
}

static void words_follow_rows(void **state)
{
	uint32_t table[OBJECTS];
	struct conf *c = parse(ONE);
	struct slots *s = slots_new(&board);
	struct judge *j = judge_new(&board, "lb-a");
	json_t *drain = overlay(OVERLAY_DRAIN, 5000), *down = verdict(VERDICT_DOWN, NULL),
	       *up = verdict(VERDICT_UP, "10.9.9.9:1");
	struct addr a;

	(void)state;
	judge_overlay(
		j, "pool/a/a", drain, at(1000)); /* before there is a configuration */
	assert_int_equal(slots_assign(s, c, table), 0);
	assert_int_equal(judge_configure(j, c, table, at(1000)), 0);
	assert_int_equal(state_of(table[2]), EFFECTIVE_DRAIN);
	assert_int_equal(state_of(table[3]), EFFECTIVE_UNCHECKED);
	assert_int_equal(judge_expire(j, at(1000)).ms, 5000);
	judge_verdict(j, "pool/a/b", down, at(2000));
	judge_verdict(j, "pool/a/nobody", down, at(2000));
	judge_verdict(j, "check/x", down, at(2000));
	judge_verdict(j, "pool/", down, at(2000));
	assert_int_equal(judge_expire(j, at(5000)).ms, 0);
	assert_int_equal(state_of(table[2]), EFFECTIVE_UNCHECKED); /* the overlay has ended */
	judge_overlay(j, "pool/a/a", NULL, at(6000));
	judge_verdict(j, "pool/a/b", up, at(6000));
	assert_true(board_address(
		&board.objects[table[3]], &a)); /* given by name, resolved by healthd */
	assert_false(board_address(&board.objects[table[2]], &a));
	judge_verdict(j, "pool/a/b", NULL, at(6000));
	assert_true(
		board_address(&board.objects[table[3]], &a)); /* better an old address than none */
	json_decref(drain);
	json_decref(down);
	json_decref(up);
	judge_free(j);
	slots_free(s);
	conf_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_keep_their_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_ones_go_when_unused, setup, teardown),
		cmocka_unit_test_setup_teardown(named_routes_have_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_board_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(words_follow_rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
