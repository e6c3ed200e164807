/* When a proposed generation may become one: votes, silence and age, by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/proposal.h"

#define YES PROPOSAL_YES
#define NO PROPOSAL_NO
#define SILENT PROPOSAL_SILENT

struct voter {
	enum proposal_vote vote;
	int64_t beat_age_ms;
};

struct row {
	const char *name;
	struct voter voters[3];
	size_t count;
	int64_t age_ms;
	enum proposal_state expected;
};

// clang-format off
static const struct row rows[] = {
	{"nobody is asked", {{0}}, 0, 0, PROPOSAL_PASSED},
	{"the only one agrees", {{YES, 0}}, 1, 0, PROPOSAL_PASSED},
	{"a live one has not answered", {{YES, 0}, {SILENT, 10}}, 2, 0, PROPOSAL_OPEN},
	{"it has time", {{YES, 0}, {SILENT, 10}}, 2, 2999, PROPOSAL_OPEN},
	{"silence is away", {{YES, 0}, {SILENT, 10}}, 2, 3000, PROPOSAL_PASSED},
	{"an old heartbeat is away at once", {{YES, 0}, {SILENT, 5000}}, 2, 0, PROPOSAL_PASSED},
	{"just alive", {{YES, 0}, {SILENT, 4999}}, 2, 0, PROPOSAL_OPEN},
	{"never there is away at once", {{YES, 0}, {SILENT, -1}}, 2, 0, PROPOSAL_PASSED},
	{"left in order is away at once", {{YES, 0}, {SILENT, INT64_MAX}}, 2, 0, PROPOSAL_PASSED},
	{"one no refuses", {{YES, 0}, {NO, 0}}, 2, 10, PROPOSAL_REFUSED},
	{"a no need not wait for the silent", {{SILENT, 0}, {NO, 0}, {SILENT, 0}}, 3, 10, PROPOSAL_REFUSED},
	{"a no counts though the node died since", {{YES, 0}, {NO, 9000}}, 2, 10, PROPOSAL_REFUSED},
	{"all agree", {{YES, 0}, {YES, 0}, {YES, 0}}, 3, 100, PROPOSAL_PASSED},
	{"a late commit within its life", {{YES, 0}}, 1, 5999, PROPOSAL_PASSED},
	{"too old", {{YES, 0}, {YES, 0}}, 2, 6000, PROPOSAL_EXPIRED},
	{"too old to be refused", {{NO, 0}}, 1, 60000, PROPOSAL_EXPIRED},
};
// clang-format on

static void judges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct proposal_voter voters[3];
		enum proposal_state is;

		for (size_t j = 0; j < rows[i].count; j++)
			voters[j] = (struct proposal_voter){.node = "lb",
				.reason = "",
				.vote = rows[i].voters[j].vote,
				.beat_age_ms = rows[i].voters[j].beat_age_ms};
		is = proposal_judge(voters, rows[i].count, rows[i].age_ms);
		if (is != rows[i].expected)
			fail_msg("%s: %s instead of %s", rows[i].name, proposal_state_name(is),
				proposal_state_name(rows[i].expected));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(judges)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
