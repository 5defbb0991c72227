#include "log/disk/klog.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "log/disk/klog_internal.h"

#define BOOT_CONTEXT "underseal/boot-entry/1"

void
us_klog_set_box_key(struct us_klog *log, const struct us_key *b)
{
	log->box_key = b;
}

uint32_t
us_klog_open_group(const struct us_klog *log)
{
	return log->count;
}

/* A fresh secret for one entry, sealed to the key whose other half is under the root. */
static int
seal_secret(struct us_klog *log, uint64_t index, struct us_key *secret, struct us_buf *sealed)
{
	uint8_t context[sizeof BOOT_CONTEXT - 1 + 32 + 8];
	int err = us_key_random(secret);

	memcpy(context, BOOT_CONTEXT, sizeof BOOT_CONTEXT - 1);
	memcpy(context + sizeof BOOT_CONTEXT - 1, log->vault_id, 32);
	us_store_u64(context + sizeof BOOT_CONTEXT - 1 + 32, index);
	if (err == US_OK)
		err = us_seal_to_public(log->box_public,
		    (struct us_bytes){ context, sizeof context },
		    (struct us_bytes){ secret->b, US_KEY_SIZE }, sealed);
	return err;
}

static int64_t
entry_time(struct us_klog *log)
{
	int64_t now = us_time_now_ns();

	if (now < log->last_time - US_NS_PER_SECOND)
		log->clock_back = 1;
	return now > log->last_time ? now : log->last_time;
}

static int
encode(struct us_klog *log, const struct us_entry_in *e, int64_t time_ns)
{
	struct us_key secret;
	struct us_buf sealed;
	struct us_entry_in in = *e;
	int err = us_random(in.salt, sizeof in.salt);

	in.index = us_logtree_size(log->tree);
	in.time_ns = time_ns;
	in.vault_id = log->vault_id;
	us_buf_init(&sealed, 1024);
	if (err == US_OK && log->box_key == NULL) {
		err = seal_secret(log, in.index, &secret, &sealed);
		in.secret = &secret;
		in.sealed = (struct us_bytes){ sealed.data, sealed.len };
	} else if (log->box_key != NULL) {
		in.secret = log->box_key;
	}
	us_buf_reset(&log->entry);
	if (err == US_OK)
		err = us_entry_encode(&log->entry, &in);
	us_wipe(&secret, sizeof secret);
	us_buf_free(&sealed);
	return err;
}

int
us_klog_append(struct us_klog *log, const struct us_entry_in *e, uint64_t *index, int64_t *time_ns)
{
	struct us_digest leaf;
	const int64_t now = entry_time(log);
	const int state = e->entry_class == US_CLASS_STATE;
	int err = state && (e->access == NULL || e->access->sequence == US_ENTRY_NONE) ?
	    US_ERR_ARG :
	    encode(log, e, now);

	if (err == US_OK && log->group.len + log->entry.len + 2 > log->group_max)
		err = us_klog_commit(log);
	if (err == US_OK)
		err = us_buf_put_str16(&log->group, log->entry.data, log->entry.len);
	if (err != US_OK)
		return err;
	*index = us_logtree_size(log->tree);
	*time_ns = now;
	log->last_time = now;
	us_merkle_leaf(&leaf, log->entry.data, log->entry.len);
	err = us_logtree_append(log->tree, &leaf);
	if (err == US_OK)
		err = us_publish_entry(log->publish,
		    (struct us_bytes){ log->entry.data, log->entry.len });
	if (err != US_OK)
		us_fatal("the log's tree cannot grow: %s. Stopping", us_strerror(err));
	log->count++;
	if (state) {
		log->state_sequence = e->access->sequence;
		memcpy(log->state_digest, e->state_digest, 32);
	}
	return US_OK;
}

