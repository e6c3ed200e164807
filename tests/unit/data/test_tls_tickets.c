/* tls_tickets: which key seals, which still open, and when another is due. */
#include "data/tls/tls_tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void make_key(struct tls_tickets *t, unsigned char mark, int64_t now_ms)
{
	unsigned char random[TLS_TICKETS_RANDOM];

	memset(random, mark, sizeof random);
	tls_tickets_rotate(t, random, now_ms);
}

/* What a key of that mark is good for: 0 nothing, 1 opens, 2 opens and is the newest. */
static int use_of(const struct tls_tickets *t, unsigned char mark)
{
	unsigned char name[TLS_TICKET_NAME];
	const struct tls_ticket_key *k;
	bool is_old;

	memset(name, mark, sizeof name);
	k = tls_tickets_find(t, name, &is_old);
	if (!k)
		return 0;
	assert_int_equal(k->cipher[31], mark);
	assert_int_equal(k->mac[31], mark);
	return is_old ? 1 : 2;
}

static void has_none_at_first(void **state)
{
	struct tls_tickets t = {0};

	(void)state;
	assert_true(tls_tickets_is_due(&t, 0));
	assert_null(tls_tickets_newest(&t));
	assert_int_equal(use_of(&t, 0), 0); /* zeroed memory is no key */
}

static void old_keys_open_for_a_while(void **state)
{
	/* After so many keys, marked 1, 2, …: the use of the first five. */
	static const int uses[][5] = {{2}, {1, 2}, {1, 1, 2}, {0, 1, 1, 2}, {0, 0, 1, 1, 2}};
	struct tls_tickets t = {0};

	(void)state;
	for (unsigned made = 1; made <= 5; made++) {
		make_key(&t, (unsigned char)made, made);
		assert_int_equal(tls_tickets_newest(&t)->name[0], made);
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(use_of(&t, (unsigned char)(i + 1)), uses[made - 1][i]);
	}
}

static void is_due_in_time(void **state)
{
	struct tls_tickets t = {0};

	(void)state;
	make_key(&t, 1, 1000);
	assert_false(tls_tickets_is_due(&t, 1000));
	assert_false(tls_tickets_is_due(&t, 1000 + TLS_TICKETS_ROTATE_MS - 1));
	assert_true(tls_tickets_is_due(&t, 1000 + TLS_TICKETS_ROTATE_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_none_at_first),
		cmocka_unit_test(old_keys_open_for_a_while),
		cmocka_unit_test(is_due_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
