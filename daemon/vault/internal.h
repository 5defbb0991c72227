/*
 * What the vault's files share. One thread runs everything here (the event loop); the store's
 * writes are done by the thread of writer.h.
 *
 *   vault.c     the process: channels, start and end         start.c    unsealed: replay, open
 *   keeper_call.c      questions to the keeper and their answers    request.c  requests of people,
 *       replies
 *   work.c      answers that take their time
 *   access.c    sessions, the order's ruling, log entries    evidence.c collections, batches,
 *       records
 *   visible.c   what a set of rules lets be seen             cursor.c   sealed cursors
 *   query_limits.c    what a search must not tell              designate.c designations after
 *       relabels
 *   handle_*.c  one file a kind of request                   load.c     the sealer's side of loads
 *   tags.c      duplicates                                   acts.c     acts, one after another
 *   list_*.c    what lists show (listing.h)                  question_*.c questions about the order
 *       (question.h)
 *   history.c      acts of the store, and what was before
 *   outcome.c   how answers ended                        log_gate.c what of the log is under way
 */
#ifndef US_DAEMON_VAULT_INTERNAL_H
#define US_DAEMON_VAULT_INTERNAL_H

#include <roaring/roaring.h>

#include "evidence/batch/reader.h"
#include "evidence/batch/record.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_out.h"
#include "crypto/key.h"
#include "base/log.h"
#include "daemon/process/channel.h"
#include "daemon/process/ticket.h"
#include "daemon/process/requests.h"
#include "daemon/vault/cache.h"
#include "daemon/vault/cursor.h"
#include "daemon/vault/log_gate.h"
#include "daemon/vault/tags.h"
#include "daemon/vault/work.h"
#include "daemon/vault/writer.h"
#include "evidence/index/eval.h"
#include "registry/docket.h"
#include "registry/registry.h"
#include "registry/versions.h"
#include "registry/withheld.h"

struct event;
struct us_vault;
struct us_vault_request;

#define FRONTS_MAX 64
#define FRONT_REQUESTS_MAX 1024 /* of one front at a time; more are told to wait */
/* Bytes of questions that the keeper has not taken: above that no more requests are. */
#define KEEPER_BACKLOG_MAX (64u * 1024u * 1024u)
#define REPLY_PIECE (256u * 1024u) /* of an answer, in one message */
#define TAG_BUCKETS 1024
#define RULE_SETS_MAX 64
#define PAGE_NUMBER(slot, page) ((uint64_t)(slot) << 16 | (uint64_t)(page))
#define NO_ENTRY UINT64_MAX
#define MANIFESTS_MAX 1024 /* open manifest pages, 32 KiB each */

enum us_vault_state {
	VAULT_SEALED,    /* waits for the keeper's "unsealed" */
	VAULT_REPLAYING, /* has sent its acts */
	VAULT_OPEN,
	VAULT_REFUSING, /* store and log do not agree: nothing is released */
};

/* --- calls to the keeper (keeper_call.c) ------------------------------------------------------ */

typedef void (*call_fn)(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body);
/* A tag for one question, whose answer goes to fn; 0 if too many are open. */
uint32_t us_vault_keeper_call_new(struct us_vault *v, call_fn fn, void *ctx);
/* err is what became of sending the question just numbered: if it did not leave nobody will answer
 * it, and *tag is given back and 0 from now on. Returns err. */
int us_vault_keeper_call_sent(struct us_vault *v, uint32_t *tag, int err);
/* The answer will be thrown away. 0 is allowed. */
void us_vault_keeper_call_forget(struct us_vault *v, uint32_t tag);
/* The answer goes to another. */
void us_vault_keeper_call_hand_over(struct us_vault *v, uint32_t tag, call_fn fn, void *ctx);
/* US_ERR_MALFORMED: an answer to no question. */
int
us_vault_keeper_call_answer(struct us_vault *v, uint16_t type, uint32_t tag, struct us_bytes body);

struct us_vault_keeper_call {
	call_fn fn;
	void *ctx;
	uint16_t generation;
	uint16_t used;
	uint32_t next_free;
};

/* --- evidence (evidence.c) ------------------------------------------------------------------ */

