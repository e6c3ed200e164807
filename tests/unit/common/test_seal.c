/* seal: frames travel unharmed, and whatever was touched, cut, replayed under another use or sealed
 * with another key is refused. */
#include "common/seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define KEY_A "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_A_OTHER "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHhg="
#define KEY_B "b:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="

static struct seal_keys *keys(const char *text)
{
	struct seal_keys *k;
	char why[256];

	assert_int_equal(seal_keys_parse(text, strlen(text), &k, why), 0);
	return k;
}

/* Seals text under KEY_A, "heartbeat", session 7. */
static int sealed(const char *key, const char *text, unsigned char frame[256])
{
	struct seal_keys *k = keys(key);
	struct seal_sender *s;
	int n;

	assert_int_equal(seal_sender_new(k, "heartbeat", 7, &s), 0);
	n = seal_encode(s, text, strlen(text), frame, 256);
	seal_sender_free(s);
	seal_keys_free(k);
	return n;
}

static int opened(const char *key, const char *use, const unsigned char *frame, size_t len,
	enum seal_refusal *ret)
{
	struct seal_keys *k = keys(key);
	uint64_t session = 0, counter = 0;
	char data[256];
	int n = seal_decode(k, use, frame, len, data, sizeof data, &session, &counter, ret);

	if (n >= 0) {
		assert_int_equal(session, 7);
		assert_int_equal(counter, 1);
	}
	seal_keys_free(k);
	return n;
}

static void reads_key_files(void **state)
{
	static const struct {
		const char *text, *why; /* why NULL: accepted */
	} rows[] = {
		{KEY_A, NULL},
		{KEY_A "\n", NULL},
		{"# ours\n\n  " KEY_A " \r\n" KEY_B "\n", NULL},
		{"", "line 0: no key in it; expected a line id:base64"},
		{"# nothing\n", "line 1: no key in it; expected a line id:base64"},
		{KEY_A "\n" KEY_A_OTHER, "line 2: two keys have the same id"},
		{KEY_A "\n" KEY_B "\nc" KEY_B,
			"line 3: more than two keys; keep the newest first and the one before it"},
		{"a:AAEC", "line 1: the part after the colon is not the base64 text of 32 bytes"},
		{"a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8!",
			"line 1: the part after the colon is not the base64 text of 32 bytes"},
		{"a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv==",
			"line 1: the part after the colon is not the base64 text of 32 bytes"},
		{"a:!!!!AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
			"line 1: the part after the colon is not the base64 text of 32 bytes"},
	};
	struct seal_keys *k;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = seal_keys_parse(rows[i].text, strlen(rows[i].text), &k, why);

		assert_int_equal(rc, rows[i].why ? -EINVAL : 0);
		if (rows[i].why)
			assert_string_equal(why, rows[i].why);
		else
			seal_keys_free(k);
	}
	assert_int_equal(seal_keys_parse("nonsense", 8, &k, why), -EINVAL);
	assert_int_equal(seal_keys_parse(":AAEC", 5, &k, why), -EINVAL);
	assert_int_equal(seal_keys_parse("a b:AAEC", 8, &k, why), -EINVAL);
}

static void opens_what_was_sealed(void **state)
{
	struct seal_keys *k = keys(KEY_A);
	unsigned char frame[256];
	uint64_t session, counter;
	enum seal_refusal refusal;
	struct seal_sender *s;
	char data[64];

	(void)state;
	assert_int_equal(seal_sender_new(k, "heartbeat", UINT64_MAX, &s), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		int n = seal_encode(s, "alive", 5, frame, sizeof frame);

		assert_int_equal(n, 5 + SEAL_OVERHEAD);
		assert_null(memmem(frame, (size_t)n, "alive", 5));
		assert_int_equal(seal_decode(k, "heartbeat", frame, (size_t)n, data, sizeof data,
					 &session, &counter, &refusal),
			5);
		assert_memory_equal(data, "alive", 5);
		assert_true(session == UINT64_MAX && counter == i);
		assert_true(seal_sender_counter(s) == i);
	}
	assert_int_equal(seal_encode(s, "alive", 5, frame, 5 + SEAL_OVERHEAD - 1), -EMSGSIZE);
	seal_sender_free(s);
	seal_keys_free(k);
}

