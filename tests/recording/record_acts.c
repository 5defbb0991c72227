/*
 * record_acts: prints, in hexadecimal, one act of every type with fixed values: its payload, and
 * for each the committed act and the state's digest behind it, as one chain. No two fields of an
 * act have the same value, so that none can be taken for another. For tests/recording/record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "registry/act.h"

static const uint8_t two_records[16] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t two_runs[] = { 5, 3, 1, 0x80, 0x01 }; /* 5 to 7, 9 to 136 */
static const struct us_selection set = { .collection = 21,
	.n_runs = 2,
	.runs = { two_runs, sizeof(two_runs) } };
static const struct us_bytes records = { two_records, sizeof(two_records) };

static struct us_bytes
text(const char *s)
{
	return us_bytes_of(s);
}

static void
must(int err, const char *what)
{
	if (err != US_OK) {
		(void)fprintf(stderr, "%s: %s\n", what, us_strerror(err));
		exit(1);
	}
}

static void
people(struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_PERSON_ADD:
		a->u.person_add.name = text("Jos\xc3\xa9 Reader");
		a->u.person_add.capacity = US_CAPACITY_EXPERT;
		a->u.person_add.n_parties = 2;
		a->u.person_add.parties[0] = text("defendant");
		a->u.person_add.parties[1] = text("plaintiffs");
		break;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		a->u.change = (struct us_act_person_change){ 3, text("left the firm") };
		break;
	case US_ACT_CREDENTIAL_ISSUE:
		a->u.issue = (struct us_act_issue){ 4, 365, text("der") };
		break;
	case US_ACT_CREDENTIAL_REVOKE:
		a->u.revoke = (struct us_act_revoke){ .by_person = 1,
			.person = 5,
			.reason = text("laptop lost"),
			.lost_since_ns = 6 };
		break;
	case US_ACT_ACKNOWLEDGE:
		a->u.acknowledge.version = 7;
		a->u.acknowledge.address = text("1 Main Street");
		a->u.acknowledge.place = text("New York");
		memset(a->u.acknowledge.source_digest, 0xa1, 32);
		memset(a->u.acknowledge.instrument, 0xa2, 32);
		memset(a->u.acknowledge.form, 0xa3, 32);
		break;
	case US_ACT_CLEARANCE:
		a->u.clearance.clearance = text("expert");
		a->u.clearance.person = 8;
		memset(a->u.clearance.statement, 0xa4, 32);
		break;
	default:
		break;
	}
}

static void
batches(struct us_act *a)
{
	struct us_act_batch_close *b = &a->u.batch_close;

	switch ((unsigned)a->type) {
	case US_ACT_COLLECTION_CREATE:
		a->u.collection = (struct us_act_collection){ text("demo"), text("DEMO"),
			text("CONFIDENTIAL") };
		break;
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		a->u.batch.collection = 11;
		a->u.batch.slot = 12;
		a->u.batch.reason = a->type == US_ACT_BATCH_WITHDRAW ? text("produced by mistake") :
								       text("");
		break;
	case US_ACT_BATCH_CLOSE:
		*b = (struct us_act_batch_close){ .collection = 13,
			.slot = 14,
			.load = 15,
			.loaded_by = 16,
			.first = 1000,
			.count = 17,
			.segment_slot = 18,
			.n_pages = 2,
			.pages = { { .pages = 19 }, { .kind = 1, .pages = 20 } },
			.held = 1,
			.dictionary_version = 22,
			.raw_bytes = 23,
			.duplicates = 24,
			.refused = 25,
			.first_part = 26,
			.parts = 27 };
		memset(b->salt, 0xb1, 32);
		memset(b->segment_salt, 0xb2, 32);
		memset(b->manifest_root, 0xb3, 32);
		memset(b->pages[0].root, 0xb4, 32);
		memset(b->pages[1].root, 0xb5, 32);
		memset(b->parts_digest, 0xb6, 32);
		break;
	case US_ACT_BATCH_VOID:
		a->u.batch_void = (struct us_act_batch_void){ 28, 29, 30, 31, text("interrupted") };
		break;
	case US_ACT_DICTIONARY:
		a->u.dictionary.collection = 32;
		a->u.dictionary.version = 33;
		a->u.dictionary.slot = 34;
		memset(a->u.dictionary.salt, 0xb7, 32);
		break;
	default:
		break;
	}
}

static void
copies(struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_COPY:
		a->u.copy = (struct us_act_copy){ 35, text("Expert E"), text("report"), 2,
			records };
		break;
	case US_ACT_COPY_RETURN:
		a->u.copy_return = (struct us_act_copy_return){ 36, US_COPY_DESTROYED,
			text("shredded") };
		break;
	case US_ACT_COPY_DIGEST:
		a->u.copy_digest.copy = 37;
		memset(a->u.copy_digest.digest, 0xc1, 32);
		break;
	case US_ACT_SEAL:
		a->u.seal.reason = text("night");
		break;
	case US_ACT_INIT:
		a->u.init.ca = text("certificate");
		a->u.init.order_source = text("source");
		a->u.init.order_compiled = text("compiled");
		a->u.init.n_hosts = 1;
		a->u.init.hosts[0] = text("localhost");
		a->u.init.n_people = 2;
		a->u.init.people[0].name = text("Adam");
		a->u.init.people[0].capacity = US_CAPACITY_ADMINISTRATOR;
		a->u.init.people[1].name = text("Kay");
		a->u.init.people[1].capacity = US_CAPACITY_KEYHOLDER;
		break;
	case US_ACT_DOCUMENT_ADD:
		a->u.document.size = 5;
		a->u.document.name = text("order.pdf");
		a->u.document.bytes = text("%PDF-");
		memset(a->u.document.digest, 0xc2, 32);
		break;
	default:
		break;
	}
}

