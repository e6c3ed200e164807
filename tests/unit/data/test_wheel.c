/* wheel: nothing fires early or much too late, whatever is set, moved and cleared. */
#include "data/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/rand.h"

#define TIMERS 200

struct probe {
	struct wheel_timer timer;
	int64_t fired_ms; /* -1: not */
	unsigned count;
};

static int64_t now_ms; /* of the run: what fire() sees */

static void fire(struct wheel_timer *t)
{
	struct probe *p = list_entry(t, struct probe, timer);

	assert_true(now_ms >= t->at_ms);
	assert_true(now_ms - t->at_ms <= 2 * WHEEL_TICK_MS);
	p->fired_ms = now_ms;
	p->count++;
}

static void fires_in_time(void **state)
{
	static const int64_t delays[] = {0, 1, 7, 8, 9, 100, 8191, 8192, 8193, 60000, 3600000};
	static struct wheel w;

	(void)state;
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct probe p = {.fired_ms = -1};

		now_ms = 1234567;
		wheel_init(&w, now_ms);
		wheel_timer_init(&p.timer, fire);
		wheel_set(&w, &p.timer, now_ms + delays[i]);
		wheel_check(&w);
		while (p.count == 0) {
			int64_t next = wheel_next_ms(&w);

			assert_true(next >= 0);
			now_ms = next > now_ms ? next : now_ms + 1;
			wheel_turn(&w, now_ms);
		}
		assert_int_equal(p.count, 1);
		assert_int_equal(wheel_next_ms(&w), -1);
	}
}

static void moves_and_clears(void **state)
{
	static struct wheel w;
	struct probe p = {.fired_ms = -1};

	(void)state;
	now_ms = 0;
	wheel_init(&w, 0);
	wheel_timer_init(&p.timer, fire);
	wheel_set(&w, &p.timer, 100);
	wheel_set(&w, &p.timer, 500); /* later: stays in its slot */
	for (now_ms = 0; now_ms < 499; now_ms++)
		wheel_turn(&w, now_ms);
	assert_int_equal(p.count, 0);
	wheel_set(&w, &p.timer, now_ms + 20); /* earlier again */
	for (; now_ms < 600; now_ms++)
		wheel_turn(&w, now_ms);
	assert_int_equal(p.count, 1);
	wheel_set(&w, &p.timer, now_ms + 10);
	wheel_clear(&w, &p.timer);
	wheel_clear(&w, &p.timer);
	assert_false(wheel_timer_is_set(&p.timer));
	for (; now_ms < 700; now_ms++)
		wheel_turn(&w, now_ms);
	assert_int_equal(p.count, 1);
}

/* Many timers, set and cleared by chance, with turns of uneven length. */
static void survives_a_long_run(void **state)
{
	static struct probe probes[TIMERS];
	static struct wheel w;
	struct rand_state r;

	(void)state;
	rand_seed(&r, 42);
	now_ms = 5000;
	wheel_init(&w, now_ms);
	for (int i = 0; i < TIMERS; i++)
		wheel_timer_init(&probes[i].timer, fire);
	for (int step = 0; step < 20000; step++) {
		struct probe *p = &probes[rand_below(&r, TIMERS)];

		if (rand_below(&r, 5) == 0)
			wheel_clear(&w, &p->timer);
		else
			wheel_set(&w, &p->timer, now_ms + (int64_t)rand_below(&r, 20000));
		if (rand_below(&r, 3) == 0) {
			now_ms += (int64_t)rand_below(&r, WHEEL_TICK_MS + 1);
			wheel_turn(&w, now_ms);
			wheel_check(&w);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_in_time),
		cmocka_unit_test(moves_and_clears),
		cmocka_unit_test(survives_a_long_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
