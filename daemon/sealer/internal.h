/*
 * Inside the sealer. The life of a load:
 *
 *   load_start → load_keys_request → STARTING → load_keys → load_started → OPEN
 *   documents … → (known_request → known_reply) → records join the open batch → documents_done
 *   load_end, also while STARTING → FINISHING or ABORTING → the open batch closes → load_ended
 *
 * and of a batch:
 *
 *   FILLING ──────────────┬─ 65,536 records, an era's end, 5 idle seconds, load_end ─→ KEYS
 *    │ ▲  12,000 raw      │
 *    ▼ └─ dictionary_key  │   KEYS (batch_open; again where an era ends within)
 *   DICTIONARY            │   → SEALING (pages, as credit allows) → SEALED (batch_sealed)
 *                         │   → STORED (batch_end) → gone
 *
 * What fails is gone from any state. The tables of both stand in load.c and batch.c.
 *
 * While a batch is not FILLING its load takes no further record. A collection has one load at a
 * time that fills or closes a batch; others wait with their parts.
 *
 * One thread; everything hangs off struct us_sealer.
 */
#ifndef US_DAEMON_SEALER_INTERNAL_H
#define US_DAEMON_SEALER_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "log/merkle.h"
#include "evidence/batch/batch.h"
#include "evidence/batch/intake_record.h"
#include "evidence/batch/record.h"
#include "evidence/batch/writer.h"
#include "base/buf.h"
#include "base/transitions.h"
#include "crypto/key.h"
#include "crypto/keytree.h"
#include "daemon/process/channel.h"
#include "evidence/index/segment.h"
#include "policy/designation.h"

#define SEALER_INTAKES_MAX 256
#define SEALER_IDLE_SECONDS 5
#define SEALER_DICTIONARY_RECORDS 12000u
/* Records that a string of the dictionary must stand in, so that it gives away no single one. */
#define SEALER_DICTIONARY_SUPPORT 20u
#define SEALER_PARTS_AHEAD 64u
/* Bytes of documents that wait for parts before them, or for another load: more are told to come
 * again. */
#define SEALER_WAITING_MEMORY ((size_t)256 << 20)
/* A load that the keeper has stopped is kept for so long, so that its parts are told why. */
#define SEALER_STOPPED_SECONDS 60
#define SEALER_UNKNOWN UINT64_MAX
/* Bytes of records, postings and documents above which a batch closes early. */
#define SEALER_BATCH_MEMORY ((size_t)192 << 20)

struct us_sealer;

/* A part that has come and is not answered yet. */
struct us_sealer_part {
	struct us_sealer_part *next; /* in the load's queue, by number */
	const struct us_sealer_load *load;
	uint32_t number;
	/* SHA-256 of its bytes: what makes it the same part if it comes again */
	uint8_t digest[32];
	struct us_channel *intake; /* NULL: gone, nobody wants the answer */
	uint32_t tag;
	uint32_t count, defects;
	uint8_t *bytes; /* the documents */
	size_t bytes_n;
	struct us_intake_record *records; /* views into bytes */
	struct us_tag *tags;
	uint8_t *known; /* the vault's answers; [0, known_n) are there */
	uint32_t known_n;
	uint32_t at; /* next record to take */
	int bad;     /* a refused record in a load that stops at one */
	uint32_t accepted, duplicates, refused;
	struct us_buf lines;
};

struct us_sealer_item {
	uint8_t *bytes; /* packed, or the container if !packed */
	uint32_t n;
	uint8_t packed;
	struct us_tag tag;
};

enum us_sealer_batch_state {
	BATCH_FILLING,
	BATCH_DICTIONARY, /* waits for dictionary_key */
	BATCH_KEYS,       /* waits for batch_keys */
	BATCH_SEALING,
	BATCH_SEALED, /* waits for batch_sealed_ok */
	BATCH_STORED, /* waits for batch_stored */
};
/* batch.c */
extern const struct us_transitions us_sealer_batch_transitions;

