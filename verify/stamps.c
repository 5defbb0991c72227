#include "verify/stamps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/time.h"

#define PATH_SIZE (US_STAMP_NAME_MAX + 32)

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

/* --- before the pass ----------------------------------------------------------------------- */

static int
get(const struct us_log_source *source, const char *path, struct us_buf *out,
    struct us_verify_finding *finding)
{
	int err;

	us_buf_reset(out);
	err = source->get(source->arg, path, out);
	switch (err) {
	case US_OK:
	case US_ERR_NOMEM:
		return err;
	case US_ERR_NOT_FOUND:
		return us_verify_found(finding, US_VERDICT_INCOMPLETE, US_ENTRY_NONE,
		    "%s is missing", path);
	case US_ERR_LIMIT:
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "%s is larger than it can be", path);
	default:
		return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "%s cannot be read: %s", path, us_strerror(err));
	}
}

/* Opens it by the key that signed it. *handover: by which that key gave the log away, or NULL. */
static int
open_by_any(const struct us_buf *note, const struct us_verify_stamp_keys *keys,
    struct us_checkpoint *c, const struct us_handover **handover)
{
	int err = us_checkpoint_open(c, NULL, note->data, note->len, keys->log, 1);

	*handover = NULL;
	for (size_t i = 0; err == US_ERR_NOT_FOUND && i < keys->chain->n; i++) {
		*handover = &keys->chain->item[i];
		err = us_checkpoint_open(c, NULL, note->data, note->len,
		    &(*handover)->succession.old_key, 1);
	}
	return err;
}

/* What was stamped. */
static int
take_checkpoint(const char *path, const struct us_buf *note,
    const struct us_verify_stamp_keys *keys, uint64_t size, struct us_checkpoint *c, int *lost,
    struct us_verify_finding *finding)
{
	const struct us_handover *handover;
	int err = open_by_any(note, keys, c, &handover);

	*lost = 0;
	if (err == US_ERR_NOMEM)
		return err;
	if (err != US_OK)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "%s is no checkpoint that the log signed", path);
	if (handover != NULL)
		switch (us_handover_judge(handover, c->size, &c->root)) {
		case US_HANDOVER_KEPT:
			break;
		case US_HANDOVER_LOST:
			*lost = 1;
			return US_OK;
		case US_HANDOVER_HIDDEN:
		case US_HANDOVER_FORKED:
			return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "%s is of entries that the hand-over of its key conceals", path);
		}
	if (c->size > size)
		return us_verify_found(finding, US_VERDICT_INCOMPLETE, size,
		    "%s is of %llu entries, and there are %llu here", path, num(c->size),
		    num(size));
	return US_OK;
}

/* Who says so: options->n_authorities if it is none of them. */
static size_t
find_authority(const struct us_token *token, const uint8_t digest[32],
    const struct us_verify_options *options)
{
	size_t i;

	for (i = 0; i < options->n_authorities; i++)
		if (us_token_verify(token, digest, options->authorities[i]) == US_OK)
			break;
	return i;
}

struct us_verify_pair {
	struct us_buf token, note;
};

static int
take_pair(struct us_verify_pair *pair, const char *name, const struct us_log_source *source,
    struct us_verify_finding *finding)
{
	char path[PATH_SIZE];
	int err;

	(void)snprintf(path, sizeof path, "timestamps/%s.tsr", name);
	err = get(source, path, &pair->token, finding);
	(void)snprintf(path, sizeof path, "timestamps/%s.checkpoint", name);
	return err == US_OK ? get(source, path, &pair->note, finding) : err;
}

static int
take_stamp(struct us_verify_stamps *s, struct us_verify_report *report,
    const struct us_verify_pair *pair, const struct us_verify_stamp_keys *keys,
    const struct us_verify_options *options, struct us_verify_finding *finding)
{
	struct us_verify_stamp *stamp = &report->stamps[report->n_stamps];
	struct us_checkpoint c;
	struct us_token *token = NULL;
	char path[PATH_SIZE];
	uint8_t digest[32];
	int err;

	(void)snprintf(path, sizeof path, "timestamps/%s.checkpoint", stamp->name);
	err = take_checkpoint(path, &pair->note, keys, report->checkpoint.size, &c, &stamp->lost,
	    finding);
	if (err == US_OK)
		err = us_sha256(pair->note.data, pair->note.len, digest);
	if (err == US_OK)
		err = us_token_parse(&token,
		    (struct us_bytes){ pair->token.data, pair->token.len });
	if (err == US_ERR_FORMAT)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "timestamps/%s.tsr is no timestamp that was granted", stamp->name);
	if (err == US_OK && !us_token_is_of(token, digest))
		err = us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "timestamps/%s.tsr is not over the checkpoint beside it", stamp->name);
	if (err == US_OK) {
		s->authority[report->n_stamps] = find_authority(token, digest, options);
		stamp->size = c.size;
		stamp->time_s = us_token_time_s(token);
		stamp->authority = s->authority[report->n_stamps] == options->n_authorities ?
		    NULL :
		    us_authority_name(options->authorities[s->authority[report->n_stamps]]);
		s->root[report->n_stamps] = c.root;
	}
	us_token_free(token);
	return err;
}

