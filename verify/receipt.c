#include "verify/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/proof.h"
#include "base/base64.h"
#include "verify/head.h"
#include "verify/witnessed.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"

struct us_verify_receipt {
	struct us_verify_report *report;
	const struct us_verify_options *options;
	struct us_verify_finding finding;
	struct us_tlog_proof proof;
	struct us_note_key key;
	struct us_bytes entry;
	struct us_buf extra; /* what entry points into, if it came with the receipt */
	struct us_verify_witnessing witnessed;
};

/* Whether the last line is one of signatures: something behind the empty line that ends the proof,
 * and the one that ends the checkpoint. */
static int
is_whole(struct us_bytes file)
{
	unsigned empty_lines = 0;

	for (size_t i = 1; i < file.n; i++)
		empty_lines += file.p[i] == '\n' && file.p[i - 1] == '\n';
	return empty_lines >= 2 && file.p[file.n - 1] == '\n' && file.p[file.n - 2] != '\n';
}

static int
parse(struct us_verify_receipt *r, struct us_bytes file)
{
	int err;

	if (file.n < strlen(FIRST_LINE) || memcmp(file.p, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return us_verify_found(&r->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "this is no receipt: it does not begin as a tlog-proof "
		    "does");
	if (!is_whole(file))
		return us_verify_found(&r->finding, US_VERDICT_INCOMPLETE, US_ENTRY_NONE,
		    "the receipt is cut short");
	err = us_tlog_proof_parse(&r->proof, file.p, file.n);
	if (err != US_OK)
		return us_verify_found(&r->finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "the receipt is malformed: %s", us_strerror(err));
	r->report->receipt = 1;
	r->report->receipt_index = r->proof.index;
	return US_OK;
}

/* The log of the policy that signed. */
static int
find_key(struct us_verify_receipt *r)
{
	size_t n = 0;
	const struct us_note_key *logs = r->options->policy == NULL ?
	    NULL :
	    us_tlog_policy_logs(r->options->policy, &n);
	struct us_checkpoint c;

	for (size_t i = 0; i < n; i++)
		if (us_checkpoint_open(&c, NULL, r->proof.checkpoint.p, r->proof.checkpoint.n,
			&logs[i], 1) == US_OK) {
			r->key = logs[i];
			return US_OK;
		}
	return us_verify_found(&r->finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
	    n == 0 ? "there is no key to verify with" :
		     "no log of the policy has signed the checkpoint");
}

static int
check_checkpoint(struct us_verify_receipt *r)
{
	int err = r->options->vkey == NULL ?
	    find_key(r) :
	    us_verify_head_key(&r->key, r->options->vkey, &r->finding);

	if (err == US_OK)
		err = us_verify_head_checkpoint(&r->report->checkpoint, &r->key,
		    r->proof.checkpoint, &r->finding);
	if (err == US_OK)
		err = us_verify_witnessed_begin(&r->witnessed, &r->key, r->options->policy,
		    r->proof.checkpoint, &r->finding);
	return err;
}

static int
get_entry(struct us_verify_receipt *r, struct us_bytes given)
{
	int err;

	r->entry = given;
	if (given.p != NULL)
		return US_OK;
	if (r->proof.extra.p == NULL)
		return us_verify_found(&r->finding, US_VERDICT_INCOMPLETE, r->proof.index,
		    "the receipt does not hold entry %llu, and it was not "
		    "given",
		    (unsigned long long)r->proof.index);
	err = us_base64_take(&r->extra, (const char *)r->proof.extra.p, r->proof.extra.n);
	r->entry = (struct us_bytes){ r->extra.data, r->extra.len };
	return err == US_OK || err == US_ERR_NOMEM ?
	    err :
	    us_verify_found(&r->finding, US_VERDICT_TAMPERED, r->proof.index,
		"the entry in the receipt: %s", us_strerror(err));
}

static int
check_entry(struct us_verify_receipt *r)
{
	const struct us_checkpoint *c = &r->report->checkpoint;
	const unsigned long long index = r->proof.index;
	struct us_entry_view view;
	struct us_digest leaf;
	int err;

	us_merkle_leaf(&leaf, r->entry.p, r->entry.n);
	if (us_merkle_verify_inclusion(&leaf, r->proof.index, c->size, r->proof.hashes,
		r->proof.n_hashes, &c->root) != US_OK)
		return us_verify_found(&r->finding, US_VERDICT_TAMPERED, r->proof.index,
		    "the proof does not show that this is entry %llu of the "
		    "%llu that the checkpoint signs",
		    index, (unsigned long long)c->size);
	if (r->options->foreign)
		return US_OK;
	err = us_entry_decode(&view, r->entry.p, r->entry.n);
	if (err != US_OK)
		return us_verify_found(&r->finding, US_VERDICT_TAMPERED, r->proof.index,
		    "entry %llu is malformed: %s", index, us_strerror(err));
	if (view.index != r->proof.index)
		return us_verify_found(&r->finding, US_VERDICT_TAMPERED, r->proof.index,
		    "entry %llu says that it is entry %llu", index, (unsigned long long)view.index);
	r->report->first_ns = r->report->last_ns = view.time_ns;
	return US_OK;
}

int
us_entry_receipt_verify(struct us_verify_report *report, struct us_bytes receipt,
    struct us_bytes entry, const struct us_verify_options *options)
{
	struct us_verify_receipt *r = calloc(1, sizeof *r);
	int err;

	us_verify_report_begin(report);
	if (r == NULL)
		return US_ERR_NOMEM;
	r->report = report;
	r->options = options;
	us_buf_init(&r->extra, US_ENTRY_MAX);
	err = parse(r, receipt);
	if (err == US_OK)
		err = check_checkpoint(r);
	if (err == US_OK)
		err = get_entry(r, entry);
	if (err == US_OK)
		err = check_entry(r);
	if (err == US_OK) {
		report->entries = 1;
		err = us_verify_witnessed_judge(&r->witnessed, options->policy, report,
		    &r->finding);
	}
	us_verify_report_conclude(report, err, &r->finding);
	if (err == US_OK)
		(void)snprintf(report->detail, sizeof report->detail,
		    "entry %llu is in the log, as it is here", (unsigned long long)r->proof.index);
	us_buf_free(&r->extra);
	free(r);
	return err == FOUND ? US_OK : err;
}