static void opens_an_empty_frame(void **state)
{
	unsigned char frame[256];
	enum seal_refusal r;

	(void)state;
	assert_int_equal(sealed(KEY_A, "", frame), SEAL_OVERHEAD);
	assert_int_equal(opened(KEY_A, "heartbeat", frame, SEAL_OVERHEAD, &r), 0);
}

static void refuses_every_flipped_bit(void **state)
{
	unsigned char frame[256];
	int len = sealed(KEY_A, "take web", frame);
	enum seal_refusal r;

	(void)state;
	for (int bit = 0; bit < len * 8; bit++) {
		frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_equal(opened(KEY_A, "heartbeat", frame, (size_t)len, &r), -EBADMSG);
		assert_int_equal(r, bit < 8 ? SEAL_VERSION : bit < 72 ? SEAL_KEY : SEAL_FORGED);
		frame[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_int_equal(opened(KEY_A, "heartbeat", frame, (size_t)len, &r), 8);
}

static void refuses_every_cut_and_addition(void **state)
{
	unsigned char frame[256] = {0};
	int len = sealed(KEY_A, "take web", frame);
	enum seal_refusal r;

	(void)state;
	for (int n = 0; n < len; n++) {
		assert_int_equal(opened(KEY_A, "heartbeat", frame, (size_t)n, &r), -EBADMSG);
		assert_int_equal(r, n < SEAL_OVERHEAD ? SEAL_SHORT : SEAL_FORGED);
	}
	assert_int_equal(opened(KEY_A, "heartbeat", frame, (size_t)len + 1, &r), -EBADMSG);
	assert_int_equal(r, SEAL_FORGED);
}

static void refuses_a_frame_larger_than_the_buffer(void **state)
{
	struct seal_keys *k = keys(KEY_A);
	unsigned char frame[256];
	uint64_t session, counter;
	enum seal_refusal r;
	char data[4];
	int len = sealed(KEY_A, "alive", frame);

	(void)state;
	assert_int_equal(seal_decode(k, "heartbeat", frame, (size_t)len, data, sizeof data,
				 &session, &counter, &r),
		-EBADMSG);
	assert_int_equal(r, SEAL_SHORT);
	seal_keys_free(k);
}

static void refuses_other_keys_and_uses(void **state)
{
	unsigned char frame[256];
	size_t len = (size_t)sealed(KEY_A, "alive", frame);
	enum seal_refusal r;

	(void)state;
	assert_int_equal(opened(KEY_A_OTHER, "heartbeat", frame, len, &r), -EBADMSG);
	assert_int_equal(r, SEAL_FORGED);
	assert_int_equal(opened(KEY_B, "heartbeat", frame, len, &r), -EBADMSG);
	assert_int_equal(r, SEAL_KEY);
	assert_int_equal(opened(KEY_A, "sync", frame, len, &r), -EBADMSG);
	assert_int_equal(r, SEAL_FORGED);
}

/* A key is changed in three steps, and at each every node understands every other. */
static void rotates_keys_without_a_gap(void **state)
{
	static const char *const steps[] = {
		KEY_A,
		KEY_A "\n" KEY_B,
		KEY_B "\n" KEY_A,
		KEY_B,
	};
	unsigned char frame[256];
	enum seal_refusal r;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof steps / sizeof *steps; i++) {
		size_t len = (size_t)sealed(steps[i], "alive", frame);

		assert_int_equal(opened(steps[i + 1], "heartbeat", frame, len, &r), 5);
		len = (size_t)sealed(steps[i + 1], "alive", frame);
		assert_int_equal(opened(steps[i], "heartbeat", frame, len, &r), 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_key_files),
		cmocka_unit_test(opens_what_was_sealed),
		cmocka_unit_test(opens_an_empty_frame),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(refuses_every_cut_and_addition),
		cmocka_unit_test(refuses_a_frame_larger_than_the_buffer),
		cmocka_unit_test(refuses_other_keys_and_uses),
		cmocka_unit_test(rotates_keys_without_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
