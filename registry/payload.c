/* Payloads of acts: one taker and one putter a type, as listed in act.h. */
#include <string.h>

#include "crypto/cert.h"
#include "registry/payload.h"

static struct us_bytes
take_der(struct us_reader *r)
{
	struct us_bytes der = us_take_str32(r, US_CERT_MAX);

	if (der.n == 0)
		us_reader_fail(r, US_ERR_FORMAT);
	return der;
}

static enum us_capacity
take_capacity(struct us_reader *r)
{
	unsigned c = us_take_u8(r);

	if (us_capacity_name(c) == NULL)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? (enum us_capacity)c : US_CAPACITY_WITNESS;
}

static int
compare(struct us_bytes a, struct us_bytes b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static size_t
take_parties(struct us_reader *r, struct us_bytes parties[US_PERSON_PARTIES])
{
	size_t n = us_take_u8(r);

	if (n > US_PERSON_PARTIES)
		us_reader_fail(r, US_ERR_LIMIT);
	for (size_t i = 0; i < n && r->err == US_OK; i++) {
		parties[i] = us_take_str16(r, US_ORDER_ID_MAX);
		if (r->err == US_OK && !us_id_ok(parties[i], US_ORDER_ID_MAX))
			us_reader_fail(r, US_ERR_ENCODING);
		if (r->err == US_OK && i > 0 && compare(parties[i - 1], parties[i]) >= 0)
			us_reader_fail(r, US_ERR_FORMAT);
	}
	return r->err == US_OK ? n : 0;
}

static void
take_revoke(struct us_reader *r, struct us_act_revoke *a)
{
	unsigned by = us_take_u8(r);

	if (by != 1 && by != 2)
		us_reader_fail(r, US_ERR_RANGE);
	a->by_person = by == 2;
	if (a->by_person)
		a->person = take_id(r);
	else
		us_take_into(r, a->fingerprint, 32);
	a->reason = take_text(r, US_REASON_TEXT_MAX);
	a->lost_since_ns = (int64_t)us_take_u64(r);
	if (a->lost_since_ns < 0)
		us_reader_fail(r, US_ERR_RANGE);
}

static int
prefix_ok(struct us_bytes p)
{
	for (size_t i = 0; i < p.n; i++) {
		int letter = p.p[i] >= 'A' && p.p[i] <= 'Z';
		int digit = p.p[i] >= '0' && p.p[i] <= '9';
		if (!letter && (i == 0 || (!digit && p.p[i] != '-' && p.p[i] != '_')))
			return 0;
		if (digit && i + 1 == p.n)
			return 0; /* "A1" and number 2 must not read as another number */
	}
	return p.n > 0;
}

static void
take_collection(struct us_reader *r, struct us_act_collection *a)
{
	a->name = us_take_str16(r, US_COLLECTION_NAME_MAX);
	a->prefix = us_take_str16(r, US_BATES_PREFIX_MAX);
	if (r->err == US_OK &&
	    (!us_id_ok(a->name, US_COLLECTION_NAME_MAX) || !prefix_ok(a->prefix)))
		us_reader_fail(r, US_ERR_ENCODING);
	a->designation = take_text_or_empty(r, US_DESIGNATION_MAX);
}

uint64_t
us_act_copy_record(const struct us_act_copy *copy, uint32_t i)
{
	return us_load_u64(copy->records.p + (size_t)i * 8);
}

static void
take_copy(struct us_reader *r, struct us_act_copy *a)
{
	a->collection = take_id(r);
	a->recipient = take_text(r, US_RECIPIENT_MAX);
	a->purpose = take_text_or_empty(r, US_PURPOSE_MAX);
	a->n = us_take_u32(r);
	if (a->n == 0 || a->n > US_COPY_RECORDS_MAX)
		us_reader_fail(r, US_ERR_LIMIT);
	if (r->err != US_OK)
		return;
	a->records = us_take(r, (size_t)a->n * 8);
	for (uint32_t i = 1; i < a->n && r->err == US_OK; i++)
		if (us_act_copy_record(a, i - 1) >= us_act_copy_record(a, i))
			us_reader_fail(r, US_ERR_FORMAT);
}

static void
take_copy_return(struct us_reader *r, struct us_act_copy_return *a)
{
	a->copy = us_take_u64(r);
	unsigned how = us_take_u8(r);
	if (a->copy == 0 || (how != US_COPY_RETURNED && how != US_COPY_DESTROYED))
		us_reader_fail(r, US_ERR_RANGE);
	a->how = how == US_COPY_DESTROYED ? US_COPY_DESTROYED : US_COPY_RETURNED;
	a->note = take_text_or_empty(r, US_REASON_TEXT_MAX);
}

static void
take_init(struct us_reader *r, struct us_act_init *a)
{
	a->ca = take_der(r);
	a->order_source = us_take_str32(r, US_ORDER_SOURCE_MAX);
	a->order_compiled = us_take_str32(r, US_ORDER_COMPILED_MAX);
	if (a->order_source.n == 0 || a->order_compiled.n == 0)
		us_reader_fail(r, US_ERR_FORMAT);
	a->n_hosts = us_take_u8(r);
	if (a->n_hosts == 0 || a->n_hosts > US_INIT_HOSTS)
		us_reader_fail(r, US_ERR_LIMIT);
	for (size_t i = 0; i < a->n_hosts && r->err == US_OK; i++)
		a->hosts[i] = take_text(r, US_HOST_MAX);
	a->n_people = us_take_u8(r);
	if (a->n_people == 0 || a->n_people > US_INIT_PEOPLE)
		us_reader_fail(r, US_ERR_LIMIT);
	for (size_t i = 0; i < a->n_people && r->err == US_OK; i++) {
		struct us_init_person *p = &a->people[i];
		p->name = take_text(r, US_ORDER_NAME_MAX);
		p->capacity = take_capacity(r);
		p->n_parties = take_parties(r, p->parties);
		p->certificate = us_take_str32(r, US_CERT_MAX);
	}
}

static void
take_batch_close(struct us_reader *r, struct us_act_batch_close *a)
{
	a->collection = take_id(r);
	a->slot = take_slot(r);
	a->load = us_take_u64(r);
	a->loaded_by = take_id(r);
	a->first = us_take_u64(r);
	a->count = us_take_u32(r);
	a->era = us_take_u32(r);
	us_take_into(r, a->salt, 32);
	a->segment_slot = take_slot(r);
	us_take_into(r, a->segment_salt, 32);
	us_take_into(r, a->manifest_root, 32);
	a->n_pages = us_take_u8(r);
	if (a->n_pages > US_BATCH_PAGE_KINDS || a->count == 0 || a->count > US_BATCH_RECORDS_MAX)
		us_reader_fail(r, US_ERR_LIMIT);
	for (size_t i = 0; i < a->n_pages && r->err == US_OK; i++) {
		a->pages[i].kind = us_take_u8(r);
		a->pages[i].pages = us_take_u32(r);
		us_take_into(r, a->pages[i].root, 32);
		if (i > 0 && a->pages[i - 1].kind >= a->pages[i].kind)
			us_reader_fail(r, US_ERR_FORMAT);
	}
	unsigned flags = us_take_u8(r);
	if (flags > 1)
		us_reader_fail(r, US_ERR_RANGE);
	a->held = flags == 1;
	a->dictionary_version = us_take_u32(r);
	a->raw_bytes = us_take_u64(r);
	a->duplicates = us_take_u64(r);
	a->refused = us_take_u64(r);
	if (r->err == US_OK && r->left > 0) {
		a->first_part = us_take_u32(r);
		a->parts = us_take_u32(r);
		us_take_into(r, a->parts_digest, 32);
		if (a->parts == 0 || a->parts > UINT32_MAX - a->first_part)
			us_reader_fail(r, US_ERR_RANGE);
	}
	/* an era is 2^20 record numbers, and no batch crosses one; record numbers have 52 bits */
	if (r->err == US_OK &&
	    (a->first >> 52 != 0 || a->first >> US_ERA_SHIFT != a->era ||
		(a->first + a->count - 1) >> US_ERA_SHIFT != a->era))
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_batch_void(struct us_reader *r, struct us_act_batch_void *a)
{
	a->collection = take_id(r);
	a->slot = take_slot(r);
	a->first = us_take_u64(r);
	a->count = us_take_u32(r);
	a->reason = take_text(r, US_REASON_TEXT_MAX);
	if (a->count > US_BATCH_RECORDS_MAX || a->first >> 52 != 0)
		us_reader_fail(r, US_ERR_RANGE);
}

static void
take_person_change(struct us_reader *r, struct us_act_person_change *a)
{
	a->person = take_id(r);
	a->reason = take_text(r, US_REASON_TEXT_MAX);
}

static void
take_issue(struct us_reader *r, struct us_act_issue *a)
{
	a->person = take_id(r);
	a->days = us_take_u16(r);
	if (a->days == 0 || a->days > US_CREDENTIAL_DAYS_MAX)
		us_reader_fail(r, US_ERR_RANGE);
	a->csr = take_der(r);
}

static void
take_batch(struct us_reader *r, struct us_act_batch *a, int with_reason)
{
	a->collection = take_id(r);
	a->slot = take_slot(r);
	if (with_reason)
		a->reason = take_text(r, US_REASON_TEXT_MAX);
}

static void
take_dictionary(struct us_reader *r, struct us_act_dictionary *a)
{
	a->collection = take_id(r);
	a->version = take_id(r);
	a->slot = take_slot(r);
	us_take_into(r, a->salt, 32);
}

static void
take_payload(struct us_reader *r, struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_PERSON_ADD:
		a->u.person_add.name = take_text(r, US_ORDER_NAME_MAX);
		a->u.person_add.capacity = take_capacity(r);
		a->u.person_add.n_parties = take_parties(r, a->u.person_add.parties);
		return;
	case US_ACT_DOCKET_SIGN:
		a->u.sign.docket_id = us_take_str16(r, US_DOCKET_ID_MAX);
		if (r->err == US_OK && !us_id_ok(a->u.sign.docket_id, US_DOCKET_ID_MAX))
			us_reader_fail(r, US_ERR_ENCODING);
		us_take_into(r, a->u.sign.digest, 32);
		return;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		take_person_change(r, &a->u.change);
		return;
	case US_ACT_CREDENTIAL_ISSUE:
		take_issue(r, &a->u.issue);
		return;
	case US_ACT_CREDENTIAL_REVOKE:
		take_revoke(r, &a->u.revoke);
		return;
	case US_ACT_COLLECTION_CREATE:
		take_collection(r, &a->u.collection);
		return;
	case US_ACT_BATCH_RELEASE:
		take_batch(r, &a->u.batch, 0);
		return;
	case US_ACT_BATCH_WITHDRAW:
		take_batch(r, &a->u.batch, 1);
		return;
	case US_ACT_COPY:
		take_copy(r, &a->u.copy);
		return;
	case US_ACT_COPY_RETURN:
		take_copy_return(r, &a->u.copy_return);
		return;
	case US_ACT_SEAL:
		a->u.seal.reason = take_text(r, US_REASON_TEXT_MAX);
		return;
	case US_ACT_INIT:
		take_init(r, &a->u.init);
		return;
	case US_ACT_BATCH_CLOSE:
		take_batch_close(r, &a->u.batch_close);
		return;
	case US_ACT_BATCH_VOID:
		take_batch_void(r, &a->u.batch_void);
		return;
	case US_ACT_DICTIONARY:
		take_dictionary(r, &a->u.dictionary);
		return;
	case US_ACT_COPY_DIGEST:
		a->u.copy_digest.copy = us_take_u64(r);
		us_take_into(r, a->u.copy_digest.digest, 32);
		return;
	default:
		if (!us_payload_order_take(r, a))
			us_reader_fail(r, US_ERR_RANGE);
		return;
	}
}

int
us_act_decode(struct us_act *out, enum us_act_type type, struct us_bytes payload)
{
	struct us_reader r;

	memset(out, 0, sizeof *out);
	out->type = type;
	us_reader_init(&r, payload.p, payload.n);
	take_payload(&r, out);
	int err = us_reader_end(&r);
	if (err != US_OK)
		memset(out, 0, sizeof *out);
	return err;
}

/* ---- putting: errors are sticky, like the reader's ---- */

static void
put_parties(struct us_registry_writer *w, const struct us_bytes *parties, size_t n)
{
	if (n > US_PERSON_PARTIES) {
		put(w, US_ERR_LIMIT);
		return;
	}
	put_u8(w, (unsigned)n);
	for (size_t i = 0; i < n; i++)
		put_s16(w, parties[i]);
}

static void
put_init(struct us_registry_writer *w, const struct us_act_init *a)
{
	if (a->n_hosts > US_INIT_HOSTS || a->n_people > US_INIT_PEOPLE) {
		put(w, US_ERR_LIMIT);
		return;
	}
	put_s32(w, a->ca);
	put_s32(w, a->order_source);
	put_s32(w, a->order_compiled);
	put_u8(w, (unsigned)a->n_hosts);
	for (size_t i = 0; i < a->n_hosts; i++)
		put_s16(w, a->hosts[i]);
	put_u8(w, (unsigned)a->n_people);
	for (size_t i = 0; i < a->n_people; i++) {
		put_s16(w, a->people[i].name);
		put_u8(w, (unsigned)a->people[i].capacity);
		put_parties(w, a->people[i].parties, a->people[i].n_parties);
		put_s32(w, a->people[i].certificate);
	}
}

static void
put_batch_close(struct us_registry_writer *w, const struct us_act_batch_close *a)
{
	if (a->n_pages > US_BATCH_PAGE_KINDS) {
		put(w, US_ERR_LIMIT);
		return;
	}
	put_u32(w, a->collection);
	put_u32(w, a->slot);
	put_u64(w, a->load);
	put_u32(w, a->loaded_by);
	put_u64(w, a->first);
	put_u32(w, a->count);
	put_u32(w, a->era);
	put_raw(w, a->salt, 32);
	put_u32(w, a->segment_slot);
	put_raw(w, a->segment_salt, 32);
	put_raw(w, a->manifest_root, 32);
	put_u8(w, (unsigned)a->n_pages);
	for (size_t i = 0; i < a->n_pages; i++) {
		put_u8(w, a->pages[i].kind);
		put_u32(w, a->pages[i].pages);
		put_raw(w, a->pages[i].root, 32);
	}
	put_u8(w, a->held != 0);
	put_u32(w, a->dictionary_version);
	put_u64(w, a->raw_bytes);
	put_u64(w, a->duplicates);
	put_u64(w, a->refused);
	if (a->parts == 0)
		return;
	put_u32(w, a->first_part);
	put_u32(w, a->parts);
	put_raw(w, a->parts_digest, 32);
}

static void
put_copy(struct us_registry_writer *w, const struct us_act_copy *a)
{
	put_u32(w, a->collection);
	put_s16(w, a->recipient);
	put_s16(w, a->purpose);
	put_u32(w, a->n);
	if (a->n > US_COPY_RECORDS_MAX || a->records.n != (size_t)a->n * 8)
		put(w, US_ERR_LIMIT);
	else
		put_raw(w, a->records.p, a->records.n);
}

static void
put_revoke(struct us_registry_writer *w, const struct us_act_revoke *a)
{
	put_u8(w, a->by_person ? 2 : 1);
	if (a->by_person)
		put_u32(w, a->person);
	else
		put_raw(w, a->fingerprint, 32);
	put_s16(w, a->reason);
	put_u64(w, (uint64_t)a->lost_since_ns);
}

static void
put_batch_void(struct us_registry_writer *w, const struct us_act_batch_void *a)
{
	put_u32(w, a->collection);
	put_u32(w, a->slot);
	put_u64(w, a->first);
	put_u32(w, a->count);
	put_s16(w, a->reason);
}

static void
put_payload(struct us_registry_writer *w, const struct us_act *a)
{
	switch ((unsigned)a->type) {
	case US_ACT_PERSON_ADD:
		put_s16(w, a->u.person_add.name);
		put_u8(w, (unsigned)a->u.person_add.capacity);
		put_parties(w, a->u.person_add.parties, a->u.person_add.n_parties);
		return;
	case US_ACT_DOCKET_SIGN:
		put_s16(w, a->u.sign.docket_id);
		put_raw(w, a->u.sign.digest, 32);
		return;
	case US_ACT_PERSON_SUSPEND:
	case US_ACT_PERSON_REINSTATE:
	case US_ACT_PERSON_END:
		put_u32(w, a->u.change.person);
		put_s16(w, a->u.change.reason);
		return;
	case US_ACT_CREDENTIAL_ISSUE:
		put_u32(w, a->u.issue.person);
		put_u16(w, a->u.issue.days);
		put_s32(w, a->u.issue.csr);
		return;
	case US_ACT_CREDENTIAL_REVOKE:
		put_revoke(w, &a->u.revoke);
		return;
	case US_ACT_COLLECTION_CREATE:
		put_s16(w, a->u.collection.name);
		put_s16(w, a->u.collection.prefix);
		put_s16(w, a->u.collection.designation);
		return;
	case US_ACT_BATCH_RELEASE:
	case US_ACT_BATCH_WITHDRAW:
		put_u32(w, a->u.batch.collection);
		put_u32(w, a->u.batch.slot);
		if (a->type == US_ACT_BATCH_WITHDRAW)
			put_s16(w, a->u.batch.reason);
		return;
	case US_ACT_COPY:
		put_copy(w, &a->u.copy);
		return;
	case US_ACT_COPY_RETURN:
		put_u64(w, a->u.copy_return.copy);
		put_u8(w, (unsigned)a->u.copy_return.how);
		put_s16(w, a->u.copy_return.note);
		return;
	case US_ACT_SEAL:
		put_s16(w, a->u.seal.reason);
		return;
	case US_ACT_INIT:
		put_init(w, &a->u.init);
		return;
	case US_ACT_BATCH_CLOSE:
		put_batch_close(w, &a->u.batch_close);
		return;
	case US_ACT_BATCH_VOID:
		put_batch_void(w, &a->u.batch_void);
		return;
	case US_ACT_DICTIONARY:
		put_u32(w, a->u.dictionary.collection);
		put_u32(w, a->u.dictionary.version);
		put_u32(w, a->u.dictionary.slot);
		put_raw(w, a->u.dictionary.salt, 32);
		return;
	case US_ACT_COPY_DIGEST:
		put_u64(w, a->u.copy_digest.copy);
		put_raw(w, a->u.copy_digest.digest, 32);
		return;
	default:
		if (!us_payload_order_put(w, a))
			put(w, US_ERR_RANGE);
		return;
	}
}

int
us_act_encode(struct us_buf *out, const struct us_act *act)
{
	struct us_buf b;
	struct us_registry_writer w = { &b, US_OK };

	us_buf_init(&b, US_ACT_SIGNED_MAX);
	put_payload(&w, act);
	if (w.err == US_OK) {
		/* reading it back is the check: what we write is never what we would refuse */
		struct us_act again;
		w.err = us_act_decode(&again, act->type, (struct us_bytes){ b.data, b.len });
	}
	if (w.err == US_OK)
		w.err = us_buf_put(out, b.data, b.len);
	us_buf_free(&b);
	return w.err;
}
