/*
 * One entry of the log (docs/PROTOCOL.md, section 6): an open part and three boxes, access,
 * disclosure and query, each padded, sealed and committed to under a key of its own.
 *
 *     "USE1" u8 class u8 flags u16 zero u32 order version u64 index i64 time
 *     [class 2: commitment(32)]  salt(24)  [flags bit 0: str16 sealed box secret]
 *     3 x { commitment(32) str16 ciphertext }
 *
 * Contents of the boxes (big-endian; a reader refuses left-over bytes and other versions):
 *
 *   access      u8 version = 2, u8 flags (1 told; in version 1 not there), u8 kind, u8 action,
 *               u8 decision, u8 reason (case/action.h), u32 person (0: nobody),
 *               credential(32), u32 collection (0: none), u32 rule (counted from 1 in
 *               the order's file; 0: none), str16 paragraph, session id(16),
 *               u8 n, n x str16 party, u64 index of the entry this one answers (all ones: none),
 *               u64 sequence of the committed act (all ones: none), str16 summary (log/event.h)
 *   disclosure  u8 version = 2, u8 flags (1 copy, 2 batch, 4 fewer), u32 collection (0: none; in
 *               version 1 not there), u64 snapshot, u64 total, u32 part, u32 parts, u32 n, n x
 *               varint zigzag(record number - the one before; the first -0), [copy: u64 copy id,
 *               str16 recipient] [batch: u32 slot, u64 first record, u32 count, manifest root(32)]
 *   query       u8 version = 1, str16 purpose, str16 address, str32 query, u32 part, u32 parts,
 *               u32 n, n x str16 term
 *
 * Terms are the content words whose keys were given. In a refusal of records they are the Bates
 * numbers that were asked for, at most US_ENTRY_REFUSED of them, in the order asked; if there were
 * more, a last term "+N" says how many. Its disclosure box names none.
 *
 * An entry is at most 65,535 bytes. Lists are cut into parts: US_ENTRY_RECORDS records in one
 * disclosure always fit beside a query content of US_ENTRY_QUERY_MAX bytes and an access content of
 * US_ENTRY_ACCESS_MAX.
 *
 * An entry has four shapes: struct us_entry_in is what is written, us_entry_view its bytes decoded,
 * us_opened (log/opened.h) a view with its boxes open, and between vault and keeper it is the
 * message "log". What boxes hold is in all of them the same three structs.
 *
 * Encoding is one HKDF-Expand and three AES-256-GCM. Functions are pure; safe in threads.
 */
#ifndef US_LOG_ENTRY_H
#define US_LOG_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "case/action.h"
#include "case/limits.h"
#include "log/event.h"
#include "log/merkle.h"
#include "base/buf.h"
#include "crypto/key.h"

#define US_ENTRY_MAX 65535
#define US_ENTRY_SALT 24
#define US_ENTRY_RECORDS 4096
#define US_ENTRY_QUERY_MAX 12288
#define US_ENTRY_ACCESS_MAX 4096
#define US_ENTRY_REFUSED 1000    /* records that a refusal names */
#define US_ENTRY_NONE UINT64_MAX /* "no such index", "no such act" */
/* The most that a content of any box can have. */
#define US_ENTRY_CONTENT_MAX 65535
/* A box's plaintext with its padding is shorter than this. */
#define US_ENTRY_PLAIN_MAX 65536
#define US_ENTRY_BOOT 0x01 /* the flag of an entry written while sealed */

enum us_box { US_BOX_ACCESS, US_BOX_DISCLOSURE, US_BOX_QUERY, US_BOXES };

/* Who did what and what was decided. Views belong to the caller (encode) or point into the
 * decoded content (decode). */
