/* Witnesses: checkpoints of this log that others have cosigned, as they were brought here.
 *
 * The setting "witnesses" names their keys. The file "cosignatures" holds str32 after str32 a
 * checkpoint with its cosignatures, the largest first: the newest ones, as witnesses come one after
 * the other, and behind them only those with more cosignatures than all larger ones. It is replaced
 * whole before a cosignature is acknowledged, and what it holds was signed by this log: a log that
 * is shorter at the next start, or another one, was put back, and the keeper does not start. */
#include <stdlib.h>
#include <string.h>

#include "log/cosignature.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"

#define FILE_NAME "cosignatures"
/* At most US_COSIGNERS_MAX have more cosignatures than all larger ones: what is more than that can
 * go. */
#define KEPT_MAX (US_COSIGNERS_MAX + 16u)
#define FILE_BYTES_MAX (KEPT_MAX * (US_COSIGNED_MAX + 4u))
#define CHECKPOINT_MAX 4096
#define FUTURE_S 3600 /* a witness's clock may be fast by this much */
#define PATH "checkpoint.witnessed"

struct us_keeper_kept {
	struct us_checkpoint checkpoint; /* without extensions: ours has none */
	struct us_cosigned who;
	struct us_buf note;
};

struct us_witnesses {
	struct us_note_key log;
	struct us_note_key key[US_COSIGNERS_MAX];
	size_t n;
	struct us_keeper_kept kept[KEPT_MAX + 1];
	size_t n_kept;
};

static struct us_bytes
bytes_of(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

/* --- the keys ------------------------------------------------------------------------------ */

static int
take_key(struct us_witnesses *w, const char *vkey, size_t n)
{
	struct us_note_key key;

	if (w->n == US_COSIGNERS_MAX)
		return US_ERR_LIMIT;
	if (us_note_key_parse(&key, vkey, n) != US_OK || key.type != US_NOTE_COSIGNATURE)
		return US_ERR_FORMAT;
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(w->key[i].pub, key.pub, sizeof key.pub) == 0)
			return US_ERR_EXISTS;
	w->key[w->n++] = key;
	return US_OK;
}

int
us_keeper_witnesses_set(struct us_keeper *k, const char *setting)
{
	struct us_witnesses *w = calloc(1, sizeof *w);
	int err = w == NULL ? US_ERR_NOMEM : US_OK;

	for (const char *at = setting; err == US_OK && *at != '\0';) {
		size_t n = strcspn(at, " \t");

		if (n > 0)
			err = take_key(w, at, n);
		at += n + (at[n] != '\0');
	}
	if (err != US_OK) {
		us_log_err(err,
		    "the setting \"witnesses\" must be different verifier keys of witnesses, with "
		    "blanks between");
		free(w);
		return err;
	}
	k->witnesses = w;
	return US_OK;
}

void
us_keeper_witnesses_free(struct us_keeper *k)
{
	if (k->witnesses == NULL)
		return;
	for (size_t i = 0; i < k->witnesses->n_kept; i++)
		us_buf_free(&k->witnesses->kept[i].note);
	free(k->witnesses);
	k->witnesses = NULL;
}

/* --- whose checkpoint it is ------------------------------------------------------------------ */

/* The proof that the log serves to everybody, from that size to the newest checkpoint. */
static int
own_proof(struct us_keeper *k, uint64_t from, uint64_t to, struct us_digest proof[US_PROOF_MAX],
    size_t *n)
{
	struct us_bytes rest, line;
	struct us_buf path, text;
	size_t got;
	int err;

	us_buf_init(&path, 128);
	us_buf_init(&text, 65536);
	err = us_buf_putf(&path, "consistency/%llu/%llu", (unsigned long long)from,
	    (unsigned long long)to);
	if (err == US_OK)
		err = us_klog_serve(k->klog, bytes_of(&path), &text);
	rest = bytes_of(&text);
	for (*n = 0; err == US_OK && us_cosignature_next(&rest, &line) == US_OK; (*n)++)
		if (*n == US_PROOF_MAX ||
		    us_base64_decode((const char *)line.p, line.n - 1, proof[*n].b, US_HASH_LEN,
			&got) != US_OK ||
		    got != US_HASH_LEN)
			err = US_ERR_INTERNAL;
	us_buf_free(&path);
	us_buf_free(&text);
	return err;
}

/* Signed by this log's key, and a prefix of this very log: a key that was copied, or a directory
 * that was put back, signs what is no prefix. US_ERR_VERIFY. */