/* What of a batch is in memory. Opened piece by piece at first use. */
struct us_vault_batch {
	struct us_vault *vault;
	uint32_t collection;
	uint32_t slot;
	struct us_key *page_key; /* NULL: not released yet */
	struct us_batch_source source;
	struct us_batch_directory *directory;
	struct us_segment *segment;
};

/* An open page of a batch's manifest: neighbours in time are seldom neighbours in number. */
struct us_vault_manifest_slot {
	const struct us_vault_batch *batch; /* NULL: empty */
	uint32_t page;
	struct us_manifest_reader *reader;
};

struct us_vault_collection {
	uint32_t id;
	struct us_vault_batch **batches; /* by slot; NULL where there is none */
	size_t n_batches;
	struct us_key **dictionary_keys; /* by version; NULL where there is none */
	size_t n_dictionary_keys;
	struct us_unpacker *unpacker;
	struct us_tags *tags; /* NULL until the first load asks */
	uint64_t complete_at; /* sequence of the act up to which all keys are here */
};

/* The runtime of a collection; made at first use. NULL if memory is out. */
struct us_vault_collection *us_vault_evidence_collection(struct us_vault *v, uint32_t id);
/* That of a batch, with its page key. US_ERR_SEALED if the key was not released. */
int us_vault_evidence_batch(struct us_vault *v, const struct us_batch *facts,
    struct us_vault_batch **out);
/* Takes packed page keys of a "logged". */
int us_vault_evidence_take_keys(struct us_vault *v, uint32_t collection, struct us_bytes page_keys);
/* 1 if every key that reading the collection needs is here. */
int us_vault_evidence_complete(struct us_vault *v, uint32_t collection);
int us_vault_evidence_segment(struct us_vault *v, const struct us_batch *facts,
    struct us_segment **out);
/* Opens a record into v->container; *c has views into it until the next record. */
int us_vault_evidence_record(struct us_vault *v, const struct us_batch *facts, uint64_t record,
    const struct us_key *key, struct us_container *c);
int us_vault_evidence_proof(struct us_vault *v, const struct us_batch *facts, uint64_t record,
    struct us_batch_proof *proof);
void us_vault_evidence_forget_batch(struct us_vault *v, uint32_t collection, uint32_t slot);
void us_vault_evidence_free(struct us_vault *v);

/* --- visibility (visible.c) ------------------------------------------------------------------ */

/* One distinct set of rules of one version of the order, over one collection. */
struct us_vault_rule_set {
	const struct us_order *order;
	uint64_t permits[US_RULE_WORDS];
	uint64_t forbids[US_RULE_WORDS];
	uint32_t collection;
	size_t relabels; /* how many there were when the bitmaps were made */
	uint64_t used;   /* for the choice of what goes when there are too many */
	roaring_bitmap_t **by_slot;
	size_t n_slots;
};

/* The parsed queries of a version's rules; made at first use. */
struct us_vault_rule_queries {
	struct us_vault_rule_queries *next;
	const struct us_order *order;
	struct us_query *query[]; /* by rule */
};

/* What one person may see of a collection under one version of the order. Holds nothing that must
 * be given back: sets are looked up. */
struct us_vault_view {
	struct us_vault *vault;
	const struct us_order *order;
	uint32_t collection;
	uint64_t snapshot; /* log index */
	uint64_t parties;
	/* US_WITHHELD_*: for which reasons records are hidden from this person */
	unsigned withheld;
	int sees_all; /* the rules hide nothing */
	uint64_t permits[US_RULE_WORDS];
	uint64_t forbids[US_RULE_WORDS];
	struct us_term_table keys; /* of words in rules, while bitmaps are made */
};
/* What that ruling, made under that order, lets a person see. */
void us_vault_view_open(struct us_vault *v, const struct us_order *order,
    const struct us_ruling *ruling, const struct us_subject *subject, uint32_t collection,
    uint64_t snapshot, struct us_vault_view *out);
/* 1 if the batch can be seen at all: published by then, not withdrawn, not held by others. */
int us_vault_view_batch(const struct us_vault_view *w, const struct us_batch *facts);
/* Records that were to be seen at the snapshot and have been withdrawn since. */
uint64_t us_vault_view_withdrawn(const struct us_vault_view *w);
/* *out: what is visible of a batch, NULL for all of it; valid until the next call of this or
 * another view. */
