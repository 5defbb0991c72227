/* Parts as they come: their queue, and what is answered for them. */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "base/time.h"
#include "daemon/process/ticket.h"
#include "daemon/sealer/internal.h"

#define LINES_MAX 196608u

/* What was answered for a part that is through: a client that did not hear it sends the part again,
 * and hears the same. Other bytes under its number are refused. */
struct us_sealer_done_part {
	uint8_t digest[32];
	uint32_t count, accepted, duplicates;
	uint8_t *lines;
	size_t lines_n;
};

void
us_sealer_part_free(struct us_sealer_part *part)
{
	if (part == NULL)
		return;
	if (part->bytes != NULL)
		us_wipe(part->bytes, part->bytes_n);
	free(part->bytes);
	free(part->records);
	free(part->tags);
	free(part->known);
	us_buf_free(&part->lines);
	free(part);
}

static void
answer(struct us_channel *ch, uint32_t tag, const struct us_msg_documents_done *m)
{
	us_sealer_sent(ch, us_send_documents_done(ch, tag, m));
}

void
us_sealer_part_answer(struct us_sealer_part *part, int err)
{
	struct us_msg_documents_done m = { .err = (uint8_t)err };

	if (part->intake == NULL)
		return;
	m.reason = part->load->stopped;
	if (err == US_OK) {
		m.accepted = part->accepted;
		m.duplicates = part->duplicates;
		m.refused = part->count - part->accepted - part->duplicates;
		m.lines = (struct us_bytes){ part->lines.data, part->lines.len };
	}
	answer(part->intake, part->tag, &m);
}

int
us_sealer_part_keep_answer(struct us_sealer_load *load, const struct us_sealer_part *part)
{
	struct us_sealer_done_part *d;

	if (us_grow(&load->done, load->n_done, &load->room_done, sizeof *load->done) != US_OK)
		return US_ERR_NOMEM;
	d = &load->done[load->n_done];
	*d = (struct us_sealer_done_part){ .count = part->count,
		.accepted = part->accepted,
		.duplicates = part->duplicates,
		.lines_n = part->lines.len };
	memcpy(d->digest, part->digest, sizeof d->digest);
	d->lines = malloc(part->lines.len + 1);
	if (d->lines == NULL)
		return US_ERR_NOMEM;
	if (part->lines.len > 0)
		memcpy(d->lines, part->lines.data, part->lines.len);
	load->n_done++;
	return US_OK;
}

/* A part that is through, or in work, and is sent again because its answer was lost with an intake:
 * counted once, answered as the first time. Another one under its number is refused. 1 if that was
 * it. */
static int
answer_again(struct us_sealer_load *load, struct us_channel *ch, uint32_t tag,
    const struct us_msg_documents *m)
{
	static const struct us_msg_documents_done other = { .err = US_ERR_EXISTS };
	struct us_msg_documents_done r = { 0 };
	const struct us_sealer_done_part *d;

	if (load->current != NULL && load->current->number == m->part) {
		if (memcmp(load->current->digest, m->digest, sizeof m->digest) != 0) {
			answer(ch, tag, &other);
			return 1;
		}
		us_sealer_part_answer(load->current, US_ERR_EXISTS);
		load->current->intake = ch;
		load->current->tag = tag;
		return 1;
	}
	if (m->part >= load->n_done)
		return 0;
	d = &load->done[m->part];
	r.accepted = d->accepted;
	r.duplicates = d->duplicates;
	r.refused = d->count - d->accepted - d->duplicates;
	r.lines = (struct us_bytes){ d->lines, d->lines_n };
	answer(ch, tag, memcmp(d->digest, m->digest, sizeof m->digest) == 0 ? &r : &other);
	return 1;
}

/* Of a part that is through or in work. */
static const uint8_t *
digest_of(const struct us_sealer_load *load, uint32_t number)
{
	if (number < load->n_done)
		return load->done[number].digest;
	return load->current != NULL && load->current->number == number ? load->current->digest :
									  NULL;
}

int
us_sealer_parts_digest(const struct us_sealer_load *load, uint32_t first, uint32_t last,
    uint8_t out[32])
{
	static const char label[] = "underseal/load-parts/1";
	uint8_t head[8 + 4 + 4];
	struct us_hash *h;
	int err = us_hash_new(&h);

	if (err != US_OK)
		return err;
	us_store_u64(head, load->id);
	us_store_u32(head + 8, first);
	us_store_u32(head + 12, last - first + 1);
	err = us_hash_update(h, label, sizeof label - 1);
	if (err == US_OK)
		err = us_hash_update(h, head, sizeof head);
	for (uint32_t n = first; n <= last && err == US_OK; n++) {
		const uint8_t *digest = digest_of(load, n);

		err = digest == NULL ? US_ERR_INTERNAL : us_hash_update(h, digest, 32);
	}
	if (err == US_OK)
		err = us_hash_final(h, out);
	us_hash_free(h);
	return err;
}

void
us_sealer_forget_answers(struct us_sealer_load *load)
{
	for (size_t i = 0; i < load->n_done; i++)
		free(load->done[i].lines);
	free(load->done);
	load->done = NULL;
	load->n_done = load->room_done = 0;
}

/* --- arrival --------------------------------------------------------------------------- */

