/* The log as it is served: tiles, bundles, checkpoint, proofs of state entries, keys of boxes; and
 * what witnesses bring. */
#include <string.h>

#include "base/time.h"
#include "daemon/vault/internal.h"

#define PROOF_PATH "entry-proof/"
#define WITNESSED_PATH "checkpoint.witnessed"

static void
on_data(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_log_data m;

	(void)v;
	r->call = 0;
	if (type != US_MSG_log_data || us_msg_log_data_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, US_REASON_NOT_FOUND, NO_ENTRY);
		return;
	}
	r->work.ends_when_taken = m.data.n > LOG_GATE_LARGE;
	us_vault_reply_bytes(r, 200, r->content, m.data);
}

/* What the commitment of a closing entry is made of (docs/PROTOCOL.md section 6), if a batch was
 * closed there. */
static void
put_batch_state(const struct us_vault *v, uint64_t entry, struct us_json *j)
{
	uint32_t c;
	size_t i;

	for (c = 1; v->registry != NULL && c <= us_registry_collections(v->registry); c++)
		for (i = 0; i < us_registry_batches(v->registry, c); i++) {
			const struct us_batch *b = us_registry_batch(v->registry, c, i);

			if (b->status == US_BATCH_VOID ||
			    us_vault_entry_of(v, b->sequence) != entry)
				continue;
			us_json_kv_hex(j, "state", b->state, sizeof b->state);
			us_json_kv_hex(j, "manifest_root", b->facts.manifest_root,
			    sizeof b->facts.manifest_root);
			return;
		}
}

static void
on_entry(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_entry_proof_reply m;
	struct us_buf b, proof;
	struct us_json j;
	int err;

	r->call = 0;
	if (type != US_MSG_entry_proof_reply ||
	    us_msg_entry_proof_reply_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, US_REASON_NOT_FOUND, NO_ENTRY);
		return;
	}
	us_buf_init(&b, 1u << 20);
	us_buf_init(&proof, 65536);
	err = us_vault_access_proof_of(m.index, m.proof, m.checkpoint, &proof);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "index", m.index);
	us_json_key(&j, "entry");
	us_json_base64(&j, m.entry.p, m.entry.n);
	us_json_kv_str(&j, "receipt", (struct us_bytes){ proof.data, proof.len });
	put_batch_state(v, m.index, &j);
	us_json_close(&j);
	if (err == US_OK)
		err = us_json_end(&j);
	if (err == US_OK)
		us_vault_reply_json(r, 200, NO_ENTRY, &b);
	else
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
	us_buf_free(&proof);
	us_buf_free(&b);
}

static int
parse_index(struct us_bytes text, uint64_t *index)
{
	uint64_t v = 0;
	size_t i;

	if (text.n == 0 || text.n > 18)
		return US_ERR_FORMAT;
	for (i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return US_ERR_FORMAT;
		v = v * 10 + (uint64_t)(text.p[i] - '0');
	}
	*index = v;
	return US_OK;
}

static int
is_text(struct us_bytes path)
{
	const size_t n = sizeof WITNESSED_PATH - 1;

	return us_bytes_is(path, "checkpoint") || us_bytes_is(path, "vkey") ||
	    us_bytes_is(path, "handovers") ||
	    (path.n >= n && memcmp(path.p, WITNESSED_PATH, n) == 0);
}

static void
ask_file(struct us_vault_request *r)
{
	struct us_vault *v = r->vault;
	struct us_msg_log_request q;
	struct us_msg_log_read read;
	struct us_msg_entry_proof proof;
	size_t label = sizeof PROOF_PATH - 1;
	int err = us_msg_log_request_decode(&q, r->body.data, r->body.len);

	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (q.path.n > label && memcmp(q.path.p, PROOF_PATH, label) == 0) {
		err = parse_index((struct us_bytes){ q.path.p + label, q.path.n - label },
		    &proof.index);
		r->call = err == US_OK ? us_vault_keeper_call_new(v, on_entry, r) : 0;
		if (err == US_OK)
			err = r->call == 0 ? US_ERR_BUSY :
					     us_vault_keeper_call_sent(v, &r->call,
						 us_send_entry_proof(v->keeper, r->call, &proof));
	} else {
		read.path = q.path;
		r->content = is_text(q.path) ? US_TYPE_TEXT : US_TYPE_OCTETS;
		r->call = us_vault_keeper_call_new(v, on_data, r);
		err = r->call == 0 ? US_ERR_BUSY :
				     us_vault_keeper_call_sent(v, &r->call,
					 us_send_log_read(v->keeper, r->call, &read));
	}
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_MALFORMED, NO_ENTRY);
}