struct us_entry_access {
	/* 1: that it was this person is the vault's word alone; nothing that their key has signed
	 * was at hand. Never of what was allowed to somebody */
	int told;
	enum us_kind kind;
	enum us_action action;
	enum us_decision decision;
	enum us_reason reason;
	uint32_t person;
	uint8_t credential[32];
	uint32_t collection;
	uint32_t rule;
	struct us_bytes paragraph; /* UTF-8, of the order */
	uint8_t session[16];
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES]; /* names as in the order */
	uint64_t related;
	uint64_t sequence;
	struct us_event event; /* the summary: what the entry says beside this */
};
/* The members of it in the order of their bytes, behind the version; the summary is the last. What
 * is not here is neither written nor read: contents.c goes by this. F(type, member) */
#define US_ENTRY_ACCESS_FIELDS(F) \
	F(FLAG, told) \
	F(KIND, kind) \
	F(ACTION, action) \
	F(DECISION, decision) \
	F(REASON, reason) \
	F(U32, person) \
	F(FIXED, credential) \
	F(U32, collection) \
	F(U32, rule) \
	F(STR16, paragraph) \
	F(FIXED, session) \
	F(PARTIES, parties) \
	F(U64, related) \
	F(U64, sequence)

/* What was disclosed, or what a batch brought in. */
struct us_entry_disclosure {
	/* as in the access box, so that records mean something without it; 0: none, or not said */
	uint32_t collection;
	uint64_t snapshot;
	/* What the person was told: of a search or count, how many records matched, on that
	 * snapshot. Of a read, how many it has. Of an outcome, how many had left. */
	uint64_t total;
	int fewer;      /* the person was told "fewer than total", and not how many */
	uint32_t part;  /* counted from 0 */
	uint32_t parts; /* at least 1 */
	size_t n_records;
	const uint64_t *records; /* in the order of disclosure */
	int has_copy;
	uint64_t copy_id;
	struct us_bytes recipient;
	int has_batch;
	uint32_t slot;
	uint64_t first;
	uint32_t count;
	struct us_digest manifest_root;
	uint64_t *owned; /* of us_entry_disclosure_decode(); NULL otherwise */
};

/* What was asked, why and from where. */
struct us_entry_query {
	struct us_bytes purpose;
	struct us_bytes address;
	struct us_bytes query;
	uint32_t part; /* of the list of terms */
	uint32_t parts;
	size_t n_terms;
	const struct us_bytes *terms;
	struct us_bytes *owned; /* of us_entry_query_decode(); NULL otherwise */
};

/* Everything that makes an entry: the shape of what is written. */
struct us_entry_in {
	enum us_entry_class entry_class;
	uint32_t order_version;
	uint64_t index;
	int64_t time_ns;
	/* class STATE only; ignored otherwise */
	uint8_t state_digest[32];    /* the digest after its act */
	uint8_t manifest_root[32];   /* zero but for a batch that closes */
	uint8_t salt[US_ENTRY_SALT]; /* fresh random bytes */
	const uint8_t *vault_id;     /* 32 bytes */
	/* S: the log box key B; or, with sealed.n > 0 (a boot entry), 32 fresh random bytes and
	 * themselves sealed to the log's box public key with context
	 * "underseal/boot-entry/1" || vault id || u64 index. */
	const struct us_key *secret;
	struct us_bytes sealed;
	/* NULL: an empty content (which also gets padded and sealed). */
	const struct us_entry_access *access;
	const struct us_entry_disclosure *disclosure;
	const struct us_entry_query *query;
};

/* Values that mean nothing: related and sequence NONE, parts 1, everything else zero. Start from
 * these. */
void us_entry_access_init(struct us_entry_access *a);
/* The same for the disclosure box. */
void us_entry_disclosure_init(struct us_entry_disclosure *d);
/* The same for the query box. */
void us_entry_query_init(struct us_entry_query *q);

/* Appends the entry's bytes to out (not the bundle's length prefix). US_ERR_LIMIT if the entry or a
 * content would be too large; US_ERR_ARG, US_ERR_CRYPTO, US_ERR_NOMEM; out is then unchanged. */
int us_entry_encode(struct us_buf *out, const struct us_entry_in *in);

