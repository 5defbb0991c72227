#include "verify/acts.h"

#define ACTS_MAX ((size_t)1 << 30)
#define RULE "acts"

int
us_verify_acts_open(struct us_verify_acts *a, const struct us_log_source *source,
    struct us_verify_finding *finding)
{
	int err;

	us_buf_init(&a->file, ACTS_MAX);
	us_state_init(&a->state);
	a->missing = US_ENTRY_NONE;
	err = source->get(source->arg, "acts", &a->file);
	a->there = err == US_OK;
	a->wanted = source->is_export;
	us_reader_init(&a->left, a->file.data, a->file.len);
	if (err == US_OK || err == US_ERR_NOT_FOUND || err == US_ERR_NOMEM)
		return err == US_ERR_NOMEM ? err : US_OK;
	return us_verify_found(finding,
	    err == US_ERR_LIMIT ? US_VERDICT_TAMPERED : US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
	    err == US_ERR_LIMIT ? "the acts are larger than they can be" :
				  "the acts cannot be read");
}

void
us_verify_acts_close(struct us_verify_acts *a)
{
	us_buf_free(&a->file);
}

int
us_verify_acts_next(struct us_verify_acts *a, uint64_t index, const uint8_t commitment[32],
    struct us_verify_finding *finding)
{
	struct us_bytes act;
	int err;

	if (a->left.left == 0) {
		if (a->missing == US_ENTRY_NONE)
			a->missing = index;
		return US_OK;
	}
	act = us_take_str32(&a->left, US_ACT_COMMITTED_MAX);
	err = a->left.err != US_OK ? a->left.err : us_state_take(&a->state, act);
	if (err == US_OK)
		err = us_state_check(&a->state, commitment);
	if (err == US_OK || err == US_ERR_CRYPTO)
		return err;
	finding->rule = RULE;
	return us_verify_found(finding, US_VERDICT_TAMPERED, index,
	    "the act beside entry %llu is not the one that it commits to: %s",
	    (unsigned long long)index, us_strerror(err));
}

int
us_verify_acts_end(const struct us_verify_acts *a, const struct us_verify_report *report,
    struct us_verify_finding *finding)
{
	int whole = a->wanted;

	for (size_t i = 0; i < US_BOXES; i++)
		whole &= report->opened[i] == report->entries;
	if (a->left.left > 0) {
		finding->rule = RULE;
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "there are more acts than entries of acts");
	}
	if (a->missing == US_ENTRY_NONE || (!a->there && !whole))
		return US_OK;
	finding->rule = RULE;
	return us_verify_found(finding, US_VERDICT_INCOMPLETE, a->missing,
	    a->there ? "the acts end before that of entry %llu" :
		       "every box is opened, but the acts are not there: that of entry %llu is the "
		       "first",
	    (unsigned long long)a->missing);
}
