#pragma once
/*
 * Shell: one single check of one address: connect, say what the check says,
 * judge what comes back, within the check's timeout. probe.c has the connection
 * and the time; each kind of check is a struct probe_kind in probe_KIND.c.
 */
#include <stdbool.h>
#include <uv.h>

#include "common/conf.h"
#include "healthd/http_answer.h"
#include "healthd/verdict.h"

struct probe_finding {
	enum verdict_result result;
	bool is_timeout; /* nothing came: whether the server or we were too slow is not known */
	char text[VERDICT_REASON_SIZE]; /* "connect refused", "200 in 3 ms" */
};

typedef void probe_done(void *user, const struct probe_finding *finding);

struct probe;

/* What a kind of check does; each ends with probe_finish(). */
struct probe_kind {
	void (*connected)(struct probe *p);
	void (*received)(struct probe *p, const char *data, size_t len);
	void (*ended)(struct probe *p); /* the server closed */
	void (*fini)(struct probe *p);  /* releases what the kind allocated */
};

extern const struct probe_kind probe_tcp, probe_http;

#define PROBE_READ_SIZE 4096

struct probe {
	const struct probe_kind *kind;
	const struct conf_check *check; /* kept: outlives the probe or probe_cancel() */
	const char *host;               /* for the Host field; kept */
	probe_done *done;
	void *user;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t connect;
	uv_write_t write;
	uint64_t began_ns;
	bool is_connected, is_over;
	int refused; /* what connect(2) itself said */
	unsigned open_handles;
	char received[PROBE_READ_SIZE];
	struct buf out;            /* what is sent */
	struct buf in;             /* tcp: what came */
	struct http_answer answer; /* http */
};

/* The kind for a check, or NULL for a type that this version cannot carry out. */
const struct probe_kind *probe_kind_of(const struct conf_check *check);

/* Begins; done is called once from the loop, never from here. NULL without memory or descriptors.
 */
struct probe *probe_start(uv_loop_t *loop, const struct conf_check *check, const struct addr *to,
	const char *host, probe_done *done, void *user);
/* Ends it without a call of done. */
void probe_cancel(struct probe *p);

/* For kinds: sends p->out, ends with a finding. */
void probe_send(struct probe *p);
void probe_finish(struct probe *p, enum verdict_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Milliseconds since the probe began. */
int probe_elapsed_ms(const struct probe *p);
