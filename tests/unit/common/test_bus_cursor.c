/* bus_cursor: what a follower does with lost, doubled, late and early messages; and a run of
 * thousands at random. */
#include "common/bus_cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/rand.h"

enum { CHANGE, ANNOUNCE, WHOLE };

static void decides_by_epoch_and_sequence(void **state)
{
	static const struct {
		int event;
		int64_t epoch, sequence;
		bool taken, wants;
	} rows[] = {
		{CHANGE, 1, 4, false, true}, /* nothing yet: the whole is wanted */
		{WHOLE, 1, 3, true, true},   /* older than what was announced */
		{WHOLE, 1, 4, true, false},
		{CHANGE, 1, 5, true, false},  /* the very next */
		{CHANGE, 1, 5, false, false}, /* doubled */
		{CHANGE, 1, 4, false, false}, /* late */
		{CHANGE, 1, 7, false, true},  /* a gap */
		{CHANGE, 1, 8, false, true},  /* still one */
		{WHOLE, 1, 7, true, true},    /* 8 came meanwhile */
		{CHANGE, 1, 8, true, false},  /* comes once more, and closes it */
		{WHOLE, 1, 6, false, false},  /* a reply that was overtaken */
		{ANNOUNCE, 1, 8, true, false},
		{ANNOUNCE, 1, 9, true, true}, /* the change itself was lost */
		{WHOLE, 1, 9, true, false},
		{ANNOUNCE, 2, 0, true, true}, /* the publisher began anew */
		{CHANGE, 2, 1, false, true},
		{WHOLE, 2, 1, true, false},
		{CHANGE, 1, 10, false,
			true}, /* late from the old epoch: costs one fetch, changes nothing */
		{WHOLE, 2, 1, true, false},
	};
	struct bus_cursor c = {0};

	(void)state;
	assert_true(bus_cursor_wants_whole(&c));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool taken = true;

		if (rows[i].event == CHANGE)
			taken = bus_cursor_change(&c, rows[i].epoch, rows[i].sequence);
		else if (rows[i].event == WHOLE)
			taken = bus_cursor_whole(&c, rows[i].epoch, rows[i].sequence);
		else
			bus_cursor_announce(&c, rows[i].epoch, rows[i].sequence);
		if (taken != rows[i].taken || bus_cursor_wants_whole(&c) != rows[i].wants)
			fail_msg("row %zu", i);
	}
}

/* A publisher with one value, a lossy line, replies that are delayed: in the end the follower has
 * the value. */
static void never_stays_behind(void **state)
{
	struct rand_state r;

	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct bus_cursor c = {0};
		int64_t epoch = 1, sequence = 0, known_epoch = 0, known = 0;
		int64_t reply_epoch = 0, reply = 0;

		rand_seed(&r, seed);
		for (int step = 0; step < 200; step++) {
			switch (rand_below(&r, 8)) {
			case 0:
				epoch++;
				sequence = 0;
				break;
			case 1:
			case 2:
			case 3: /* a change; half of them are lost */
				sequence++;
				if (rand_below(&r, 2) && bus_cursor_change(&c, epoch, sequence)) {
					assert_int_equal(known + 1, sequence);
					known = sequence;
				}
				break;
			case 4: /* a fetch begins; its answer comes later, or never */
				reply_epoch = epoch;
				reply = sequence;
				break;
			case 5:
				if (reply_epoch && bus_cursor_whole(&c, reply_epoch, reply)) {
					known_epoch = reply_epoch;
					known = reply;
				}
				break;
			default:
				bus_cursor_announce(&c, epoch, sequence);
				break;
			}
		}
		bus_cursor_announce(&c, epoch, sequence);
		if (bus_cursor_wants_whole(&c) && bus_cursor_whole(&c, epoch, sequence)) {
			known_epoch = epoch;
			known = sequence;
		}
		if (known_epoch != epoch || known != sequence || bus_cursor_wants_whole(&c))
			fail_msg("seed %llu", (unsigned long long)seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_by_epoch_and_sequence),
		cmocka_unit_test(never_stays_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
