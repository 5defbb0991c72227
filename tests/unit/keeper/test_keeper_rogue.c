/* Goal: whoever holds the vault's end of the keeper's channel gets the keys of what an entry of a
 * live session names, after that entry is durable, and no other key by any other way. The keeper is
 * a real process. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/role.h"
#include "rig.h"

static struct rig *
rig_of(void **state)
{
	return *state;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, 100);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	rig_destroy(*state);
	free(*state);
	return 0;
}

static void
no_keys(const struct us_msg_logged *l)
{
	assert_int_not_equal(l->err, US_OK);
	assert_int_equal(l->record_keys.n, 0);
	assert_int_equal(l->term_keys.n, 0);
	assert_int_equal(l->page_key.n, 0);
}

/* A read of record n by that person, otherwise in order. */
static void
read_of(struct rig *r, struct us_msg_log *m, int who, const uint8_t record[8])
{
	rig_log_init(r, m, who);
	m->kind = US_KIND_DISCLOSURE;
	m->action = US_ACTION_READ;
	m->collection = 1;
	m->records = (struct us_bytes){ record, 8 };
}

static const uint8_t record_5[8] = { 0, 0, 0, 0, 0, 0, 0, 5 };
static const uint8_t term[] = { 0, 5, 'w', 'h', 'a', 'l', 'e' };

static void
search_of(struct rig *r, struct us_msg_log *m, int who)
{
	rig_log_init(r, m, who);
	m->action = US_ACTION_SEARCH;
	m->collection = 1;
	m->query = us_bytes_of("whale");
	m->terms = (struct us_bytes){ term, sizeof term };
}

static void
gives_what_is_named(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;
	uint8_t key[48], three[24];
	uint64_t before;

	read_of(r, &m, RIG_ATTORNEY, record_5);
	before = r->tree_size;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_int_equal(l.record_keys.n, 48);
	assert_int_equal(l.tree_size, r->tree_size);
	assert_true(r->tree_size > before);
	assert_int_equal(l.term_keys.n, 0);
	assert_int_equal(l.page_key.n, 0);
	memcpy(key, l.record_keys.p, 48);
	for (unsigned i = 0; i < 3; i++)
		us_store_u64(three + 8 * i, 4 + i);
	m.records = (struct us_bytes){ three, 24 };
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 144);
	assert_memory_equal(l.record_keys.p + 48, key, 48);
	search_of(r, &m, RIG_ATTORNEY);
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_int_equal(l.term_keys.n, 4 + 32);
	assert_int_equal(l.record_keys.n, 0);
}

/* err: what the keeper says to the question for page keys from that batch on. */
static void
asks_for_pages(struct rig *r, uint32_t collection, uint32_t batch, int err, size_t keys)
{
	const struct us_msg_page_keys_request q = { .collection = collection, .batch = batch };
	struct us_msg_page_keys a;

	rig_send(r->vault, US_MSG_page_keys_request,
	    (us_encode_fn)(void (*)(void))us_msg_page_keys_request_encode, &q);
	assert_true(rig_read(r, r->vault, US_MSG_page_keys));
	assert_int_equal(us_msg_page_keys_decode(&a, r->body.data, r->body.len), US_OK);
	assert_int_equal(a.err, err);
	assert_int_equal(a.keys.n, keys * 37);
}

/* The keys of a collection's pages are had by whoever has an entry that opens it, and by nobody
 * else. */
static void
gives_pages_of_what_was_opened(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;

	asks_for_pages(r, 1, 0, US_ERR_DENIED, 0);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_OPEN_COLLECTION;
	m.collection = 1;
	memset(m.session, 0, 16);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	asks_for_pages(r, 1, 0, US_ERR_DENIED, 0);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_OPEN_COLLECTION;
	m.collection = 1;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_int_equal(l.page_key.n, 0);
	asks_for_pages(r, 1, 0, US_OK, 1);
	asks_for_pages(r, 1, 1, US_OK, 0);
	asks_for_pages(r, 1, UINT32_MAX, US_OK, 0);
	asks_for_pages(r, 2, 0, US_ERR_DENIED, 0);
}