int us_vault_view_bitmap(struct us_vault_view *w, const struct us_batch *facts,
    const roaring_bitmap_t **out);
/* A query over one batch, with what relabels have changed. keys: of content words, for the batch's
 * era. */
int us_vault_view_eval(struct us_vault *v, const struct us_batch *facts,
    const struct us_query *query, const struct us_term_table *keys, roaring_bitmap_t **out);
/* 1 visible, 0 not or not there; below 0: minus an enum us_err. */
int us_vault_view_record(struct us_vault_view *w, uint64_t record, const struct us_batch **facts);
/* Content words of the set's rules, packed str16, if bitmaps are missing whose making needs
 * them. */
int us_vault_view_words(struct us_vault_view *w, struct us_buf *out, size_t *n);
/* Makes all missing bitmaps; keys as given by the keeper for us_vault_view_words(). */
int us_vault_view_fill(struct us_vault_view *w, struct us_bytes term_keys,
    const struct us_bytes *words, size_t n);
void us_vault_view_free_all(struct us_vault *v);

/* --- requests (request.c) --------------------------------------------------------------------- */

struct us_vault_front {
	struct us_vault *vault;
	struct us_channel *channel;
	uint8_t index;
	size_t n_requests;
	struct us_vault_request *by_tag[TAG_BUCKETS];
	size_t next_bucket; /* whose requests come first when the front has room again */
};

struct us_vault_problem {
	uint16_t status;
	const char *type; /* last part of urn:underseal:problem:… */
	const char *title;
	const char *detail; /* may be NULL */
	enum us_reason reason;
	uint32_t rule;
	struct us_bytes rule_id;
	struct us_bytes paragraph;
	const char *cure;                /* may be NULL */
	uint64_t entry;                  /* NO_ENTRY: none */
	int64_t position;                /* of an error in a query; -1: none */
	const struct us_remaining *left; /* NULL: not known */
	uint16_t retry_after;
};

/*
 * A request of a person from its message to its last byte. Freed by us_vault_request_end(), which
 * every path reaches exactly once: after the last piece, a problem, a cancel, or the end of its
 * front. What has been given something says in `ending` how it ends.
 *
 * Whatever may answer may end it: reply_*(), access_*() that say so, what calls these in turn. Who
 * calls one of them returns then and touches the request no more. A step (work.h) calls none: it
 * leaves what is wrong in `problem`.
 */
struct us_vault_request {
	struct us_vault *vault;
	struct us_vault_front *front;
	struct us_vault_request *tag_next; /* once it has ended: of those that are kept */
	uint32_t tag;
	uint16_t type;
	uint32_t call; /* outstanding question, 0 for none */
	int asks;      /* its entry is to give something */
	/* of the question under way, if its answer may be late */
	struct us_vault_late *late;
	uint8_t credential[32];
	uint8_t session[16];
	char peer[64];
	size_t peer_n;
	uint32_t person;
	struct us_subject subject;
	struct us_ruling ruling;
	struct us_remaining left; /* as the keeper said with the newest entry */
	int counts_only;          /* no rule lets this person read here */
	uint32_t smallest_count;  /* smaller numbers are "fewer than" it; 0: none */
	uint64_t generation;      /* of the registry, when subject and ruling were made */
	uint32_t collection;
	struct us_buf body;  /* the message; views below point into it */
	struct us_work work; /* of the reply: steps, and its bytes */
	/* why a step has failed; what it points to outlives the step */
	struct us_vault_problem problem;
	uint16_t status;
	uint8_t content;
	uint64_t entry;      /* of the reply's head */
	uint64_t granted;    /* the newest entry that gave something */
	uint64_t open_entry; /* the first one; NO_ENTRY: none, and it is on no list */
	struct us_vault_request *open_before, *open_next; /* by open_entry */
	uint64_t records_put;  /* of that entry, whose last byte, a newline, is in work.out */
	const uint64_t *asked; /* records that it asks for; in state */
	size_t n_asked;
	int refused;                          /* by an entry, which tells how it ended */
	struct us_vault_log_party *log_party; /* log_gate.c; NULL: not in its hands */
	int log_waits;                        /* it is not its turn yet */
	struct us_vault_request *log_next;
	void (*log_pass)(struct us_vault_request *r);
	enum us_reason ending; /* why its answer does not leave whole; NONE: it has */
	void (*answer)(struct us_vault_request *r, const struct us_msg_logged *m);
	void (*opened)(struct us_vault_request *r);
	void *state;
	void (*free_state)(void *state);
};