static void
orders(struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_ORDER_PROPOSE:
		a->u.order_propose.source = text("source");
		a->u.order_propose.compiled = text("compiled");
		a->u.order_propose.authority = text("ECF No. 12");
		a->u.order_propose.effective_ns = 41;
		memset(a->u.order_propose.instrument, 0xd1, 32);
		break;
	case US_ACT_ORDER_SUSPEND:
		a->u.order_suspend = (struct us_act_order_suspend){ 42, text("ECF No. 13") };
		break;
	case US_ACT_DOCKET_SIGN:
		a->u.sign.docket_id = text("person-12");
		memset(a->u.sign.digest, 0xd2, 32);
		break;
	case US_ACT_DOCKET_OBJECT:
	case US_ACT_DOCKET_RESOLVE:
	case US_ACT_DOCKET_WITHDRAW:
	case US_ACT_DOCKET_SERVE:
		a->u.docket.docket_id = text("clearance-1");
		a->u.docket.outcome = US_OUTCOME_DENIED;
		a->u.docket.text = text("ECF No. 14");
		a->u.docket.party = text("defendant");
		a->u.docket.at_ns = 43;
		memset(a->u.docket.grounds, 0xd3, 32);
		break;
	case US_ACT_MATTER_SET:
		a->u.matter = (struct us_act_matter){ text("appeal"), text("ECF No. 18") };
		break;
	default:
		break;
	}
}

static void
of_records(struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_CHALLENGE:
	case US_ACT_RELABEL:
	case US_ACT_CLAWBACK:
		a->u.records.selection = set;
		a->u.records.designation = text("CONFIDENTIAL");
		a->u.records.reason = text("ECF No. 15");
		a->u.records.noticed_ns = 51;
		memset(a->u.records.document, 0xe1, 32);
		break;
	case US_ACT_FREEZE:
		a->u.freeze.scope = US_FREEZE_RECORDS;
		a->u.freeze.selection = set;
		a->u.freeze.authority = text("ECF No. 16");
		break;
	case US_ACT_UNFREEZE:
		a->u.unfreeze = (struct us_act_unfreeze){ 52, text("ECF No. 17") };
		break;
	case US_ACT_APPROVAL_REQUEST:
		a->u.approval = (struct us_act_approval){ .action = US_ACTION_READ,
			.collection = 53,
			.purpose = text("trial"),
			.n = 2,
			.records = records };
		break;
	default:
		break;
	}
}

static void
put(const char *what, const void *p, size_t n)
{
	struct us_buf hex;

	us_buf_init(&hex, 2 * n + 1);
	must(us_hex_put(&hex, p, n), "hex");
	(void)printf(" %s %.*s\n", what, (int)hex.len, (const char *)hex.data);
	us_buf_free(&hex);
}

/* Commits an act and goes on from digest. */
static void
show(const struct us_act *a, uint64_t sequence, uint8_t digest[32])
{
	struct us_signed_act envelope = { .type = a->type,
		.time_ns = 1700000000000000000 + (int64_t)sequence };
	struct us_committed_act committed = { .sequence = sequence,
		.time_ns = envelope.time_ns + 1000,
		.result = us_bytes_of("result") };
	struct us_buf payload, signed_act, whole;

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	us_buf_init(&signed_act, US_ACT_SIGNED_MAX);
	us_buf_init(&whole, US_ACT_COMMITTED_MAX);
	memset(envelope.vault_id, 0x11, 32);
	if (!us_act_is_vaults(a->type)) {
		memset(envelope.credential, 0x22, 32);
		memset(envelope.nonce, 0x33, US_ACT_NONCE);
		committed.actor = 9;
		committed.signature = us_bytes_of("signature");
	}
	must(us_act_encode(&payload, a), us_act_name((unsigned)a->type));
	envelope.payload = (struct us_bytes){ payload.data, payload.len };
	must(us_signed_act_encode(&signed_act, &envelope), "signed act");
	committed.signed_act = (struct us_bytes){ signed_act.data, signed_act.len };
	must(us_committed_act_encode(&whole, &committed), "committed act");
	must(us_state_digest(digest, (struct us_bytes){ whole.data, whole.len }, digest), "state");
	(void)printf("%u %s, logged as %s\n", (unsigned)a->type, us_act_name((unsigned)a->type),
	    us_action_name(us_act_action(a->type)));
	put("payload", payload.data, payload.len);
	put("committed", whole.data, whole.len);
	put("state", digest, 32);
	us_buf_free(&payload);
	us_buf_free(&signed_act);
	us_buf_free(&whole);
}

int
main(void)
{
	struct us_act *a = malloc(sizeof(*a));
	uint8_t digest[32] = { 0 };
	uint64_t sequence = 0;

	for (unsigned type = 1; a != NULL && type < 256; type++) {
		if (us_act_name(type) == NULL)
			continue;
		memset(a, 0, sizeof(*a));
		a->type = (enum us_act_type)type;
		people(a);
		batches(a);
		copies(a);
		orders(a);
		of_records(a);
		show(a, ++sequence, digest);
	}
	free(a);
	return sequence == 0;
}