static int
check_own(struct us_keeper *k, struct us_bytes note, struct us_checkpoint *c)
{
	const struct us_bytes newest_note = us_klog_checkpoint(k->klog);
	struct us_digest proof[US_PROOF_MAX];
	struct us_checkpoint newest;
	size_t n = 0;
	int err = us_checkpoint_open(c, NULL, note.p, note.n, &k->witnesses->log, 1);

	if (err == US_OK && (c->size == 0 || c->extensions.n > 0))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_checkpoint_open(&newest, NULL, newest_note.p, newest_note.n,
		    &k->witnesses->log, 1);
	if (err != US_OK)
		return err;
	if (c->size > newest.size)
		return US_ERR_VERIFY;
	c->extensions = (struct us_bytes){ NULL, 0 };
	err = own_proof(k, c->size, newest.size, proof, &n);
	return err != US_OK ?
	    err :
	    us_merkle_verify_consistency(c->size, &c->root, newest.size, &newest.root, proof, n);
}

/* --- what is kept ---------------------------------------------------------------------------- */

static struct us_keeper_kept *
find(struct us_witnesses *w, uint64_t size)
{
	for (size_t i = 0; i < w->n_kept; i++)
		if (w->kept[i].checkpoint.size == size)
			return &w->kept[i];
	return NULL;
}

/* Drops the smallest that a larger one with as many cosignatures makes useless. */
static void
drop_one(struct us_witnesses *w)
{
	size_t most = 0, useless = w->n_kept - 1;

	for (size_t i = 0; i < w->n_kept; i++) {
		if (w->kept[i].who.n <= most)
			useless = i;
		else
			most = w->kept[i].who.n;
	}
	us_buf_free(&w->kept[useless].note);
	memmove(&w->kept[useless], &w->kept[useless + 1],
	    (w->n_kept - useless - 1) * sizeof w->kept[0]);
	w->n_kept--;
}

/* Takes item over. */
static void
insert(struct us_witnesses *w, struct us_keeper_kept *item)
{
	struct us_keeper_kept *same = find(w, item->checkpoint.size);
	size_t at = 0;

	if (same != NULL) {
		us_buf_free(&same->note);
		*same = *item;
		return;
	}
	while (at < w->n_kept && w->kept[at].checkpoint.size > item->checkpoint.size)
		at++;
	memmove(&w->kept[at + 1], &w->kept[at], (w->n_kept - at) * sizeof w->kept[0]);
	w->kept[at] = *item;
	w->n_kept++;
	if (w->n_kept > KEPT_MAX)
		drop_one(w);
}

static int
store(const struct us_witnesses *w)
{
	struct us_buf file;
	int err = US_OK;

	us_buf_init(&file, FILE_BYTES_MAX);
	for (size_t i = 0; i < w->n_kept && err == US_OK; i++)
		err = us_buf_put_str32(&file, w->kept[i].note.data, w->kept[i].note.len);
	if (err == US_OK)
		err = us_keeper_write(FILE_NAME, bytes_of(&file));
	us_buf_free(&file);
	return err;
}

static int
load_one(struct us_keeper *k, struct us_bytes note)
{
	struct us_witnesses *w = k->witnesses;
	struct us_keeper_kept item;
	int err = check_own(k, note, &item.checkpoint);

	if (err != US_OK)
		return err;
	us_buf_init(&item.note, US_COSIGNED_MAX);
	err = us_cosigned_merge(&item.note, &item.who, &w->log, w->key, w->n, note,
	    (struct us_bytes){ NULL, 0 });
	/* witnesses that are not configured any more take their cosignatures with them */
	if (err == US_OK && item.who.n > 0)
		insert(w, &item);
	else
		us_buf_free(&item.note);
	return err;
}

/* The log has been opened: what stands in the file must be of it. */
static int
load(struct us_keeper *k)
{
	struct us_reader r;
	struct us_buf file;
	int err;

	us_buf_init(&file, FILE_BYTES_MAX);
	err = us_keeper_read(FILE_NAME, FILE_BYTES_MAX, &file);
	if (err == US_ERR_NOT_FOUND) {
		us_buf_free(&file);
		return US_OK;
	}
	us_reader_init(&r, file.data, file.len);
	for (size_t i = 0; err == US_OK && r.left > 0; i++) {
		struct us_bytes note = us_take_str32(&r, US_COSIGNED_MAX);

		err = r.err != US_OK ? r.err : i == KEPT_MAX ? US_ERR_LIMIT : load_one(k, note);
	}
	us_buf_free(&file);
	if (err == US_ERR_VERIFY)
		us_log(US_LOG_ERROR,
		    "a checkpoint that witnesses have cosigned is not one of this log: entries are "
		    "missing, or "
		    "the directory was put back. Restore it whole");
	else if (err != US_OK)
		us_log_err(err,
		    "the file \"" FILE_NAME
		    "\" is damaged. If it is removed, witnesses cosign anew");
	return err;
}

