#pragma once
/*
 * Shell: where intent lives: documents by stack and generation, overlays, the
 * nodes' heartbeats, events, the audit trail. One face, two bodies: an embedded
 * SQLite file for a node alone, PostgreSQL for a cluster. Nothing here judges a
 * document (plan) or a node (fleet).
 *
 * Everything is asynchronous on the caller's loop. Each call answers exactly
 * once through its `done`, from the loop, never before the call has returned,
 * and at the latest when its deadline has passed or the store is closed. What
 * an answer points to is borrowed until `done` returns.
 *
 * While the store is known to be away a call is answered at once with
 * STORE_AWAY and a sentence; the store reconnects by itself (100 ms to 2 s
 * between attempts) and then reports STORE_CHANGE_ALL, for notifications sent
 * meanwhile are lost. A short loss is hidden: the call is carried out again on
 * the new connection while its deadline lasts. That is harmless because each
 * write carries a request id which is recorded with its effect in the same
 * transaction (decision B3): the same id again finds the outcome of the first.
 *
 * Generations are counted over the whole installation: a node that moves to
 * another stack, or a stack deleted and made again, never sees one go back.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "control/proposal.h"

#define STORE_LIVE_MS 5000        /* a node is live while its heartbeat is younger (decision C2) */
#define STORE_REQUEST_MAX 128     /* bytes of a request id */
#define STORE_EVENTS_MAX 10000    /* events kept */
#define STORE_AUDIT_MAX 100000    /* audit entries kept */
#define STORE_GENERATIONS_MAX 200 /* generations kept of each stack */
#define STORE_LIST_MAX 1000       /* rows of one answer to a list call */
#define STORE_CALLS_MAX 256       /* calls under way; more are answered STORE_AWAY */

struct store;
struct uv_loop_s; /* uv_loop_t */

enum store_outcome {
	STORE_OK,
	STORE_CONFLICT, /* the expected generation is not the newest; the node name has a live
			   holder */
	STORE_MOVED,    /* the installation changed since the write was judged: judge it again */
	STORE_UNCONFIRMED, /* the stack's newest generation waits for its confirmation */
	STORE_BUSY,     /* another proposal is open for the stack */
	STORE_UNASKED,  /* a live node that the write concerns has not judged it: propose it */
	STORE_OPEN,     /* the proposal waits for answers of live nodes */
	STORE_REFUSED,  /* a node said no to the proposal */
	STORE_EXPIRED,  /* the proposal is too old, or gone */
	STORE_NOT_FOUND, /* no such stack, generation or overlay */
	STORE_AWAY,      /* not done: the store cannot be reached, or refused */
	STORE_UNKNOWN    /* sent, answer lost, deadline passed; the same request id tells later */
};

/* The newest generation of a stack. */
struct store_stack {
	const char *name;
	uint64_t generation;
	const char *digest, *who;
	struct wall created;
	const json_t *document; /* NULL: the stack was deleted by this generation */
	int64_t confirm_within_ms; /* it is still to be confirmed; 0: it is, or need not be */
	/* Then: the newest before it that was confirmed or need not be. */
	uint64_t base_generation;
	const json_t *base_document; /* NULL: none */
};

/* One generation in a stack's history. */
struct store_generation {
	const char *stack;
	uint64_t generation;
	const char *digest, *who, *why; /* digest "" for a deletion */
	struct wall created;
	const json_t *document; /* store_generation_get() only; NULL: a deletion */
};

struct store_overlay {
	const char *stack;
	const char *key; /* as in the bus table "overlay": "pool/POOL/SERVER", "instance/NAME" */
	const json_t *value;   /* overlay_encode() */
	int64_t expires_in_ms; /* by the store's clock; -1: never; 0: just expired */
};

/* A node's last heartbeat. Ages are by the store's clock: nodes' clocks are never compared. */
struct store_node {
	const char *name;
	const char *node_id;
	int64_t age_ms;      /* INT64_MAX: it left in order */
	const json_t *state; /* what the node wrote: fleet_report_encode() */
};

/* What a node that was asked says to a proposal. */
struct store_vote {
	const char *node;
	enum proposal_vote vote; /* silent: it is away, or has still time */
	const char *reason;      /* of a no */
};

/* A proposal that waits for the vote of the node that lists it. */
struct store_proposal {
	uint64_t revision; /* what its vote names */
	uint64_t head;     /* newest generation when it was judged by who proposes it */
	const char *stack;
	const json_t *document;
};

struct store_event {
	uint64_t id;
	struct wall time;
	const json_t *event; /* the object as given, without id and time */
};

struct store_audit {
	uint64_t id;
	struct wall time;
	const char *who, *action, *stack, *object,
		*why;        /* action: "document", "rollback", "delete", "overlay", … */
	uint64_t generation; /* 0: none */
};

/* The answer to any call; each call says which lists it fills. */
struct store_answer {
	enum store_outcome outcome;
	const char *why;     /* a whole sentence for the operator; "" when OK */
	uint64_t generation; /* writes: the new one; STORE_CONFLICT: the newest in fact, 0 for no
				such stack */
	uint64_t head; /* the newest generation of the installation when this was answered; load and
			  writes */
	uint64_t revision; /* of documents and overlays together when this was answered; load */
	bool is_repeat;    /* the request id was known: this is what happened then */
	bool is_unchanged; /* store_put_document(): the newest is the same document; nothing was
			      written */

