/* Goal: what the keeper gives without evidence in it: the log as files that verify, box keys for
 * whom the order lets audit, proofs of acts, signatures of the server's TLS key; and dictionaries,
 * loads and acts that contend. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/entry.h"
#include "verify/verify.h"
#include "log/proof.h"
#include "log/tiles.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

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

static int
get(void *arg, const char *path, struct us_buf *out)
{
	const struct us_msg_log_read m = { .path = us_bytes_of(path) };
	struct rig *r = arg;
	struct us_msg_log_data d;

	SEND(r->vault, log_read, &m);
	assert_true(rig_read(r, r->vault, US_MSG_log_data));
	assert_int_equal(us_msg_log_data_decode(&d, r->body.data, r->body.len), US_OK);
	return d.err == US_ERR_FORMAT ? US_ERR_NOT_FOUND /* no such file */ :
	    d.err != US_OK            ? d.err :
					us_buf_put(out, d.data.p, d.data.n);
}

static void
verify(struct rig *r)
{
	const struct us_log_source source = { .arg = r, .get = get };
	const struct us_verify_options options = { .vkey = r->made.vkey };
	struct us_verify_report report;

	assert_int_equal(us_log_verify(&report, &source, &options), US_OK);
	if (report.verdict != US_VERDICT_OK)
		print_message("%s\n", report.detail);
	assert_int_equal(report.verdict, US_VERDICT_OK);
	assert_int_equal(report.entries, r->tree_size);
}

static void
log_verifies_through_kills(void **state)
{
	struct rig *r = *state;
	struct us_msg_logged l;
	struct us_msg_log m;

	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 150; i++) {
			rig_log_init(r, &m, RIG_ATTORNEY);
			m.action = US_ACTION_COUNT;
			m.collection = 1;
			m.query = us_bytes_of("whale");
			assert_true(rig_log(r, &m, &l));
			assert_int_equal(l.err, US_OK);
		}
		verify(r);
		assert_int_equal(rig_stop(r, SIGKILL), -1);
		rig_start(r, "");
		rig_open(r);
		assert_true(r->tree_size > l.index);
		verify(r);
	}
}

static struct us_msg_log_keys_reply
ask_keys(struct rig *r, int who, uint64_t from, uint64_t to)
{
	struct us_msg_log_keys m = { .from = from, .to = to, .peer = us_bytes_of("192.0.2.1") };
	struct us_msg_log_keys_reply reply;

	memcpy(m.credential, r->people[who].credential, 32);
	memcpy(m.session, r->people[who].session, 16);
	SEND(r->vault, log_keys, &m);
	assert_true(rig_read(r, r->vault, US_MSG_log_keys_reply));
	assert_int_equal(us_msg_log_keys_reply_decode(&reply, r->body.data, r->body.len), US_OK);
	return reply;
}

static void
auditor_opens_every_box(void **state)
{
	struct rig *r = *state;
	struct us_msg_log_keys_reply reply;
	struct us_buf keys, bundle, content;
	struct us_reader entries, boxes;
	uint64_t size;

	us_buf_init(&keys, 1 << 20);
	us_buf_init(&bundle, US_BUNDLE_MAX);
	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	for (int who = 0; who < RIG_PEOPLE; who++) {
		if (who == RIG_AUDITOR)
			continue;
		reply = ask_keys(r, who, 0, 5);
		assert_int_equal(reply.err, US_ERR_DENIED);
		assert_int_equal(reply.boxes.n, 0);
	}
	reply = ask_keys(r, RIG_AUDITOR, 0, UINT64_MAX);
	assert_int_equal(reply.err, US_OK);
	size = r->tree_size;
	assert_int_equal(reply.next, size);
	assert_int_equal(reply.boxes.n, size * 97);
	assert_int_equal(us_buf_put(&keys, reply.boxes.p, reply.boxes.n), US_OK);
	char path[64];
	(void)snprintf(path, sizeof path, "tile/entries/000.p/%u", (unsigned)size);
	assert_int_equal(get(r, path, &bundle), US_OK);
	us_reader_init(&entries, bundle.data, bundle.len);
	us_reader_init(&boxes, keys.data, keys.len);
	for (uint64_t i = 0; i < size; i++) {
		struct us_bytes entry = us_bundle_take(&entries);
		struct us_entry_view v;

		assert_int_equal(us_entry_decode(&v, entry.p, entry.n), US_OK);
		assert_int_equal(us_take_u8(&boxes), 7);
		for (int box = 0; box < US_BOXES; box++) {
			struct us_key key;

			us_take_into(&boxes, key.b, 32);
			us_buf_reset(&content);
			assert_int_equal(us_entry_open(&v, (enum us_box)box, &key, &content),
			    US_OK);
		}
	}
	assert_int_equal(us_reader_end(&boxes), US_OK);
	us_buf_free(&keys);
	us_buf_free(&bundle);
	us_buf_free(&content);
}

