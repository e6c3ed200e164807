/* patience: how long connections are kept idle, and which of them carry what must not be sent twice. */
#include "data/pool/patience.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Two idle connections that a server ended alike: later ones are not kept as long. */
static void a_servers_own_keep_alive_is_found_out(void **state)
{
	static const struct {
		int64_t ages[4], idle_ms;
	} rows[] = {
		{{5000}, 60000},
		{{5000, 5010}, 3750},
		{{5010, 5000}, 3750},
		{{5000, 5000, 900}, 3750},     /* one that is not alike changes nothing */
		{{5000, 5000, 900, 910}, 675}, /* it has another rule now */
		{{5000, 900, 5000}, 60000},
		{{3, 3, 4, 3}, 60000}, /* a restart ends them all, however young */
		{{0, 0}, 60000},
		{{70000, 70000}, 52500},
		{{90000, 90000}, 60000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct patience p = {0};

		for (int k = 0; k < 4 && (rows[i].ages[k] || k < 2); k++)
			patience_ended(&p, rows[i].ages[k], 1000);
		assert_int_equal(patience_idle_ms(&p, 60000, 1001), rows[i].idle_ms);
		assert_int_equal(patience_idle_ms(&p, 60000, 1000 + PATIENCE_BELIEF_MS), 60000);
	}
}

/* Positive: a connection bore so many ms; negative: the server ended one after so many. */
static void sure_is_what_others_have_borne(void **state)
{
	static const struct {
		int64_t seen[4], sure_ms;
	} rows[] = {
		{{0}, PATIENCE_LEAST_MS},
		{{10}, PATIENCE_LEAST_MS},
		{{4000}, 2000},
		{{4000, 2000}, 2000}, /* what was borne once is borne */
		{{2000, 4000}, 2000},
		{{-5000}, PATIENCE_LEAST_MS}, /* an end alone promises nothing */
		{{4000, -5000}, 2000},
		{{4000, -1000}, 500}, /* it has become less patient, or was restarted */
		{{4000, -1000, 4000}, 2000},
		{{4000, -2}, PATIENCE_LEAST_MS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct patience p = {0};

		for (int k = 0; k < 4 && rows[i].seen[k]; k++) {
			if (rows[i].seen[k] > 0)
				patience_bore(&p, rows[i].seen[k]);
			else
				patience_ended(&p, -rows[i].seen[k], 1000);
		}
		assert_true(patience_is_sure(&p, rows[i].sure_ms));
		assert_false(patience_is_sure(&p, rows[i].sure_ms + 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_servers_own_keep_alive_is_found_out),
		cmocka_unit_test(sure_is_what_others_have_borne),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