int
us_klog_commit(struct us_klog *log)
{
	struct us_journal_tail tail = {
		.size = us_logtree_size(log->tree),
		.state_sequence = log->state_sequence,
		.time_ns = log->last_time,
		.counters = { log->counters.data, log->counters.len },
	};
	struct us_checkpoint c = { .size = tail.size };
	int err;

	if (log->count == 0)
		return US_OK;
	memcpy(c.origin, log->origin, sizeof c.origin);
	memcpy(tail.state_digest, log->state_digest, 32);
	err = us_logtree_root(log->tree, &tail.root);
	c.root = tail.root;
	us_buf_reset(&log->next_checkpoint);
	/* Signed here so that it can stand in the group; nobody sees it before the sync. */
	if (err == US_OK)
		err = us_checkpoint_sign(&log->next_checkpoint, &c, log->signer);
	tail.checkpoint = (struct us_bytes){ log->next_checkpoint.data, log->next_checkpoint.len };
	if (err == US_OK)
		err = us_journal_commit(log->journal,
		    (struct us_bytes){ log->group.data, log->group.len }, log->count, &tail);
	if (err != US_OK)
		return err;
	log->size = tail.size;
	us_buf_reset(&log->checkpoint);
	err = us_buf_put(&log->checkpoint, log->next_checkpoint.data, log->next_checkpoint.len);
	us_buf_reset(&log->group);
	log->count = 0;
	us_publish_flush(log->publish);
	return err;
}

/* --- the committed log ------------------------------------------------------------------- */

uint64_t
us_klog_size(const struct us_klog *log)
{
	return log->size;
}

struct us_bytes
us_klog_checkpoint(const struct us_klog *log)
{
	return (struct us_bytes){ log->checkpoint.data, log->checkpoint.len };
}

const char *
us_klog_vkey(const struct us_klog *log)
{
	return log->vkey;
}

int
us_klog_sign(const struct us_klog *log, struct us_bytes msg, uint8_t out[64])
{
	return us_ed25519_sign(log->seed, msg, out);
}

int
us_klog_proof(struct us_klog *log, uint64_t index, struct us_digest proof[US_PROOF_MAX], size_t *n)
{
	return us_logtree_inclusion(log->tree, index, log->size, proof, n);
}

int
us_klog_entry_bytes(struct us_klog *log, uint64_t index, struct us_buf *out)
{
	unsigned at = (unsigned)(index % US_TILE_WIDTH);
	struct us_bytes entry = { NULL, 0 };
	struct us_reader r;
	struct us_buf b;
	int err;

	if (index >= log->size)
		return US_ERR_NOT_FOUND;
	us_buf_init(&b, US_BUNDLE_MAX);
	err = us_publish_bundle(log->publish, index / US_TILE_WIDTH, at + 1, &b);
	us_reader_init(&r, b.data, b.len);
	for (unsigned i = 0; err == US_OK && i <= at; i++)
		entry = us_bundle_take(&r);
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err == US_OK)
		err = us_buf_put(out, entry.p, entry.n);
	us_buf_free(&b);
	return err;
}

int
us_klog_bundle(struct us_klog *log, uint64_t n, unsigned width, struct us_buf *out)
{
	return width == 0 || us_tile_width(log->size, 0, n) < width ?
	    US_ERR_NOT_FOUND :
	    us_publish_bundle(log->publish, n, width, out);
}

int
us_klog_box_keys(struct us_klog *log, struct us_bytes entry, const struct us_key *box_private,
    struct us_key keys[US_BOXES])
{
	uint8_t context[sizeof BOOT_CONTEXT - 1 + 32 + 8];
	struct us_entry_view v;
	struct us_key s;
	struct us_buf secret;
	int err = us_entry_decode(&v, entry.p, entry.n);

	if (err != US_OK)
		return err;
	if (log->box_key == NULL)
		return US_ERR_SEALED;
	if (!v.boot)
		return us_entry_box_keys(keys, log->box_key, log->vault_id, v.index, v.salt);
	us_buf_init(&secret, US_KEY_SIZE);
	memcpy(context, BOOT_CONTEXT, sizeof BOOT_CONTEXT - 1);
	memcpy(context + sizeof BOOT_CONTEXT - 1, log->vault_id, 32);
	us_store_u64(context + sizeof BOOT_CONTEXT - 1 + 32, v.index);
	err = us_open_from_public(box_private, (struct us_bytes){ context, sizeof context },
	    v.sealed, &secret);
	if (err == US_OK && secret.len != US_KEY_SIZE)
		err = US_ERR_FORMAT;
	if (err == US_OK) {
		memcpy(s.b, secret.data, US_KEY_SIZE);
		err = us_entry_box_keys(keys, &s, log->vault_id, v.index, v.salt);
	}
	us_wipe(&s, sizeof s);
	us_buf_free(&secret);
	return err;
}

