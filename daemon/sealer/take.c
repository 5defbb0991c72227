/* The way of a part's records into the open batch: the search for duplicates, one record after
 * another, and whose turn it is. */
#include <string.h>

#include <event2/event.h>

#include "evidence/batch/defect.h"
#include "base/err.h"
#include "daemon/sealer/internal.h"

#define KNOWN_MAX 65536u

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
	if (part->number == load->n_done && us_sealer_part_keep_answer(load, part) != US_OK) {
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
	if (us_sealer_load_is_ending(load) && load->queue != NULL &&
	    load->queue->number <= load->next_part && !load->failed)
		return; /* waits for the collection */
	if (us_sealer_load_is_ending(load)) {
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
