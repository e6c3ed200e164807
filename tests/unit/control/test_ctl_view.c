/* ctl/view: what the API's answers look like, whole and with parts missing. */
#include "control/ctl/view.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct view view = {.now = {1768046400000}}; /* 2026-01-10T12:00:00Z */

static const char status[] =
	"{\"node\":\"lb-a\",\"generation\":17,\"store\":{\"kind\":\"postgres\",\"state\":"
	"\"connected\","
	"\"durability\":\"sync\"},\"nodes\":[{\"name\":\"lb-a\",\"state\":\"ready\",\"since\":"
	"\"2026-01-10T11:56:48.000Z\",\"address\":\"10.0.0.11\",\"daemons\":{\"data\":{"
	"\"generation\":17,"
	"\"state\":\"running\"},\"vrrpd\":{\"generation\":16,\"state\":\"lagging\"}}}],"
	"\"vips\":[{\"stack\":\"shop\",\"name\":\"web\",\"holder\":\"lb-a\",\"since\":\"2026-01-"
	"10T11:59:00.000Z\","
	"\"why\":\"active-down timer\",\"states\":{\"lb-a\":\"active\",\"lb-b\":\"backup\"}}],"
	"\"pools\":[{\"stack\":\"shop\",\"name\":\"web\",\"servers\":["
	"{\"name\":\"w1\",\"address\":\"10.0.1.1:8080\",\"state\":\"up\",\"weight\":100,"
	"\"connections\":12,"
	"\"since\":null,\"why\":\"200 in 3 ms\"},"
	"{\"name\":\"w2\",\"address\":\"10.0.1.2:8080\",\"state\":\"down\",\"weight\":5,"
	"\"connections\":0,"
	"\"since\":\"2026-01-10T11:00:00.000Z\",\"why\":\"connect refused (3 of 3)\"}]}],"
	"\"listeners\":[{\"stack\":\"shop\",\"name\":\"www\",\"bind\":[\"10.0.0.100:80\"],"
	"\"state\":\"open\","
	"\"connections\":40,\"why\":\"\"}],"
	"\"problems\":[{\"object\":\"web/w2\",\"what\":\"is "
	"down\",\"since\":\"2026-01-10T11:00:00.000Z\"}]}";

static const char shown[] =
	"node lb-a, generation 17, store postgres connected\n"
	"\n"
	"NODE  STATE  SINCE  ADDRESS    DAEMONS\n"
	"lb-a  ready  3m12s  10.0.0.11  data 17, vrrpd 16 lagging\n"
	"\n"
	"VIP  HOLDER  SINCE  STATES                    WHY\n"
	"web  lb-a    1m     lb-a active, lb-b backup  active-down timer\n"
	"\n"
	"SERVER  ADDRESS        STATE  SINCE  WEIGHT  CONNECTIONS  WHY\n"
	"web/w1  10.0.1.1:8080  up     -         100           12  200 in 3 ms\n"
	"web/w2  10.0.1.2:8080  down   1h          5            0  connect refused (3 of 3)\n"
	"\n"
	"LISTENER  BIND           STATE  CONNECTIONS  WHY\n"
	"www       10.0.0.100:80  open            40  -\n"
	"\n"
	"problems:\n"
	"  web/w2: is down (1h)\n";

