#pragma once
/*
 * The tables that describe every field of every resource: its name, type,
 * range, default and help sentence. They drive parsing, validation, canonical
 * printing, defaults, `ballastctl explain KIND` and the API schema; nothing
 * else in the tree says how a field is written. The tables themselves lie in
 * field_document.c, field_instance.c, field_vip.c, field_pool.c,
 * field_check.c, field_listener.c and field_route.c; this is what reads them.
 *
 * A field marked is_later (or a word so marked) belongs to the model, but no
 * daemon of this version carries it out: a document that sets it to anything
 * but its default is refused. Whoever builds it deletes the mark.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/conf.h"

/* What a field holds, and the C type it is stored in. */
enum field_type {
	FIELD_TEXT,      /* const char *: one line, no control characters */
	FIELD_LINES,     /* const char *: any text */
	FIELD_NAME,      /* const char *: conf_name_is_valid() */
	FIELD_HOST,      /* const char *: an IP address or a host name */
	FIELD_HOST_PORT, /* const char *: "10.0.0.1:80", "[fd00::1]:80", "app.internal:80" */
	FIELD_INTERFACE, /* const char *: a network interface, 1 to 15 letters */
	FIELD_PATH,      /* const char *: an absolute path of a file */
	FIELD_TARGET,    /* const char *: an HTTP request target, "/health?full=1" */
	FIELD_TOKEN,     /* const char *: an RFC 9110 token (method, header name) */
	FIELD_BOOL,      /* bool */
	FIELD_INTEGER,   /* int64_t */
	FIELD_DURATION,  /* int64_t, milliseconds */
	FIELD_RATE,      /* int64_t, bit/s */
	FIELD_SIZE,      /* int64_t, bytes */
	FIELD_WORD,      /* int, the number of the word in its table */
	FIELD_IP,        /* struct addr */
	FIELD_IP_PORT,   /* struct addr */
	FIELD_PREFIX,    /* struct addr_prefix */
	FIELD_OBJECT,    /* the kind's struct, or a pointer to it when is_optional */
	FIELD_TEXT_MAP,  /* struct conf_texts */
	FIELD_FORM,      /* as its field_form says */
	FIELD_TYPES
};

struct field_word {
	const char *word; /* NULL ends a table */
	bool is_later;
};

struct field {
	const char *name; /* NULL ends a table */
	enum field_type type;
	bool is_list, is_required, is_optional, is_later;
	bool is_stored;           /* has a place in the struct: */
	size_t at, count_at;      /* the value (of a list: the pointer), and a list's count */
	int64_t minimum, maximum; /* of numbers in the unit stored; both 0: any that is not
				     negative. Of texts: maximum bytes */
	size_t most;              /* entries of a list or map */
	const struct field_word *words;
	const struct field_kind *kind;
	const struct field_form *form;
	const char *initial; /* the default as it would be written; NULL: absent, empty or false */
	const char *example; /* for a field without a default */
	const char *help;    /* one sentence */
};

#define FIELD_SECOND 1000ll /* ranges of durations */
#define FIELD_HOUR (3600 * FIELD_SECOND)
#define FIELD_DAY (24 * FIELD_HOUR)

