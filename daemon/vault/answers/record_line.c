#include "daemon/vault/answers/record_line.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/evidence/evidence.h"
#include "evidence/mask/mask.h"
#include "policy/designation.h"
#include "registry/withheld.h"

static int
put_text(struct us_buf *b, const char *s)
{
	return us_buf_put(b, s, strlen(s));
}

static int
put_uint(struct us_buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return us_buf_put(b, digits + at, sizeof digits - at);
}

/* The record's designation as people read it: as the order spells it, else as the relabel or the
 * collection does, else as the segment has it, folded. */
static int
spell_designation(const struct us_vault_request *r, uint64_t record, struct us_bytes folded,
    struct us_bytes *out)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    r->who.collection);
	const struct us_order *order = us_registry_order(us_vault_registry_of(r));
	const char *relabelled = us_registry_designation(us_vault_registry_of(r), r->who.collection,
	    record);
	const struct us_bytes loaded = us_bytes_of(c->designation);
	const struct us_bytes own = relabelled != NULL ? us_bytes_of(relabelled) : folded;
	struct us_designated found;
	int err;

	*out = own.n > 0 ? own : loaded;
	err = us_order_designation(order, *out, &found);
	if (found.at > 0)
		*out = found.name;
	if (found.at > 0 || relabelled != NULL || loaded.n == 0 || err == US_ERR_NOMEM)
		return err == US_ERR_NOT_FOUND ? US_OK : err;
	err = us_order_designation(order, loaded, &found);
	if (err != US_ERR_NOMEM && found.folded_n == own.n &&
	    memcmp(found.folded, own.p, own.n) == 0)
		*out = loaded;
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

static int
put_designation(struct us_vault_request *r, const struct us_batch *facts, uint64_t record,
    struct us_buf *b)
{
	struct us_bytes designation;
	struct us_segment_doc doc;
	struct us_segment *segment;
	char legend[US_DESIGNATION_MAX * 4 + 64];
	size_t i, n;
	int err = us_vault_evidence_segment(r->vault->evidence, facts, &segment);

	if (err == US_OK)
		err = us_segment_doc(segment, (uint32_t)(record - facts->facts.first), &doc);
	if (err == US_OK)
		err = spell_designation(r, record, doc.designation, &designation);
	if (err != US_OK)
		return err;
	if (designation.n == 0)
		return put_text(b, ",\"designation\":null,\"legend\":null");
	err = put_text(b, ",\"designation\":");
	if (err == US_OK)
		err = us_json_put_string(b, designation);
	if (err == US_OK)
		err = put_text(b, ",\"legend\":");
	n = designation.n < sizeof legend - 64 ? designation.n : 0;
	for (i = 0; i < n; i++)
		legend[i] = (char)(designation.p[i] >= 'a' && designation.p[i] <= 'z' ?
			designation.p[i] - 32 :
			designation.p[i]);
	memcpy(legend + n, " - SUBJECT TO PROTECTIVE ORDER",
	    sizeof " - SUBJECT TO PROTECTIVE ORDER");
	return err != US_OK ? err : us_json_put_string(b, us_bytes_of(legend));
}

static int
put_manifest(struct us_vault_request *r, const struct us_batch *facts, uint64_t record,
    const uint8_t salt[16], struct us_buf *b)
{
	struct us_batch_proof proof;
	char hash[US_BASE64_SIZE(32) + 1];
	uint32_t i;
	int err = us_vault_evidence_proof(r->vault->evidence, facts, record, &proof);

#define PUT(s) \
	if (err == US_OK) \
	err = put_text(b, s)
#define NUMBER(v) \
	if (err == US_OK) \
	err = put_uint(b, v)
	PUT(",\"manifest\":{\"collection\":");
	NUMBER(facts->facts.collection);
	PUT(",\"batch\":");
	NUMBER(facts->facts.slot);
	PUT(",\"record\":");
	NUMBER(record);
	PUT(",\"version\":0,\"salt\":\"");
	if (err == US_OK)
		err = us_hex_put(b, salt, 16);
	PUT("\",\"index\":");
	NUMBER(record - facts->facts.first);
	PUT(",\"size\":");
	NUMBER(facts->facts.count);
	PUT(",\"path\":[");
	for (i = 0; i < proof.n && err == US_OK; i++) {
		PUT(i == 0 ? "\"" : ",\"");
		us_base64_encode(proof.hash[i], 32, hash);
		PUT(hash);
		PUT("\"");
	}
	PUT("],\"root\":\"");
	if (err == US_OK)
		err = us_hex_put(b, facts->facts.manifest_root, 32);
	PUT("\",\"entry\":");
	NUMBER(us_vault_entry_of(r->vault->state, facts->sequence));
	PUT("}");
	return err;
}

/* What the order lets be seen of it. The id is masked too: it stands in the source bytes alone. */
static int
put_masked(struct us_vault_request *r, const struct us_batch *facts, uint64_t record,
    const struct us_container *container, const struct us_query *match, struct us_buf *b)
{
	struct us_mask_facts known = { .created_s = INT64_MIN };
	struct us_mask mask = r->who.ruling.mask;
	struct us_segment_doc doc;
	struct us_segment *segment;
	int err = us_vault_evidence_segment(r->vault->evidence, facts, &segment);

	if (err == US_OK)
		err = us_segment_doc(segment, (uint32_t)(record - facts->facts.first), &doc);
	if (err != US_OK)
		return err;
	mask.fields |= US_MASK_ID;
	known.created_s = doc.created_s;
	known.model = doc.model;
	known.language = doc.language;
	return us_mask_render(&mask, container, &known, match, b);
}

int
us_vault_record_line(struct us_vault_request *r, const struct us_batch *facts, uint64_t record,
    const uint8_t *item, const struct us_query *match, struct us_buf *b)
{
	const struct us_collection *c = us_registry_collection(us_vault_registry_of(r),
	    r->who.collection);
	struct us_container container;
	char bates[US_BATES_MAX + 1];
	struct us_key key;
	int err;

	memcpy(key.b, item, US_KEY_SIZE);
	err = us_vault_evidence_record(r->vault->evidence, facts, record, &key, &container);
	us_wipe(&key, sizeof key);
	if (err == US_OK)
		err = us_bates_format(c, record, bates);
	PUT("{\"bates\":\"");
	PUT(bates);
	PUT("\",\"record\":");
	if (err == US_OK && us_mask_is_empty(&r->who.ruling.mask))
		err = us_buf_put(b, container.source.p, container.source.n);
	else if (err == US_OK)
		err = put_masked(r, facts, record, &container, match, b);
	if (err == US_OK)
		err = put_designation(r, facts, record, b);
	/* the digest of the source, with its salt, would let a masked reader test a guess of what
	 * is masked */
	if (err == US_OK && us_mask_is_empty(&r->who.ruling.mask))
		err = put_manifest(r, facts, record, item + US_KEY_SIZE, b);
	else
		PUT(",\"masked\":true,\"manifest\":null");
	PUT("}\n");
	return err;
}
