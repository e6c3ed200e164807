/* identity: what is spoken and what is heard while a VIP becomes another virtual router (V8). */
#include "vrrpd/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Identities by a letter: what they differ in. */
static const struct identity known[] = {
	['a'] = {51, "eth0", AF_INET, 3, false, 100},
	['b'] = {52, "eth0", AF_INET, 3, false, 100},
	['c'] = {51, "eth1", AF_INET, 3, false, 100},
	['d'] = {51, "eth0", AF_INET, 2, false, 1000},
	['e'] = {51, "eth0", AF_INET, 3, true, 100},
	['f'] = {53, "eth0", AF_INET, 3, false, 100},
	['g'] = {54, "eth0", AF_INET, 3, false, 100},
};

static struct mono at(int64_t ms)
{
	return (struct mono){1000000000 + ms * 1000000};
}

static char letter(const struct identity *i)
{
	for (char c = 'a'; c <= 'g'; c++)
		if (identity_is_same(&known[(int)c], i))
			return c;
	return '?';
}

/* "a>b ca": a is spoken, b is coming, c and a were. */
static const char *shown(const struct identities *x, char text[16])
{
	char *p = text;

	*p++ = letter(&x->spoken);
	*p++ = x->has_coming ? '>' : ' ';
	*p++ = x->has_coming ? letter(&x->coming) : ' ';
	*p++ = ' ';
	for (size_t f = 0; f < x->former_count; f++)
		*p++ = letter(&x->former[f]);
	*p = '\0';
	return text;
}

/* wX: a generation wants X; s: it is switched; hX: X is heard; e: what was silent expires, all having
 * acknowledged; l: likewise, but one lags; +: half a second passes. */
static const struct {
	const char *what, *steps, *shown;
} rows[] = {
	{"nothing new", "wa", "a   "},
	{"another router id is heard, and not spoken", "wb", "a>b "},
	{"an interface", "wc", "a>c "},
	{"a version", "wd", "a>d "},
	{"unicast", "we", "a>e "},
	{"when all hear it, it is spoken, and the old one heard on", "wbs", "b   a"},
	{"the old one goes when it was silent", "wbs+e", "b   "},
	{"not at once", "wbse", "b   a"},
	{"not while somebody speaks it", "wbs+hae", "b   a"},
	{"but after that", "wbs+ha+e", "b   "},
	{"not while somebody lags", "wbs+l", "b   a"},
	{"taken back before the switch: a peer may have been quicker", "wbwa", "a   b"},
	{"that goes too", "wbwa+e", "a   "},
	{"taken back after the switch", "wbswa", "b>a "},
	{"and done", "wbswas", "a   b"},
	{"asked for twice", "wbwb", "a>b "},
	{"two changes, one after the other", "wbswcs", "c   ba"},
	{"a second one before the first was done", "wbwc", "a>c b"},
	{"and done", "wbwcs", "c   ab"},
	{"what is still heard is asked for again", "wbswcswa", "c>a b"},
	{"the oldest gives way", "wbswcswdsweswfs", "f   edcb"},
	{"others go by their own interval", "wds+e", "d   "},
	{"that of version 2 is longer", "wdswa+s+e", "a   d"},
};

static void changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct identities x;
		char text[16];
		int64_t ms = 0;

		identities_init(&x, &known['a']);
		for (const char *s = rows[i].steps; *s; s++) {
			if (*s == 'w')
				identities_want(&x, &known[(int)*++s], at(ms));
			else if (*s == 's')
				identities_switch(&x, at(ms));
			else if (*s == 'h')
				identities_heard(&x, &known[(int)*++s], 100, at(ms));
			else if (*s == 'e' || *s == 'l')
				identities_expire(&x, *s == 'e', at(ms));
			else
				ms += 500;
			identities_check(&x);
		}
		if (strcmp(shown(&x, text), rows[i].shown) != 0)
			fail_msg("%s (%s): \"%s\" and not \"%s\"", rows[i].what, rows[i].steps,
				text, rows[i].shown);
	}
}

static void finds_what_a_packet_belongs_to(void **state)
{
	static const struct {
		char seen, found; /* found 0: nothing */
	} packets[] = {
		{'b', 'b'},
		{'c', 'c'},
		{'a', 'a'},
		{'d', 0}, /* of router 51 on eth0, which is not the one spoken */
		{'f', 0},
	};
	struct identities x;

	(void)state;
	identities_init(&x, &known['a']);
	/* spoken is right for what differs from it in version alone: it is refused by name there */
	assert_ptr_equal(identities_find(&x, &known['d']), &x.spoken);
	identities_want(&x, &known['b'], at(0));
	identities_switch(&x, at(0));
	identities_want(&x, &known['c'], at(0));
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		const struct identity *found = identities_find(&x, &known[(int)packets[i].seen]);

		assert_int_equal(found ? letter(found) : 0, packets[i].found);
	}
	assert_true(identities_has(&x, "eth1", AF_INET, 0));
	assert_true(identities_has(&x, "eth0", AF_INET, 51));
	assert_true(identities_has(&x, "eth0", AF_INET, 52));
	assert_false(identities_has(&x, "eth1", AF_INET, 52));
	assert_false(identities_has(&x, "eth0", AF_INET6, 0));
}

