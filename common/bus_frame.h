#pragma once
/*
 * The messages of the bus: one JSON object each. Pure codec, used by the files
 * of bus alone; what comes in is from outside and judged here, field by field.
 *
 *   request   {"kind":"request","id":7,"from":"control","verb":"counters","until":MS,"body":…}
 *   reply     {"kind":"reply","id":7,"status":0,"why":"","body":…}
 *   change    {"kind":"change","table":"verdicts","epoch":E,"sequence":12,"key":"…","row":…}
 *             without "row" the key is gone; without "key" the table is quiet: fetch it
 *   heartbeat {"kind":"heartbeat","epoch":E,"tables":{"verdicts":12}}
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/clock.h"

#define BUS_NAME_MAX 64 /* bytes of a verb's or a table's name */
#define BUS_WHY_SIZE 256
#define BUS_NUMBER_MAX INT64_MAX /* ids, epochs and sequences: 0 to this */

enum bus_frame_kind { BUS_REQUEST, BUS_REPLY, BUS_CHANGE, BUS_HEARTBEAT };

/* Texts and values are borrowed: from the caller before encoding, from root after decoding. */
struct bus_frame {
	enum bus_frame_kind kind;
	int64_t id; /* request, reply */
	enum bus_daemon from; /* request */
	const char *verb; /* request */
	struct mono until; /* request: when it stops to be wanted; the clock of this machine */
	int status; /* reply: 0 or a negative errno */
	const char *why; /* reply: a sentence, or "" */
	const json_t *body; /* request, reply: NULL for none; change: the row, NULL when gone */
	const char *table, *key; /* change; key NULL: quiet */
	int64_t epoch, sequence; /* change; epoch also heartbeat */
	const json_t *tables; /* heartbeat: name -> sequence, each judged */
	json_t *root; /* owned after decoding */
};

/* 0 and an owned text of *ret_len bytes; -EMSGSIZE past BUS_MESSAGE_MAX; -ENOMEM. */
int bus_frame_encode(const struct bus_frame *f, char **ret_text, size_t *ret_len);
/* 0 and a frame to be finished with bus_frame_fini(), or -EINVAL for anything that is not exactly one of the above. */
int bus_frame_decode(const void *data, size_t len, struct bus_frame *ret);
void bus_frame_fini(struct bus_frame *f);

/* A whole table as the body of a reply: {"epoch":E,"sequence":N,"rows":{…}}. pack returns an owned value; unpack 0 or -EINVAL, rows borrowed. */
json_t *bus_frame_pack_whole(int64_t epoch, int64_t sequence, const json_t *rows);
int bus_frame_unpack_whole(const json_t *body, int64_t *ret_epoch, int64_t *ret_sequence,
	const json_t **ret_rows);

/* "control", "data", "vrrpd", "healthd": 0, or -EINVAL. */
int bus_daemon_parse(const char *text, enum bus_daemon *ret);
