#pragma once
/*
 * The scripts of all calls, by noun: store_write (what writes have in common),
 * store_documents, store_overlays, store_nodes, store_journal. The SQL is one
 * text for both stores; what differs between them are the functions
 * ballast_now(), ballast_notify() and ballast_is_synchronous(). Started by
 * store.c, which fills the jobs' arguments.
 */
#include "control/store_job.h"

/* store_documents.c */
extern const struct store_script store_script_load;
extern const struct store_script store_script_put_document;
extern const struct store_script store_script_delete_stack;
extern const struct store_script store_script_confirm;
extern const struct store_script store_script_list_generations;
extern const struct store_script store_script_get_generation;
/* store_write.c */
extern const struct store_script store_script_get_request;
/* store_proposals.c */
extern const struct store_script store_script_propose;
extern const struct store_script store_script_commit;
extern const struct store_script store_script_withdraw;
extern const struct store_script store_script_expire_proposals;
extern const struct store_script store_script_list_proposals;
extern const struct store_script store_script_vote;
/* store_overlays.c */
extern const struct store_script store_script_set_overlay;
extern const struct store_script store_script_clear_overlay;
extern const struct store_script store_script_expire_overlays;
/* store_nodes.c */
extern const struct store_script store_script_heartbeat;
extern const struct store_script store_script_leave;
extern const struct store_script store_script_forget_node;
extern const struct store_script store_script_list_nodes;
/* store_journal.c */
extern const struct store_script store_script_append_events;
extern const struct store_script store_script_list_events;
extern const struct store_script store_script_list_audit;
extern const struct store_script
	store_script_poll; /* two steps; sets revision, event_id, is_synchronous */

/* Rows of these statements become lists of the answer. */
#define STORE_SELECT_OVERLAYS                                                                      \
	"select stack, key, value, case when expires is null then -1 else expires - "              \
	"ballast_now() end"                                                                        \
	" from overlay where expires is null or expires > ballast_now() order by stack, key"
#define STORE_SELECT_NODES                                                                         \
	"select name, node_id, ballast_now() - beat, state, beat from node order by name"
void store_take_overlays(struct store_job *j, const struct store_rows *rows);
void store_take_nodes(struct store_job *j, const struct store_rows *rows);

/*
 * store_write.c: the frame of every audited write. A script begins with lock
 * and seen, then a step of its own that first asks store_write_is_repeat(), and
 * ends with audit, trim, record, notify and done. The lock is the one row of
 * counters: writes are carried out one after the other.
 */
store_step_function store_write_lock, store_write_seen, store_write_audit, store_write_trim,
	store_write_record, store_write_notify, store_write_done;
/* True when the request id is known: *ret_step is then to be returned. */
bool store_write_is_repeat(
	struct store_job *j, const struct store_rows *rows, enum store_step *ret_step);
/*
 * store_documents.c: what writes of documents have in common. newest asks for
 * the stack's newest generation after store_write_seen (select is its second half); judge compares it with
 * what the write expects: STORE_STEP_RUN (nothing in ret yet) or the refusal.
 * Then number counts the new generation, take_number notes it, and set and trim
 * make it the newest.
 */
store_step_function store_document_newest, store_document_number, store_document_set,
	store_document_trim;
enum store_step store_document_select(struct store_job *j, struct store_statement *ret);
enum store_step store_document_judge(struct store_job *j, const struct store_rows *rows);
void store_document_take_number(struct store_job *j, const struct store_rows *rows);
/* store_proposals.c: is another proposal open for the stack, and who is alive? Then the refusal, or
 * STORE_STEP_RUN. */
store_step_function store_proposal_look;
enum store_step store_proposal_judge_direct(struct store_job *j, const struct store_rows *rows);

/* Sets what the transaction announces; object may be "". */
void store_write_announce(struct store_job *j, enum store_change_what what, const char *object);
