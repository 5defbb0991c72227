#include "verify/witnessed.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static unsigned long long
num(uint64_t n)
{
	return (unsigned long long)n;
}

/* --- before the pass ----------------------------------------------------------------------- */

/* Names the witness whose line is wrong. */
static int
found_wrong(const struct us_tlog_policy *policy, const char *path, struct us_bytes note,
    struct us_verify_finding *finding)
{
	struct us_bytes text, sigs, line;
	size_t n, wrong = 0;
	const struct us_note_key *keys = us_tlog_policy_witnesses(policy, &n);
	char name[128];
	uint64_t time_s;
	int err = us_note_split(&text, &sigs, note.p, note.n);

	while (err == US_OK && us_cosignature_next(&sigs, &line) == US_OK)
		for (size_t i = 0; i < n && err == US_OK; i++) {
			err = us_cosignature_verify(text, line, &keys[i], &time_s);
			wrong = i;
			err = err == US_ERR_NOT_FOUND ? US_OK : err;
		}
	if (err == US_OK) /* then it is the log's own line */
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "%s is not signed by the log", path);
	(void)us_printable(name, sizeof name, us_tlog_policy_witness_name(policy, wrong),
	    strlen(us_tlog_policy_witness_name(policy, wrong)));
	return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
	    "%s: the cosignature that names the witness %s is not over this "
	    "checkpoint, or not by its key",
	    path, name);
}

static int
judge(struct us_verify_witnessed_note *w, const struct us_note_key *log,
    const struct us_tlog_policy *policy, struct us_bytes note, struct us_verify_finding *finding)
{
	struct us_tlog_verdict v;
	int err;

	memset(&v, 0, sizeof v);
	if (policy == NULL)
		err = us_checkpoint_open(&v.checkpoint, NULL, note.p, note.n, log, 1);
	else
		err = us_tlog_policy_check(policy, log, note, &v);
	switch (err) {
	case US_OK:
	case US_ERR_INCOMPLETE:
		break;
	case US_ERR_NOMEM:
		return err;
	case US_ERR_SIGNATURE:
		if (policy != NULL)
			return found_wrong(policy, w->path, note, finding);
		/* fallthrough */
	case US_ERR_NOT_FOUND:
	case US_ERR_VERIFY:
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "%s is not signed by the log", w->path);
	default:
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "%s: %s",
		    w->path, us_strerror(err));
	}
	w->size = v.checkpoint.size;
	w->root = v.checkpoint.root;
	w->met = policy != NULL && err == US_OK;
	w->as_of_s = v.as_of_s;
	w->who = v.who;
	return US_OK;
}

/* Whether the policy is one for this log. */
static int
check_policy(const struct us_tlog_policy *policy, const struct us_note_key *log,
    struct us_verify_finding *finding)
{
	size_t n;
	const struct us_note_key *logs = us_tlog_policy_logs(policy, &n);

	for (size_t i = 0; i < n; i++)
		if (memcmp(logs[i].pub, log->pub, sizeof log->pub) == 0 &&
		    strcmp(logs[i].name, log->name) == 0)
			return US_OK;
	return n == 0 ? US_OK :
			us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			    "the policy is one for other logs: it does "
			    "not name the key that this one is verified with");
}

/* The K-th file beside the checkpoint, if it is there. */
static int
read_beside(struct us_verify_witnessing *w, const struct us_log_source *source, unsigned k,
    struct us_buf *note, struct us_verify_finding *finding)
{
	char *path = w->note[w->n].path;
	int err;

	if (k == 1)
		(void)snprintf(path, WITNESSED_PATH_MAX, "checkpoint.witnessed");
	else
		(void)snprintf(path, WITNESSED_PATH_MAX, "checkpoint.witnessed.%u", k);
	us_buf_reset(note);
	err = source->get(source->arg, path, note);
	if (err == US_OK || err == US_ERR_NOT_FOUND || err == US_ERR_NOMEM)
		return err;
	if (err == US_ERR_LIMIT)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "%s is larger than it can be", path);
	return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
	    "%s cannot be read: %s", path, us_strerror(err));
}

int
us_verify_witnessed_begin(struct us_verify_witnessing *w, const struct us_note_key *log,
    const struct us_tlog_policy *policy, struct us_bytes checkpoint,
    struct us_verify_finding *finding)
{
	int err = policy == NULL ? US_OK : check_policy(policy, log, finding);

	(void)snprintf(w->note[0].path, WITNESSED_PATH_MAX, "checkpoint");
	w->n = 1;
	return err == US_OK ? judge(&w->note[0], log, policy, checkpoint, finding) : err;
}

int
us_verify_witnessed_beside(struct us_verify_witnessing *w, const struct us_log_source *source,
    const struct us_note_key *log, const struct us_tlog_policy *policy,
    struct us_verify_prefixes *prefixes, struct us_verify_finding *finding)
{
	struct us_buf note;
	int err = US_OK;

	us_buf_init(&note, US_NOTE_MAX);
	for (unsigned k = 1; err == US_OK && k <= WITNESSED_FILES; k++) {
		struct us_verify_witnessed_note *next = &w->note[w->n];

		err = read_beside(w, source, k, &note, finding);
		if (err == US_OK)
			err = judge(next, log, policy, (struct us_bytes){ note.data, note.len },
			    finding);
		if (err == US_OK && next->size > w->note[0].size)
			err = us_verify_found(finding, US_VERDICT_INCOMPLETE, w->note[0].size,
			    "%s is of %llu entries, and there are %llu here", next->path,
			    num(next->size), num(w->note[0].size));
		if (err == US_OK)
			err = us_verify_prefixes_add(prefixes, next->size, &next->prefix);
		w->n += err == US_OK;
	}
	us_buf_free(&note);
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

/* --- after it ------------------------------------------------------------------------------ */

int
us_verify_witnessed_compare(const struct us_verify_witnessing *w,
    const struct us_verify_prefixes *prefixes, struct us_verify_finding *finding)
{
	for (size_t i = 1; i < w->n; i++)
		if (memcmp(w->note[i].root.b, prefixes->at[w->note[i].prefix].root.b,
			US_HASH_LEN) != 0)
			return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "%s is of another history: the log's first %llu entries "
			    "do not give the root that it signed there",
			    w->note[i].path, num(w->note[i].size));
	return US_OK;
}

int
us_verify_witnessed_judge(const struct us_verify_witnessing *w, const struct us_tlog_policy *policy,
    struct us_verify_report *report, struct us_verify_finding *finding)
{
	struct us_verify_witnessed *out = &report->witnessed;

	if (policy == NULL)
		return US_OK;
	out->judged = 1;
	for (size_t i = 0; i < w->n; i++) {
		const struct us_verify_witnessed_note *note = &w->note[i];

		for (size_t k = 0; !out->met && k < US_COSIGNERS_MAX; k++)
			out->by[k] |= note->who.by[k];
		if (!note->met || (out->met && note->size <= out->size) ||
		    (note->size == 0 && w->note[0].size > 0))
			continue; /* of nothing, nobody has seen anything */
		out->met = 1;
		out->size = note->size;
		out->as_of_s = note->as_of_s;
		memcpy(out->by, note->who.by, sizeof out->by);
	}
	return out->met ? US_OK :
			  us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
			      "all else is right, but not so many "
			      "witnesses as the policy wants have cosigned the checkpoint, or an "
			      "earlier one that is here");
}
