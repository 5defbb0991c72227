#include "client/evidence/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "client/core/out.h"
#include "client/log/proofs.h"
#include "base/array.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/json_out.h"
#include "case/bates.h"
#include "case/limits.h"
#include "registry/act.h"

#define LINES_MAX (256u * 1024u * 1024u)

struct us_receipt_part {
	uint32_t number, file; /* file: counted from 0 */
	uint64_t accepted;     /* as the vault counts */
	struct us_buf lines;   /* u64 line ‖ SHA-256 ‖ str16 id, packed */
	struct us_buf refused; /* u64 line ‖ str16 code, packed */
};

/* ---- one part ---- */

static int
is_blank(struct us_bytes line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return 0;
	return 1;
}

/* The id, or empty if there is none to show. One with U+0000 in it is cut there: cJSON ends texts
 * so. */
static int
put_id(struct us_buf *out, struct us_bytes line)
{
	cJSON *record = cJSON_ParseWithLength((const char *)line.p, line.n);
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(record, "id");
	const char *id = cJSON_GetStringValue(member);
	size_t n = id == NULL ? 0 : strlen(id);
	int err;

	if (n > US_SOURCE_ID_MAX)
		n = 0;
	err = us_buf_put_str16(out, n == 0 ? "" : id, n);
	cJSON_Delete(record);
	return err;
}

static int
put_line(struct us_buf *out, uint64_t number, struct us_bytes line)
{
	uint8_t digest[32];
	int err = us_sha256(line.p, line.n, digest);

	if (err == US_OK)
		err = us_buf_put_u64(out, number);
	if (err == US_OK)
		err = us_buf_put(out, digest, sizeof digest);
	return err == US_OK ? put_id(out, line) : err;
}

int
us_receipt_part_new(struct us_receipt_part **out, uint32_t number, uint32_t file,
    uint64_t first_line, struct us_bytes raw)
{
	struct us_receipt_part *part = calloc(1, sizeof *part);
	int err = US_OK;

	*out = NULL;
	if (part == NULL)
		return US_ERR_NOMEM;
	part->number = number;
	part->file = file;
	us_buf_init(&part->lines, LINES_MAX);
	us_buf_init(&part->refused, LINES_MAX);
	if (first_line <= 1 && raw.n >= 3 && memcmp(raw.p, "\xef\xbb\xbf", 3) == 0)
		raw = (struct us_bytes){ raw.p + 3, raw.n - 3 };
	for (uint64_t at = first_line; raw.n > 0 && err == US_OK; at++) {
		const uint8_t *end = memchr(raw.p, '\n', raw.n);
		struct us_bytes line = { raw.p, end == NULL ? raw.n : (size_t)(end - raw.p) };
		size_t step = end == NULL ? raw.n : line.n + 1;

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (!is_blank(line))
			err = put_line(&part->lines, at, line);
		raw = (struct us_bytes){ raw.p + step, raw.n - step };
	}
	if (err != US_OK) {
		us_receipt_part_free(part);
		return err;
	}
	*out = part;
	return US_OK;
}

void
us_receipt_part_free(struct us_receipt_part *part)
{
	if (part == NULL)
		return;
	us_buf_free(&part->lines);
	us_buf_free(&part->refused);
	free(part);
}

/* ---- the answer to it ---- */

static int
by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* Every line that the answer names as not taken, sorted; refused gets those with a code. */
static int
lines_not_taken(const cJSON *answer, struct us_buf *refused, uint64_t **out, size_t *n)
{
	const cJSON *defects = cJSON_GetObjectItemCaseSensitive(answer, "defects"), *d;
	const cJSON *duplicates = cJSON_GetObjectItemCaseSensitive(answer, "duplicate_lines");
	size_t cap = (size_t)cJSON_GetArraySize(defects) + (size_t)cJSON_GetArraySize(duplicates);
	uint64_t *lines = calloc(cap + 1, sizeof *lines);
	int err = US_OK;

	if (lines == NULL)
		return US_ERR_NOMEM;
	*n = 0;
	cJSON_ArrayForEach(d, defects) {
		const char *code = us_json_text(d, "code");
		uint64_t line = (uint64_t)us_json_number(d, "line", 0);

		lines[(*n)++] = line;
		if (err == US_OK)
			err = us_buf_put_u64(refused, line);
		if (err == US_OK)
			err = us_buf_put_str16(refused, code,
			    strlen(code) < US_SOURCE_ID_MAX ? strlen(code) : 0);
	}
	cJSON_ArrayForEach(d, duplicates)
		lines[(*n)++] = cJSON_IsNumber(d) && d->valuedouble > 0 ? (uint64_t)d->valuedouble :
									  0;
	qsort(lines, *n, sizeof *lines, by_number);
	*out = lines;
	return err;
}

