/*
 * peer: thresholds by tables of heartbeats, sessions and replay as stories, and the
 * payload's bytes.
 */
#include "vrrpd/peer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define OWN 77u /* our session */

static struct mono at_ms(int64_t ms)
{
	return mono_add_ms((struct mono){1000}, ms);
}

static const struct peer_config config = {500, 3, 2};

/* A heartbeat with that echo counter, of our session unless 0. */
static enum peer_verdict beat(
	struct peer *p, uint64_t session, uint64_t counter, uint64_t echo, struct mono now)
{
	static struct peer_message m;

	m = (struct peer_message){.kind = PEER_HEARTBEAT, .node = "lb-b", .generation = counter};
	if (echo)
		m.echo = (struct peer_echo){OWN, echo, 100};
	enum peer_verdict v = peer_heard(p, session, counter, &m, now);

	peer_check(p);
	return v;
}

/* One letter for each check: + heard in time, - silence; what the state is after each. */
static void counts_checks_against_thresholds(void **state)
{
	static const struct {
		const char *checks, *states; /* u unknown, h healthy, x unhealthy */
	} rows[] = {
		{"+++", "hhh"},
		{"---+", "uuxx"},
		{"---++", "uuxxh"},
		{"+--+--+", "hhhhhhh"},
		{"+---", "hhhx"},
		{"+---+-++", "hhhxxxxh"},
		{"--+", "uuh"},
	};
	static struct peer p;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t counter = 1;

		peer_init(&p, &config, OWN, at_ms(0));
		assert_int_equal(beat(&p, 5, 1, 0, at_ms(-5000)), PEER_UNPROVEN);
		for (size_t k = 0; rows[i].checks[k]; k++) {
			struct mono due = at_ms(500 * (int64_t)(k + 1));
			enum peer_state before = p.state;

			if (rows[i].checks[k] == '+') {
				counter++;
				assert_int_equal(
					beat(&p, 5, counter, counter, mono_add_ms(due, -300)),
					PEER_FRESH);
			}
			assert_int_equal(mono_since_ns(peer_deadline(&p), due), 0);
			assert_false(peer_tick(&p, mono_add_ns(due, -1)));
			bool has_changed = peer_tick(&p, due);

			assert_int_equal(has_changed, p.state != before);
			peer_check(&p);
			if ("uhx"[p.state] != rows[i].states[k])
				fail_msg("%s: check %zu: %s", rows[i].checks, k,
					peer_state_name(p.state));
		}
	}
}

static void says_why(void **state)
{
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	assert_string_equal(p.why, "no heartbeat yet");
	for (int i = 1; i <= 3; i++)
		peer_tick(&p, at_ms(500 * i));
	assert_string_equal(p.why, "3 of 3 heartbeats missed");
}

static void judges_sessions_and_replay(void **state)
{
	static const struct {
		uint64_t session, counter, echo;
		enum peer_verdict verdict;
	} rows[] = {
		{5, 1, 0, PEER_UNPROVEN}, /* it has not heard us yet */
		{5, 1, 0, PEER_REPLAYED},
		{5, 2, 1, PEER_FRESH}, /* echoes our frame 1 */
		{5, 2, 1, PEER_REPLAYED},
		{5, 1, 1, PEER_FRESH}, /* overtaken, and not of this session when it was heard */
		{5, 1, 1, PEER_REPLAYED},
		{5, 9, 3, PEER_FRESH},
		{5, 7, 3, PEER_FRESH}, /* overtaken by 9 */
		{5, 7, 3, PEER_REPLAYED},
		{5, 9, 3, PEER_REPLAYED},
		{6, 1, 0, PEER_UNPROVEN}, /* started again */
		{5, 10, 3, PEER_FRESH},   /* or not: the old session still speaks */
		{6, 2, 3, PEER_UNPROVEN}, /* 3 was already echoed: may be a recording */
		{6, 3, 4, PEER_FRESH},
		{5, 11, 4, PEER_UNPROVEN}, /* the old session, replayed: never again */
		{5, 12, 3, PEER_UNPROVEN},
		{6, 3, 5, PEER_REPLAYED},
		{6, 4, 5, PEER_FRESH},
		{0, 99, 6, PEER_REPLAYED},
	};
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum peer_verdict v = beat(
			&p, rows[i].session, rows[i].counter, rows[i].echo, at_ms((int64_t)i));

		if (v != rows[i].verdict)
			fail_msg("row %zu: %s", i, peer_verdict_name(v));
	}
	assert_int_equal(p.generation, 4);
	assert_true(p.is_hearing);
}