static void
no_session_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;

	read_of(r, &m, RIG_ATTORNEY, record_5);
	memset(m.session, 0, 16);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_NO_SESSION);
	assert_true(l.index < r->tree_size); /* the refusal is on the record */
	search_of(r, &m, RIG_ATTORNEY);
	memset(m.session, 0, 16);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	m.action = US_ACTION_OPEN_COLLECTION;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
}

static void
forged_session_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_session_opened opened;
	struct us_pkey *right = r->people[RIG_ATTORNEY].key, *wrong;
	struct us_msg_logged l;
	struct us_msg_log m;

	assert_int_equal(us_pkey_new(US_PKEY_P256, &wrong), US_OK);
	r->people[RIG_ATTORNEY].key = wrong;
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_DENIED);
	assert_int_equal(opened.reason, US_REASON_BAD_SIGNATURE);
	r->people[RIG_ATTORNEY].key = right;
	us_pkey_free(wrong);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.session[3] ^= 1;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* another vault's nonce: one that this keeper never gave */
	r->vault_id[0] ^= 1;
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_DENIED);
	r->vault_id[0] ^= 1;
}

/* A front that lies says that it was shown what this vault did not issue, or another's: no
 * certificate comes to the keeper, which goes by its own. */
static void
strange_certificate_no_session(void **state)
{
	struct rig *r = rig_of(state);
	struct rig_person *p = &r->people[RIG_ATTORNEY];
	struct us_msg_session_opened opened;

	p->credential[31] ^= 1;
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_DENIED);
	assert_int_equal(opened.reason, US_REASON_UNKNOWN_CREDENTIAL);
	memcpy(p->credential, r->people[RIG_AUDITOR].credential, sizeof p->credential);
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_DENIED);
	assert_int_equal(opened.reason, US_REASON_BAD_SIGNATURE);
}

static void
expired_session_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_session_opened opened;
	struct us_msg_logged l;
	struct us_msg_log m;

	assert_int_equal(rig_session(r, RIG_ATTORNEY, 1, &opened), US_OK);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	(void)usleep(1100 * 1000);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_EXPIRED);
	assert_int_not_equal(rig_session(r, RIG_ATTORNEY, 16 * 60, &opened), US_OK);
}

static void
other_names_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;

	/* the attorney's name over the administrator's session, and the other way round */
	read_of(r, &m, RIG_ATTORNEY, record_5);
	memcpy(m.session, r->people[RIG_ADMIN].session, 16);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_SESSION_FORGED);
	read_of(r, &m, RIG_ADMIN, record_5);
	memcpy(m.session, r->people[RIG_ATTORNEY].session, 16);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* people whom the order gives nothing */
	for (int who = 0; who < RIG_PEOPLE; who++) {
		if (who == RIG_ATTORNEY)
			continue;
		read_of(r, &m, who, record_5);
		assert_true(rig_log(r, &m, &l));
		no_keys(&l);
		search_of(r, &m, who);
		assert_true(rig_log(r, &m, &l));
		no_keys(&l);
		m.action = US_ACTION_OPEN_COLLECTION;
		assert_true(rig_log(r, &m, &l));
		no_keys(&l);
	}
}

static void
unnamed_no_key(void **state)
{
	struct rig *r = rig_of(state);
	uint8_t beyond[8] = { 0, 0, 0, 0, 0, 0, 0, 100 }, many[8 * 1001];
	struct us_msg_logged l;
	struct us_msg_log m;

	read_of(r, &m, RIG_ATTORNEY, beyond); /* there is no record 100 */
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_NOT_FOUND);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.collection = 2;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* above the order's ceiling */
	for (size_t i = 0; i < 1001; i++)
		us_store_u64(many + 8 * i, i % 100);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.records = (struct us_bytes){ many, sizeof many };
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_QUOTA);
	/* no purpose, where the order wants one */
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.purpose.n = 0;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* names nothing: gets nothing, though it is allowed */
	search_of(r, &m, RIG_ATTORNEY);
	m.terms.n = 0;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_int_equal(l.term_keys.n, 0);
	/* records in an intent, terms in a disclosure, and both under a harmless action: nothing */
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.kind = US_KIND_INTENT;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	search_of(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_STATUS;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.term_keys.n, 0);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.action = US_ACTION_COLLECTION_LIST;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	/* leave to count or to list terms opens no record */
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.action = US_ACTION_COUNT;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	m.action = US_ACTION_TERMS;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	/* a denial, an outcome, an event */
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.decision = US_DECISION_DENY;
	m.reason = US_REASON_NOT_VISIBLE;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.kind = US_KIND_OUTCOME;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
	m.kind = US_KIND_EVENT;
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.record_keys.n, 0);
}

