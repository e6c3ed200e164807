/* A snapshot on its way into force in a worker: see worker_inside.h. */
#include "data/worker_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/listeners.h"
#include "data/pool/pools.h"
#include "data/slots.h"
#include "data/tls/tls.h"

#define STEP_BYTES 32768 /* of a new snapshot's text, read between two batches of events */

/* The answer to a snapshot record. */
static void answer(
	struct worker *w, const struct channel_record *to, enum channel_kind kind, const char *text)
{
	struct channel_record r = {
		.kind = kind, .number = to->number, .generation = to->generation, .pid = getpid()};

	snprintf(r.text, sizeof r.text, "%s", text);
	if (w->private->channel) /* lost on a full line: the supervisor asks again */
		channel_send(w->private->channel, &r, -1, -1);
}

static void keep(int *kept, int fd)
{
	if (*kept >= 0)
		close(*kept);
	*kept = fd;
}

static int apply(struct worker *w, struct conf *conf, const uint32_t *slots, char why[512])
{
	struct conf *before = w->conf;
	int rc = tls_apply(w->tls, conf, why);

	if (rc < 0) {
		conf_unref(conf);
		return rc;
	}
	w->conf = conf;
	rc = pools_apply(w->pools, conf, slots + conf->listeners_count);
	if (rc == 0)
		rc = listeners_apply(w->listeners, conf, slots);
	conf_unref(before);
	return rc;
}

static int put_in_force(struct worker *w, struct conf *conf, int table, char why[512])
{
	uint32_t *slots;
	int rc = snapshot_read_slots(table, slots_count(conf), w->board.head->objects, &slots);

	if (rc < 0) {
		snprintf(why, 512, "the table of slots does not fit the snapshot");
		conf_unref(conf);
		return rc;
	}
	rc = apply(w, conf, slots, why);
	free(slots);
	return rc;
}

void worker_forget_snapshot(struct worker *w)
{
	struct worker_private *p = w->private;

	if (!p->incoming.reader)
		return;
	snapshot_reader_close(p->incoming.reader);
	p->incoming.reader = NULL;
	uv_idle_stop(&p->reading);
	if (p->channel)
		channel_hold(p->channel, false);
}

static void refuse_snapshot(
	struct worker *w, const struct channel_record *r, int doc, int table, const char *why)
{
	close(doc);
	close(table);
	atomic_store(&w->private->row->refused, r->generation);
	answer(w, r, CHANNEL_REFUSES, why);
}

static void read_on(uv_idle_t *idle)
{
	struct worker *w = idle->data;
	struct worker_private *p = w->private;
	struct incoming in = p->incoming;
	char why[512] = "out of memory";
	struct conf *conf;
	int rc = snapshot_reader_step(in.reader, STEP_BYTES, &conf, why);

	if (rc == 1)
		return;
	if (rc == 0)
		rc = put_in_force(w, conf, in.table, why);
	worker_forget_snapshot(w);
	if (rc < 0) {
		refuse_snapshot(w, &in.record, in.doc, in.table, why);
		return;
	}
	keep(&p->snapshot_fd, in.doc);
	keep(&p->slots_fd, in.table);
	worker_beat(w);
	atomic_store(&p->row->generation, in.record.generation);
	atomic_store(&p->row->state, BOARD_WORKER_ACCEPTING);
	answer(w, &in.record, CHANNEL_RUNS, "");
}

/* It is read a step at a time, as clients wait meanwhile; so do further records, which may be about it. */
void worker_take_snapshot(struct worker *w, const struct channel_record *r, int doc, int table)
{
	struct worker_private *p = w->private;
	char why[512];
	struct snapshot_reader *reader;

	if (snapshot_reader_open(doc, &reader, why) < 0) {
		refuse_snapshot(w, r, doc, table, why);
		return;
	}
	p->incoming = (struct incoming){reader, *r, doc, table};
	uv_idle_start(&p->reading, read_on);
	channel_hold(p->channel, true);
}