/* The tree is there for everybody whose certificate this vault issued, sealed or not: it shows
 * sizes and times. What is in the boxes needs keys, and these are logged. */
void
us_vault_handle_log(struct us_vault_request *r)
{
	us_vault_log_gate_enter(r, ask_file);
}

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

static void
on_keys(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_msg_log_keys_reply m = { .err = US_ERR_INTERNAL };
	struct us_reader in;
	struct us_vault_request *r;
	struct us_json j;
	struct us_buf b;

	if (type != US_MSG_log_keys_reply ||
	    us_msg_log_keys_reply_decode(&m, body.p, body.n) != US_OK)
		us_panic("the keeper's answer about keys of the log is not one");
	r = us_vault_outcome_not_late(v, ctx, m.entry, us_vault_outcome_is_given(m.err));
	if (r == NULL)
		return;
	r->call = 0;
	if (us_vault_outcome_is_given(m.err))
		us_vault_outcome_granted(r, m.entry);
	else
		r->refused = 1;
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, m.entry);
		return;
	}
	us_buf_init(&b, 16u << 20);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "entry", m.entry);
	us_json_kv_uint(&j, "from", m.from);
	us_json_kv_uint(&j, "next", m.next);
	put_boxes(&j, m.boxes, &in);
	us_json_close(&j);
	r->work.ends_when_taken = b.len > LOG_GATE_LARGE;
	if (us_json_end(&j) == US_OK && us_reader_end(&in) == US_OK)
		us_vault_reply_json(r, 200, m.entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m.entry);
	us_buf_free(&b);
}

static void
ask_keys(struct us_vault_request *r)
{
	struct us_msg_log_keys_request q;
	struct us_msg_log_keys m;
	struct us_vault_late *late;
	int err;

	if (us_msg_log_keys_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (us_vault_access_rule(r, US_ACTION_AUDIT_KEYS, (struct us_bytes){ NULL, 0 }, 0) != US_OK)
		return;
	memcpy(m.credential, r->credential, sizeof m.credential);
	memcpy(m.session, r->session, sizeof m.session);
	m.peer = q.peer;
	m.from = q.from;
	m.to = q.to;
	late = us_vault_outcome_late(r);
	if (late == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	r->call = us_vault_keeper_call_new(r->vault, on_keys, late);
	err = r->call == 0 ? US_ERR_BUSY :
			     us_vault_keeper_call_sent(r->vault, &r->call,
				 us_send_log_keys(r->vault->keeper, r->call, &m));
	if (err == US_OK)
		return;
	(void)us_vault_outcome_not_late(r->vault, late, NO_ENTRY, 0);
	us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
}

void
us_vault_handle_log_keys(struct us_vault_request *r)
{
	us_vault_log_gate_enter(r, ask_keys);
}

static void
on_cosigned(struct us_vault *v, void *ctx, uint16_t type, struct us_bytes body)
{
	struct us_vault_request *r = ctx;
	struct us_msg_cosigned m;
	struct us_json j;
	struct us_buf b;

	(void)v;
	r->call = 0;
	if (type != US_MSG_cosigned || us_msg_cosigned_decode(&m, body.p, body.n) != US_OK) {
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	if (m.err != US_OK) {
		us_vault_reply_error(r, m.err, (enum us_reason)m.reason, m.entry);
		return;
	}
	us_buf_init(&b, 4096);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "entry", m.entry);
	us_json_kv_uint(&j, "size", m.size);
	us_json_kv_uint(&j, "cosignatures", m.count);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		us_vault_reply_json(r, 200, m.entry, &b);
	else
		us_vault_reply_error(r, US_ERR_INTERNAL, US_REASON_ERROR, m.entry);
	us_buf_free(&b);
}

/* Anybody who may see the tree may bring what a witness has signed: its key speaks for it, not who
 * carries it. */
static void
ask_cosign(struct us_vault_request *r)
{
	struct us_msg_cosign_request q;
	struct us_msg_cosign m;
	int err;

	if (us_msg_cosign_request_decode(&q, r->body.data, r->body.len) != US_OK) {
		us_vault_reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	memcpy(m.credential, r->credential, sizeof m.credential);
	m.peer = q.peer;
	m.note = q.note;
	r->call = us_vault_keeper_call_new(r->vault, on_cosigned, r);
	err = r->call == 0 ? US_ERR_BUSY :
			     us_vault_keeper_call_sent(r->vault, &r->call,
				 us_send_cosign(r->vault->keeper, r->call, &m));
	if (err != US_OK)
		us_vault_reply_error(r, err, US_REASON_ERROR, NO_ENTRY);
}

void
us_vault_handle_cosign(struct us_vault_request *r)
{
	us_vault_log_gate_enter(r, ask_cosign);
}