/* Keys of the batch being sealed, in us_secret_alloc() memory. */
struct us_sealer_batch_keys {
	struct us_key subtree, page, era;
	struct us_keytree_walk walk;
};

struct us_sealer_page_sum {
	uint32_t pages;
	struct us_merkle_stream tree;
};

struct us_sealer_batch {
	struct us_sealer_load *load;
	enum us_sealer_batch_state state;
	struct us_sealer_item *items;
	uint32_t n;
	size_t cap;
	uint32_t limit; /* records it may take */
	size_t memory;
	uint64_t raw_bytes, duplicates, refused;
	uint32_t first_part, last_part; /* of its records, once it has any */
	uint32_t *table;                /* open addressing by id tag: item + 1, or 0 */
	uint32_t table_n;
	struct us_segment_writer *segment;
	/* from here on only after the keeper's answer */
	int has_slot;
	uint32_t slot;
	uint64_t first;
	uint32_t count; /* of items that this slot takes */
	uint32_t at;    /* next to be sealed */
	uint8_t salt[32], segment_salt[32];
	struct us_sealer_batch_keys *keys;
	struct us_packer *packer; /* version 0, if there is no dictionary */
	struct us_batch_writer *writer;
	struct us_batch_totals totals;
	struct us_sealer_page_sum sums[US_BATCH_KINDS];
};

/* What is wrong with a load, and that the keeper has stopped it, does not change its state: it
 * waits for its end. */
enum us_sealer_load_state {
	LOAD_STARTING, /* waits for load_keys */
	LOAD_OPEN,
	LOAD_FINISHING, /* waits for its last batch */
	LOAD_ABORTING,
};
/* load.c */
extern const struct us_transitions us_sealer_load_transitions;
enum us_sealer_load_key { LOAD_KEY_DUPLICATE, LOAD_KEY_DICTIONARY, LOAD_KEY_TICKET, LOAD_KEYS };

struct us_sealer_load {
	struct us_sealer_load *next;
	struct us_sealer *s;
	uint64_t id;
	uint32_t collection;
	uint8_t flags;
	enum us_sealer_load_state state;
	int failed;      /* enum us_err: what ended it */
	uint8_t stopped; /* enum us_reason, if the keeper has stopped it */
	uint32_t start_tag, end_tag, known_tag;
	int known_wanted; /* a known_request is under way */
	/* the list of the order in force; of names it holds none but in designation */
	struct us_designations *designations;
	/* of records without one; nothing in it: they have none */
	struct us_designated designation;
	struct us_key *keys; /* by enum us_sealer_load_key */
	uint32_t dictionary_version;
	struct us_buf dictionary; /* sealed */
	struct us_buf trained;    /* in clear, until its key is there */
	int dictionary_new;       /* not stored yet: goes with the next batch */
	int dictionary_tried;
	struct us_packer *packer; /* with the dictionary; NULL: none yet */
	struct us_unpacker *unpacker;
	struct us_buf plain; /* of one record */
	uint32_t next_part;
	struct us_sealer_done_part *done; /* of the parts below next_part */
	size_t n_done, room_done;
	struct us_sealer_part *queue, *current;
	size_t queued;
	int advanced; /* a part has been taken since the idle timer was set */
	struct us_sealer_batch *batch;
	uint64_t received, admitted, duplicates, refused;
	struct us_buf slots;
	struct event *idle;
};

/* A collection that some load uses. */
struct us_sealer_collection {
	struct us_sealer_collection *next;
	uint32_t id;
	struct us_sealer_load *owner; /* that fills or closes a batch */
	uint64_t next_record;         /* what the keeper will give next, or SEALER_UNKNOWN */
};

struct us_sealer {
	struct event_base *base;
	struct event *step; /* the next slice of sealing */
	struct us_channel *vault, *keeper;
	struct us_channel *intake[SEALER_INTAKES_MAX];
	struct us_sealer_load *loads;
	struct us_sealer_collection *collections;
	uint8_t vault_id[32];
	uint32_t next_tag;
	size_t waiting_bytes; /* of the queues of all loads */
	/* the tail is still being filled if open */
	struct us_sealer_out_pages *out_head, *out_tail;
	int out_open;
	size_t out_bytes; /* queued here */
	size_t under_way; /* sent and not credited */
};

