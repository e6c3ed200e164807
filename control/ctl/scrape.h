#pragma once
/*
 * What one scrape of /metrics says of listeners, pools and servers: their
 * figures by object, for top. Reads Prometheus text; what it does not know it
 * passes over, so that newer and older nodes can be looked at. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRAPE_OBJECTS_MAX 262144
#define SCRAPE_BOUNDS_MAX 32
#define SCRAPE_NAME_SIZE 144
#define SCRAPE_STATE_SIZE 16

enum scrape_kind { SCRAPE_LISTENER, SCRAPE_POOL, SCRAPE_SERVER, SCRAPE_KINDS };

enum scrape_figure {
	SCRAPE_CONNECTIONS, /* gauges: now */
	SCRAPE_WAITING,
	SCRAPE_WEIGHT,
	SCRAPE_ACCEPTED, /* counters: since ever */
	SCRAPE_REQUESTS,
	SCRAPE_FAILED, /* of them answered with 5xx */
	SCRAPE_ERRORS,
	SCRAPE_BYTES_IN,
	SCRAPE_BYTES_OUT,
	SCRAPE_FIGURES
};

/* Times: of a listener's requests, a pool's or a server's responses; of a pool's queue. */
enum scrape_times { SCRAPE_RESPONSE, SCRAPE_QUEUE, SCRAPE_TIMES };

struct scrape_object {
	enum scrape_kind kind;
	char name[SCRAPE_NAME_SIZE];   /* "POOL/SERVER" of a server */
	char state[SCRAPE_STATE_SIZE]; /* "": not known */
	double figures[SCRAPE_FIGURES];
	double buckets[SCRAPE_TIMES][SCRAPE_BOUNDS_MAX + 1]; /* how many up to each bound; the last: all */
	uint32_t next; /* in its bucket of the index, plus one */
};

struct scrape {
	struct scrape_object *objects; /* in the order of the text */
	size_t count, capacity;
	uint32_t *index;
	double bounds[SCRAPE_BOUNDS_MAX]; /* in seconds, of all times alike */
	size_t bounds_count;
	double age; /* seconds: how old the figures were when they were sent */
};

/* Of zeroed memory: 0, or -ENOMEM (scrape_fini() either way). */
int scrape_read(struct scrape *s, const char *text, size_t len);
void scrape_fini(struct scrape *s);

/* NULL when there is none. */
const struct scrape_object *scrape_find(
	const struct scrape *s, enum scrape_kind kind, const char *name);

/*
 * The time in seconds that a share (0 to 1) of what was counted between two scrapes did not
 * exceed; -1 when nothing was. before NULL: since ever.
 */
double scrape_quantile(const struct scrape *s, const struct scrape_object *before,
	const struct scrape_object *after, enum scrape_times times, double share);
