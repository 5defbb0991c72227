/* Parts: their order, the search for duplicates, their way into the open batch. */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "evidence/batch/defect.h"
#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/process/ticket.h"
#include "daemon/sealer/internal.h"

#define KNOWN_MAX 65536u
#define LINES_MAX 196608u

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

/* Keeps the answer of a part that is through. US_ERR_NOMEM. */
static int
keep_answer(struct us_sealer_load *load, const struct us_sealer_part *part)
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

	if (load == NULL || !load->ready)
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
	if (load->failed || load->end != LOAD_OPEN)
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

/* --- duplicates ------------------------------------------------------------------------ */

static int
ask_known(struct us_sealer_load *load, const struct us_sealer_part *part)
{
	uint32_t n = part->count - part->known_n;
	struct us_msg_known_request m;

	if (n > KNOWN_MAX)
		n = KNOWN_MAX;
	m = (struct us_msg_known_request){ .collection = load->collection,
		.tags = { (const uint8_t *)&part->tags[part->known_n],
		    n * sizeof(struct us_tag) } };
	if (load->s->vault == NULL)
		return US_ERR_CLOSED;
	load->known_tag = ++load->s->next_tag;
	load->known_wanted = 1;
	return us_send_known_request(load->s->vault, load->known_tag, &m);
}

int
us_sealer_on_known(struct us_sealer *s, uint32_t tag, struct us_bytes body)
{
	struct us_msg_known_reply m;
	struct us_sealer_load *load = s->loads;
	struct us_sealer_part *part;
	int err = us_msg_known_reply_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	while (load != NULL && !(load->known_wanted && load->known_tag == tag))
		load = load->next;
	if (load == NULL)
		return US_OK; /* the load failed in the meantime */
	load->known_wanted = 0;
	part = load->current;
	if (m.err) {
		us_sealer_load_fail(load, m.err);
		us_sealer_load_pump(load);
		return US_OK;
	}
	if (part == NULL || m.known.n == 0 || m.known.n > part->count - part->known_n)
		return US_ERR_MALFORMED;
	memcpy(part->known + part->known_n, m.known.p, m.known.n);
	part->known_n += (uint32_t)m.known.n;
	us_sealer_load_pump(load);
	return US_OK;
}

/* --- taking ---------------------------------------------------------------------------- */

/* Names a record that is not taken in the answer. */
static int
name_line(struct us_sealer_part *part, uint32_t i, enum us_defect code)
{
	if (part->lines.len + 9 > part->lines.max)
		return US_OK; /* counted, not named: the list is full */
	if (us_buf_put_u64(&part->lines, part->records[i].line) != US_OK)
		return US_ERR_NOMEM;
	return us_buf_put_u8(&part->lines, (uint8_t)code);
}

/* A record that the load cannot take: the part stops here, or goes on without it. */
static int
refuse_record(const struct us_sealer_load *load, struct us_sealer_part *part, uint32_t i,
    enum us_defect code)
{
	if ((load->flags & US_LOAD_SKIP_DEFECTS) == 0)
		part->bad = 1;
	part->refused++;
	return name_line(part, i, code);
}

/* One record. Counts are the part's; the load's are added when the part is done. */
static int
take_record(struct us_sealer_load *load, struct us_sealer_part *part, uint32_t i)
{
	const struct us_tag *tag = &part->tags[i];
	const struct us_sealer_item *open = us_sealer_batch_find(load->batch, tag);
	int err;

	if (part->known[i] == 2 ||
	    (open != NULL && memcmp(open->tag.content, tag->content, sizeof tag->content) != 0))
		return refuse_record(load, part, i, US_DEFECT_DUPLICATE_ID);
	if (part->known[i] != 0 || open != NULL) {
		part->duplicates++;
		return name_line(part, i, US_DEFECT_NONE);
	}
	/* what is there already is not judged again: the same load ends the same whenever it is
	 * repeated */
	err = us_sealer_designation_check(load, part->records[i].document);
	if (err == US_ERR_NOT_FOUND)
		return refuse_record(load, part, i, US_DEFECT_UNLISTED_DESIGNATION);
	if (err != US_OK)
		return err;
	if (part->bad)
		return US_OK; /* looked at for the report only */
	if (load->batch == NULL) {
		err = us_sealer_batch_new(load, &load->batch);
		if (err != US_OK)
			return err;
	}
	err = us_sealer_batch_add(load->batch, &part->records[i], tag);
	if (err != US_OK)
		return err;
	if (load->batch->n == 1)
		load->batch->first_part = part->number;
	load->batch->last_part = part->number;
	part->accepted++;
	return US_OK;
}

