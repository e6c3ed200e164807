/* overlay_rule: which drains a pool can bear. */
#include "control/overlay_rule.h"

#include <errno.h>

#include "tests/unit/control/documents.h"

static const char document[] =
	"stack: shop\npools:\n- name: web\n  protocol: http\n  minimum_up: 2\n"
	"  servers: [{name: w1, address: \"10.0.1.1:80\"}, {name: w2, address: "
	"\"10.0.1.2:80\"}, {name: w3, address: \"10.0.1.3:80\"}]\n";

#define UP EFFECTIVE_UP
#define DOWN EFFECTIVE_DOWN
#define NONE EFFECTIVE_UNCHECKED
#define DRAIN EFFECTIVE_DRAIN

// clang-format off
static const struct {
	enum effective_state states[3];
	const char *server;
	struct overlay wanted;
	bool is_clear;
	int rc;
} rows[] = {
	{{UP, UP, UP}, "w1", {.state = OVERLAY_DRAIN}, false, 0},
	{{NONE, NONE, NONE}, "w3", {.state = OVERLAY_DISABLED}, false, 0},
	{{UP, UP, DOWN}, "w1", {.state = OVERLAY_DRAIN}, false, -EBUSY},
	{{UP, UP, DOWN}, "w1", {.state = OVERLAY_DISABLED}, false, -EBUSY},
	{{UP, UP, DRAIN}, "w2", {.state = OVERLAY_READY, .has_weight = true, .weight = 0}, false, -EBUSY},
	/* What takes no traffic now is not missed. */
	{{UP, UP, DOWN}, "w3", {.state = OVERLAY_DRAIN}, false, 0},
	{{UP, DOWN, DOWN}, "w2", {.state = OVERLAY_DISABLED}, false, 0},
	/* What gives traffic back is always fine. */
	{{UP, UP, DOWN}, "w1", {.state = OVERLAY_READY}, false, 0},
	{{UP, UP, DOWN}, "w1", {.state = OVERLAY_READY, .has_weight = true, .weight = 1}, false, 0},
	{{UP, UP, DOWN}, "w1", {0}, true, 0},
	{{UP, UP, UP}, "w4", {.state = OVERLAY_DRAIN}, false, -ENOENT},
	{{UP, UP, UP}, "w1", {.state = OVERLAY_MAINTENANCE}, false, -EINVAL},
};
// clang-format on

static void judges_overlays(void **state)
{
	struct conf *conf = document_conf(document, 1);
	const struct conf_pool *pool = conf_pool(conf, "web");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct effective now[3] = {0};
		char why[OVERLAY_RULE_WHY_SIZE] = "";
		int rc;

		for (size_t j = 0; j < 3; j++) {
			now[j].state = rows[i].states[j];
			now[j].weight = 100;
		}
		rc = overlay_rule_server(
			pool, now, rows[i].server, rows[i].is_clear ? NULL : &rows[i].wanted, why);
		if (rc != rows[i].rc)
			fail_msg("row %d: %d %s", (int)i, rc, why);
		assert_int_equal(why[0] != '\0', rc < 0);
		if (rc == -EBUSY)
			assert_non_null(strstr(why, "is one of 2 servers that take traffic"));
	}
	conf_unref(conf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_overlays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