struct us_box_view {
	const uint8_t *commitment; /* 32 bytes */
	struct us_bytes ciphertext;
};

/* A decoded entry, its boxes shut (log/opened.h opens them); everything points into its bytes. */
struct us_entry_view {
	enum us_entry_class entry_class;
	int boot;
	uint32_t order_version;
	uint64_t index;
	int64_t time_ns;
	const uint8_t *state; /* 32 bytes in class STATE, else NULL */
	const uint8_t *salt;
	struct us_bytes sealed; /* the sealed box secret of a boot entry */
	struct us_box_view boxes[US_BOXES];
	struct us_bytes prefix; /* what the boxes' additional data begins with */
};

/* US_ERR_TRUNCATED, US_ERR_TRAILING, US_ERR_FORMAT, US_ERR_RANGE. */
int us_entry_decode(struct us_entry_view *out, const void *entry, size_t n);

/* The three box keys, in the order of enum us_box, from S. The caller wipes them. */
int us_entry_box_keys(struct us_key keys[US_BOXES], const struct us_key *secret,
    const uint8_t vault_id[32], uint64_t index, const uint8_t salt[US_ENTRY_SALT]);
/* SHA-256("underseal/box/1" || u8 box || u64 index || key). */
int us_entry_commitment(uint8_t out[32], enum us_box box, uint64_t index, const struct us_key *key);
/* SHA-256("underseal/entry-state/1" || state digest || manifest root). */
int us_entry_state_commitment(uint8_t out[32], const uint8_t state_digest[32],
    const uint8_t manifest_root[32]);
/* Checks key against the box's commitment. US_ERR_COMMITMENT. */
int us_entry_check_key(const struct us_entry_view *v, enum us_box box, const struct us_key *key);
/* Checks the key, opens the box and appends its content, without padding, to content (evidence of
 * who did what: the buffer wipes itself). US_ERR_COMMITMENT, US_ERR_AUTH, US_ERR_FORMAT. */
int us_entry_open(const struct us_entry_view *v, enum us_box box, const struct us_key *key,
    struct us_buf *content);

/* The same for who opens many: *content points into plain, which has room for as many bytes as the
 * ciphertext (US_ENTRY_PLAIN_MAX always suffices), and nothing is allocated. What plain holds and
 * the key in this thread's cipher stay until the next call; whoever is done wipes plain and calls
 * us_gcm_forget(). */
int us_entry_open_next(const struct us_entry_view *v, enum us_box box, const struct us_key *key,
    uint8_t *plain, struct us_bytes *content);

/* The contents. encode appends; decode is strict, and its result points into content (and owned);
 * an empty content decodes as US_ERR_NOT_FOUND. Free what decode made (NULL-safe, also after a
 * failure). */
int us_entry_access_encode(struct us_buf *out, const struct us_entry_access *a);
/* Reads the content of an access box. */
int us_entry_access_decode(struct us_entry_access *out, const void *content, size_t n);
/* Appends the content of a disclosure box. */
int us_entry_disclosure_encode(struct us_buf *out, const struct us_entry_disclosure *d);
/* Reads it. Free with us_entry_disclosure_free(). */
int us_entry_disclosure_decode(struct us_entry_disclosure *out, const void *content, size_t n);
/* Frees what decode made. */
void us_entry_disclosure_free(struct us_entry_disclosure *d);
/* Appends the content of a query box. */
int us_entry_query_encode(struct us_buf *out, const struct us_entry_query *q);
/* Reads it. Free with us_entry_query_free(). */
int us_entry_query_decode(struct us_entry_query *out, const void *content, size_t n);
/* Frees what decode made. */
void us_entry_query_free(struct us_entry_query *q);

/* The length of a box's plaintext for a content of n bytes: the smallest 128 * 2^k that holds
 * 2 + n, from 4,096 on Padme (Nikitin et al., PETS 2019). */
size_t us_entry_padded(size_t n);

#endif
