/* See tally.h. */
#include "healthd/tally.h"

#include "common/metric.h"

static const struct metric tally_targets = {
	"ballast_check_targets", METRIC_GAUGE, "Servers and standing checks that healthd watches."};
static const struct metric tally_under_way = {
	"ballast_checks_under_way", METRIC_GAUGE, "Checks that wait for an answer now."};
static const struct metric tally_checks = {
	"ballast_checks_total", METRIC_COUNTER, "Checks carried out, by result."};
static const struct metric tally_excused = {"ballast_checks_excused_total", METRIC_COUNTER,
	"Time-outs that did not count because healthd itself was late."};
static const struct metric tally_transitions = {
	"ballast_verdict_transitions_total", METRIC_COUNTER, "Verdicts that changed their state."};
static const struct metric tally_bus = {
	"ballast_bus_events_total", METRIC_COUNTER, "What the bus had to put right, by event."};

static void tally_add_bus(json_t *set, const struct bus_counters *c)
{
	const struct {
		const char *event;
		uint64_t count;
	} rows[] = {
		{"resync", c->resyncs},
		{"retry", c->retries},
		{"refused", c->refused},
		{"malformed", c->malformed},
		{"relisten", c->relistens},
		{"redial", c->redials},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		metric_add(set, &tally_bus, (int64_t)rows[i].count, "daemon", "healthd", "event",
			rows[i].event, NULL);
}

json_t *tally_metrics(const struct roster *r, const struct bus *b)
{
	const struct roster_counters *c = roster_counters(r);
	json_t *set = json_object();

	metric_add(set, &tally_targets, (int64_t)roster_count(r), NULL);
	metric_add(set, &tally_under_way, (int64_t)roster_under_way(r), NULL);
	metric_add(set, &tally_checks, (int64_t)c->passed, "result", "passed", NULL);
	metric_add(set, &tally_checks, (int64_t)c->failed, "result", "failed", NULL);
	metric_add(set, &tally_excused, (int64_t)c->excused, NULL);
	metric_add(set, &tally_transitions, (int64_t)c->transitions, NULL);
	tally_add_bus(set, bus_counters(b));
	return set;
}
