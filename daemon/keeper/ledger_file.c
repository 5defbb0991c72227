#include "daemon/keeper/ledger_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/peers.h"
#include "daemon/keeper/tasks.h"
#include "log/disk/worker.h"
#include "policy/usage.h"
#include "policy/usage_file.h"

#define NAME "ledger"
#define MAGIC "USL1"
#define LABEL "underseal/ledger/1"
#define ID 16u
#define CONTEXT (sizeof LABEL - 1 + 32 + ID + 4)
#define PART (256u * 1024u)            /* of items; the one that reaches over it is the last */
#define TEXT_MAX (64u * 1024u * 1024u) /* so an account's sets have room */
#define FILE_MAX (1024u * 1024u * 1024u)
#define EVERY 65536u /* entries, from one to the next */
#define WORTH 1u     /* entry, at an end */

struct us_ledger_job {
	struct us_job job;
	struct us_buf file;
};

/* written: the size of the newest one. */
struct us_ledger_file {
	uint64_t written;
	int under_way; /* a task writes it */
	struct us_worker *worker;
	struct us_ledger_job *job; /* the thread's */
};

int
us_ledger_file_new(struct us_keeper *k)
{
	k->ledger_file = calloc(1, sizeof *k->ledger_file);
	return k->ledger_file == NULL ? US_ERR_NOMEM : us_worker_new(&k->ledger_file->worker);
}

static void
job_free(struct us_ledger_file *f)
{
	if (f->job == NULL)
		return;
	us_buf_free(&f->job->file);
	free(f->job);
	f->job = NULL;
}

void
us_ledger_file_free(struct us_keeper *k)
{
	if (k->ledger_file == NULL)
		return;
	us_worker_free(k->ledger_file->worker);
	job_free(k->ledger_file);
	free(k->ledger_file);
	k->ledger_file = NULL;
}

static struct us_bytes
context_of(const struct us_keeper *k, const uint8_t *id, uint32_t number, uint8_t out[CONTEXT])
{
	uint8_t *p = out;

	memcpy(p, LABEL, sizeof LABEL - 1);
	p += sizeof LABEL - 1;
	memcpy(p, k->conf.vault_id, 32);
	memcpy(p + 32, id, ID);
	us_store_u32(p + 32 + ID, number);
	return (struct us_bytes){ out, CONTEXT };
}

/* --- writing ------------------------------------------------------------------------------- */

struct us_ledger_writing {
	struct us_task task; /* the first member */
	struct us_ledger_file *of;
	struct us_usage_writer *items;
	struct us_buf text, file;
	uint32_t number;
	uint64_t from;
};

static void
free_writing(struct us_task *task)
{
	struct us_ledger_writing *w = (struct us_ledger_writing *)(void *)task;

	w->of->under_way = 0;
	us_usage_writer_free(w->items);
	us_buf_free(&w->text);
	us_buf_free(&w->file);
	free(w);
}

static int
seal_part(struct us_keeper *k, struct us_ledger_writing *w)
{
	uint8_t context[CONTEXT];
	int err = us_buf_put_u32(&w->file, (uint32_t)us_cobblestone_sealed_size(w->text.len));

	if (err == US_OK)
		err = us_cobblestone_seal_to(&k->root->ledger,
		    context_of(k, w->file.data + sizeof MAGIC - 1, w->number++, context),
		    (struct us_bytes){ w->text.data, w->text.len }, &w->file);
	us_buf_reset(&w->text);
	return err;
}

/* The last part says of which log it is: of what is durable. */
static int
seal_last(struct us_keeper *k, struct us_ledger_writing *w, uint64_t *size)
{
	struct us_digest root;
	int err = w->text.len > 0 ? seal_part(k, w) : US_OK;

	*size = us_klog_size(k->klog);
	if (err == US_OK)
		err = us_klog_root_at(k->klog, *size, &root);
	if (err == US_OK)
		err = us_buf_put_u8(&w->text, 1);
	if (err == US_OK)
		err = us_buf_put_u64(&w->text, w->from);
	if (err == US_OK)
		err = us_buf_put_u64(&w->text, *size);
	if (err == US_OK)
		err = us_buf_put(&w->text, root.b, sizeof root.b);
	return err != US_OK ? err : seal_part(k, w);
}