/* US_ERR_MALFORMED: the tag is that of another request under way. */
int
us_vault_request_take(struct us_vault_front *f, uint16_t type, uint32_t tag, struct us_bytes body);
void us_vault_request_credit(struct us_vault_front *f, uint32_t tag, uint32_t bytes);
/* The front has taken most of what it was sent: what waited for that goes on. */
void us_vault_front_drained(struct us_vault_front *f);
void us_vault_request_cancel(struct us_vault_front *f, uint32_t tag);
void us_vault_request_end(struct us_vault_request *r);
void us_vault_requests_drop(struct us_vault_front *f, enum us_reason why);
void us_vault_requests_init(struct us_vault *v);
/* Those that are kept for later. */
void us_vault_requests_free(struct us_vault *v);
/* Whole replies; the request is gone afterwards. */
void us_vault_reply_json(struct us_vault_request *r, uint16_t status, uint64_t entry,
    struct us_buf *json);
void us_vault_reply_bytes(struct us_vault_request *r, uint16_t status, uint8_t content,
    struct us_bytes body);

void us_vault_reply_problem(struct us_vault_request *r, const struct us_vault_problem *p);
/* err: of sending an answer at whose end nothing can be done any more: a front that does not hear
 * it would keep somebody waiting for ever, so its channel ends. */
void us_vault_reply_sent(struct us_vault_request *r, int err);
/* The problem that an error of ours or of the keeper amounts to. */
struct us_vault_problem us_vault_problem_of(const struct us_vault_request *r, int err,
    enum us_reason reason, uint64_t entry);
/* Answers with it. */
void
us_vault_reply_error(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry);
/* For the end of a step: the answer will be the problem that the error amounts to. */
enum us_step
us_vault_step_failed(struct us_vault_request *r, int err, enum us_reason reason, uint64_t entry);
int us_vault_problem_write(struct us_buf *out, const struct us_vault_problem *p);

/* --- how answers end (outcome.c) -------------------------------------------------------------- */

void us_vault_outcomes_init(struct us_vault *v);
void us_vault_outcomes_free(struct us_vault *v);
/* The keeper has answered about that entry. */
void us_vault_outcome_answered(struct us_vault *v, uint64_t entry);
/* 1 if, with that err of a "logged" or of keys of the log, the entry gives something: it stands
 * also where its keys could not be made, or were kept back since the order was asked again. */
int us_vault_outcome_is_given(int err);

/* A question whose answer may come behind answers to later entries. Until it is here nothing is
 * said to have ended from `bound` on, below which its entry cannot be. r: NULL if the request has
 * ended, for the reason `ending`. */
struct us_vault_late {
	struct us_vault_late *before, *next;
	uint64_t bound;
	struct us_vault_request *r;
	enum us_reason ending;
};
/* For a question about to be asked for r; r->late from then on. NULL if memory is out. */
struct us_vault_late *us_vault_outcome_late(struct us_vault_request *r);
/* It was not asked after all, or its answer is here: late is gone. Returns the request, NULL if it
 * has ended: then, if the entry gave something, its outcome has been noted. entry: NO_ENTRY if
 * there is none. */
struct us_vault_request *us_vault_outcome_not_late(struct us_vault *v, struct us_vault_late *late,
    uint64_t entry, int given);
/* The vault has opened: what the log holds by now is nobody's answer here. */
void us_vault_outcomes_open(struct us_vault *v);
/* That entry gives r something: its answer will have an end. */
void us_vault_outcome_granted(struct us_vault_request *r, uint64_t entry);
/* What r was given up to now was for the vault itself, and is here. */
void us_vault_outcome_whole(struct us_vault_request *r);
/* r is about to be gone. */
void us_vault_outcome_end(struct us_vault_request *r);
/* Tells the keeper now what it has not been told. */
void us_vault_outcomes_tell(struct us_vault *v);
/* 1 if there is nothing to tell. */
int us_vault_outcomes_told(const struct us_vault *v);