	const struct store_stack *stacks;
	size_t stacks_count;
	const struct store_generation *generations;
	size_t generations_count;
	const struct store_overlay *overlays;
	size_t overlays_count;
	const struct store_node *nodes;
	size_t nodes_count;
	const struct store_vote *votes;
	size_t votes_count;
	const struct store_proposal *proposals;
	size_t proposals_count;
	const struct store_event *events;
	size_t events_count;
	const struct store_audit *audit;
	size_t audit_count;
};

typedef void store_done(void *user, const struct store_answer *answer);

/* How a call is to be answered; copied. */
struct store_call {
	int deadline_ms; /* 1 to 60000 */
	store_done *done;
	void *user;
};

enum store_change_what {
	STORE_CHANGE_ALL, /* anything may have changed: after a reconnect, or found by polling */
	STORE_CHANGE_DOCUMENT,
	STORE_CHANGE_OVERLAY,
	STORE_CHANGE_NODE, /* a node announced news (acknowledgements); its row has them */
	STORE_CHANGE_EVENT,
	STORE_CHANGE_PROPOSAL /* one was made or ended, or was voted on */
};

struct store_change {
	enum store_change_what what;
	const char *object; /* stack of a document, overlay or proposal, name of a node; "" else */
};

enum store_state { STORE_CONNECTING, STORE_CONNECTED, STORE_LOST };

struct store_status {
	const char *kind;       /* "postgres", "sqlite" */
	enum store_state state; /* shown as connecting, connected, away */
	bool is_synchronous;    /* a write that was answered is on a second machine too, or on this
				   one's disk (SQLite) */
	char why[512];          /* why it is away: a sentence; "" else */
};

struct store_handlers {
	/* Something changed, by this handle or another; may be told more often than needed. */
	void (*changed)(void *user, const struct store_change *change);
	/* store_status() differs from before. May be NULL. */
	void (*status)(void *user);
};

/*
 * Opens the store that the node file names: "sqlite" (state_dir/store.db) or a
 * libpq URI. 0 and the store, which connects by itself (a server that is down
 * or a file that cannot be opened is a status, not an error); -EINVAL with a
 * sentence in why when uri is neither. Loop and handlers are kept.
 */
int store_open(struct uv_loop_s *loop, const char *uri, const char *state_dir,
	const struct store_handlers *handlers, void *user, struct store **ret, char why[256]);
/* Answers what is under way (STORE_AWAY or STORE_UNKNOWN) at once; closed(user) (may be NULL) is
 * called from the loop when the memory is gone. Only the look-up of a host's name may outlast it.
 */
void store_close(struct store *s, void (*closed)(void *user), void *user);

const struct store_status *store_status(const struct store *s);
const char *store_state_name(enum store_state s); /* "connecting", "connected", "away" */

/* Fills head, stacks (deleted ones too, without document), overlays and nodes: one consistent
 * picture. */
void store_load(struct store *s, const struct store_call *call);

/* What every write says of itself; texts are borrowed during the call. */
struct store_write {
	const char *request; /* unique: a random UUID, or the client's Idempotency-Key; 1 to
				STORE_REQUEST_MAX bytes */
	const char *who;     /* "uid 0 (root)" */
	const char *why;     /* "" for none */
	const char *fingerprint; /* of what was asked for, so that a request id used for two different
				    writes is found out; NULL: made of the arguments */
};

#define STORE_ANY (-1)

struct store_put {
	const char *stack;
	const json_t *document; /* canonical, without generation */
	const char *digest;     /* conf.digest */
	const char *action;     /* for the audit trail: "document", "rollback" */
	int64_t expected;    /* the stack's newest generation must be this: STORE_ANY, 0 for no such
				stack, or G */
	uint64_t judged_at;  /* head of the picture the document was judged in; else STORE_MOVED */
	bool keep_unchanged; /* the newest with the same digest: OK and is_unchanged, no new
				generation */
	const char *node;    /* who writes; "" for none */
	const char *asked;   /* the nodes that are to judge it, each between spaces: " lb-a lb-b "; "" for
				none */
	int64_t confirm_within_ms; /* 0: it need not be confirmed */
};

/*
 * Writes a new generation; a rollback is the put of an old document. Announces
 * STORE_CHANGE_DOCUMENT. It is for writes that nobody else has to judge: with
 * a live node in `asked` that is not `node` it is STORE_UNASKED, and
 * STORE_BUSY while a proposal is open for the stack.
 */
void store_put_document(struct store *s, const struct store_write *write,
	const struct store_put *put, const struct store_call *call);