/* Who the witnesses are is configuration: it stands in the log each time it comes into effect. */
static int
log_keys(struct us_keeper *k)
{
	const struct us_witnesses *w = k->witnesses;
	uint8_t ids[US_COSIGNERS_MAX * US_EVENT_KEY_SIZE];
	const struct us_event e = { .form = US_EVENT_WITNESSES,
		.witnesses = { { ids, w->n * US_EVENT_KEY_SIZE } } };

	for (size_t i = 0; i < w->n; i++)
		us_store_u32(ids + i * US_EVENT_KEY_SIZE, w->key[i].id);
	return w->n == 0 ?
	    US_OK :
	    us_keeper_event(k, US_ACTION_AUDIT_WITNESS, US_DECISION_NONE, US_REASON_NONE, &e, NULL);
}

int
us_keeper_witnesses_load(struct us_keeper *k)
{
	const char *vkey = us_klog_vkey(k->klog);
	int err = k->witnesses == NULL ? us_keeper_witnesses_set(k, "") : US_OK;

	if (err == US_OK)
		err = us_note_key_parse(&k->witnesses->log, vkey, strlen(vkey));
	if (err == US_OK)
		err = load(k);
	return err != US_OK ? err : log_keys(k);
}

int
us_keeper_witnessed(const struct us_keeper *k, struct us_bytes path, struct us_buf *out)
{
	const struct us_witnesses *w = k->witnesses;
	const size_t n = sizeof PATH - 1;
	size_t wanted = 1;

	if (path.n < n || memcmp(path.p, PATH, n) != 0)
		return US_ERR_FORMAT;
	if (path.n > n) {
		if (path.n > n + 3 || path.n < n + 2 || path.p[n] != '/')
			return US_ERR_FORMAT;
		wanted = 0;
		for (size_t i = n + 1; i < path.n; i++) {
			if (path.p[i] < '0' || path.p[i] > '9')
				return US_ERR_FORMAT;
			wanted = wanted * 10 + (size_t)(path.p[i] - '0');
		}
	}
	for (size_t i = 0; i < w->n_kept; i++)
		if (w->kept[i].who.n >= wanted)
			return us_buf_put(out, w->kept[i].note.data, w->kept[i].note.len);
	return US_ERR_NOT_FOUND;
}

/* --- how old ------------------------------------------------------------------------------- */

static int
compare_times(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* When so many had cosigned the checkpoint; 0: they have not. */
static uint64_t
complete_at(const struct us_witnesses *w, const struct us_keeper_kept *item, size_t needed)
{
	uint64_t times[US_COSIGNERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		if (item->who.by[i])
			times[n++] = item->who.time_s[i];
	if (n < needed)
		return 0;
	qsort(times, n, sizeof times[0], compare_times);
	return times[needed - 1];
}

static int64_t
witnessed_ns(const struct us_witnesses *w, size_t needed)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < w->n_kept; i++) {
		const uint64_t at = complete_at(w, &w->kept[i], needed);

		if (at > newest)
			newest = at;
	}
	return newest > (uint64_t)(INT64_MAX / US_NS_PER_SECOND) ?
	    INT64_MAX :
	    (int64_t)newest * US_NS_PER_SECOND;
}

void
us_keeper_witnesses_age(struct us_keeper *k)
{
	const struct us_witness_age *rule = &k->witness_age;
	const int64_t now = us_time_now_ns();
	int64_t since;

	if (rule->max_ns == 0 || k->state != US_KEEPER_OPEN || k->witnesses == NULL ||
	    now < k->witness_asked_ns)
		return;
	k->witness_asked_ns = now + US_NS_PER_SECOND;
	since = witnessed_ns(k->witnesses, rule->needed);
	if (since < k->since_ns)
		since = k->since_ns; /* who has just unsealed has that long to get it witnessed */
	if (now - since <= rule->max_ns)
		return;
	us_log(US_LOG_WARNING,
	    "no checkpoint has been cosigned by %zu witnesses for %lld seconds%s", rule->needed,
	    (long long)((now - since) / US_NS_PER_SECOND), rule->seals ? ": sealing" : "");
	if (us_keeper_event(k, US_ACTION_AUDIT_WITNESS, US_DECISION_FAILED, US_REASON_EXPIRED,
		&(struct us_event){ .form = US_EVENT_UNWITNESSED,
		    .unwitnessed = { us_bytes_of(rule->seals ? "seal" : "warn") } },
		NULL) != US_OK)
		us_fatal("that the log is not witnessed cannot be logged. Stopping");
	k->witness_asked_ns = now + rule->max_ns;
	if (!rule->seals)
		return;
	us_keeper_settle(k);
	us_keeper_stop_sealed(k);
}

/* --- a cosignature is brought ----------------------------------------------------------------- */

struct us_keeper_brought {
	int err;
	enum us_reason reason;
	uint64_t size; /* 0: not known to be ours */
	size_t count;
	uint8_t new[US_COSIGNERS_MAX * US_EVENT_COSIGNER_SIZE]; /* as the entry says them */
	size_t n_new;
	int is_said; /* 0: the entry says nothing of it */
};

