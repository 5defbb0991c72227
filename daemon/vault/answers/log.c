/* The log as it is served: tiles, bundles, checkpoint, proofs of state entries; keys of boxes. */
#include "daemon/vault/answers/kinds.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/request/engine.h"

#define PROOF_PATH "entry-proof/"
#define ENTRY_CLASS_AT 4 /* in the bytes of an entry */
#define WITNESSED_PATH "checkpoint.witnessed"

/* --- files ------------------------------------------------------------------------------------ */

static int
parse_index(struct us_bytes text, uint64_t *index)
{
	return text.n > 18 ? US_ERR_FORMAT : us_number_digits(text.p, text.n, INT64_MAX, index);
}

static int
is_text(struct us_bytes path)
{
	const size_t n = sizeof WITNESSED_PATH - 1;

	return us_bytes_is(path, "checkpoint") || us_bytes_is(path, "vkey") ||
	    us_bytes_is(path, "handovers") ||
	    (path.n >= n && memcmp(path.p, WITNESSED_PATH, n) == 0);
}

static enum us_vault_next
ask_for_file(struct us_vault_request *r)
{
	const struct us_msg_log_read read = { .path = r->q.log_request.path };
	const uint32_t tag = us_vault_ask(r);

	r->content = is_text(read.path) ? US_TYPE_TEXT : US_TYPE_OCTETS;
	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_log_read(us_vault_keeper_channel(r->vault->keeper), tag, &read));
}

static enum us_vault_next
put_file(struct us_vault_request *r)
{
	struct us_msg_log_data m;

	if (r->heard.type != US_MSG_log_data ||
	    us_msg_log_data_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, US_REASON_NOT_FOUND, NO_ENTRY);
	r->work.ends_when_taken = m.data.n > LOG_GATE_LARGE;
	return us_vault_answer_bytes(r, 200, r->content, NO_ENTRY, m.data);
}

/* --- proofs ----------------------------------------------------------------------------------- */

/* What the commitment of a closing entry is made of (docs/PROTOCOL.md section 6), if a batch was
 * closed there. */
static void
put_batch_state(const struct us_vault_state *state, uint64_t entry, struct us_json *j)
{
	const struct us_registry *reg = us_vault_registry(state);
	uint32_t c;
	size_t i;

	for (c = 1; reg != NULL && c <= us_registry_collections(reg); c++)
		for (i = 0; i < us_registry_batches(reg, c); i++) {
			const struct us_batch *b = us_registry_batch(reg, c, i);

			if (b->status == US_BATCH_VOID ||
			    us_vault_entry_of(state, b->sequence) != entry)
				continue;
			us_json_kv_hex(j, "state", b->state, sizeof b->state);
			us_json_kv_hex(j, "manifest_root", b->facts.manifest_root,
			    sizeof b->facts.manifest_root);
			return;
		}
}

