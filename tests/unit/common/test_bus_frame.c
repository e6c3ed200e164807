/* bus_frame: every kind there and back, and what is refused. */
#include "common/bus_frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void goes_there_and_back(void **state)
{
	json_t *row = json_pack("{s:s}", "state", "up"),
	       *tables = json_pack("{s:i}", "verdicts", 12);
	const struct bus_frame rows[] = {
		{.kind = BUS_REQUEST,
			.id = 7,
			.from = BUS_VRRPD,
			.verb = "counters",
			.until = {5000000},
			.body = row},
		{.kind = BUS_REPLY, .id = 7, .status = -EINVAL, .why = "no such server"},
		{.kind = BUS_CHANGE,
			.table = "verdicts",
			.key = "pool/web/w1",
			.epoch = INT64_MAX,
			.sequence = 3,
			.body = row},
		{.kind = BUS_CHANGE, .table = "verdicts", .key = "pool/web/w1", .sequence = 4},
		{.kind = BUS_CHANGE, .table = "snapshot-data", .sequence = 5},
		{.kind = BUS_HEARTBEAT, .epoch = 9, .tables = tables},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bus_frame f;
		size_t len, again_len;
		char *text, *again;

		assert_int_equal(bus_frame_encode(&rows[i], &text, &len), 0);
		assert_int_equal(bus_frame_decode(text, len, &f), 0);
		assert_int_equal(f.kind, rows[i].kind);
		assert_int_equal(f.id, rows[i].id);
		assert_int_equal(f.status, rows[i].status);
		assert_int_equal(f.sequence, rows[i].sequence);
		assert_int_equal(!f.body, !rows[i].body);
		assert_int_equal(!f.key, !rows[i].key);
		assert_int_equal(bus_frame_encode(&f, &again, &again_len), 0);
		assert_string_equal(text, again);
		bus_frame_fini(&f);
		free(text);
		free(again);
	}
	json_decref(row);
	json_decref(tables);
}

static void refuses_the_rest(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"{}",
		"{\"kind\":\"Request\"}",
		"{\"kind\":\"request\",\"id\":-1,\"from\":\"data\",\"verb\":\"x\",\"until\":1}",
		"{\"kind\":\"request\",\"id\":1,\"from\":\"stranger\",\"verb\":\"x\",\"until\":1}",
		"{\"kind\":\"request\",\"id\":1,\"from\":\"data\",\"verb\":\"\",\"until\":1}",
		"{\"kind\":\"request\",\"id\":1,\"from\":\"data\",\"verb\":\"x\"}",
		"{\"kind\":\"request\",\"id\":\"1\",\"from\":\"data\",\"verb\":\"x\",\"until\":1}",
		"{\"kind\":\"request\",\"id\":1,\"id\":2,\"from\":\"data\",\"verb\":\"x\","
		"\"until\":1}",
		"{\"kind\":\"reply\",\"id\":1,\"status\":1,\"why\":\"\"}",
		"{\"kind\":\"reply\",\"id\":1,\"status\":-5000,\"why\":\"\"}",
		"{\"kind\":\"reply\",\"id\":1,\"status\":0}",
		"{\"kind\":\"change\",\"table\":\"t\",\"epoch\":1,\"sequence\":1,\"key\":7}",
		"{\"kind\":\"change\",\"table\":\"t\",\"epoch\":1,\"sequence\":1,\"row\":{}}",
		"{\"kind\":\"change\",\"epoch\":1,\"sequence\":1}",
		"{\"kind\":\"heartbeat\",\"epoch\":1,\"tables\":{\"t\":\"1\"}}",
		"{\"kind\":\"heartbeat\",\"epoch\":1,\"tables\":[]}",
		"{\"kind\":\"heartbeat\",\"epoch\":1,\"tables\":{}} ",
		"{\"kind\":\"heartbeat\",\"epoch\":1,\"tables\":{}}x",
	};
	struct bus_frame f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(bus_frame_decode(rows[i], strlen(rows[i]), &f),
			rows[i][0] && rows[i][strlen(rows[i]) - 1] == ' ' ? 0 : -EINVAL);
	bus_frame_fini(&f);
	assert_int_equal(bus_frame_decode("{\0}", 3, &f), -EINVAL);
}

static void packs_whole_tables(void **state)
{
	json_t *rows = json_pack("{s:{}}", "k"), *body = bus_frame_pack_whole(4, 5, rows);
	const json_t *back;
	int64_t epoch, sequence;

	(void)state;
	assert_int_equal(bus_frame_unpack_whole(body, &epoch, &sequence, &back), 0);
	assert_int_equal(epoch, 4);
	assert_int_equal(sequence, 5);
	assert_true(json_equal(rows, back));
	json_object_set_new(body, "rows", json_array());
	assert_int_equal(bus_frame_unpack_whole(body, &epoch, &sequence, &back), -EINVAL);
	assert_int_equal(bus_frame_unpack_whole(NULL, &epoch, &sequence, &back), -EINVAL);
	json_decref(body);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(packs_whole_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