/* Keeps the accepted lines. US_ERR_INCOMPLETE if they are not as many as the vault has counted. */
static int
keep_accepted(struct us_receipt_part *part, const cJSON *answer)
{
	uint64_t *out = NULL, kept = 0;
	struct us_buf lines;
	struct us_reader r;
	size_t n = 0;
	int err = lines_not_taken(answer, &part->refused, &out, &n);

	us_buf_init(&lines, LINES_MAX);
	us_reader_init(&r, part->lines.data, part->lines.len);
	while (err == US_OK && r.left > 0) {
		uint64_t line = us_take_u64(&r);
		struct us_bytes digest = us_take(&r, 32), id = us_take_str16(&r, US_SOURCE_ID_MAX);

		if (r.err != US_OK)
			err = r.err;
		else if (bsearch(&line, out, n, sizeof line, by_number) == NULL) {
			kept++;
			err = us_buf_put_u64(&lines, line);
			if (err == US_OK)
				err = us_buf_put(&lines, digest.p, digest.n);
			if (err == US_OK)
				err = us_buf_put_str16(&lines, id.p, id.n);
		}
	}
	free(out);
	us_buf_free(&part->lines);
	part->lines = lines;
	part->accepted = (uint64_t)us_json_number(answer, "accepted", 0);
	if (err == US_OK && kept != part->accepted)
		err = US_ERR_INCOMPLETE;
	return err;
}

void
us_receipt_add(struct us_receipt *r, struct us_receipt_part *part, const cJSON *answer)
{
	if (keep_accepted(part, answer) != US_OK)
		r->incomplete = 1;
	if (us_grow(&r->parts, r->n, &r->cap, sizeof(struct us_receipt_part *)) != US_OK) {
		r->incomplete = 1;
		us_receipt_part_free(part);
		return;
	}
	r->parts[r->n++] = part;
}

void
us_receipt_free(struct us_receipt *r)
{
	for (size_t i = 0; i < r->n; i++)
		us_receipt_part_free(r->parts[i]);
	free(r->parts);
	*r = (struct us_receipt){ 0 };
}

/* ---- writing ---- */

/* Where the next record's number comes from. */
struct us_client_numbers {
	const cJSON *batch;
	uint64_t left, next;
	char prefix[US_BATES_PREFIX_MAX + 1];
};

/* The batch's first number taken apart. */
static int
enter_batch(struct us_client_numbers *n)
{
	const char *first = us_json_text(n->batch, "first");
	size_t prefix;
	int err = us_bates_split(us_bytes_of(first), &prefix, &n->next);

	if (err != US_OK)
		return err;
	memcpy(n->prefix, first, prefix);
	n->prefix[prefix] = '\0';
	n->left = (uint64_t)us_json_number(n->batch, "records", 0);
	return US_OK;
}

static int
next_bates(struct us_client_numbers *n, char *out)
{
	int err = US_OK;

	while (n->left == 0 && n->batch != NULL) {
		err = enter_batch(n);
		if (err != US_OK)
			return err;
		n->batch = n->batch->next;
	}
	if (n->left == 0)
		return US_ERR_INCOMPLETE;
	err = us_bates_format(n->prefix, n->next, out);
	n->next++;
	n->left--;
	return err;
}

static int
flush(struct us_buf *b, FILE *to)
{
	int err = us_print_bytes(to, b->data, b->len);

	us_buf_reset(b);
	return err;
}