static enum us_reason
reason_of(int err)
{
	switch (err) {
	case US_OK:
		return US_REASON_NONE;
	case US_ERR_SIGNATURE:
	case US_ERR_VERIFY:
		return US_REASON_BAD_SIGNATURE;
	case US_ERR_DENIED:
		return US_REASON_UNKNOWN_CREDENTIAL;
	case US_ERR_NOT_YET:
		return US_REASON_CLOCK;
	case US_ERR_IO:
	case US_ERR_NOSPACE:
	case US_ERR_NOMEM:
	case US_ERR_CRYPTO:
	case US_ERR_INTERNAL:
		return US_REASON_ERROR;
	default:
		return US_REASON_MALFORMED;
	}
}

/* What is new among them goes on record; a time to come is refused, as later ones could not replace
 * it. */
static int
note_new(const struct us_witnesses *w, const struct us_cosigned *old, const struct us_cosigned *new,
    struct us_keeper_brought *b)
{
	const uint64_t latest = (uint64_t)(us_time_now_ns() / US_NS_PER_SECOND) + FUTURE_S;

	b->is_said = 1;
	for (size_t i = 0; i < w->n; i++) {
		if (!new->by[i] || (old->by[i] && old->time_s[i] >= new->time_s[i]))
			continue;
		if (new->time_s[i] > latest) {
			b->is_said = 0;
			return US_ERR_NOT_YET;
		}
		us_event_pack_cosigner(b->new + b->n_new *US_EVENT_COSIGNER_SIZE, w->key[i].id,
		    new->time_s[i]);
		b->n_new++;
	}
	return US_OK;
}

/* Merges it with what is there of the same checkpoint. */
static int
take(struct us_keeper *k, struct us_bytes note, struct us_keeper_brought *b)
{
	static const struct us_cosigned nobody;
	const struct us_bytes none = { NULL, 0 };
	struct us_witnesses *w = k->witnesses;
	struct us_bytes text, lines;
	struct us_cosigned theirs;
	struct us_keeper_kept item, *same;
	int err = check_own(k, note, &item.checkpoint);

	if (err == US_ERR_NOT_FOUND) /* this log did not sign it */
		err = US_ERR_VERIFY;
	if (err != US_OK)
		return err;
	b->size = item.checkpoint.size;
	us_buf_init(&item.note, US_COSIGNED_MAX);
	err = us_cosigned_merge(&item.note, &theirs, &w->log, w->key, w->n, note, none);
	if (err == US_OK && theirs.n == 0)
		err = US_ERR_DENIED;
	item.who = theirs;
	same = find(w, b->size);
	if (err == US_OK && same != NULL) {
		err = us_note_split(&text, &lines, note.p, note.n);
		us_buf_reset(&item.note);
		if (err == US_OK)
			err = us_cosigned_merge(&item.note, &item.who, &w->log, w->key, w->n,
			    bytes_of(&same->note), lines);
	}
	if (err == US_OK)
		err = note_new(w, same == NULL ? &nobody : &same->who, &item.who, b);
	if (err != US_OK || b->n_new == 0) { /* nothing new is no error, and costs no sync */
		us_buf_free(&item.note);
		b->count = item.who.n;
		return err;
	}
	b->count = item.who.n;
	insert(w, &item);
	return store(w);
}

static int
finish_cosign(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_brought *b = p->data;
	struct us_msg_cosigned r = { .err = (uint8_t)b->err,
		.reason = (uint8_t)b->reason,
		.entry = p->index,
		.size = b->size,
		.count = (uint8_t)b->count };

	(void)k;
	return p->ch == NULL ? US_OK : us_send_cosigned(p->ch, p->tag, &r);
}

int
us_on_cosign(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_cosign };
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS, .access = &a, .query = &q };
	struct us_msg_cosign m;
	struct us_keeper_brought *b;
	int err = us_msg_cosign_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	b = p.data = calloc(1, sizeof *b);
	if (b == NULL)
		return US_ERR_NOMEM;
	b->err = take(k, m.note, b);
	b->reason = reason_of(b->err);
	if (b->err == US_ERR_VERIFY)
		b->err = US_ERR_SIGNATURE;
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_AUDIT_WITNESS;
	a.decision = b->err == US_OK ? US_DECISION_ALLOW : US_DECISION_DENY;
	a.reason = b->reason;
	us_keeper_fill_person(k, &a, m.credential);
	if (b->is_said)
		a.event = (struct us_event){ .form = US_EVENT_COSIGNED,
			.cosigned = { b->size, { b->new, b->n_new *US_EVENT_COSIGNER_SIZE } } };
	q.address = m.peer;
	err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(b);
		return err;
	}
	return us_keeper_answer(k, &p);
}