static int
no_list(int err, struct us_verify_finding *finding)
{
	if (err == US_ERR_NOT_FOUND)
		return US_OK;
	if (err == US_ERR_NOMEM)
		return err;
	return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
	    "the folder timestamps cannot be read, or holds too many: %s", us_strerror(err));
}

int
us_verify_stamps_open(struct us_verify_stamps *s, struct us_verify_report *report,
    const struct us_log_source *source, const struct us_verify_stamp_keys *keys,
    const struct us_verify_options *options, struct us_verify_prefixes *prefixes,
    struct us_verify_finding *finding)
{
	char(*names)[US_STAMP_NAME_MAX + 1] = source->stamps == NULL ?
	    NULL :
	    calloc(US_STAMPS_MAX, sizeof *names);
	struct us_verify_pair pair;
	size_t n = 0;
	int err;

	if (source->stamps == NULL)
		return US_OK;
	if (names == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&pair.token, US_TOKEN_MAX);
	us_buf_init(&pair.note, US_NOTE_MAX);
	err = source->stamps(source->arg, names, &n);
	if (err != US_OK)
		err = no_list(err, finding);
	for (size_t i = 0; err == US_OK && i < n; i++) {
		(void)snprintf(report->stamps[i].name, sizeof report->stamps[i].name, "%s",
		    names[i]);
		if (options->n_authorities > 0) {
			err = take_pair(&pair, names[i], source, finding);
			if (err == US_OK)
				err = take_stamp(s, report, &pair, keys, options, finding);
			if (err == US_OK && !report->stamps[i].lost)
				err = us_verify_prefixes_add(prefixes, report->stamps[i].size,
				    &s->prefix[i]);
		}
		report->n_stamps += err == US_OK;
	}
	us_buf_free(&pair.token);
	us_buf_free(&pair.note);
	free(names);
	return err;
}

/* --- after it ------------------------------------------------------------------------------ */

int
us_verify_stamps_compare(const struct us_verify_stamps *s, const struct us_verify_report *report,
    const struct us_verify_options *options, const struct us_verify_prefixes *prefixes,
    struct us_verify_finding *finding)
{
	char time[US_TIME_TEXT_SIZE];

	for (size_t i = 0; options->n_authorities > 0 && i < report->n_stamps; i++) {
		const struct us_verify_stamp *stamp = &report->stamps[i];
		const struct us_verify_prefix *prefix = &prefixes->at[s->prefix[i]];

		if (stamp->lost)
			continue;
		if (memcmp(prefix->root.b, s->root[i].b, US_HASH_LEN) != 0)
			return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "timestamps/%s.checkpoint is of another history: the log's "
			    "first %llu entries do not give the root that it signed there",
			    stamp->name, num(stamp->size));
		if (stamp->authority != NULL &&
		    prefix->last_ns >= (stamp->time_s + 1 + STAMP_TOLERANCE_S) * US_NS_PER_SECOND)
			return us_verify_found(finding, US_VERDICT_TAMPERED, stamp->size - 1,
			    "entry %llu is of a later time than %s, when timestamps/%s.tsr "
			    "says that it was there",
			    num(stamp->size - 1),
			    us_time_format_s(stamp->time_s * US_NS_PER_SECOND, time), stamp->name);
	}
	return US_OK;
}

/* The largest size that this authority vouches for. */
static uint64_t
reach(const struct us_verify_stamps *s, const struct us_verify_report *report, size_t authority)
{
	uint64_t size = 0;

	for (size_t i = 0; i < report->n_stamps; i++)
		if (!report->stamps[i].lost && s->authority[i] == authority &&
		    report->stamps[i].size > size)
			size = report->stamps[i].size;
	return size;
}

int
us_verify_stamps_judge(const struct us_verify_stamps *s, struct us_verify_report *report,
    const struct us_verify_options *options, struct us_verify_finding *finding)
{
	struct us_verify_stamped *out = &report->stamped;
	unsigned n;

	if (options->n_authorities == 0)
		return US_OK;
	out->judged = 1;
	out->needed = options->stamps_needed == 0 ? 1 : options->stamps_needed;
	/* an authority that vouches for so many entries vouches for all before them */
	for (size_t i = 0; i < options->n_authorities; i++) {
		const uint64_t size = reach(s, report, i);

		n = 0;
		for (size_t k = 0; k < options->n_authorities; k++)
			n += reach(s, report, k) >= size;
		if (n >= out->needed && size > out->size)
			out->size = size;
	}
	return out->size > 0 ? US_OK :
			       us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
				   "all else is right, but not so many of the "
				   "authorities as are needed have stamped a part of this log");
}