static int
write_records(const struct us_receipt_part *part, struct us_client_numbers *numbers, int *first,
    FILE *to)
{
	struct us_reader r;
	struct us_buf b;
	char bates[US_BATES_MAX + 1];
	int err = US_OK;

	us_buf_init(&b, 65536);
	us_reader_init(&r, part->lines.data, part->lines.len);
	while (err == US_OK && r.left > 0) {
		uint64_t line = us_take_u64(&r);
		struct us_bytes digest = us_take(&r, 32), id = us_take_str16(&r, US_SOURCE_ID_MAX);
		struct us_json j;

		err = r.err != US_OK ? r.err : next_bates(numbers, bates);
		if (err != US_OK)
			break;
		if (!*first)
			err = us_print_bytes(to, ",", 1);
		*first = 0;
		us_json_begin(&j, &b);
		us_json_object(&j);
		us_json_key(&j, "id");
		if (id.n == 0)
			us_json_null(&j);
		else
			us_json_str(&j, id);
		us_json_kv_cstr(&j, "bates", bates);
		us_json_kv_hex(&j, "sha256", digest.p, digest.n);
		us_json_kv_uint(&j, "file", part->file);
		us_json_kv_uint(&j, "line", line);
		us_json_close(&j);
		if (err == US_OK)
			err = us_json_end(&j);
		if (err == US_OK)
			err = flush(&b, to);
	}
	us_buf_free(&b);
	return err;
}

static int
write_refused(const struct us_receipt_part *part, int *first, FILE *to)
{
	struct us_reader r;

	us_reader_init(&r, part->refused.data, part->refused.len);
	while (r.left > 0) {
		uint64_t line = us_take_u64(&r);
		struct us_bytes code = us_take_str16(&r, US_SOURCE_ID_MAX);

		if (r.err != US_OK)
			return r.err;
		/* a code comes from the vault: only what codes are made of passes */
		for (size_t i = 0; i < code.n; i++)
			if (code.p[i] != '-' && (code.p[i] < 'a' || code.p[i] > 'z') &&
			    (code.p[i] < '0' || code.p[i] > '9'))
				code.n = 0;
		us_print_to(to, "%s{\"file\":%u,\"line\":%llu,\"code\":\"%.*s\"}",
		    *first ? "" : ",", part->file, (unsigned long long)line, (int)code.n,
		    (const char *)code.p);
		*first = 0;
	}
	return ferror(to) ? US_ERR_IO : US_OK;
}

static int
by_part(const void *a, const void *b)
{
	const struct us_receipt_part *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

/* Whether the lines accepted are as many as the batches hold: not so if an answer was lost on its
 * way and its part sent twice. */
static int
fits(const struct us_receipt *r, const cJSON *batches)
{
	uint64_t accepted = 0, held = 0;
	const cJSON *b;

	for (size_t i = 0; i < r->n; i++)
		accepted += r->parts[i]->accepted;
	cJSON_ArrayForEach(b, batches)
		held += (uint64_t)us_json_number(b, "records", 0);
	return !r->incomplete && accepted == held;
}

static cJSON *
file_names(char **files, size_t n)
{
	cJSON *names = cJSON_CreateArray();

	for (size_t i = 0; i < n; i++)
		(void)cJSON_AddItemToArray(names, cJSON_CreateString(files[i]));
	return names;
}

int
us_receipt_write(struct us_receipt *r, const cJSON *answer, char **files, size_t n_files, FILE *to)
{
	const cJSON *batches = cJSON_GetObjectItemCaseSensitive(answer, "batches");
	int dry = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "dry_run"));
	int err = US_OK, known = dry || fits(r, batches), first = 1;
	struct us_client_numbers numbers = { .batch = batches == NULL ? NULL : batches->child };
	cJSON *head = cJSON_Duplicate(answer, 1), *names = file_names(files, n_files);
	char *text;

	if (!cJSON_AddItemToObject(head, "files", names))
		cJSON_Delete(names);
	text = cJSON_PrintUnformatted(head);
	cJSON_Delete(head);
	if (text == NULL || text[0] != '{')
		err = US_ERR_NOMEM;
	else
		err = us_print_bytes(to, text, strlen(text) - 1);
	cJSON_free(text);
	us_print_to(to, ",\"records\":%s", known ? "[" : "null");
	if (r->n > 0)
		qsort(r->parts, r->n, sizeof *r->parts, by_part);
	for (size_t i = 0; i < r->n && known && !dry && err == US_OK; i++)
		err = write_records(r->parts[i], &numbers, &first, to);
	us_print_to(to, "%s,\"refused_records\":[", known ? "]" : "");
	first = 1;
	for (size_t i = 0; i < r->n && err == US_OK; i++)
		err = write_refused(r->parts[i], &first, to);
	us_print_to(to, "]}\n");
	if (err == US_OK && (fflush(to) != 0 || ferror(to)))
		err = US_ERR_IO;
	return err == US_OK && !known ? US_ERR_INCOMPLETE : err;
}

