/* links: pairs against their minimum; traffic against what came before, as stories in rows. */
#include "vrrpd/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct mono at_s(int64_t s)
{
	return mono_add_ms((struct mono){1000}, s * 1000);
}

static void counts_pairs(void **state)
{
	static const struct {
		size_t minimum, pairs, active;
		const char *why;
	} rows[] = {
		{1, 0, 0, NULL},
		{1, 1, 1, NULL},
		{1, 1, 0, "0 of 1 link pairs active, 1 wanted"},
		{2, 3, 1, "1 of 3 link pairs active, 2 wanted"},
		{2, 3, 2, NULL},
		{0, 2, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct links_config config = {.minimum_active = rows[i].minimum};
		struct links_sight sight = {.pairs = rows[i].pairs, .active = rows[i].active};
		char text[LINKS_WHY_SIZE];
		const char *why;
		struct links l;

		links_init(&l, &config);
		links_look(&l, &sight, at_s(0));
		why = links_marked_down(&l, text);
		if (!why != !rows[i].why || (why && strcmp(why, rows[i].why) != 0))
			fail_msg("row %zu: %s", i, why ? why : "-");
		assert_null(links_starved(&l, text));
		assert_true(mono_is_never(links_deadline(&l)));
	}
}

/* One look after another, 10 s apart: megabits that came, and whether it is starved then. */
struct look {
	int mbit;
	bool is_active, has_peer, is_starved;
};

static const struct story {
	const char *name;
	struct look looks[8];
	size_t count;
} stories[] = {
	/* clang-format off */
	{"a quiet night", {{0, true, true, false}, {0, true, true, false}, {0, true, true, false}}, 3},
	{"traffic ends", {{0, true, true, false}, {50, true, true, false}, {0, true, true, true},
		{0, false, true, true}, {0, false, true, true}, {0, false, true, true}, {0, false, true, true},
		{0, false, true, false}}, 8},
	{"traffic sinks but is enough", {{0, true, true, false}, {500, true, true, false}, {11, true, true, false}}, 3},
	{"it ends without a healthy peer", {{0, true, true, false}, {50, true, true, false}, {0, true, false, false},
		{0, true, true, true}}, 4},
	{"a Backup has none", {{0, true, true, false}, {50, true, true, false}, {0, false, true, false},
		{0, true, true, false}, {0, true, true, false}}, 5},
	{"an interface is another one", {{50, true, true, false}, {50, true, true, false}, {-90, true, true, false},
		{50, true, true, false}, {0, true, true, true}}, 5},
	/* clang-format on */
};

static void weighs_traffic(void **state)
{
	static const struct links_config config = {1, true, 1000000, 10000, 45000};

	(void)state;
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct links_sight sight = {0};
		char text[LINKS_WHY_SIZE];
		struct links l;

		links_init(&l, &config);
		sight.bytes = 100000000;
		for (size_t n = 0; n < stories[i].count; n++) {
			const struct look *look = &stories[i].looks[n];

			sight.bytes += (uint64_t)(look->mbit * 125000);
			sight.is_active = look->is_active;
			sight.has_healthy_peer = look->has_peer;
			links_look(&l, &sight, at_s(10 * (int64_t)n));
			if (!links_starved(&l, text) == look->is_starved)
				fail_msg("%s: look %zu: %s", stories[i].name, n,
					look->is_starved ? "not starved" : text);
		}
	}
}

static void forgets_when_it_is_watched_no_more(void **state)
{
	struct links_config config = {1, true, 1000000, 10000, 60000};
	struct links_sight sight = {.is_active = true, .has_healthy_peer = true};
	char text[LINKS_WHY_SIZE];
	struct links l;

	(void)state;
	links_init(&l, &config);
	links_look(&l, &sight, at_s(0));
	assert_int_equal(mono_since_ms(links_deadline(&l), at_s(0)), 10000);
	sight.bytes = 12500000;
	links_look(&l, &sight, at_s(10));
	assert_true(links_look(&l, &sight, at_s(20)));
	assert_string_equal(links_starved(&l, text), "traffic fell to 0 bit/s, below 1000000");
	config.has_bandwidth = false;
	links_configure(&l, &config);
	assert_null(links_starved(&l, text));
	assert_true(mono_is_never(links_deadline(&l)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_pairs),
		cmocka_unit_test(weighs_traffic),
		cmocka_unit_test(forgets_when_it_is_watched_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