static enum us_vault_next
ask_for_proof(struct us_vault_request *r)
{
	const size_t label = sizeof PROOF_PATH - 1;
	const struct us_bytes path = r->q.log_request.path;
	struct us_msg_entry_proof m;
	uint32_t tag;

	if (parse_index((struct us_bytes){ path.p + label, path.n - label }, &m.index) != US_OK)
		return us_vault_fail(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
	tag = us_vault_ask(r);
	return us_vault_asked(r,
	    tag == 0 ? US_ERR_BUSY :
		       us_send_entry_proof(us_vault_keeper_channel(r->vault->keeper), tag, &m));
}

static enum us_vault_next
put_entry(struct us_vault_request *r)
{
	struct us_msg_entry_proof_reply m;
	enum us_vault_next next;
	struct us_buf b, proof;
	struct us_json j;
	int err;

	if (r->heard.type != US_MSG_entry_proof_reply ||
	    us_msg_entry_proof_reply_decode(&m, r->heard.body.p, r->heard.body.n) != US_OK)
		return us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
	if (m.err != US_OK)
		return us_vault_fail(r, m.err, US_REASON_NOT_FOUND, NO_ENTRY);
	us_buf_init(&proof, 65536);
	err = us_vault_put_proof(m.index, m.proof, m.checkpoint, &proof);
	us_vault_json_begin(&j, &b, 1u << 20);
	us_json_kv_uint(&j, "index", m.index);
	us_json_key(&j, "entry");
	us_json_base64(&j, m.entry.p, m.entry.n);
	us_json_kv_str(&j, "receipt", (struct us_bytes){ proof.data, proof.len });
	if (m.entry.n > ENTRY_CLASS_AT && m.entry.p[ENTRY_CLASS_AT] == US_CLASS_STATE)
		put_batch_state(r->vault->state, m.index, &j);
	us_json_close(&j);
	next = us_vault_answer_json(r, 200, NO_ENTRY, &j, &b);
	us_buf_free(&proof);
	return err == US_OK ? next : us_vault_fail(r, err, US_REASON_ERROR, NO_ENTRY);
}

static const struct us_vault_step proof_steps[] = {
	{ .once = ask_for_proof },
	{ .once = put_entry },
	{ .once = NULL },
};

static enum us_vault_next
choose(struct us_vault_request *r)
{
	const size_t label = sizeof PROOF_PATH - 1;
	const struct us_bytes path = r->q.log_request.path;

	return path.n > label && memcmp(path.p, PROOF_PATH, label) == 0 ?
	    us_vault_row(r, proof_steps) :
	    US_VAULT_GO_ON;
}

/* The tree is there for everybody whose certificate this vault issued, sealed or not: it shows
 * sizes and times. What is in the boxes needs keys, and these are logged. */
const struct us_vault_step us_vault_log_request_steps[] = {
	{ .once = us_vault_pass_gate },
	{ .once = choose },
	{ .once = ask_for_file },
	{ .once = put_file },
	{ .once = NULL },
};

/* --- keys of boxes ---------------------------------------------------------------------------- */

static void
put_boxes(struct us_json *j, struct us_bytes boxes, struct us_reader *in)
{
	static const char *const names[] = { "access", "disclosure", "query" };

	us_reader_init(in, boxes.p, boxes.n);
	us_json_key(j, "boxes");
	us_json_array(j);
	while (in->left > 0 && in->err == US_OK) {
		uint8_t mask = us_take_u8(in);
		unsigned box;

		us_json_object(j);
		for (box = 0; box < 3; box++) {
			struct us_bytes key;

			if ((mask >> box & 1) == 0)
				continue;
			key = us_take(in, 32);
			us_json_key(j, names[box]);
			us_json_base64(j, key.p, key.n);
		}
		us_json_close(j);
	}
	us_json_close(j);
}

/* The answer may come behind those about later entries; and when the request has ended. */
static void
on_keys(void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_msg_log_keys_reply m = { .err = US_ERR_INTERNAL };
	struct us_vault_request *r;

	if (type != US_MSG_log_keys_reply ||
	    us_msg_log_keys_reply_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer about keys of the log is not one");
	r = us_vault_outcome_not_late(ctx, m.entry, us_vault_outcome_is_given(m.err));
	if (r == NULL)
		return;
	r->call = 0;
	if (us_vault_outcome_is_given(m.err))
		us_vault_outcome_granted(r->vault->outcomes, &r->ending, m.entry);
	else
		r->refused = 1;
	r->own.log_keys = &m;
	us_vault_resume(r, US_VAULT_GO_ON);
}

static enum us_vault_next
ask_for_keys(struct us_vault_request *r)
{
	const struct us_msg_log_keys_request *q = &r->q.log_keys_request;
	struct us_vault_keeper *k = r->vault->keeper;
	struct us_msg_log_keys m = { .peer = q->peer, .from = q->from, .to = q->to };
	struct us_vault_late *late;
	enum us_vault_next next = us_vault_ask_order(r, (struct us_bytes){ NULL, 0 }, 0);

	if (next != US_VAULT_GO_ON)
		return next;
	memcpy(m.credential, r->who.credential, sizeof m.credential);
	memcpy(m.session, r->who.session, sizeof m.session);
	late = us_vault_outcome_late(r->vault->outcomes, &r->ending, r);
	if (late == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	r->call = us_vault_keeper_call(k, on_keys, late);
	next = us_vault_asked(r,
	    r->call == 0 ? US_ERR_BUSY : us_send_log_keys(us_vault_keeper_channel(k), r->call, &m));
	if (next == US_VAULT_FAIL)
		(void)us_vault_outcome_not_late(late, NO_ENTRY, 0);
	return next;
}

static enum us_vault_next
put_keys(struct us_vault_request *r)
{
	const struct us_msg_log_keys_reply *m = r->own.log_keys;
	struct us_reader in;
	enum us_vault_next next;
	struct us_json j;
	struct us_buf b;

	if (m->err != US_OK)
		return us_vault_fail(r, m->err, (enum us_reason)m->reason, m->entry);
	us_vault_json_begin(&j, &b, 16u << 20);
	us_json_kv_uint(&j, "entry", m->entry);
	us_json_kv_uint(&j, "from", m->from);
	us_json_kv_uint(&j, "next", m->next);
	put_boxes(&j, m->boxes, &in);
	us_json_close(&j);
	r->work.ends_when_taken = b.len > LOG_GATE_LARGE;
	next = us_vault_answer_json(r, 200, m->entry, &j, &b);
	return us_reader_end(&in) == US_OK ?
	    next :
	    us_vault_fail(r, US_ERR_INTERNAL, US_REASON_ERROR, m->entry);
}

const struct us_vault_step us_vault_log_keys_request_steps[] = {
	{ .once = us_vault_pass_gate },
	{ .once = ask_for_keys },
	{ .once = put_keys },
	{ .once = NULL },
};