/* The part is through: counted, answered, forgotten. */
static void
finish_part(struct us_sealer_load *load)
{
	struct us_sealer_part *part = load->current;
	int bad = part->bad;

	load->current = NULL;
	if (part->number == load->next_part)
		load->next_part++;
	load->received += (uint64_t)part->count + part->defects;
	load->duplicates += part->duplicates;
	load->refused += (uint64_t)part->refused + part->defects;
	if (bad) {
		/* what it would have added goes with the batch: not twice */
		load->refused += part->count - part->duplicates - part->refused - part->accepted;
		part->accepted = 0;
	} else if (load->batch != NULL) {
		load->batch->duplicates += part->duplicates;
		load->batch->refused += (uint64_t)part->refused + part->defects;
	}
	if (part->number == load->n_done && keep_answer(load, part) != US_OK) {
		us_sealer_part_answer(part, US_ERR_NOMEM);
		us_sealer_part_free(part);
		us_sealer_load_fail(load, US_ERR_NOMEM);
		return;
	}
	us_sealer_part_answer(part, US_OK);
	us_sealer_part_free(part);
	if (bad)
		us_sealer_load_fail(load, US_ERR_FORMAT);
}

/* 1: go on; 0: wait for something. */
static int
take_records(struct us_sealer_load *load)
{
	struct us_sealer_part *part = load->current;
	int err = US_OK;

	while (part->at < part->known_n && err == US_OK) {
		if (load->batch != NULL && us_sealer_batch_is_full(load->batch)) {
			/* what the vault said is old once this batch is stored */
			part->known_n = part->at;
			err = us_sealer_batch_close(load->batch);
			if (err == US_OK)
				return 0;
			break;
		}
		if (us_sealer_dictionary_begin(load))
			return 0;
		err = take_record(load, part, part->at++);
	}
	if (err == US_OK && part->at == part->count) {
		finish_part(load);
		return 1;
	}
	if (err == US_OK && part->at == part->known_n)
		err = ask_known(load, part);
	if (err != US_OK) {
		us_sealer_load_fail(load, err);
		return 1;
	}
	return 0;
}

/* The next part in order, or one sent again. */
static int
next_part(struct us_sealer_load *load)
{
	struct us_sealer_collection *c = us_sealer_collection(load->s, load->collection);
	struct us_sealer_part *part = load->queue;
	int stop = (load->flags & US_LOAD_SKIP_DEFECTS) == 0;

	if (part == NULL || part->number > load->next_part || c == NULL)
		return 0;
	if ((load->flags & US_LOAD_DRY_RUN) == 0) {
		if (c->owner != NULL && c->owner != load)
			return 0;
		c->owner = load;
	}
	load->queue = part->next;
	part->next = NULL;
	load->queued--;
	load->s->waiting_bytes -= part->bytes_n;
	load->advanced = 1;
	part->bad = stop && part->defects > 0;
	load->current = part;
	return 1;
}

void
us_sealer_load_pump(struct us_sealer_load *load)
{
	static const struct timeval idle = { SEALER_IDLE_SECONDS, 0 };
	int err;

	for (;;) {
		if (load->known_wanted ||
		    (load->batch != NULL && load->batch->state != BATCH_FILLING))
			return;
		if (load->current != NULL) {
			if (!take_records(load))
				return;
		} else if (!next_part(load)) {
			break;
		}
	}
	if (load->end != LOAD_OPEN && load->queue != NULL &&
	    load->queue->number <= load->next_part && !load->failed)
		return; /* waits for the collection */
	if (load->end != LOAD_OPEN) {
		if (load->batch != NULL && (load->flags & US_LOAD_DRY_RUN) != 0) {
			load->admitted += load->batch->n; /* would have been */
			us_sealer_batch_free(load->batch);
			load->batch = NULL;
		}
		if (load->batch != NULL) {
			err = us_sealer_batch_close(load->batch);
			if (err == US_OK)
				return;
			us_sealer_load_fail(load, err);
		}
		(void)us_sealer_load_try_end(load);
		return;
	}
	/* a part that has to wait, or came before, is no reason to keep the collection longer */
	if (load->batch != NULL && (load->advanced || !event_pending(load->idle, EV_TIMEOUT, NULL)))
		(void)event_add(load->idle, &idle);
	load->advanced = 0;
	if (load->batch == NULL)
		us_sealer_load_release(load);
}