/* --- access (access.c) ------------------------------------------------------------------------ */

struct us_vault_session {
	uint8_t credential[32];
	uint8_t id[16];
	uint32_t person;
	int64_t expires_ns;
};
void us_vault_session_put(struct us_vault *v, const struct us_vault_session *s);
const struct us_vault_session *
us_vault_session_get(const struct us_vault *v, const uint8_t credential[32]);

/* What its kind needs (daemon/process/requests.def): 0 if the request may go on, with person,
 * subject and session in r if that is a session; else it has been answered, or will be. Called
 * once, before any handler. */
int us_vault_access_authorise(struct us_vault_request *r, enum us_needs needs);
/* The collection by name: sets r->collection. A name that is none is answered like a refusal. */
int
us_vault_access_collection(struct us_vault_request *r, struct us_bytes name, enum us_action action);
/* The order's ruling on an action: 0 allowed, ruling in r; else answered after it is logged. */
int us_vault_access_rule(struct us_vault_request *r, enum us_action action, struct us_bytes purpose,
    uint64_t records);

/* For answers that take their time: was anything taken from anybody since r was decided? Then it is
 * decided again. */
enum us_vault_access_change {
	ACCESS_SAME,
	ACCESS_CHANGED, /* still allowed; subject and ruling are new */
	ACCESS_ENDED    /* not any more: r->problem says why; it has not been answered */
};
enum us_vault_access_change us_vault_access_again(struct us_vault_request *r, enum us_action action,
    struct us_bytes purpose, uint64_t records);

/* The ruling alone: nothing is logged or answered. */
void us_vault_access_ruling(struct us_vault_request *r, enum us_action action,
    struct us_bytes purpose, uint64_t records, struct us_ruling *out);
/* After us_vault_access_rule() for a search or count: takes the masks of reading into r->ruling and
 * sets smallest_count. 0, or the query asks about what must not be told and has been refused. */
int us_vault_access_limit_query(struct us_vault_request *r, enum us_action action,
    struct us_bytes purpose, const struct us_query *query);

/* Calls opened(r) once the keys of the collection's pages are here: an entry of its own, in the
 * name of whoever comes first. */
void us_vault_access_open(struct us_vault_request *r, struct us_bytes purpose,
    void (*opened)(struct us_vault_request *r));

/* Logs; then answer(r, …), unless the keeper refused: then the request has been answered. e: what
 * the request says itself, collection and ruling need not be filled in. */
void us_vault_access_log(struct us_vault_request *r, const struct us_msg_log *e,
    void (*answer)(struct us_vault_request *r, const struct us_msg_logged *m));
struct us_query_error;
/* A query that does not parse: nothing was asked, so nothing is logged. */
void us_vault_reply_bad_query(struct us_vault_request *r, int err, const struct us_query_error *e);
/* Logs a refusal, with the records asked for, and answers with the problem, to which the entry is
 * added. */
void us_vault_access_refuse(struct us_vault_request *r, enum us_action action,
    struct us_bytes purpose, const struct us_vault_problem *p);
/* What is left of the limits, as a value: an object with null where there is no limit. */
void us_vault_access_quota(struct us_json *j, const struct us_remaining *left);
/* "snapshot", "order", "entry", "quota" into an open object. */
void us_vault_access_json(struct us_vault_request *r, struct us_json *j, uint64_t snapshot,
    uint64_t entry);
/* The tlog-proof of an entry just logged, appended as text. */
int us_vault_access_proof(struct us_vault *v, const struct us_msg_logged *m, struct us_buf *out);
int us_vault_access_proof_of(uint64_t index, struct us_bytes hashes, struct us_bytes checkpoint,
    struct us_buf *out);

/* --- acts (acts.c) ---------------------------------------------------------------------------- */