static int
serve_tile(struct us_klog *log, const struct us_tile *t, struct us_buf *out)
{
	struct us_digest hashes[US_TILE_WIDTH];
	int err;

	if (us_tile_width(log->size, t->entries ? 0 : t->level, t->n) < t->width)
		return US_ERR_NOT_FOUND;
	if (t->entries)
		return us_publish_bundle(log->publish, t->n, t->width, out);
	err = us_logtree_tile(log->tree, t->level, t->n, t->width, hashes);
	return err != US_OK ? err : us_buf_put(out, hashes, t->width * sizeof hashes[0]);
}

/* "OLD/NEW" behind "consistency/": decimal sizes, 0 < OLD <= NEW <= the newest. */
static int
parse_sizes(struct us_bytes text, uint64_t sizes[2])
{
	size_t at = 0;

	for (int i = 0; i < 2; i++) {
		size_t digits = 0;

		sizes[i] = 0;
		for (; at < text.n && text.p[at] >= '0' && text.p[at] <= '9' && digits < 18;
		     at++, digits++)
			sizes[i] = sizes[i] * 10 + (uint64_t)(text.p[at] - '0');
		if (digits == 0 || (i == 0 && (at == text.n || text.p[at++] != '/')))
			return US_ERR_FORMAT;
	}
	return at == text.n ? US_OK : US_ERR_FORMAT;
}

/* Lines of base64 hashes, as in tlog-witness. */
static int
serve_consistency(struct us_klog *log, struct us_bytes text, struct us_buf *out)
{
	struct us_digest proof[US_PROOF_MAX];
	uint64_t sizes[2];
	size_t n = 0;
	int err = parse_sizes(text, sizes);

	if (err == US_OK && (sizes[0] == 0 || sizes[0] > sizes[1] || sizes[1] > log->size))
		err = US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = us_logtree_consistency(log->tree, sizes[0], sizes[1], proof, &n);
	for (size_t i = 0; i < n && err == US_OK; i++) {
		err = us_base64_put(out, proof[i].b, US_HASH_LEN);
		if (err == US_OK)
			err = us_buf_put_u8(out, '\n');
	}
	return err;
}

int
us_klog_serve(struct us_klog *log, struct us_bytes path, struct us_buf *out)
{
	static const char consistency[] = "consistency/";
	const size_t skip = sizeof consistency - 1;
	struct us_tile t;
	int err;

	if (path.n > skip && memcmp(path.p, consistency, skip) == 0)
		return serve_consistency(log, (struct us_bytes){ path.p + skip, path.n - skip },
		    out);

	if (us_bytes_is(path, "checkpoint"))
		return log->size == 0 ? US_ERR_NOT_FOUND :
					us_buf_put(out, log->checkpoint.data, log->checkpoint.len);
	if (us_bytes_is(path, "handovers"))
		return log->handovers.len == 0 ?
		    US_ERR_NOT_FOUND :
		    us_buf_put(out, log->handovers.data, log->handovers.len);
	if (us_bytes_is(path, "vkey"))
		return us_buf_putf(out, "%s\n", log->vkey);
	err = us_tile_parse(&t, (const char *)path.p, path.n);
	return err != US_OK ? US_ERR_FORMAT : serve_tile(log, &t, out);
}

int
us_klog_root_at(struct us_klog *log, uint64_t size, struct us_digest *root)
{
	return size > log->size ? US_ERR_RANGE : us_logtree_root_at(log->tree, size, root);
}

uint64_t
us_klog_state_sequence(const struct us_klog *log)
{
	return log->state_sequence;
}

const uint8_t *
us_klog_state_digest(const struct us_klog *log)
{
	return log->state_digest;
}

int
us_klog_set_counters(struct us_klog *log, struct us_bytes counters)
{
	us_buf_reset(&log->counters);
	return us_buf_put(&log->counters, counters.p, counters.n);
}

struct us_bytes
us_klog_counters(const struct us_klog *log)
{
	return (struct us_bytes){ log->counters.data, log->counters.len };
}

int
us_klog_clock_went_back(struct us_klog *log)
{
	int back = log->clock_back;

	log->clock_back = 0;
	return back;
}

int64_t
us_klog_last_time(const struct us_klog *log)
{
	return log->last_time;
}

int
us_klog_space(const struct us_klog *log, uint64_t *bytes)
{
	return us_journal_space(log->journal, bytes);
}