static void tells_fresh_heartbeats_and_a_deaf_peer(void **state)
{
	struct peer_message m = {.kind = PEER_HEARTBEAT, .echo = {OWN, 1, 100}};
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	assert_false(peer_is_fresh(&p, at_ms(0)));
	assert_int_equal(peer_heard(&p, 5, 1, &m, at_ms(10)), PEER_FRESH);
	assert_true(peer_is_fresh(&p, at_ms(10)) && p.is_hearing);
	assert_true(peer_is_fresh(&p, at_ms(760)));
	assert_false(peer_is_fresh(&p, at_ms(761)));
	m.echo.held_us = 1500000; /* three checks without a word of ours */
	assert_int_equal(peer_heard(&p, 5, 2, &m, at_ms(1500)), PEER_FRESH);
	assert_true(peer_is_fresh(&p, at_ms(1500)) && p.is_hearing);
	m.echo.held_us++;
	assert_int_equal(peer_heard(&p, 5, 3, &m, at_ms(2000)), PEER_FRESH);
	assert_true(peer_is_fresh(&p, at_ms(2000)) && !p.is_hearing);
	for (int ms = 2000; ms < 6000; ms += 500)
		peer_tick(&p, at_ms(ms));
	assert_int_equal(p.state, PEER_UNHEALTHY);
	assert_int_equal(peer_heard(&p, 5, 4, &m, at_ms(6000)), PEER_FRESH);
	assert_false(peer_is_fresh(&p, at_ms(6000)));
}

static void echoes_the_newest_it_heard(void **state)
{
	static struct peer p;
	struct peer_echo e;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	assert_int_equal(peer_echo(&p, at_ms(1)).session, 0);
	beat(&p, 5, 7, 0, at_ms(10));
	e = peer_echo(&p, at_ms(12));
	assert_int_equal(e.session, 5);
	assert_int_equal(e.counter, 7);
	assert_int_equal(e.held_us, 2000);
}

static void measures_the_round_trip(void **state)
{
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	assert_int_equal(p.round_trip_us, -1);
	peer_sent(&p, 40, at_ms(10));
	peer_sent(&p, 41, at_ms(20));
	beat(&p, 5, 1, 41, at_ms(23)); /* held for 100 us */
	assert_int_equal(p.round_trip_us, 2900);
	beat(&p, 5, 2, 41, at_ms(500)); /* the same echo again tells nothing */
	assert_int_equal(p.round_trip_us, 2900);
}

/* What a link that was down has kept is told from what comes now. */
static void tells_how_old_a_message_may_be(void **state)
{
	struct peer_message m = {.echo = {.session = OWN, .counter = 40, .held_us = 100}};
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	peer_sent(&p, 40, at_ms(10));
	assert_int_equal(peer_age_ns(&p, &m, at_ms(13)), 2900000);
	assert_int_equal(peer_age_ns(&p, &m, at_ms(1013)), 1002900000);
	assert_int_equal(peer_age_ns(&p, &m, at_ms(10)), 0); /* clocks of two machines */
	peer_sent(&p, 40 + PEER_SENT_MAX, at_ms(20));
	assert_true(peer_age_ns(&p, &m, at_ms(21)) == INT64_MAX);
	m.echo.session = OWN + 1; /* of the process that ran here before */
	assert_int_equal(peer_age_ns(&p, &m, at_ms(21)), 0);
}

static void keeps_what_the_peer_says_of_its_vips(void **state)
{
	static struct peer_message m = {.kind = PEER_HEARTBEAT,
		.node = "lb-b",
		.echo = {OWN, 1, 0},
		.vips = {{"web", 2, 200, 150, true}, {"mail", 1, 1, 100, false}},
		.vips_count = 2};
	static struct peer p;

	(void)state;
	peer_init(&p, &config, OWN, at_ms(0));
	assert_int_equal(peer_heard(&p, 5, 1, &m, at_ms(1)), PEER_FRESH);
	assert_null(peer_vip(&p, "we"));
	assert_int_equal(peer_vip(&p, "mail")->base, 100);
	assert_true(peer_vip(&p, "web")->is_fit);
	m = (struct peer_message){.kind = PEER_TAKE, .node = "lb-b", .vip = "web"};
	assert_int_equal(peer_heard(&p, 5, 2, &m, at_ms(2)), PEER_FRESH);
	assert_non_null(peer_vip(&p, "mail"));
}