enum us_vault_act_step { ACT_PREPARE, ACT_STORE, ACT_COMMIT };
struct us_vault_act_result {
	int err;
	enum us_reason reason;
	const char *detail; /* NUL-terminated, or NULL */
	uint32_t rule;      /* of the order, that refused it; 0: none */
	uint64_t entry;
	struct us_bytes committed; /* decode it for what the keeper gave */
	const uint8_t *before;     /* digest of the state before it, 32 bytes; NULL on failure */
	const struct us_msg_logged *logged; /* of the commit; NULL on failure */
};
struct us_vault_act_job {
	struct us_vault_act_job *next;
	int is_batch;
	struct us_msg_batch_prepare batch;
	struct us_msg_act_prepare act; /* views must live until done */
	/* Called when it is folded, or has failed. Forgetting a job: done = NULL. */
	void (*done)(struct us_vault *v, void *ctx, const struct us_vault_act_result *result);
	void *ctx;
	struct us_buf copy; /* owns the views of act */
};
/* Takes over job. */
void us_vault_acts_put(struct us_vault *v, struct us_vault_act_job *job);
void us_vault_acts_free(struct us_vault *v);

/* --- loads (load.c) --------------------------------------------------------------------------- */

/* Pages that found no room: their batch must not be closed. */
struct us_vault_lost_pages {
	uint32_t collection;
	uint32_t slot;
	uint8_t kind;
	int err;
};

/* committed: the act that closed the batch; before: the state's digest before it. With them whoever
 * loads can check by the log what the act says, above all which parts the batch was made of. */
struct us_vault_load_batch {
	uint32_t slot;
	uint64_t entry;
	uint8_t before[32];
	struct us_buf committed;
};
struct us_vault_load {
	struct us_vault_load *next;
	uint64_t id;
	uint32_t collection;
	uint32_t person;
	uint8_t credential[32];
	uint8_t flags;
	uint64_t entry; /* that opened it */
	size_t purpose_n;
	uint8_t purpose[US_PURPOSE_MAX];  /* as it was opened for */
	uint8_t ticket[US_TICKET_SIZE];   /* its first one, until it is handed out */
	int started;                      /* the sealer knows it */
	struct us_vault_request *waiting; /* for load_started or load_ended */
	struct us_vault_load_batch *stored;
	size_t n_stored;
};
int us_vault_load_message(struct us_vault *v, uint16_t type, uint32_t tag, struct us_bytes body);
struct us_vault_load *us_vault_load_find(struct us_vault *v, uint64_t id);
void us_vault_load_free(struct us_vault *v, struct us_vault_load *l);
int us_vault_load_on_started(struct us_vault *v, struct us_bytes body);
int us_vault_load_on_ended(struct us_vault *v, struct us_bytes body);
void us_vault_load_sealer_gone(struct us_vault *v);
void us_vault_load_request_gone(struct us_vault *v, struct us_vault_request *r);
void us_vault_loads_free(struct us_vault *v);

/* --- the rest --------------------------------------------------------------------------------- */

struct us_vault_acts_queue {
	struct us_vault_act_job *first, *last;
	enum us_vault_act_step step;
	struct us_buf committed;
	uint64_t sequence;
	uint32_t call;
	uint64_t entry;
};

/* A release or withdrawal of a batch: snapshots from before it do not see a release. */
struct us_vault_batch_change {
	uint32_t collection;
	uint32_t slot;
	uint64_t sequence;
	enum us_act_type type;
};

struct us_vault {
	struct event_base *base;
	struct event *run_event;
	enum us_vault_state state;
	char why_refusing[160];
	struct us_store_reader *reader;
	struct us_writer *writer;
	struct us_cache *cache;
	struct us_channel *keeper;
	struct us_channel *sealer;
	struct us_vault_front fronts[FRONTS_MAX];
	struct us_vault_keeper_call *calls;
	uint32_t n_calls, free_call;
	struct us_work_queue work_queue;
	struct us_vault_request *free_requests;
	size_t n_free_requests;
	int sealing;                /* the keeper has agreed to seal: its end is ours */
	int frozen;                 /* the daemon was started frozen */
	struct us_channel *control; /* to the monitor */
	int leaving;                /* the end has begun: nothing is taken any more */