/* *more: 0: all items are in parts, or in the text of the next. */
static int
put_item(struct us_keeper *k, struct us_ledger_writing *w, int *more)
{
	int err = w->text.len == 0 ? us_buf_put_u8(&w->text, 0) : US_OK;

	if (err == US_OK)
		err = us_usage_writer_next(w->items, &w->text);
	*more = err != US_ERR_NOT_FOUND;
	if (!*more)
		return US_OK;
	return err == US_OK && w->text.len > PART ? seal_part(k, w) : err;
}

static struct us_ledger_writing *
begin(struct us_keeper *k)
{
	struct us_ledger_writing *w = calloc(1, sizeof *w);
	uint8_t id[ID];
	int err = w == NULL ? US_ERR_NOMEM : us_random(id, sizeof id);

	if (w == NULL)
		return NULL;
	w->of = k->ledger_file;
	us_buf_init(&w->text, TEXT_MAX);
	us_buf_init(&w->file, FILE_MAX);
	w->from = us_klog_size(k->klog);
	if (err == US_OK)
		err = us_usage_writer_new(&w->items, k->usage);
	if (err == US_OK)
		err = us_buf_put(&w->file, MAGIC, sizeof MAGIC - 1);
	if (err == US_OK)
		err = us_buf_put(&w->file, id, sizeof id);
	if (err == US_OK)
		return w;
	free_writing(&w->task);
	return NULL;
}

/* Nothing depends on the file but how long the next opening takes. */
static void
say_failed(int err)
{
	us_log_err(err, "the ledger cannot be written down: the next opening takes longer");
}

static void
write_file(void *arg)
{
	struct us_ledger_job *job = arg;
	const int err = us_keeper_write(NAME, (struct us_bytes){ job->file.data, job->file.len });

	if (err != US_OK && err != US_ERR_NOSPACE)
		us_fatal("the keeper's directory cannot be written to. Stopping");
}

static int
hand_over(struct us_keeper *k, struct us_ledger_writing *w, uint64_t size)
{
	struct us_ledger_job *job = calloc(1, sizeof *job);

	if (job == NULL)
		return US_ERR_NOMEM;
	job->file = w->file;
	us_buf_init(&w->file, 0); /* transferred */
	job->job.run = write_file;
	job->job.arg = job;
	k->ledger_file->job = job;
	k->ledger_file->written = size;
	us_worker_submit(k->ledger_file->worker, &job->job);
	return US_OK;
}

static int
step(struct us_keeper *k, struct us_task *task)
{
	struct us_ledger_writing *w = (struct us_ledger_writing *)(void *)task;
	uint64_t size;
	int more, err;

	if (us_keeper_state(k) != US_KEEPER_OPEN || k->root == NULL)
		return 0;
	err = put_item(k, w, &more);
	if (err == US_OK && more)
		return 1;
	if (err == US_OK) {
		us_keeper_settle(k); /* what the items hold is in the log */
		if (us_keeper_state(k) != US_KEEPER_OPEN || k->root == NULL)
			return 0;
		err = seal_last(k, w, &size);
	}
	if (err == US_OK)
		err = hand_over(k, w, size);
	if (err != US_OK)
		say_failed(err);
	return 0;
}

void
us_ledger_file_tick(struct us_keeper *k)
{
	struct us_ledger_file *f = k->ledger_file;
	struct us_channel *vault = us_peers_vault(k);
	struct us_ledger_writing *w;

	if (f->job != NULL && us_job_done(&f->job->job))
		job_free(f);
	if (us_keeper_state(k) != US_KEEPER_OPEN || k->usage == NULL || vault == NULL ||
	    f->under_way || f->job != NULL || us_low_space_is_low(k) ||
	    us_klog_size(k->klog) - f->written < EVERY)
		return;
	w = begin(k);
	if (w == NULL) {
		f->written = us_klog_size(k->klog); /* later, then */
		say_failed(US_ERR_NOMEM);
		return;
	}
	f->under_way = 1;
	w->task = (struct us_task){ .ch = vault, .step = step, .free = free_writing };
	us_tasks_add(k, &w->task);
}