#define PERMITS "    actions: [count, search, read, sample, terms, match]\n"
#define NEXT "  - id: counsel-copies\n"
#define READS \
	"  - id: counsel-reads\n    paragraph: \"7.1\"\n    effect: permit\n    who:\n" \
	"      party: plaintiffs\n      capacity: [outside-counsel, counsel-staff]\n" \
	"    what: all\n    actions: [read]\n"

/* Whatever opens a record is decided as a read: where a rule lets search and copy, and another says
 * how it may be read, or none does. */
static void
no_read_no_key(void **state)
{
	static const struct {
		const char *rule;
		enum us_reason reason;
		int copies; /* a copy has limits and approvals of its own */
	} cases[] = {
		{ "", US_REASON_NOT_IN_ORDER, 0 },
		{ READS "    conditions: {acknowledgement: true}\n", US_REASON_NO_ACKNOWLEDGEMENT,
		    0 },
		{ READS "    conditions:\n      approvals: {count: 1, party: defendant, capacity: "
			"producer, hours: 24}\n",
		    US_REASON_APPROVAL, 1 },
		{ READS "    limits: {life: 1}\n", US_REASON_QUOTA, 1 },
	};
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;
	uint8_t two[16];
	char text[1024];

	us_store_u64(two, 5);
	us_store_u64(two + 8, 9);

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		rig_destroy(r);
		memset(r, 0, sizeof *r);
		(void)snprintf(text, sizeof text, "%s%s", cases[i].rule, NEXT);
		rig_create_order(r,
		    (const char *const[]){ PERMITS, "    actions: [count, search]\n", NEXT, text,
			NULL });
		rig_start(r, "");
		rig_open(r);
		rig_load(r, 100);
		read_of(r, &m, RIG_ATTORNEY, record_5);
		m.records = (struct us_bytes){ two, sizeof two };
		m.action = US_ACTION_SEARCH;
		assert_true(rig_log(r, &m, &l));
		no_keys(&l);
		assert_int_equal(l.reason, cases[i].reason);
		/* what shows no record is not asked */
		m.records.n = 0;
		assert_true(rig_log(r, &m, &l));
		assert_int_equal(l.err, US_OK);
		read_of(r, &m, RIG_ATTORNEY, record_5);
		m.records = (struct us_bytes){ two, sizeof two };
		m.action = US_ACTION_COPY;
		assert_true(rig_log(r, &m, &l));
		no_keys(&l);
		/* of no copy that there is: but the order came first */
		assert_int_equal(l.reason, cases[i].copies ? US_REASON_STATE : cases[i].reason);
	}
}

static void
malformed_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;
	struct us_msg_log m;
	const uint8_t bad_terms[] = { 0, 9, 'x' };

	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.kind = 99;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_MALFORMED);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.records.n = 7;
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	m.reason = US_REASON_QUOTA; /* allowed, with a reason why not */
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	search_of(r, &m, RIG_ATTORNEY);
	m.terms = (struct us_bytes){ bad_terms, sizeof bad_terms };
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* bytes that are no message at all: the channel is dropped */
	uint8_t junk[US_FRAME_HEADER + 4] = { 0, 0, 0, 4, 0x06, 0x08 };
	assert_int_equal(write(r->vault, junk, sizeof junk), (ssize_t)sizeof junk);
	assert_false(rig_read(r, r->vault, US_MSG_logged));
}

