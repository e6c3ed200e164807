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
		(unsigned long long)seed, (double)w->now_ns / 1e9, w->judge.failure,
		(unsigned long long)seed);
	return false;
}

static int run_seeds(struct world *w, uint64_t first, uint64_t count)
{
	int64_t worst_ns = 0;
	uint64_t transitions = 0;

	for (uint64_t seed = first; seed < first + count; seed++) {
		if (!run_seed(w, seed, false))
			return 1;
		transitions += w->judge.transitions;
		if (w->judge.worst_gap_ns > worst_ns)
			worst_ns = w->judge.worst_gap_ns;
	}
	printf("sim-vrrp: %llu seeds held, %llu transitions; worst take-over: Active-down + %.3f "
	       "ms\n",
		(unsigned long long)count, (unsigned long long)transitions, (double)worst_ns / 1e6);
	return 0;
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