void
us_ledger_file_end(struct us_keeper *k)
{
	struct us_ledger_writing *w;
	uint64_t size;
	int err = US_OK, more = 1;

	/* of a start that failed there is no life whose state could be asked */
	if (k->usage == NULL || k->root == NULL || us_keeper_state(k) != US_KEEPER_OPEN ||
	    us_klog_size(k->klog) - k->ledger_file->written < WORTH || us_low_space_is_low(k))
		return;
	if (k->ledger_file->job != NULL)
		us_worker_wait(k->ledger_file->worker, &k->ledger_file->job->job);
	w = begin(k);
	if (w == NULL)
		return;
	while (err == US_OK && more)
		err = put_item(k, w, &more);
	if (err == US_OK)
		err = seal_last(k, w, &size);
	if (err == US_OK)
		err = us_keeper_write(NAME, (struct us_bytes){ w->file.data, w->file.len });
	if (err != US_OK)
		say_failed(err);
	free_writing(&w->task);
}

/* --- reading ------------------------------------------------------------------------------- */

int
us_ledger_reading_begin(struct us_ledger_reading *in)
{
	int err;

	memset(in, 0, sizeof *in);
	us_buf_init(&in->file, FILE_MAX);
	us_buf_init(&in->text, TEXT_MAX);
	us_reader_init(&in->rest, NULL, 0);
	err = us_keeper_read(NAME, FILE_MAX, &in->file);
	if (err != US_OK)
		return err;
	us_reader_init(&in->rest, in->file.data, in->file.len);
	if (!us_bytes_is(us_take(&in->rest, sizeof MAGIC - 1), MAGIC))
		return US_ERR_FORMAT;
	(void)us_take(&in->rest, ID);
	return in->rest.err == US_OK ? US_OK : US_ERR_FORMAT;
}

void
us_ledger_reading_free(struct us_ledger_reading *in)
{
	us_buf_free(&in->file);
	us_buf_free(&in->text);
	us_reader_init(&in->rest, NULL, 0);
}

static int
take_last(struct us_keeper *k, struct us_ledger_reading *in, struct us_reader *r)
{
	struct us_digest root;
	struct us_bytes head;

	in->from = us_take_u64(r);
	in->size = us_take_u64(r);
	head = us_take(r, sizeof root.b);
	if (us_reader_end(r) != US_OK || us_reader_end(&in->rest) != US_OK || in->from > in->size)
		return US_ERR_FORMAT;
	if (us_klog_root_at(k->klog, in->size, &root) != US_OK ||
	    memcmp(root.b, head.p, sizeof root.b) != 0)
		return US_ERR_VERIFY;
	k->ledger_file->written = in->size;
	return US_OK;
}

int
us_ledger_reading_next(struct us_keeper *k, struct us_ledger_reading *in, struct us_usage *usage,
    int *more)
{
	const struct us_bytes part = us_take(&in->rest, us_take_u32(&in->rest));
	uint8_t context[CONTEXT];
	struct us_reader r;
	int err;

	*more = 1;
	if (in->rest.err != US_OK)
		return US_ERR_FORMAT;
	us_buf_reset(&in->text);
	err = us_cobblestone_open_to(&k->root->ledger,
	    context_of(k, in->file.data + sizeof MAGIC - 1, in->number++, context), part,
	    &in->text);
	if (err != US_OK)
		return err;
	us_reader_init(&r, in->text.data, in->text.len);
	switch (us_take_u8(&r)) {
	case 0:
		while (err == US_OK && r.left > 0)
			err = us_usage_take(usage, &r);
		return err;
	case 1:
		*more = 0;
		return take_last(k, in, &r);
	default:
		return US_ERR_FORMAT;
	}
}