static const struct peer_message messages[] = {
	{.kind = PEER_HEARTBEAT,
		.node = "lb-a",
		.echo = {0x0102030405060708, 9, 10},
		.generation = 17,
		.vips = {{"web", 2, 200, 200, true}, {"mail", 1, 1, 100, false}},
		.vips_count = 2},
	{.kind = PEER_HEARTBEAT, .node = "a"},
	{.kind = PEER_TAKE,
		.node = "lb-a",
		.vip = "web",
		.number = 3,
		.source = {.in = {.sin_family = AF_INET, .sin_addr = {0x0100000a}}},
		.is_leaving = true},
	{.kind = PEER_TAKE,
		.node = "lb-a",
		.vip = "web",
		.source = {.in6 = {.sin6_family = AF_INET6, .sin6_addr = {{{0xfe, 0x80}}}}}},
	{.kind = PEER_TAKEN, .node = "lb-b", .vip = "web", .number = 3, .is_taken = true},
	{.kind = PEER_TAKEN, .node = "lb-b", .vip = "web", .why = "not Backup"},
};

static void decodes_what_it_encodes(void **state)
{
	static struct peer_message out;
	uint8_t data[PEER_PAYLOAD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		int len = peer_encode(&messages[i], data, sizeof data);

		assert_true(len > 0);
		assert_int_equal(peer_decode(data, (size_t)len, &out), 0);
		assert_memory_equal(&out, &messages[i], sizeof out);
		assert_int_equal(peer_encode(&messages[i], data, (size_t)len - 1), -EMSGSIZE);
		for (int cut = 0; cut < len; cut++)
			assert_int_equal(peer_decode(data, (size_t)cut, &out), -EBADMSG);
		data[len] = 0;
		assert_int_equal(peer_decode(data, (size_t)len + 1, &out), -EBADMSG);
	}
}

static void fits_the_most_it_can_say(void **state)
{
	static struct peer_message m = {.kind = PEER_HEARTBEAT, .vips_count = PEER_VIPS_MAX};
	uint8_t data[PEER_PAYLOAD_MAX];

	(void)state;
	memset(m.node, 'n', CONF_NAME_SIZE - 1);
	for (size_t i = 0; i < PEER_VIPS_MAX; i++)
		memset(m.vips[i].name, 'v', CONF_NAME_SIZE - 1);
	assert_true(peer_encode(&m, data, sizeof data) > 0);
	m.vips_count++;
	assert_int_equal(peer_encode(&m, data, sizeof data), -EMSGSIZE);
}

/* One byte of a good `take` changed: format 0, kind 1, node 2…6, echo 7…26, vip 27…30, number,
 * family 39, flag 44. */
static void refuses_damaged_payloads(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		int rc;
	} rows[] = {
		{0, 2, 0},
		{0, 1, -EBADMSG},
		{1, 0, -EBADMSG},
		{1, 4, -EBADMSG},
		{1, 1, -EBADMSG},
		{2, 0, -EBADMSG},
		{2, 64, -EBADMSG},
		{3, 'A', -EBADMSG},
		{3, 0, -EBADMSG},
		{27, 0, -EBADMSG},
		{28, '/', -EBADMSG},
		{39, 5, -EBADMSG},
		{39, 6, -EBADMSG},
		{44, 2, -EBADMSG},
		{44, 0, 0},
	};
	static struct peer_message out;
	uint8_t data[PEER_PAYLOAD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int len = peer_encode(&messages[2], data, sizeof data);

		assert_int_equal(len, 45);
		data[rows[i].at] = rows[i].value;
		if (peer_decode(data, (size_t)len, &out) != rows[i].rc)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_checks_against_thresholds),
		cmocka_unit_test(says_why),
		cmocka_unit_test(judges_sessions_and_replay),
		cmocka_unit_test(echoes_the_newest_it_heard),
		cmocka_unit_test(tells_fresh_heartbeats_and_a_deaf_peer),
		cmocka_unit_test(measures_the_round_trip),
		cmocka_unit_test(tells_how_old_a_message_may_be),
		cmocka_unit_test(keeps_what_the_peer_says_of_its_vips),
		cmocka_unit_test(decodes_what_it_encodes),
		cmocka_unit_test(fits_the_most_it_can_say),
		cmocka_unit_test(refuses_damaged_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