static void shows_the_picture(void **state)
{
	json_t *value = json_loads(status, 0, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	view_status(&view, value, &out);
	assert_string_equal(buf_text(&out), shown);
	buf_clear(&out);
	assert_int_equal(view_servers(&view, value, "web/w2", &out), 1);
	assert_int_equal(view_servers(&view, value, "web/", &out), 2);
	assert_int_equal(view_servers(&view, value, "web/w3", &out), 0);
	assert_int_equal(view_servers(&view, value, "we/", &out), 0);
	buf_clear(&out);
	assert_int_equal(view_pools(&view, value, "web", &out), 1);
	assert_string_equal(buf_text(&out),
		"POOL  SERVERS  CONNECTIONS  STATES\nweb         2           12  1 up, 1 down\n");
	assert_int_equal(view_vips(&view, value, "other", &out), 0);
	buf_fini(&out);
	json_decref(value);
}

/* Where there is more than one stack, each row says which. */
static void names_stacks_when_there_are_several(void **state)
{
	json_t *value = json_loads(
		"{\"listeners\":[{\"stack\":\"a\",\"name\":\"www\",\"bind\":[\"10.0.0.1:80\","
		"\"10.0.0.2:80\"],\"state\":\"open\",\"connections\":1,\"why\":\"\"},{\"stack\":"
		"\"b\",\"name\":\"www\",\"bind\":[],\"state\":\"failed\",\"connections\":0,\"why\":"
		"\"in use\"}]}",
		0, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(view_listeners(&view, value, NULL, &out), 2);
	assert_string_equal(buf_text(&out),
		"STACK  LISTENER  BIND                      STATE   CONNECTIONS  WHY\n"
		"a      www       10.0.0.1:80, 10.0.0.2:80  open              1  -\n"
		"b      www       -                         failed            0  in use\n");
	buf_fini(&out);
	json_decref(value);
}

/* Whatever the API leaves out or changes, the view stands. */
static void bears_what_is_missing(void **state)
{
	static const char *const rows[] = {"{}", "[]",
		"{\"nodes\":[{}],\"vips\":[{}],\"pools\":[{\"servers\":[{}]}],"
		"\"listeners\":[{}],\"problems\":[{}]}",
		"{\"nodes\":5,\"vips\":{\"a\":1},\"pools\":[5],\"listeners\":\"x\",\"problems\":["
		"\"a\"]}"};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *value = json_loads(rows[i], 0, NULL);

		view_status(&view, value, &out);
		view_generations(&view, value, &out);
		view_stacks(&view, value, &out);
		view_write(&view, "s", value, true, &out);
		view_changes(&view, value, &out);
		view_event(&view, value, &out);
		view_explanation(&view, value, &out);
		json_decref(value);
	}
	assert_false(out.failed);
	buf_fini(&out);
}

static void shows_changes_events_and_reasons(void **state)
{
	json_t *dry = json_loads(
		"{\"changes\":[{\"where\":\"pools[web]\",\"what\":\"added\"},{\"where\":\"a.b\","
		"\"what\":\"changed: 1 -> 2\"},{\"where\":\"vips[v]\",\"what\":\"removed\"}]}",
		0, NULL);
	json_t *event = json_loads(
		"{\"time\":\"2026-01-10T11:00:00.123Z\",\"kind\":\"verdict\",\"object\":\"web/w1\","
		"\"from\":\"up\",\"to\":\"down\",\"why\":\"refused\"}",
		0, NULL);
	json_t *why = json_loads(
		"{\"object\":\"web/"
		"w1\",\"state\":\"down\",\"since\":\"2026-01-10T11:59:00Z\",\"why\":"
		"\"refused\",\"evidence\":[{\"time\":null,\"text\":\"t\"}],\"history\":[{\"time\":"
		"\"2026-01-10T11:59:00Z\",\"from\":\"up\",\"to\":\"down\",\"why\":\"w\"}]}",
		0, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(view_changes(&view, dry, &out), 3);
	assert_string_equal(buf_text(&out), "+ pools[web]\n~ a.b: 1 -> 2\n- vips[v]\n");
	buf_clear(&out);
	view_event(&view, event, &out);
	assert_string_equal(buf_text(&out),
		"2026-01-10T11:00:00Z  verdict     web/w1                up -> down  refused\n");
	buf_clear(&out);
	view_explanation(&view, why, &out);
	assert_string_equal(buf_text(&out),
		"web/w1 is down, for 1m: refused\n\nAGE  EVIDENCE\n-    t\n\n"
		"AGE  FROM  TO    WHY\n1m   up    down  w\n");
	buf_fini(&out);
	json_decref(dry);
	json_decref(event);
	json_decref(why);
}

static void describes_fields(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	assert_int_equal(view_kind(&view, &field_pool, "retry.attempts", &out), 0);
	assert_string_equal(buf_text(&out), "\nattempts  integer, 0 to 10, default 2\n    Further "
					    "tries after the first, each on another "
					    "server where there is one.\n");
	assert_int_equal(view_kind(&view, &field_pool, "retry.attempt", &out), -ENOENT);
	assert_int_equal(view_kind(&view, &field_pool, "name.x", &out), -ENOENT);
	for (size_t i = 0; field_kinds[i]; i++) {
		buf_clear(&out);
		assert_int_equal(view_kind(&view, field_kinds[i], "", &out), 0);
		assert_true(out.len > 0 && !out.failed);
	}
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_picture),
		cmocka_unit_test(names_stacks_when_there_are_several),
		cmocka_unit_test(bears_what_is_missing),
		cmocka_unit_test(shows_changes_events_and_reasons),
		cmocka_unit_test(describes_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