static void
out_of_turn_no_key(void **state)
{
	struct rig *r = rig_of(state);
	const struct us_msg_act_commit commit = { .sequence = 9 };
	const struct us_msg_load_keys_request load = { .load = 78 };
	const struct us_msg_batch_open batch = { .load = 78, .count = 10 };
	const struct us_msg_replay_end end = { 0 };
	struct us_msg_load_keys keys;
	struct us_msg_batch_keys batch_keys;
	struct us_msg_logged l;
	static const uint8_t zeros[32];

	/* a commit of what was never prepared */
	rig_send(r->vault, US_MSG_act_commit,
	    (us_encode_fn)(void (*)(void))us_msg_act_commit_encode, &commit);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	no_keys(&l);
	/* a load that no entry opened */
	rig_send(r->sealer, US_MSG_load_keys_request,
	    (us_encode_fn)(void (*)(void))us_msg_load_keys_request_encode, &load);
	assert_true(rig_read(r, r->sealer, US_MSG_load_keys));
	assert_int_equal(us_msg_load_keys_decode(&keys, r->body.data, r->body.len), US_OK);
	assert_int_not_equal(keys.err, US_OK);
	assert_memory_equal(keys.duplicate_key, zeros, 32);
	rig_send(r->sealer, US_MSG_batch_open,
	    (us_encode_fn)(void (*)(void))us_msg_batch_open_encode, &batch);
	assert_true(rig_read(r, r->sealer, US_MSG_batch_keys));
	assert_int_equal(us_msg_batch_keys_decode(&batch_keys, r->body.data, r->body.len), US_OK);
	assert_int_not_equal(batch_keys.err, US_OK);
	assert_memory_equal(batch_keys.subtree_key, zeros, 32);
	/* a replay when all is open: the asker is mad, and is dropped */
	rig_send(r->vault, US_MSG_replay_end,
	    (us_encode_fn)(void (*)(void))us_msg_replay_end_encode, &end);
	assert_false(rig_read(r, r->vault, US_MSG_replay_reply));
}

static void
revoked_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_act *act = calloc(1, sizeof *act);
	struct us_msg_session_opened opened;
	struct us_msg_logged l;
	struct us_msg_log m;

	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = 2;
	act->u.change.reason = us_bytes_of("test");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_OK);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_SUSPENDED);
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_DENIED);
	assert_int_equal(opened.reason, US_REASON_SUSPENDED);
	free(act);
}

static void
sealed_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_session_opened opened;
	struct us_msg_share_reply share;
	struct us_msg_logged l;
	struct us_msg_log m;

	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	read_of(r, &m, RIG_ATTORNEY, record_5);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(l.reason, US_REASON_SEALED);
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_ERR_SEALED);
	rig_unseal(r, 1, &share);
	assert_int_equal(share.shares_given, 1);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* unsealed, but its state is not known yet */
	rig_unseal(r, 2, &share);
	assert_int_equal(share.err, US_OK);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(rig_replay(r, r->n_acts), US_OK);
	/* sessions of before do not live on */
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_OK);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_int_equal(l.record_keys.n, 48);
}

static void
wrong_share_is_named(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_share_reply share;
	char keep[US_SLIP39_TEXT_MAX];

	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	memcpy(keep, r->made.mnemonics[0], sizeof keep);
	/* two letters of the last word: the checksum tells */
	(void)strcpy(strrchr(r->made.mnemonics[0], ' ') + 1, "academic");
	rig_unseal(r, 1, &share);
	assert_int_equal(share.err, US_ERR_SHARE);
	assert_int_equal(share.shares_given, 0);
	memcpy(r->made.mnemonics[0], keep, sizeof keep);
	rig_unseal(r, 1, &share);
	assert_int_equal(share.err, US_OK);
	assert_int_equal(share.share, 1);
}

static void
old_state_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_share_reply share;
	struct us_msg_session_opened opened;
	struct us_msg_logged l;
	struct us_msg_log m;
	struct us_act *act = calloc(1, sizeof *act);

	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = 2;
	act->u.change.reason = us_bytes_of("test");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_OK);
	assert_int_equal(rig_stop(r, SIGKILL), -1);
	rig_start(r, "");
	rig_unseal(r, 2, &share);
	/* the suspended person lives */
	assert_int_equal(rig_replay(r, r->n_acts - 1), US_ERR_VERIFY);
	assert_int_not_equal(rig_session(r, RIG_PRODUCER, 600, &opened), US_OK);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	assert_true(rig_log(r, &m, &l));
	no_keys(&l);
	/* it stays so until a start with the right state */
	assert_int_equal(rig_replay(r, r->n_acts), US_ERR_VERIFY);
	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	rig_unseal(r, 2, &share);
	assert_int_equal(rig_replay(r, r->n_acts), US_OK);
	free(act);
}