/* --- load.c --------------------------------------------------------------------------------- */

/* err: of sending what the other side waits for. If it did not leave, the channel ends, and this
 * process with it if that is a more trusted one. */
void us_sealer_sent(struct us_channel *ch, int err);
/* The vault opens a load: answered when the keeper has given its keys. */
int us_sealer_on_load_start(struct us_sealer *s, uint32_t tag, struct us_bytes body);
/* The keeper gives them, or says why not. */
int us_sealer_on_load_keys(struct us_sealer *s, struct us_bytes body);
/* The vault asks for its end: answered when its last batch is stored, or is not. */
int us_sealer_on_load_end(struct us_sealer *s, uint32_t tag, struct us_bytes body);
/* The load of that number, or NULL. */
struct us_sealer_load *us_sealer_find_load(struct us_sealer *s, uint64_t id);
/* What is known of a collection, which begins with the first question. NULL: no memory. */
struct us_sealer_collection *us_sealer_collection(struct us_sealer *s, uint32_t id);
/* 1 if its end was asked for: no part is taken any more. */
int us_sealer_load_is_ending(const struct us_sealer_load *load);
/* Ends what the load holds, for the reason err: waiting parts are answered, the batch is void. */
void us_sealer_load_fail(struct us_sealer_load *load, int err);
/* The keeper says that what opened the load stands no more: the same, but for a batch whose facts
 * the keeper has, about which it decides itself. Answered when no part of the load can be taken any
 * more. */
int us_sealer_on_load_stop(struct us_sealer *s, uint32_t tag, struct us_bytes body);
/* Gives the collection to whoever waits for it. */
void us_sealer_load_release(struct us_sealer_load *load);
/* Wipes what the load holds, answers who waits, and tells the keeper that it is over. */
void us_sealer_load_free(struct us_sealer_load *load);
/* Answers load_end if nothing is left to do. Returns 1 if the load is gone. */
int us_sealer_load_try_end(struct us_sealer_load *load);

/* --- designation.c -------------------------------------------------------------------------- */

/* The order's list (packed str16) and what a record without a designation gets. US_ERR_NOT_FOUND:
 * that is not of the list; US_ERR_FORMAT and others: no list; US_ERR_NOMEM. */
int us_sealer_designations_take(struct us_sealer_load *load, struct us_bytes list,
    struct us_bytes other);
/* US_OK if the document (evidence/index/doc.h) has no designation of its own or one of the list,
 * which then is the same bytes: both are folded. US_ERR_NOT_FOUND: another; US_ERR_TRUNCATED,
 * US_ERR_NOMEM. */
int us_sealer_designation_check(const struct us_sealer_load *load, struct us_bytes document);

/* --- part.c --------------------------------------------------------------------------------- */

/* Takes an intake's part, or answers why not. US_ERR_MALFORMED: what it sent are no documents. */
int us_sealer_on_documents(struct us_sealer *s, struct us_channel *ch, uint32_t tag,
    struct us_bytes body);
/* Answers it, if its intake is still there: what became of its records, or err. */
void us_sealer_part_answer(struct us_sealer_part *part, int err);
/* Keeps the answer of a part that is through. US_ERR_NOMEM. */
int us_sealer_part_keep_answer(struct us_sealer_load *load, const struct us_sealer_part *part);
/* The digest that binds the parts of a batch (registry/act.h, batch-close). US_ERR_INTERNAL: a part
 * is not known. */
int us_sealer_parts_digest(const struct us_sealer_load *load, uint32_t first, uint32_t last,
    uint8_t out[32]);
/* Drops what answer_again() would repeat. */
void us_sealer_forget_answers(struct us_sealer_load *load);
/* Wipes its records. part may be NULL. */
void us_sealer_part_free(struct us_sealer_part *part);

