/* handover_record: a connection as bytes and back; what is no record is refused. */
#include "data/handover_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

static struct handover_record example(int kind)
{
	struct handover_record r = {
		.kind = kind,
		.number = 7,
		.listener = "www",
		.idle_ms = 1234,
		.halves = {[FLOW_CLIENT] =
				   {.stored = "abc", .stored_len = 3, .piped = 70000, .carried = 5},
			[FLOW_SERVER] = {.stored = "\0\xff", .stored_len = 2, .is_ended = true}},
		.exchange = {.method = "GET",
			.host = "shop.example",
			.path = "/socket",
			.request_id = "abc",
			.began_us = 10,
			.sought_us = 11,
			.opened_us = 12,
			.sent_us = 13,
			.responded_us = 14,
			.bytes_out = 99,
			.retries = 1},
	};

	assert_int_equal(addr_parse_port("[fd00::9]:4711", &r.client), 0);
	if (kind != HANDOVER_IDLE) {
		strcpy(r.pool, "web");
		strcpy(r.server, "w1");
	} else {
		r.halves[FLOW_CLIENT].piped = 0;
	}
	return r;
}

static void test_there_and_back(void **state)
{
	(void)state;
	for (int kind = 0; kind < HANDOVER_KINDS; kind++) {
		struct handover_record in = example(kind), out;
		struct buf message;

		buf_init(&message, HANDOVER_MESSAGE_MAX);
		assert_int_equal(handover_record_encode(&in, &message), 0);
		assert_int_equal(handover_record_decode(message.data, message.len, &out), 0);
		assert_int_equal(out.kind, kind);
		assert_int_equal(out.number, 7);
		assert_string_equal(out.listener, "www");
		assert_string_equal(out.pool, in.pool);
		assert_string_equal(out.server, in.server);
		assert_true(addr_is_equal(&out.client, &in.client));
		assert_int_equal(out.idle_ms, 1234);
		for (int side = 0; side < FLOW_SIDES; side++) {
			const struct handover_half *a = &in.halves[side], *b = &out.halves[side];

			assert_int_equal(b->stored_len, a->stored_len);
			assert_memory_equal(b->stored, a->stored, a->stored_len);
			assert_int_equal(b->piped, a->piped);
			assert_int_equal(b->carried, a->carried);
			assert_int_equal(b->is_ended, a->is_ended);
		}
		if (kind != HANDOVER_IDLE)
			assert_memory_equal(&out.exchange, &in.exchange, sizeof in.exchange);
		assert_int_equal(handover_record_fds(&out), kind == HANDOVER_IDLE ? 1 : 4);
		/* Cut anywhere, or with more behind it, it is none. */
		for (size_t len = 0; len < message.len; len++)
			assert_int_equal(handover_record_decode(message.data, len, &out), -EPROTO);
		buf_add(&message, "x", 1);
		assert_int_equal(handover_record_decode(message.data, message.len, &out), -EPROTO);
		buf_fini(&message);
	}
}

static int decode_text(const char *text)
{
	struct handover_record r;
	struct buf message;
	uint32_t len = (uint32_t)strlen(text);
	int rc;

	buf_init(&message, HANDOVER_MESSAGE_MAX);
	buf_add(&message, &len, sizeof len);
	buf_add(&message, text, len);
	rc = handover_record_decode(message.data, message.len, &r);
	buf_fini(&message);
	return rc;
}

#define HALVES                                                                                     \
	"\"from_client\":{\"stored\":0,\"piped\":0,\"carried\":0},\"from_server\":{\"stored\":0,"  \
	"\"piped\":0,\"carried\":0}"
#define IDLE                                                                                       \
	"\"kind\":\"idle\",\"number\":1,\"listener\":\"www\",\"client\":\"10.0.0.1:5\","           \
	"\"idle_ms\":9,"

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"{" IDLE HALVES "}", 0},
		{"{" IDLE HALVES ",\"of_a_later_version\":[1]}", 0},
		{"{" HALVES "}", -EPROTO},
		{"{" IDLE "\"from_client\":{\"stored\":0,\"piped\":0,\"carried\":0}}", -EPROTO},
		{"{" IDLE HALVES ",\"pool\":\"web\",\"server\":\"w1\"}",
			-EPROTO}, /* idle has none */
		{"{" IDLE
		 "\"from_client\":{\"stored\":20000,\"piped\":0,\"carried\":0},\"from_server\":{"
		 "\"stored\":0,\"piped\":"
		 "0,\"carried\":0}}",
			-EPROTO},
		{"{" IDLE "\"from_client\":{\"stored\":0,\"piped\":-1,\"carried\":0},\"from_"
			  "server\":{\"stored\":"
		 "0,\"piped\":0,\"carried\":0}}",
			-EPROTO},
		{"[]", -EPROTO},
		{"", -EPROTO},
		{"not JSON", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(decode_text(rows[i].text), rows[i].rc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