static void
entries_have_proofs(void **state)
{
	struct rig *r = *state;
	struct us_msg_entry_proof m = { .index = 0 };
	struct us_msg_entry_proof_reply reply;
	struct us_checkpoint c;
	struct us_note_key key;
	struct us_digest leaf;
	unsigned absent = 0, given = 0;

	assert_int_equal(us_note_key_parse(&key, r->made.vkey, strlen(r->made.vkey)), US_OK);
	for (; m.index < r->tree_size + 2; m.index++) {
		SEND(r->vault, entry_proof, &m);
		assert_true(rig_read(r, r->vault, US_MSG_entry_proof_reply));
		assert_int_equal(us_msg_entry_proof_reply_decode(&reply, r->body.data, r->body.len),
		    US_OK);
		if (reply.err != US_OK) {
			absent++;
			assert_int_equal(reply.entry.n, 0);
			continue;
		}
		given++;
		assert_int_equal(us_checkpoint_open(&c, NULL, reply.checkpoint.p,
				     reply.checkpoint.n, &key, 1),
		    US_OK);
		us_merkle_leaf(&leaf, reply.entry.p, reply.entry.n);
		assert_int_equal(us_merkle_verify_inclusion(&leaf, m.index, c.size,
				     (const struct us_digest *)reply.proof.p, reply.proof.n / 32,
				     &c.root),
		    US_OK);
	}
	assert_int_equal(given, r->tree_size); /* every one, and none that is not there yet */
	assert_int_equal(absent, 2);
}

static void
tls_key_signs(void **state)
{
	struct rig *r = *state;
	const struct us_msg_tls_identity who = { 0 };
	struct us_msg_tls_identity_reply id;
	struct us_msg_tls_sign m;
	struct us_msg_tls_signature sig;
	struct us_buf cert;
	uint8_t digest[32];

	us_buf_init(&cert, US_CERT_MAX);
	SEND(r->front, tls_identity, &who);
	assert_true(rig_read(r, r->front, US_MSG_tls_identity_reply));
	assert_int_equal(us_msg_tls_identity_reply_decode(&id, r->body.data, r->body.len), US_OK);
	assert_int_equal(us_buf_put(&cert, id.certificate.p, id.certificate.n), US_OK);
	assert_int_equal(us_sha256("hello", 5, digest), US_OK);
	m.digest = (struct us_bytes){ digest, 32 };
	SEND(r->front, tls_sign, &m);
	assert_true(rig_read(r, r->front, US_MSG_tls_signature));
	assert_int_equal(us_msg_tls_signature_decode(&sig, r->body.data, r->body.len), US_OK);
	assert_int_equal(sig.err, US_OK);
	assert_int_equal(us_cert_verify_signature((struct us_bytes){ cert.data, cert.len },
			     us_bytes_of("hello"), sig.signature),
	    US_OK);
	us_buf_free(&cert);
	/* a front may not ask for anything else */
	const struct us_msg_keeper_status status = { 0 };
	SEND(r->front, keeper_status, &status);
	assert_false(rig_read(r, r->front, US_MSG_keeper_status_reply));
}

static void
slots_are_never_given_twice(void **state)
{
	struct rig *r = *state;
	const struct us_msg_batch_open open = { .load = 78, .count = 10 };
	struct us_msg_batch_keys a, b;
	struct us_msg_logged l;
	struct us_msg_log m;

	for (int round = 0; round < 2; round++) {
		rig_log_init(r, &m, RIG_PRODUCER);
		m.action = US_ACTION_LOAD;
		m.collection = 1;
		m.load = 78;
		assert_true(rig_log(r, &m, &l));
		assert_int_equal(l.err, US_OK);
		b = (struct us_msg_batch_keys){ 0 };
		SEND(r->sealer, batch_open, &open);
		assert_true(rig_read(r, r->sealer, US_MSG_batch_keys));
		assert_int_equal(us_msg_batch_keys_decode(&b, r->body.data, r->body.len), US_OK);
		assert_int_equal(b.err, US_OK);
		if (round > 0) {
			assert_true(b.slot > a.slot);
			assert_true(b.first_record >= a.first_record + a.count);
			assert_memory_not_equal(a.batch_salt, b.batch_salt, 32);
			assert_memory_not_equal(a.subtree_key, b.subtree_key, 32);
		}
		a = b;
		assert_int_equal(rig_stop(r, SIGKILL), -1);
		rig_start(r, "");
		rig_open(r);
	}
}

static void
full_disk_gives_no_keys(void **state)
{
	struct rig *r = *state;
	const uint8_t record[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct us_msg_logged l;
	struct us_msg_log m;

	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "keeper.reserve=1000000\n"); /* more than the disk has: as good as full */
	rig_open(r);
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.kind = US_KIND_DISCLOSURE;
	m.action = US_ACTION_READ;
	m.collection = 1;
	m.records = (struct us_bytes){ record, 8 };
	assert_true(rig_log(r, &m, &l));
	assert_int_equal(l.err, US_ERR_NOSPACE);
	assert_int_equal(l.record_keys.n, 0);
	assert_true(l.index < r->tree_size);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(log_verifies_through_kills),
		T(auditor_opens_every_box),
		T(entries_have_proofs),
		T(tls_key_signs),
		T(slots_are_never_given_twice),
		T(full_disk_gives_no_keys),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