static void an_interval_is_no_identity(void **state)
{
	struct identity slower = known['a'];
	struct identities x;

	(void)state;
	identities_init(&x, &known['a']);
	slower.interval_ms = 2000;
	assert_false(identities_want(&x, &slower, at(0)));
	assert_false(x.has_coming);
	assert_int_equal(x.spoken.interval_ms, 2000);
}

static void speaks_both_beside_who_speaks_the_coming_one(void **state)
{
	struct identities x;

	(void)state;
	identities_init(&x, &known['a']);
	identities_want(&x, &known['b'], at(0));
	identities_heard(&x, &known['a'], 100, at(1));
	assert_false(x.is_both_spoken);
	identities_heard(&x, &known['b'], 0, at(2)); /* a farewell */
	assert_false(x.is_both_spoken);
	identities_heard(&x, &known['b'], 100, at(2));
	assert_true(x.is_both_spoken);
	identities_want(&x, &known['b'], at(3));
	assert_true(x.is_both_spoken);
	identities_want(&x, &known['c'], at(4));
	assert_false(x.is_both_spoken);
	identities_heard(&x, &known['c'], 100, at(5));
	identities_switch(&x, at(6));
	identities_check(&x);
	assert_false(x.is_both_spoken);
}

static void speaks_both_when_it_starts_in_the_midst(void **state)
{
	struct identities x;

	(void)state;
	identities_init(&x, &known['a']);
	identities_start(&x, false);
	identities_check(&x);
	assert_false(x.is_both_spoken);
	identities_want(&x, &known['b'], at(0));
	assert_false(x.is_both_spoken);
	identities_start(&x, true);
	assert_false(x.is_both_spoken);
	identities_start(&x, false);
	assert_true(x.is_both_spoken);
	identities_want(&x, &known['a'], at(1)); /* taken back */
	identities_check(&x);
	assert_false(x.is_both_spoken);
}

static void knows_who_lags(void **state)
{
	static const struct identity_peer peers[] = {
		{"b", true, false, 8}, {"c", false, false, 3}, {"d", true, false, 7},
		{"e", true, false, 6}, {"f", false, true, 0}};

	(void)state;
	assert_null(identity_lags(peers, 4, 6));
	assert_string_equal(identity_lags(peers, 4, 7), "e");
	assert_string_equal(identity_lags(peers, 4, 8), "d");
	assert_string_equal(identity_lags(peers, 4, 9), "b");
	assert_null(identity_lags(peers + 1, 1, 9)); /* one that is dead is not waited for */
	assert_string_equal(identity_lags(peers + 4, 1, 1), "f"); /* who has just started waits */
	assert_null(identity_lags(NULL, 0, 9));
}

static void prints(void **state)
{
	char text[IDENTITY_TEXT_SIZE];

	(void)state;
	assert_string_equal(identity_print(&known['a'], text),
		"virtual router 51 on eth0, version 3, multicast");
	assert_string_equal(identity_print(&known['e'], text),
		"virtual router 51 on eth0, version 3, unicast");
}

static void is_kept_under_a_key(void **state)
{
	static const char *const bad[] = {"web", "web/51", "web/51/eth0", "web/51/eth0/ipv5",
		"web/0/eth0/ipv4", "web/256/eth0/ipv4", "web/51/eth0/ipv4/more",
		"web/51/an-interface-name-too-long/ipv4", "webs/51/eth0/ipv4", "api/51/eth0/ipv4"};
	struct identity i = {.virtual_router_id = 51, .interface = "eth0", .family = AF_INET6, .version = 3};
	struct identity back = {.version = 2}, before;
	char key[64];

	(void)state;
	identity_key(&i, "web", key, sizeof key);
	assert_string_equal(key, "web/51/eth0/ipv6");
	assert_true(identity_of_key(key, "web", &back));
	assert_int_equal(back.virtual_router_id, 51);
	assert_string_equal(back.interface, "eth0");
	assert_int_equal(back.family, AF_INET6);
	assert_int_equal(back.version, 2);
	before = back;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		if (identity_of_key(bad[k], "web", &back))
			fail_msg("\"%s\" is a key", bad[k]);
		assert_memory_equal(&back, &before, sizeof back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),
		cmocka_unit_test(is_kept_under_a_key),
		cmocka_unit_test(finds_what_a_packet_belongs_to),
		cmocka_unit_test(an_interval_is_no_identity),
		cmocka_unit_test(speaks_both_beside_who_speaks_the_coming_one),
		cmocka_unit_test(speaks_both_when_it_starts_in_the_midst),
		cmocka_unit_test(knows_who_lags),
		cmocka_unit_test(prints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
