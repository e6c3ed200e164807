/* event: which change of a row is an event, and its words. */
#include "control/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/verdict_row.h"

static const struct event_place place = {"lb-a", "shop"};

static void expect(
	json_t *event, const char *object, const char *from, const char *to, const char *why)
{
	if (!to) {
		assert_null(event);
		return;
	}
	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "object")), object);
	assert_string_equal(json_string_value(json_object_get(event, "from")), from);
	assert_string_equal(json_string_value(json_object_get(event, "to")), to);
	assert_string_equal(json_string_value(json_object_get(event, "why")), why);
	assert_string_equal(json_string_value(json_object_get(event, "stack")), "shop");
	assert_string_equal(json_string_value(json_object_get(event, "node")), "lb-a");
	json_decref(event);
}

static void tells_of_verdicts(void **state)
{
	struct verdict_row up = {.state = VERDICT_UP, .reason = "200 (2 of 2)"};
	struct verdict_row down = {.state = VERDICT_DOWN, .reason = "connect refused (3 of 3)"};
	struct verdict_row unknown = {.state = VERDICT_UNKNOWN};
	json_t *a = verdict_row_encode(&up), *b = verdict_row_encode(&down),
	       *c = verdict_row_encode(&unknown), *junk = json_integer(1);

	(void)state;
	expect(event_of_verdict(&place, "pool/web/w1", a, b), "web/w1", "up", "down",
		"connect refused (3 of 3)");
	expect(event_of_verdict(&place, "pool/web/w1", NULL, a), "web/w1", "unknown", "up",
		"200 (2 of 2)");
	expect(event_of_verdict(&place, "check/storage", a, b), "check/storage", "up", "down",
		"connect refused (3 of 3)");
	expect(event_of_verdict(&place, "pool/web/w1", a, a), NULL, NULL, NULL, NULL);
	expect(event_of_verdict(&place, "pool/web/w1", NULL, c), NULL, NULL, NULL, NULL);
	expect(event_of_verdict(&place, "pool/web/w1", a, NULL), NULL, NULL, NULL, NULL);
	expect(event_of_verdict(&place, "pool/web/w1", a, junk), NULL, NULL, NULL, NULL);
	expect(event_of_verdict(&place, "pool/web/w1", junk, b), "web/w1", "unknown", "down",
		"connect refused (3 of 3)");
	json_decref(a);
	json_decref(b);
	json_decref(c);
	json_decref(junk);
}

static void tells_of_vips_but_not_of_peers(void **state)
{
	struct report_vip backup = {.state = REPORT_VIP_BACKUP, .why = "started"};
	struct report_vip active = {.state = REPORT_VIP_ACTIVE, .why = "active-down timer"};
	json_t *a = report_vip_encode(&backup), *b = report_vip_encode(&active);

	(void)state;
	expect(event_of_role(&place, "vip/web", a, b), "web", "backup", "active",
		"active-down timer");
	expect(event_of_role(&place, "vip/web", NULL, a), "web", "initialize", "backup", "started");
	expect(event_of_role(&place, "peer/lb-b", a, b), NULL, NULL, NULL, NULL);
	json_decref(a);
	json_decref(b);
}

static void tells_of_peers(void **state)
{
	struct report_peer healthy = {
		.state = REPORT_PEER_HEALTHY, .why = "1 of 1 heartbeats heard"};
	struct report_peer lost = {
		.state = REPORT_PEER_UNHEALTHY, .why = "3 of 3 heartbeats missed"};
	json_t *a = report_peer_encode(&healthy), *b = report_peer_encode(&lost);

	(void)state;
	expect(event_of_role(&place, "peer/lb-b", NULL, a), "lb-b", "unknown", "healthy",
		"1 of 1 heartbeats heard");
	expect(event_of_role(&place, "peer/lb-b", a, b), "lb-b", "healthy", "unhealthy",
		"3 of 3 heartbeats missed");
	expect(event_of_role(&place, "peer/lb-b", b, NULL), NULL, NULL, NULL, NULL);
	json_decref(a);
	json_decref(b);
}

static void tells_of_overlays(void **state)
{
	struct overlay drain = {.state = OVERLAY_DRAIN, .who = "uid:0(root)", .why = "kernel"};
	struct overlay weight = {
		.state = OVERLAY_READY, .has_weight = true, .weight = 5, .who = "uid:0(root)"};
	json_t *a = overlay_encode(&drain), *b = overlay_encode(&weight);

	(void)state;
	expect(event_of_overlay(&place, "pool/web/w1", NULL, a), "web/w1", "none", "drain",
		"uid:0(root): kernel");
	expect(event_of_overlay(&place, "pool/web/w1", a, b), "web/w1", "drain", "ready, weight 5",
		"uid:0(root)");
	expect(event_of_overlay(&place, "instance/lb-a", a, NULL), "instance/lb-a", "drain", "none",
		"");
	json_decref(a);
	json_decref(b);
}

static void tells_of_listeners(void **state)
{
	struct report_listener open = {.state = REPORT_LISTENER_OPEN, .connections = 3};
	struct report_listener busy = {.state = REPORT_LISTENER_OPEN, .connections = 4};
	struct report_listener failed = {
		.state = REPORT_LISTENER_FAILED, .reason = "10.0.0.1:80: address already in use"};
	json_t *a = report_listener_encode(&open), *b = report_listener_encode(&busy),
	       *c = report_listener_encode(&failed);

	(void)state;
	expect(event_of_traffic(&place, "listener/www", a, c), "www", "open", "failed",
		"10.0.0.1:80: address already in use");
	expect(event_of_traffic(&place, "listener/www", a, b), NULL, NULL, NULL, NULL);
	expect(event_of_traffic(&place, "server/web/w1", a, c), NULL, NULL, NULL, NULL);
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_verdicts),
		cmocka_unit_test(tells_of_vips_but_not_of_peers),
		cmocka_unit_test(tells_of_peers),
		cmocka_unit_test(tells_of_overlays),
		cmocka_unit_test(tells_of_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