/* --- take.c --------------------------------------------------------------------------------- */

/* The vault says which records of a part are there already. */
int us_sealer_on_known(struct us_sealer *s, uint32_t tag, struct us_bytes body);
/* Goes on with whatever the load can do now. The load may be gone afterwards. */
void us_sealer_load_pump(struct us_sealer_load *load);

/* --- batch.c -------------------------------------------------------------------------------- */

/* Leads b to a state. */
void us_sealer_batch_move(struct us_sealer_batch *b, enum us_sealer_batch_state to);
/* An empty batch of the load. US_ERR_NOMEM, US_ERR_CRYPTO. */
int us_sealer_batch_new(struct us_sealer_load *load, struct us_sealer_batch **out);
/* Wipes its records and keys; says nothing to anybody. b may be NULL. */
void us_sealer_batch_free(struct us_sealer_batch *b);
/* The item with this id tag, or NULL. */
const struct us_sealer_item *
us_sealer_batch_find(const struct us_sealer_batch *b, const struct us_tag *tag);
/* Takes a copy of a record into the batch and its index. US_ERR_NOMEM, and errors of both. */
int us_sealer_batch_add(struct us_sealer_batch *b, const struct us_intake_record *r,
    const struct us_tag *tag);
/* 1 if it takes no further record. */
int us_sealer_batch_is_full(const struct us_sealer_batch *b);
/* Packs every raw item with the packer, whose dictionary has just come. */
int us_sealer_batch_pack_all(struct us_sealer_batch *b, struct us_packer *packer);

/* --- close.c -------------------------------------------------------------------------------- */

/* Asks the keeper for the batch's keys. */
int us_sealer_batch_close(struct us_sealer_batch *b);
/* The keeper gives a slot, its numbers and keys: sealing begins. */
int us_sealer_on_batch_keys(struct us_sealer *s, struct us_bytes body);
/* The keeper has the facts of a batch: the vault is told that it is whole. */
int us_sealer_on_batch_sealed_ok(struct us_sealer *s, struct us_bytes body);
/* The vault has it, or has not: the load goes on without it. */
int us_sealer_on_batch_stored(struct us_sealer *s, struct us_bytes body);
/* One slice of whatever is being sealed. */
void us_sealer_step(struct us_sealer *s);
/* Tells the keeper that the slot stays empty. */
void us_sealer_batch_void(struct us_sealer_batch *b);

/* --- pages.c -------------------------------------------------------------------------------- */

/* Queues a copy of a sealed page. US_ERR_NOMEM. */
int us_sealer_pages_put(struct us_sealer *s, uint32_t collection, uint32_t slot,
    enum us_page_kind kind, uint32_t number, struct us_bytes page);
/* Ends the message being filled and sends what the credit allows. */
int us_sealer_pages_flush(struct us_sealer *s);
/* The vault has taken so many bytes. */
void us_sealer_pages_credit(struct us_sealer *s, uint32_t bytes);
/* Drops what is queued of a slot. */
void us_sealer_pages_drop(struct us_sealer *s, uint32_t collection, uint32_t slot);
/* The same for all. */
void us_sealer_pages_drop_all(struct us_sealer *s);

/* --- dictionary.c --------------------------------------------------------------------------- */

/* Trains a dictionary on the raw items: appends at most US_DICTIONARY_MAX bytes. US_ERR_NOT_FOUND
 * if there is nothing worth it. */
int us_sealer_dictionary_train(const struct us_sealer_batch *b, struct us_buf *out);
/* The same over n records: for tests. */
int us_sealer_dictionary_train_on(const struct us_bytes *records, size_t n, unsigned support,
    struct us_buf *out);
/* The keeper gives the key of a dictionary, or says why not: the batch is filled further. */
int us_sealer_on_dictionary_key(struct us_sealer *s, struct us_bytes body);
/* Trains one if the batch is ready for it and asks for its key. Returns 1 if the load must wait. */
int us_sealer_dictionary_begin(struct us_sealer_load *load);

#endif
