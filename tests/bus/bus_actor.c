/*
 * Two small daemons for the story of the bus (tests/net/test_bus.py):
 *
 *   bus-actor serve RUN_DIR FILE   plays data: table "state", verb "set"
 *   bus-actor ask RUN_DIR          plays control: asks, and follows the table
 *
 * "set" {key, version, value} sets a row unless it has that version already,
 * and appends "key version" to FILE for each effect: what was done twice would
 * be there twice. FILE is also what a killed server starts again from. The
 * asker goes round: ask, get the answer, see the row; one line per round
 * "round N MS". SIGTERM ends it with a line of counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/log.h"
#include "common/now.h"

#define ACTOR_KEYS 16

struct actor {
	uv_loop_t loop;
	struct bus *bus;
	uv_signal_t term;
	uv_timer_t timer;
	struct bus_table *state;
	FILE *effects;
	int64_t versions[ACTOR_KEYS]; /* as set here, or as seen in the table */
	int64_t ticks;
	int64_t round;
	struct mono round_began;
	bool is_answered;
	uint64_t timeouts;
};

static int actor_key_number(const char *key)
{
	int number = key && key[0] == 'k' ? atoi(key + 1) : -1;

	return number >= 0 && number < ACTOR_KEYS ? number : -1;
}

static json_t *actor_row(int64_t version)
{
	return json_pack("{s:I}", "version", (json_int_t)version);
}

static void actor_put(struct actor *a, int number, int64_t version)
{
	char key[16];

	snprintf(key, sizeof key, "k%d", number);
	a->versions[number] = version;
	bus_table_set(a->state, key, actor_row(version));
}

static int actor_on_set(void *user, const json_t *body, json_t **ret_reply, char why[256])
{
	struct actor *a = user;
	int number = actor_key_number(json_string_value(json_object_get(body, "key")));
	int64_t version = json_integer_value(json_object_get(body, "version"));

	if (number < 0) {
		snprintf(why, 256, "no such key");
		return -EINVAL;
	}
	if (version > a->versions[number]) {
		fprintf(a->effects, "k%d %lld\n", number, (long long)version);
		fflush(a->effects);
		actor_put(a, number, version);
	}
	*ret_reply = actor_row(a->versions[number]);
	return 0;
}

static void actor_on_tick(uv_timer_t *timer)
{
	struct actor *a = timer->data;

	bus_table_set(a->state, "tick", actor_row(++a->ticks));
}

static void actor_serve(struct actor *a, const char *path)
{
	long long version;
	int number;

	a->state = bus_table_new(a->bus, "state", BUS_ALL, false);
	a->effects = fopen(path, "a+");
	while (a->effects && fscanf(a->effects, "k%d %lld\n", &number, &version) == 2)
		a->versions[number] = version;
	for (int i = 0; i < ACTOR_KEYS; i++)
		actor_put(a, i, a->versions[i]);
	bus_serve(a->bus, "set", BUS_BIT(BUS_CONTROL), actor_on_set, a);
	uv_timer_start(&a->timer, actor_on_tick, 10, 10);
}

static void actor_ask(struct actor *a);

static void actor_next_round(struct actor *a)
{
	if (!a->is_answered || a->versions[a->round % ACTOR_KEYS] < a->round)
		return;
	printf("round %lld %lld\n", (long long)a->round,
		(long long)mono_since_ms(mono_now(), a->round_began));
	fflush(stdout);
	a->round++;
	a->round_began = mono_now();
	actor_ask(a);
}

static void actor_on_answer(void *user, int status, const json_t *reply, const char *why)
{
	struct actor *a = user;

	(void)reply;
	if (status == -ETIMEDOUT) {
		a->timeouts++;
		actor_ask(a);
		return;
	}
	if (status) {
		printf("failed %d %s\n", status, why);
		fflush(stdout);
		return;
	}
	a->is_answered = true;
	actor_next_round(a);
}

static void actor_ask(struct actor *a)
{
	char key[16];

	a->is_answered = false;
	snprintf(key, sizeof key, "k%d", (int)(a->round % ACTOR_KEYS));
	bus_request(a->bus, BUS_DATA, "set",
		json_pack("{s:s, s:I}", "key", key, "version", (json_int_t)a->round), 5000,
		actor_on_answer, a);
}

static void actor_on_row(void *user, const char *key, const json_t *row)
{
	struct actor *a = user;
	int number = actor_key_number(key);

	if (number < 0)
		return;
	a->versions[number] = json_integer_value(json_object_get(row, "version"));
	actor_next_round(a);
}

static const struct bus_follower actor_follower = {.row = actor_on_row};

static void actor_on_closed(void *user)
{
	struct actor *a = user;

	uv_close((uv_handle_t *)&a->timer, NULL);
	uv_close((uv_handle_t *)&a->term, NULL);
	if (a->effects)
		fclose(a->effects);
}

static void actor_on_term(uv_signal_t *signal, int number)
{
	struct actor *a = signal->data;
	const struct bus_counters *c = bus_counters(a->bus);

	(void)number;
	uv_signal_stop(signal);
	uv_timer_stop(&a->timer);
	printf("left rounds=%lld timeouts=%llu retries=%llu resyncs=%llu redials=%llu "
	       "relistens=%llu "
	       "refused=%llu malformed=%llu served=%llu\n",
		(long long)a->round, (unsigned long long)a->timeouts,
		(unsigned long long)c->retries, (unsigned long long)c->resyncs,
		(unsigned long long)c->redials, (unsigned long long)c->relistens,
		(unsigned long long)c->refused, (unsigned long long)c->malformed,
		(unsigned long long)c->requests_served);
	fflush(stdout);
	bus_close(a->bus, actor_on_closed, a);
}

int main(int argc, char **argv)
{
	struct actor a = {.round = 1};
	bool serves = argc == 4 && !strcmp(argv[1], "serve");
	int rc;

	if (!serves && !(argc == 3 && !strcmp(argv[1], "ask")))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	log_init(serves ? "serve" : "ask", LOG_LEVEL_WARN);
	uv_loop_init(&a.loop);
	uv_timer_init(&a.loop, &a.timer);
	uv_signal_init(&a.loop, &a.term);
	a.timer.data = a.term.data = &a;
	uv_signal_start(&a.term, actor_on_term, SIGTERM);
	rc = bus_open(&a.loop, argv[2], serves ? BUS_DATA : BUS_CONTROL, &a.bus);
	if (rc) {
		fprintf(stderr, "bus_open: %s\n", strerror(-rc));
		return 1;
	}
	a.round_began = mono_now();
	if (serves) {
		actor_serve(&a, argv[3]);
	} else {
		bus_follow(a.bus, BUS_DATA, "state", &actor_follower, &a);
		actor_ask(&a);
	}
	uv_run(&a.loop, UV_RUN_DEFAULT);
	fflush(NULL);
	_exit(uv_loop_close(&a.loop) ? 1 : 0);
}
