/*
 * sim-vrrp: whole clusters of vrrpd's cores in virtual time, one for each seed.
 *   sim-vrrp [--seeds N] [--first N]   judge N seeds (10000), beginning with the first (1)
 *   sim-vrrp --seed N                  replay one seed, telling what happens
 * Exits 0 when every seed held; else prints the seed that did not, and exits 1.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/fate.h"

/* For the handler alone: an assertion in a core must tell its seed as well. */
static volatile uint64_t seed_running;

static void tell_seed(int signal_number)
{
	char text[80];
	int len = snprintf(text, sizeof text, "sim-vrrp: seed %llu: an assertion failed\n",
		(unsigned long long)seed_running);

	if (write(STDERR_FILENO, text, (size_t)len) < 0)
		_exit(2);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void tell_scene(const struct world *w)
{
	const struct scene *s = &w->scene;

	printf("%zu routers, VRRPv%d, delays up to %.3f ms (storm: %.3f ms), %s peer channel%s\n",
		s->nodes, s->version, (double)s->delay_ns / 1e6, (double)s->rough_delay_ns / 1e6,
		s->has_channel ? "a" : "no",
		s->when_all_down_release ? ", released when all down" : "");
	for (size_t i = 0; i < s->nodes; i++)
		printf("lb-%c: priority %d, interval %d ms, preempt %s, delay %lld ms\n",
			'a' + (int)i, s->priority[i], s->interval_cs[i] * 10,
			s->preempt[i] ? "yes" : "no", (long long)s->preempt_delay_ms);
}

static bool run_seed(struct world *w, uint64_t seed, bool is_traced)
{
	seed_running = seed;
	world_init(w, seed, is_traced);
	if (is_traced)
		tell_scene(w);
	fate_run(w);
	if (!world_has_failed(w))
		return true;
	fflush(stdout);
	fprintf(stderr, "sim-vrrp: seed %llu: at %.6f s: %s\nreplay with: sim-vrrp --seed %llu\n",
		(unsigned long long)seed, (double)w->now_ns / 1e9, w->judge.failure[0] ? w->judge.failure : w->second.failure,
		(unsigned long long)seed);
	return false;
}

/* What all seeds together have seen. */
struct census {
	uint64_t transitions, taken[JUDGE_ROWS_MAX], bypasses, starved;
	int64_t worst_ns;
};

static void count_seed(struct census *c, const struct judge *j)
{
	c->transitions += j->transitions;
	c->bypasses += j->bypasses;
	c->starved += j->starved;
	for (size_t i = 0; i < vrrp_transitions_count; i++)
		c->taken[i] += j->taken[i];
	if (j->worst_gap_ns > c->worst_ns)
		c->worst_ns = j->worst_gap_ns;
}

/* A simulation that never goes somewhere says nothing about it: asked of the seeds from 1 on, which are always the same. */
static int tell_census(const struct census *c, uint64_t first, uint64_t seeds)
{
	bool is_asked = first == 1 && seeds >= 10000;
	size_t missing = is_asked && (c->bypasses == 0 || c->starved == 0);

	if (missing)
		fprintf(stderr, "sim-vrrp: never seen: bypass at rest, or a hand-over for want of "
				"traffic\n");
	printf("sim-vrrp: %llu seeds held, %llu transitions, %llu rests in bypass, %llu starved; "
	       "worst take-over: Active-down + %.3f "
	       "ms\n",
		(unsigned long long)seeds, (unsigned long long)c->transitions,
		(unsigned long long)c->bypasses, (unsigned long long)c->starved,
		(double)c->worst_ns / 1e6);
	for (size_t i = 0; i < vrrp_transitions_count && is_asked; i++) {
		const struct vrrp_transition *t = &vrrp_transitions[i];

		if (c->taken[i])
			continue;
		missing++;
		fprintf(stderr, "sim-vrrp: never seen: %s -> %s (%s)\n", vrrp_state_name(t->from),
			vrrp_state_name(t->to), t->why);
	}
	return missing ? 1 : 0;
}

static int run_seeds(struct world *w, uint64_t first, uint64_t count)
{
	struct census census = {0};

	for (uint64_t seed = first; seed < first + count; seed++) {
		if (!run_seed(w, seed, false))
			return 1;
		count_seed(&census, &w->judge);
		if (w->scene.has_group)
			count_seed(&census, &w->second);
	}
	return tell_census(&census, first, count);
}

static int usage(void)
{
	fprintf(stderr, "usage: sim-vrrp [--seeds N] [--first N] | --seed N\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t count = 10000, first = 1, one = 0;
	struct world *w = calloc(1, sizeof *w);
	int rc;

	if (!w)
		return 1;
	for (int i = 1; i < argc; i += 2) {
		uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;

		if (!value)
			return usage();
		if (strcmp(argv[i], "--seeds") == 0)
			count = value;
		else if (strcmp(argv[i], "--first") == 0)
			first = value;
		else if (strcmp(argv[i], "--seed") == 0)
			one = value;
		else
			return usage();
	}
	signal(SIGABRT, tell_seed);
	rc = one ? !run_seed(w, one, true) : run_seeds(w, first, count);
	free(w);
	return rc;
}
