/* Connections on their way from a retired worker: numbers, places, and when another is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/handover_window.h"

static int send_one(struct handover_window *w, int64_t *ret_number)
{
	int place = handover_window_find(w, ret_number);

	if (place >= 0)
		handover_window_sent(w, place);
	return place;
}

static void begin(struct handover_window *w, uint32_t column)
{
	handover_window_init(w);
	w->next = column;
	assert_int_equal(handover_window_turn(w), HANDOVER_CALL);
	w->next = HANDOVER_NOBODY; /* called */
	w->has_line = true;
}

static void nothing_is_sent_to_nobody(void **state)
{
	struct handover_window w;
	int64_t number;

	(void)state;
	handover_window_init(&w);
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
	assert_true(send_one(&w, &number) < 0);
	assert_true(w.is_behind);
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
}

static void at_most_a_window_is_on_the_way(void **state)
{
	struct handover_window w;
	int64_t number, first = 0;

	(void)state;
	begin(&w, 3);
	for (int i = 0; i < HANDOVER_WINDOW; i++) {
		assert_true(send_one(&w, &number) >= 0);
		assert_int_equal(number, i + 1);
		first = first ? first : number;
	}
	assert_false(w.is_behind);
	assert_true(send_one(&w, &number) < 0);
	assert_true(w.is_behind);
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
	assert_true(handover_window_answered(&w, first) >= 0);
	assert_true(handover_window_answered(&w, first) < 0); /* once */
	assert_true(handover_window_answered(&w, 0) < 0);
	assert_true(handover_window_answered(&w, -1) < 0);
	assert_true(handover_window_answered(&w, 1000) < 0);
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
	for (int64_t n = first + 1; n <= HANDOVER_WINDOW; n++)
		assert_true(handover_window_answered(&w, n) >= 0);
	assert_int_equal(w.count, 0);
	assert_int_equal(handover_window_turn(&w), HANDOVER_OFFER);
}

/* What the first successor was sent, it may have: the second is called when it has answered. */
static void another_is_called_when_all_is_answered(void **state)
{
	struct handover_window w;
	int64_t one, two, number;

	(void)state;
	begin(&w, 3);
	send_one(&w, &one);
	send_one(&w, &two);
	w.next = 4;
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
	assert_true(send_one(&w, &number) < 0); /* the rest is for the next */
	handover_window_answered(&w, two);
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST);
	handover_window_answered(&w, one);
	assert_int_equal(handover_window_turn(&w), HANDOVER_CALL);
}

/* A line that is gone answers nothing: what was on it stays, each once, and the next may be called. */
static void a_lost_line_gives_all_back(void **state)
{
	struct handover_window w;
	int64_t number;
	bool seen[HANDOVER_WINDOW] = {0};
	int place, count = 0;

	(void)state;
	begin(&w, 3);
	for (int i = 0; i < 5; i++)
		send_one(&w, &number);
	w.next = 4;
	while ((place = handover_window_lost(&w)) >= 0) {
		assert_false(seen[place]);
		seen[place] = true;
		count++;
	}
	assert_int_equal(count, 5);
	assert_true(handover_window_answered(&w, 1) < 0);
	assert_int_equal(handover_window_turn(&w), HANDOVER_CALL);
	w.next = HANDOVER_NOBODY;
	assert_int_equal(handover_window_turn(&w), HANDOVER_REST); /* nobody to offer to */
	w.has_line = true;
	assert_true(send_one(&w, &number) >= 0);
	assert_int_equal(number, 6); /* no number twice */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sent_to_nobody),
		cmocka_unit_test(at_most_a_window_is_on_the_way),
		cmocka_unit_test(another_is_called_when_all_is_answered),
		cmocka_unit_test(a_lost_line_gives_all_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
