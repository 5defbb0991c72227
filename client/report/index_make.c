/* Making the index of an export's records. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/core/file.h"
#include "client/report/index_internal.h"
#include "crypto/crypto.h"
#include "base/err.h"

#define NEEDED ((1u << US_BOX_ACCESS) | (1u << US_BOX_DISCLOSURE))

static int
is_act_of_names(const struct us_trail_entry *e)
{
	return e->entry_class == US_CLASS_STATE &&
	    (e->action == US_ACTION_INIT || e->action == US_ACTION_PERSON_ADD ||
		e->action == US_ACTION_COLLECTION_CREATE || e->action == US_ACTION_BATCH_CLOSE);
}

/* Those that say how answers ended: outcomes, ranges of which it is not known, and the newest
 * mark. */
static int
is_ending(const struct us_trail_entry *e, size_t at, size_t newest)
{
	return us_trail_is_outcome(e) ||
	    (us_trail_is_mark(e) && (e->decision == US_DECISION_FAILED || at == newest));
}

/* The postings of all entries, sorted; *n is how many. */
static struct us_client_posting *
gather(const struct us_trail *t, const struct us_report_place *places, size_t *n)
{
	struct us_client_posting *all;
	size_t count = 0, at = 0, mark = 0;

	for (size_t i = 0; i < t->n; i++) {
		count += us_report_discloses(&t->entries[i]) ? t->entries[i].n_records :
		    is_act_of_names(&t->entries[i]) || is_ending(&t->entries[i], i, i) ? 1 :
											 0;
		mark = us_trail_is_mark(&t->entries[i]) ? i : mark;
	}
	all = calloc(count + 1, sizeof *all);
	for (size_t i = 0; all != NULL && i < t->n; i++) {
		const struct us_trail_entry *e = &t->entries[i];

		if (is_act_of_names(e) || is_ending(e, i, mark))
			all[at++] = (struct us_client_posting){ .place = places[i].bundle,
				.entry = e->index,
				.offset = places[i].line };
		for (size_t j = 0; us_report_discloses(e) && j < e->n_records; j++)
			all[at++] = (struct us_client_posting){ e->collection, places[i].bundle,
				e->records[j], e->index, places[i].line };
	}
	if (all != NULL)
		qsort(all, at, sizeof *all, us_posting_compare);
	*n = at;
	return all;
}

static int
put_postings(struct us_buf *out, const struct us_client_posting *all, size_t n)
{
	int err = US_OK;

	for (size_t i = 0; err == US_OK && i < n; i++) {
		uint8_t *p;

		err = us_buf_extend(out, US_INDEX_POSTING, &p);
		if (err != US_OK)
			break;
		us_store_u32(p, all[i].collection);
		us_store_u32(p + 4, all[i].place);
		us_store_u64(p + 8, all[i].record);
		us_store_u64(p + 16, all[i].entry);
		us_store_u64(p + 24, all[i].offset);
	}
	return err;
}

static int
put_head(struct us_buf *out, const struct us_trail *t, uint64_t n)
{
	const struct us_verify_report *v = &t->verified;
	uint64_t withheld = 0;
	int err = us_buf_put(out, US_INDEX_MAGIC, US_INDEX_MAGIC_BYTES);

	for (size_t i = 0; i < t->n; i++)
		withheld += (t->entries[i].opened & NEEDED) != NEEDED;
	if (err == US_OK)
		err = us_buf_put_u64(out, v->checkpoint.size);
	if (err == US_OK)
		err = us_buf_put(out, v->checkpoint.root.b, 32);
	if (err == US_OK)
		err = us_buf_put_u64(out, (uint64_t)v->first_ns);
	if (err == US_OK)
		err = us_buf_put_u64(out, (uint64_t)v->last_ns);
	if (err == US_OK)
		err = us_buf_put_u64(out, withheld);
	if (err == US_OK)
		err = us_buf_put_u64(out, n);
	return err == US_OK ?
	    us_buf_put_str16(out, v->checkpoint.origin, strlen(v->checkpoint.origin)) :
	    err;
}

/* Head, digests of the blocks, their digest. */
static int
put_all(FILE *f, const struct us_trail *t, const struct us_client_posting *all, size_t n)
{
	struct us_buf head, block;
	uint8_t digest[32];
	int err;

	us_buf_init(&head, SIZE_MAX / 2);
	us_buf_init(&block, US_INDEX_BLOCK * US_INDEX_POSTING);
	err = put_head(&head, t, n);
	for (int pass = 0; pass < 2 && err == US_OK; pass++) {
		for (size_t at = 0; err == US_OK && at < n; at += US_INDEX_BLOCK) {
			us_buf_reset(&block);
			err = put_postings(&block, all + at,
			    n - at < US_INDEX_BLOCK ? n - at : US_INDEX_BLOCK);
			if (err == US_OK && pass == 1)
				err = us_print_bytes(f, block.data, block.len);
			else if (err == US_OK)
				err = us_sha256(block.data, block.len, digest);
			if (err == US_OK && pass == 0)
				err = us_buf_put(&head, digest, 32);
		}
		if (err == US_OK && pass == 0)
			err = us_sha256(head.data, head.len, digest);
		if (err == US_OK && pass == 0)
			err = us_print_bytes(f, head.data, head.len);
		if (err == US_OK && pass == 0)
			err = us_print_bytes(f, digest, 32);
	}
	us_buf_free(&head);
	us_buf_free(&block);
	return err;
}

int
us_report_index_make(const char *file, const struct us_trail *t,
    const struct us_report_place *places)
{
	size_t n;
	struct us_client_posting *all = gather(t, places, &n);
	char temporary[4096];
	int err;
	FILE *f;

	if (all == NULL)
		return US_ERR_NOMEM;
	if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", file) >= sizeof temporary) {
		free(all);
		return US_ERR_IO;
	}
	(void)unlink(temporary);
	f = us_file_new(temporary);
	err = f == NULL ? US_ERR_IO : put_all(f, t, all, n);
	if (err == US_OK && (fflush(f) != 0 || fsync(fileno(f)) != 0))
		err = US_ERR_IO;
	if (f != NULL && fclose(f) != 0)
		err = US_ERR_IO;
	if (err == US_OK && rename(temporary, file) != 0)
		err = US_ERR_IO;
	if (err != US_OK && f != NULL)
		(void)unlink(temporary);
	free(all);
	return err;
}