static void
failed_sync_no_key(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l = { 0 };
	struct us_msg_log m;
	uint64_t size;
	int status;

	assert_int_equal(rig_stop(r, 0), 0);
	/* Past start, unsealing and sessions: somewhere among the reads below. */
	rig_start(r, "keeper.fail-sync=16\n");
	rig_open(r);
	size = r->tree_size;
	for (unsigned i = 0;; i++) {
		assert_in_range(i, 0, 20);
		read_of(r, &m, RIG_ATTORNEY, record_5);
		if (!rig_log(r, &m, &l))
			break;
		assert_int_equal(l.err, US_OK);
		assert_int_equal(l.record_keys.n, 48);
		size = r->tree_size;
	}
	assert_true(size > 0);
	status = rig_wait(r);
	assert_int_equal(status, US_EXIT_IO);
	rig_start(r, "");
	rig_open(r);
	read_of(r, &m, RIG_ATTORNEY, record_5);
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_OK);
	assert_true(l.index >= size); /* nothing that was acknowledged is lost */
}

static void
second_daemon_is_refused(void **state)
{
	struct rig *r = rig_of(state);
	struct rig other = *r;

	other.pid = 0;
	us_buf_init(&other.body, 65536);
	rig_start(&other, "");
	assert_int_equal(rig_wait(&other), 1);
	us_buf_free(&other.body);
}

static void
seal_ends_the_process(void **state)
{
	struct rig *r = rig_of(state);
	struct us_signed_act s = { .type = US_ACT_SEAL, .time_ns = 0 };
	struct us_act *act = calloc(1, sizeof *act);
	struct rig_person *p = &r->people[RIG_ADMIN];
	struct us_msg_seal m = { .peer = us_bytes_of("192.0.2.1") };
	uint8_t sig[US_SIGNATURE_MAX];
	struct us_msg_logged l;
	struct us_buf payload, bytes;
	struct timespec now;
	size_t n;

	us_buf_init(&payload, 1024);
	us_buf_init(&bytes, 2048);
	act->type = US_ACT_SEAL;
	act->u.seal.reason = us_bytes_of("test");
	assert_int_equal(us_act_encode(&payload, act), US_OK);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	s.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	s.payload = (struct us_bytes){ payload.data, payload.len };
	memcpy(s.vault_id, r->vault_id, 32);
	memcpy(s.credential, p->credential, 32);
	s.nonce[0] = 99;
	assert_int_equal(us_signed_act_encode(&bytes, &s), US_OK);
	assert_int_equal(us_pkey_sign(p->key, (struct us_bytes){ bytes.data, bytes.len }, sig, &n),
	    US_OK);
	m.act = (struct us_bytes){ bytes.data, bytes.len };
	m.signature = (struct us_bytes){ sig, n };
	memcpy(m.credential, r->people[RIG_ATTORNEY].credential, 32);
	memcpy(m.session, r->people[RIG_ATTORNEY].session, 16);
	rig_send(r->vault, US_MSG_seal, (us_encode_fn)(void (*)(void))us_msg_seal_encode, &m);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	assert_int_not_equal(l.err, US_OK); /* another's act */
	memcpy(m.credential, p->credential, 32);
	memcpy(m.session, p->session, 16);
	rig_send(r->vault, US_MSG_seal, (us_encode_fn)(void (*)(void))us_msg_seal_encode, &m);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	assert_int_equal(l.err, US_OK);
	assert_int_equal(rig_wait(r), US_EXIT_SEALED);
	us_buf_free(&payload);
	us_buf_free(&bytes);
	free(act);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(gives_what_is_named),
		T(gives_pages_of_what_was_opened),
		T(no_session_no_key),
		T(forged_session_no_key),
		T(strange_certificate_no_session),
		T(expired_session_no_key),
		T(other_names_no_key),
		T(unnamed_no_key),
		T(no_read_no_key),
		T(malformed_no_key),
		T(out_of_turn_no_key),
		T(revoked_no_key),
		T(sealed_no_key),
		T(wrong_share_is_named),
		T(old_state_no_key),
		T(failed_sync_no_key),
		T(second_daemon_is_refused),
		T(seal_ends_the_process),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