/* Takes the documents apart; everything an intake says is checked here. */
static int
part_decode(struct us_sealer_part *part, const struct us_key *duplicate_key)
{
	struct us_container c;
	struct us_reader r;
	uint32_t n = 0;
	int err = US_OK;

	us_reader_init(&r, part->bytes, part->bytes_n);
	while (n < part->count && err == US_OK) {
		struct us_intake_record *rec = &part->records[n];

		err = us_intake_record_take(&r, rec);
		if (err == US_OK)
			err = us_container_decode(&c, rec->container);
		if (err == US_OK && (c.messages == 0 || c.source.n == 0))
			err = US_ERR_FORMAT;
		if (err == US_OK)
			err = us_duplicate_tag_id(duplicate_key, rec->id, part->tags[n].id);
		if (err == US_OK)
			err = us_duplicate_tag_content(duplicate_key, c.source,
			    part->tags[n].content);
		n++;
	}
	return err ? err : us_reader_end(&r);
}

static int
part_new(const struct us_sealer_load *load, const struct us_msg_documents *m,
    struct us_sealer_part **out)
{
	struct us_sealer_part *part;
	size_t n = m->count;
	int err = US_ERR_NOMEM;

	*out = NULL;
	/* a record takes more bytes than its head, so a lying count costs no memory */
	if (n > m->documents.n / 18)
		return US_ERR_FORMAT;
	part = calloc(1, sizeof *part);
	if (part == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&part->lines, LINES_MAX);
	part->load = load;
	part->number = m->part;
	memcpy(part->digest, m->digest, sizeof part->digest);
	part->count = m->count;
	part->defects = m->defects;
	part->bytes_n = m->documents.n;
	part->bytes = malloc(part->bytes_n + 1);
	part->records = calloc(n + 1, sizeof *part->records);
	part->tags = calloc(n + 1, sizeof *part->tags);
	part->known = calloc(n + 1, 1);
	if (part->bytes != NULL && part->records != NULL && part->tags != NULL &&
	    part->known != NULL) {
		if (part->bytes_n > 0)
			memcpy(part->bytes, m->documents.p, part->bytes_n);
		err = part_decode(part, &load->keys[LOAD_KEY_DUPLICATE]);
	}
	if (err != US_OK) {
		us_sealer_part_free(part);
		return err;
	}
	*out = part;
	return US_OK;
}

/* Into the queue by number. A number that is there already is the same part sent again, because its
 * intake died: the newer one is answered. US_ERR_EXISTS: it is another part. */
static int
enqueue(struct us_sealer_load *load, struct us_sealer_part *part)
{
	struct us_sealer_part **at = &load->queue;

	while (*at != NULL && (*at)->number < part->number)
		at = &(*at)->next;
	if (*at != NULL && (*at)->number == part->number) {
		struct us_sealer_part *old = *at;

		if (memcmp(old->digest, part->digest, sizeof part->digest) != 0)
			return US_ERR_EXISTS;
		us_sealer_part_answer(old, US_ERR_EXISTS);
		*at = old->next;
		load->queued--;
		load->s->waiting_bytes -= old->bytes_n;
		us_sealer_part_free(old);
	}
	part->next = *at;
	*at = part;
	load->queued++;
	load->s->waiting_bytes += part->bytes_n;
	return US_OK;
}

/* Whether this may be taken for the load, and if not, why: what the asker may not know comes
 * first. */
static int
may_take(const struct us_sealer_load *load, const struct us_msg_documents *m)
{
	int err;

	if (load == NULL || load->state == LOAD_STARTING)
		/* whether there is such a load is not everybody's to know */
		return US_ERR_SIGNATURE;
	err = us_ticket_check(&load->keys[LOAD_KEY_TICKET], m->ticket, load->id, m->credential,
	    us_time_now_ns());
	if (err == US_ERR_CRYPTO)
		return US_ERR_BUSY;
	if (err != US_OK)
		return err;
	if (load->failed == US_ERR_DENIED)
		return US_ERR_DENIED;
	/* what is refused, and what becomes of the rest, was said when it was opened */
	if ((m->flags & ~load->flags) != 0 ||
	    ((m->flags ^ load->flags) & US_LOAD_SKIP_DEFECTS) != 0)
		return US_ERR_ARG;
	if (load->failed || us_sealer_load_is_ending(load))
		return US_ERR_STATE;
	/* the one that all others wait for is always let in */
	if (m->part != load->next_part && load->s->waiting_bytes > SEALER_WAITING_MEMORY)
		return US_ERR_BUSY;
	if (load->queued >= 2 * SEALER_PARTS_AHEAD ||
	    (m->part > load->next_part && m->part - load->next_part > SEALER_PARTS_AHEAD))
		return US_ERR_BUSY;
	return US_OK;
}

int
us_sealer_on_documents(struct us_sealer *s, struct us_channel *ch, uint32_t tag,
    struct us_bytes body)
{
	struct us_msg_documents_done no = { 0 };
	struct us_msg_documents m;
	struct us_sealer_part *part;
	struct us_sealer_load *load;
	int err = us_msg_documents_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	load = us_sealer_find_load(s, m.load);
	no.err = (uint8_t)may_take(load, &m);
	if (no.err == US_OK && answer_again(load, ch, tag, &m))
		return US_OK;
	if (no.err == US_OK) {
		err = part_new(load, &m, &part);
		if (err == US_ERR_NOMEM || err == US_ERR_CRYPTO) /* of ours */
			no.err = US_ERR_BUSY;
		else if (err != US_OK)
			return US_ERR_MALFORMED; /* what it sends as documents is none */
	}
	if (no.err != US_OK) {
		no.reason = no.err == US_ERR_DENIED ? load->stopped : US_REASON_NONE;
		answer(ch, tag, &no);
		return US_OK;
	}
	if (enqueue(load, part)) {
		us_sealer_part_free(part);
		no.err = US_ERR_EXISTS;
		answer(ch, tag, &no);
		return US_OK;
	}
	part->intake = ch;
	part->tag = tag;
	us_sealer_load_pump(load);
	return US_OK;
}