/* Where a field is stored: members of the table's struct. */
#define FIELD_AT(type, member) .is_stored = true, .at = offsetof(struct type, member)
#define FIELD_LIST(type, member)                                                                   \
	.is_list = true, FIELD_AT(type, member), .count_at = offsetof(struct type, member##_count)
#define FIELD_FORM_LIST(type, member)                                                              \
	FIELD_AT(type, member), .count_at = offsetof(struct type, member##_count)
#define FIELD_OPTIONAL(type, member) .is_optional = true, FIELD_AT(type, member)

/* A kind of resource, or a part of one. */
struct field_kind {
	const char *name, *plural; /* "pool", "pools"; plural NULL: only a part of others */
	const char *help;
	size_t size; /* of its struct; 0: nothing is stored */
	const struct field *fields;
};

/* Where in the document something stands: a chain of frames on the stack, printed only for a
 * problem. */
struct field_place {
	const struct field_place *up; /* NULL: the document */
	const char *name;             /* a field; NULL: an entry of a list or map */
	const char *key;              /* the entry's name, or NULL */
	size_t index;                 /* of an entry without a name */
};

struct field_reader {
	struct arena *arena; /* where texts and lists go */
	struct conf_problems *problems;
	bool is_out_of_memory;
	/*
	 * For a snapshot, which a newer version may have made: fields that this one does not know,
	 * or does not have yet, are passed over, and the first one's place is put here (at most
	 * CONF_PASSED_OVER_SIZE bytes; "" before). NULL: they are refused.
	 */
	char *passed_over;
};

/* Where a form puts what it read. */
struct field_target {
	void *value;   /* form->size bytes, zeroed */
	size_t *count; /* of a form that is a list in itself (FIELD_FORM_LIST), else NULL */
};

/* A way of writing that only one field has ("200-299", down or -50, [eth1, eth2]). */
struct field_form {
	const char *text;   /* what it looks like, for people: "status codes, as \"200-299,304\"" */
	const char *schema; /* JSON Schema */
	size_t size;        /* of one stored value */
	/*
	 * Reads value (never null) into target and returns its canonical form,
	 * owned; NULL after a problem was added.
	 */
	json_t *(*read)(struct field_reader *r, const struct field *f, const json_t *value,
		const struct field_place *at, struct field_target target);
};

/* The kinds. */
extern const struct field_kind field_document;       /* struct conf */
extern const struct field_kind field_instance;       /* struct conf_instance */
extern const struct field_kind field_vip;            /* struct conf_vip */
extern const struct field_kind field_pool;           /* struct conf_pool */
extern const struct field_kind field_server;         /* struct conf_server */
extern const struct field_kind field_check;          /* struct conf_check, of a pool */
extern const struct field_kind field_standing_check; /* struct conf_check, with a name */
extern const struct field_kind field_listener;       /* struct conf_listener */
extern const struct field_kind field_route;          /* struct conf_route */
extern const struct field_kind field_limit;          /* struct conf_limit */
extern const struct field_kind field_secret;         /* nothing stored yet */
extern const struct field_kind field_certificate;    /* struct conf_certificate */

/* The resources a person may ask for, NULL-terminated: "pool" or "pools" finds one, else NULL. */
extern const struct field_kind *const field_kinds[];
const struct field_kind *field_kind_find(const char *name);

/* A field of a kind by name, or NULL. */
const struct field *field_find(const struct field_kind *kind, const char *name);
/* What a scalar of this text means for field f (NULL: not known): true, 5 or "5". Owned; how YAML
 * finds its types. */
json_t *field_scalar(const struct field *f, const char *text);
/* The word of a table by its number. */
const char *field_word(const struct field_word *words, int number);

/*
 * Reads value as an object of that kind into ret (kind->size bytes, zeroed)
 * with defaults filled in, adding a problem for everything wrong. Returns the
 * canonical object, owned (NULL only when value is not an object or memory is
 * short): fields in the order of the table, those not written left out. What
 * was wrong keeps its default, or zero.
 */
json_t *field_read(struct field_reader *r, const struct field_kind *kind, const json_t *value,
	const struct field_place *at, void *ret);

/* The canonical default of a field, owned; NULL when the default is to have nothing. */
json_t *field_initial(const struct field *f);

/*
 * Whether two canonical objects of a kind mean the same: a default that is
 * written is the same as one that is not. except names a field left out of the
 * comparison, or is NULL.
 */
bool field_is_same(const struct field_kind *kind, const json_t *a, const json_t *b, const char *except);
/* The same for one field's values; NULL for one that is not written. */
bool field_is_same_value(const struct field *f, const json_t *a, const json_t *b);

/* The type in words, appended: "list of IP:port", "duration, 10ms to 1m", "tcp | http | h2*" (*: not in this version). */
struct buf;
void field_print_type(const struct field *f, struct buf *out);
/* JSON Schema of a kind, parts included. Owned. */
json_t *field_schema(const struct field_kind *kind);

/* Adds a problem at a place. */
void field_problem(struct field_reader *r, const struct field_place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes a field that is passed over: see field_reader. */
void field_pass_over(struct field_reader *r, const struct field_place *at);

/*
 * True when no further problem will be kept, only counted: then a suggestion is
 * not worth its time, and a document full of faults takes no longer than a good one.
 */
bool field_problems_are_full(const struct field_reader *r);

/* A text from outside fit for a message: short, whole characters, no control characters. Returns
 * out. */
#define FIELD_QUOTE_SIZE 64
const char *field_quote(const char *text, char out[FIELD_QUOTE_SIZE]);