	/* while unsealed */
	uint8_t vault_id[32];
	struct us_key *state_key;
	struct us_key *cursor_key;
	struct us_registry *registry;
	uint64_t *act_entries; /* by sequence; NO_ENTRY: not known */
	size_t n_act_entries;
	struct us_vault_batch_change *changes;
	size_t n_changes;
	uint64_t newest; /* log index of the newest entry that changed what is published */
	struct us_vault_request *open_first, *open_last; /* whose answers have not ended */
	struct us_vault_late *late_first, *late_last;    /* by bound */
	uint64_t tree_size;                              /* of the newest checkpoint */
	uint64_t answered;      /* the keeper's newest answer was about the entry before this */
	uint64_t ended_told;    /* answers to entries before it have ended, and the keeper knows */
	struct us_buf outcomes; /* to tell: as in the message */
	struct event *outcome_timer;
	struct us_buf checkpoint;
	struct us_vault_start *start;             /* start.c */
	struct us_vault_collection **collections; /* by id */
	size_t n_collections;
	struct us_vault_manifest_slot manifests[MANIFESTS_MAX]; /* by a hash of batch and page */
	struct us_vault_rule_set *rule_sets[RULE_SETS_MAX];
	uint64_t rule_clock;
	struct us_vault_rule_queries *rule_queries; /* by version */
	roaring_bitmap_t *overlay;                  /* visible.c: a set without what is withheld */
	struct us_vault_session *sessions;
	size_t n_sessions, session_mask;
	struct us_vault_acts_queue acts;
	struct us_vault_log_gate *log_gate; /* NULL until somebody asks for the log */
	struct us_vault_load *loads;
	struct us_vault_lost_pages *lost;
	size_t n_lost;
	uint32_t credit_owed; /* bytes of pages stored while the log of writes is too long */

	/* scratch, wiped after each use */
	struct us_buf sealed, plain, container, text;
};

/* start.c */
int us_vault_start_unsealed(struct us_vault *v, struct us_bytes body);
void us_vault_start_free(struct us_vault *v);
/* Deletes pages of the collection that belong to no closed batch and no dictionary of the registry:
 * only while nothing is loaded into it. */
int us_vault_start_tidy(struct us_vault *v, uint32_t collection);
int us_vault_start_note_entry(struct us_vault *v, uint64_t sequence, uint64_t entry);
/* The same, for an act just folded, whose bytes are given. */
int us_vault_start_note_act(struct us_vault *v, uint64_t sequence, uint64_t entry,
    struct us_bytes committed);
uint64_t us_vault_entry_of(const struct us_vault *v, uint64_t sequence);
int us_vault_act_context(const struct us_vault *v, uint64_t sequence, uint8_t out[96], size_t *n);
/* Ends the process with US_EXIT_SEALED (or 1) once replies are out. */
void us_vault_leave(struct us_vault *v, int status);
/* Has what was refused without an entry counted by the keeper, now or by way of the monitor.
 * counts: { u8 reason, u32 count }, packed. */
int us_vault_refused(struct us_vault *v, struct us_bytes counts);

/* handle_*.c: the message stands in r->body and has been decoded once; what it needs is there */
void us_vault_handle_status(struct us_vault_request *r);
void us_vault_handle_challenge(struct us_vault_request *r);
void us_vault_handle_session(struct us_vault_request *r);
void us_vault_handle_share(struct us_vault_request *r);
void us_vault_handle_act(struct us_vault_request *r);
void us_vault_handle_list(struct us_vault_request *r);
/* What a list is, in the log; NONE for a number that is none. */
enum us_action us_vault_list_action(uint8_t what);
void us_vault_handle_question(struct us_vault_request *r);
void us_vault_handle_search(struct us_vault_request *r);
void us_vault_handle_read(struct us_vault_request *r);
void us_vault_handle_load_open(struct us_vault_request *r);
void us_vault_handle_load_end(struct us_vault_request *r);
void us_vault_handle_load_ticket(struct us_vault_request *r);
void us_vault_handle_log(struct us_vault_request *r);
void us_vault_handle_log_keys(struct us_vault_request *r);
void us_vault_handle_cosign(struct us_vault_request *r);
/* us_vault_handle_read.c, for copies too: records named by r->state (struct reading) */
struct us_act_copy;
int us_vault_read_copy(struct us_vault_request *r, const struct us_act_copy *copy, uint64_t copy_id,
    uint64_t entry);
/* The records that a read asks for, into r->asked: for the entry of its refusal. */
void us_vault_read_asked(struct us_vault_request *r);
int us_vault_read_check(struct us_vault_request *r, const uint64_t *records, size_t n,
    enum us_action action, struct us_bytes purpose);

#endif