/* ---- the log ---- */

/* One batch of the answer. *records: how many it holds. */
static int
verify_batch(struct us_proofs *proofs, struct us_batch_claim *claim, const cJSON *batch,
    const struct us_sent_parts *sent, uint64_t *records)
{
	const char *named = us_json_text(batch, "manifest_root"), *act = us_json_text(batch, "act"),
		   *before_text = us_json_text(batch, "before");
	uint8_t root[32], state[32], before[32], said[32], remembered[32];
	struct us_buf committed;
	int err = us_proofs_closing(proofs, (uint64_t)us_json_number(batch, "entry", 0), root,
	    state);

	us_buf_init(&committed, US_ACT_COMMITTED_MAX);
	if (err == US_OK)
		err = us_hex_decode(named, strlen(named), said, sizeof said);
	/* what the profile knows already must be the same */
	claim->slot = (uint32_t)us_json_number(batch, "slot", 0);
	if (err == US_OK)
		err = us_proofs_batch(proofs, claim->collection, claim->slot,
		    (uint64_t)us_json_number(batch, "entry", 0), remembered);
	if (err == US_OK &&
	    (memcmp(root, said, sizeof said) != 0 ||
		memcmp(root, remembered, sizeof remembered) != 0))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_hex_decode(before_text, strlen(before_text), before, sizeof before);
	if (err == US_OK)
		err = us_base64_take(&committed, act, strlen(act));
	claim->root = root;
	claim->state = state;
	claim->before = before;
	claim->committed = (struct us_bytes){ committed.data, committed.len };
	if (err == US_OK)
		err = us_sent_parts_check(sent, claim, records);
	if (err == US_ERR_VERIFY)
		us_say("batch %u was not made of the parts that were sent, or is not the one that "
		       "the log proves",
		    claim->slot);
	us_buf_free(&committed);
	return err;
}

int
us_receipt_verify(struct us_client *client, const char *name, const cJSON *answer,
    const struct us_sent_parts *sent, uint64_t accepted)
{
	const cJSON *batches = cJSON_GetObjectItemCaseSensitive(answer, "batches"), *b;
	struct us_batch_claim claim = { .load = (uint64_t)us_json_number(answer, "load", 0) };
	cJSON *collection = NULL;
	struct us_proofs *proofs;
	uint64_t records, all = 0;
	struct us_buf path;
	int status, err = US_OK;

	if (cJSON_GetArraySize(batches) == 0)
		return US_EXIT_DONE;
	us_buf_init(&path, 1024);
	status = us_buf_putf(&path, "/v1/collections/") == US_OK &&
		us_put_escaped(&path, name) == US_OK && us_buf_cstr(&path) != NULL ?
	    us_client_get_one(client, us_buf_cstr(&path), "collection", &collection) :
	    US_EXIT_OTHER;
	us_buf_free(&path);
	claim.collection = (uint32_t)us_json_number(collection, "collection", 0);
	cJSON_Delete(collection);
	if (status != US_EXIT_DONE)
		return status;
	proofs = us_proofs_of(client);
	cJSON_ArrayForEach(b, batches) {
		records = 0;
		if (err == US_OK)
			err = verify_batch(proofs, &claim, b, sent, &records);
		all += records;
	}
	if (err == US_OK && all > accepted) {
		us_say("the batches hold %llu records, but only %llu of those sent were accepted",
		    (unsigned long long)all, (unsigned long long)accepted);
		err = US_ERR_VERIFY;
	}
	if (err == US_OK)
		return US_EXIT_DONE;
	return us_proofs_failed("what the vault says of this load's batches", err);
}