/*
 * The same in three parts (decision C2). store_propose() tells the asked nodes
 * (STORE_CHANGE_PROPOSAL); `node`, when asked, has said yes by it. Once it is
 * STORE_OK, store_commit() with the same arguments (document unused) makes it
 * the generation, in a transaction that tests head, votes and age: it fills
 * votes, and is STORE_OPEN while live nodes may still answer, STORE_REFUSED
 * after a no, and STORE_EXPIRED when it is to be proposed anew. Proposing
 * again under the same request id replaces the proposal; when the generation
 * is there already both are its repetition. A proposal that nobody ends is
 * void after PROPOSAL_LIFE_MS.
 */
void store_propose(struct store *s, const struct store_write *write, const struct store_put *put,
	const struct store_call *call);
void store_commit(struct store *s, const struct store_write *write, const struct store_put *put,
	const struct store_call *call);
/* Ends a proposal that did not pass; none of that request id is fine. */
void store_withdraw(
	struct store *s, const char *request, const char *stack, const struct store_call *call);
/* Removes the proposals of all stacks that nobody ended in time; anyone may. */
void store_expire_proposals(struct store *s, const struct store_call *call);
/* Fills proposals: the open ones that ask `node` and have no vote of it. */
void store_list_proposals(struct store *s, const char *node, const struct store_call *call);
/* The vote of `node`; the first stands. reason "": yes. A proposal that is gone is fine. */
void store_vote(struct store *s, const struct store_proposal *p, const char *node,
	const char *reason, const struct store_call *call);

/* Writes the generation that deletes a stack and its overlays; expected as above. Its history
 * stays. */
void store_delete_stack(struct store *s, const struct store_write *write, const char *stack,
	int64_t expected, const struct store_call *call);

/*
 * Confirms the stack's newest generation: is_unchanged when there was nothing to
 * confirm; STORE_CONFLICT when it is not the newest or its time is over. Announces
 * STORE_CHANGE_DOCUMENT.
 */
void store_confirm(struct store *s, const struct store_write *write, const char *stack,
	uint64_t generation, const struct store_call *call);

/*
 * What became of a request: STORE_OK with its generation (0 for overlays), and
 * that generation in generations when it is still kept, without its document;
 * STORE_NOT_FOUND; STORE_CONFLICT when its fingerprint was another.
 */
void store_get_request(struct store *s, const char *request, const char *fingerprint,
	const struct store_call *call);

/* Fills generations: at most limit (1 to STORE_LIST_MAX) older than `before` (0: from the newest),
 * newest first. */
void store_list_generations(struct store *s, const char *stack, uint64_t before, size_t limit,
	const struct store_call *call);
/* Fills generations with the one, and its document; or STORE_NOT_FOUND. */
void store_get_generation(
	struct store *s, const char *stack, uint64_t generation, const struct store_call *call);

struct store_hand {
	const char *stack, *key;
	const json_t *value;   /* NULL clears */
	int64_t expires_in_ms; /* after the store took it; 0: never */
	int64_t judged_at; /* revision of the picture in which it was judged; else STORE_MOVED.
			      STORE_ANY: nothing depends on the others */
};

/*
 * Sets or clears an overlay; the last writer wins. What was judged by what
 * other overlays there are (may the pool spare this server too?) names the
 * revision it saw, so that of two that were judged in one picture only one
 * is set. It ends by itself; every control calls store_expire_overlays() now
 * and then, one of them does it. Announces STORE_CHANGE_OVERLAY. Clearing
 * none is STORE_NOT_FOUND.
 */
void store_set_overlay(struct store *s, const struct store_write *write,
	const struct store_hand *hand, const struct store_call *call);
/* Fills overlays with those that ended and were removed by this call; audited as by "ballast". */
void store_expire_overlays(struct store *s, const struct store_call *call);

struct store_beat {
	const char *node;    /* our name */
	const char *node_id; /* random, kept in state_dir (decision C6) */
	const json_t *state;
	bool announce; /* tell the others at once (STORE_CHANGE_NODE): there is news in it */
};

/*
 * Writes our row and fills nodes with all rows (ours too) and overlays: call it
 * each second. STORE_CONFLICT: the name is held by a live node with another
 * node_id; why says so, and nothing was written.
 */
void store_heartbeat(struct store *s, const struct store_beat *beat, const struct store_call *call);
/* Our row ends now: the others see us away at once, not 5 s later. */
void store_leave(
	struct store *s, const char *node, const char *node_id, const struct store_call *call);
/* Removes the row of a node that is gone for good; a live one is STORE_CONFLICT. */
void store_forget_node(struct store *s, const struct store_write *write, const char *node,
	const struct store_call *call);
/* Fills nodes. */
void store_list_nodes(struct store *s, const struct store_call *call);

/* Appends events (a JSON array of objects, at most STORE_LIST_MAX; borrowed). request makes it
 * happen once. */
void store_append_events(
	struct store *s, const char *request, const json_t *events, const struct store_call *call);
/* Fills events: those with an id above since, oldest first, at most limit. generation is the newest
 * id there is. */
void store_list_events(
	struct store *s, uint64_t since, size_t limit, const struct store_call *call);
/* Fills audit: entries with an id below before (0: from the newest), newest first, at most limit;
 * stack "" for all. */
void store_list_audit(struct store *s, const char *stack, uint64_t before, size_t limit,
	const struct store_call *call);
