/* Reports on the log itself: whether it was altered, what a certificate needs. */
#include <stdlib.h>
#include <string.h>

#include "client/report/endings.h"
#include "client/report/kinds.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"

static void
finding(struct us_report *r, const char *name, const char *text)
{
	cJSON *row = us_report_row(r);

	us_report_text(row, "check", name);
	us_report_text(row, "finding", text);
}

static void
finding_number(struct us_report *r, const char *name, uint64_t number)
{
	cJSON *row = us_report_row(r);

	us_report_text(row, "check", name);
	us_report_number(row, "finding", number);
}

/* ---- verification ---- */

struct us_client_verification {
	uint64_t entries, opened[US_BOXES];
	/* the longest time without an entry */
	int64_t last_ns, longest_ns;
	uint64_t longest_at;
	/* starts that neither a stop nor a seal came before: the vault ended without saying so */
	uint64_t starts, unclean;
	int running;
	/* how answers ended: the last entries of disclosures that no mark has passed yet */
	uint64_t outcomes, unknown;
	uint64_t *open;
	size_t n_open;
};

static void
take_time(struct us_client_verification *s, const struct us_trail_entry *e)
{
	if (s->entries > 0 && e->time_ns - s->last_ns > s->longest_ns) {
		s->longest_ns = e->time_ns - s->last_ns;
		s->longest_at = e->index;
	}
	s->last_ns = e->time_ns;
	if (e->action == US_ACTION_START) {
		s->starts++;
		s->unclean += s->running != 0;
		s->running = 1;
	} else if (e->action == US_ACTION_STOP ||
	    (e->action == US_ACTION_SEAL && e->decision == US_DECISION_ALLOW)) {
		s->running = 0; /* a seal starts the processes anew, and writes no stop */
	}
}

/* A mark settles what is before its end; of a failed one it is not known how its answers ended. An
 * outcome says it of one. */
static void
take_ending(struct us_client_verification *s, const struct us_trail_entry *e)
{
	const int outcome = us_trail_is_outcome(e), mark = !outcome && us_trail_is_mark(e);
	const int failed = mark && e->decision == US_DECISION_FAILED;
	uint64_t from = 0, to = 0;
	size_t n = 0;

	if (mark)
		us_trail_mark(e, &from, &to);
	s->outcomes += (uint64_t)outcome;
	if (us_report_discloses(e)) {
		s->open = us_report_room(s->open, s->n_open, sizeof *s->open);
		s->open[s->n_open++] = us_ending_key(e).last;
	}
	if (!outcome && !mark)
		return;
	for (size_t i = 0; i < s->n_open; i++) {
		const uint64_t last = s->open[i];

		s->unknown += failed && last >= from && last < to;
		if (outcome ? last != e->related : last >= to)
			s->open[n++] = last;
	}
	s->n_open = n;
}

static void
verification_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_verification *s = r->state;

	for (int box = 0; box < US_BOXES; box++)
		s->opened[box] += e->opened >> box & 1;
	take_time(s, e);
	take_ending(s, e);
	s->entries++;
}

static void
list_gaps(struct us_report *r, const struct us_client_verification *s)
{
	char text[96];

	(void)snprintf(text, sizeof text, "%lld s, before entry %llu",
	    (long long)(s->longest_ns / US_NS_PER_SECOND), (unsigned long long)s->longest_at);
	finding(r, "longest time without an entry", text);
	finding_number(r, "starts of the vault", s->starts);
	finding_number(r, "starts after an end that is not in the log", s->unclean);
	finding_number(r, "answers that did not leave whole", s->outcomes);
	finding_number(r, "disclosures of which it is not known how they ended", s->unknown);
}

static int
verification_end(struct us_report *r)
{
	const struct us_client_verification *s = r->state;
	const struct us_verify_report *v = &r->trail->verified;
	static const char *const opened[US_BOXES] = { "access boxes opened",
		"disclosure boxes opened", "query boxes opened" };
	char root[US_BASE64_SIZE(32) + 1], time[US_TIME_TEXT_SIZE];

	us_base64_encode(v->checkpoint.root.b, 32, root);
	finding(r, "verdict", us_verdict_name(v->verdict));
	finding(r, "detail", v->detail);
	if (v->verdict != US_VERDICT_OK && v->index != US_ENTRY_NONE)
		finding_number(r, "first bad or missing entry", v->index);
	finding(r, "log", v->checkpoint.origin);
	finding(r, "key of the log",
	    v->own_vkey ? "came with the log itself: proves no identity" : "from another source");
	finding_number(r, "entries in the checkpoint", v->checkpoint.size);
	finding_number(r, "entries checked", v->entries);
	finding(r, "root", root);
	finding(r, "first entry", v->entries == 0 ? NULL : us_time_format(v->first_ns, time));
	finding(r, "last entry", v->entries == 0 ? NULL : us_time_format(v->last_ns, time));
	finding_number(r, "indexes missing or out of order",
	    v->verdict == US_VERDICT_OK ? 0 : v->checkpoint.size - v->entries);
	for (int box = 0; box < US_BOXES; box++)
		finding_number(r, opened[box], s->opened[box]);
	list_gaps(r, s);
	us_report_text(r->summary, "verdict", us_verdict_name(v->verdict));
	us_report_note(r,
	    "Checked: signature and origin of the checkpoint, every entry against its tile, every "
	    "tile, the root, "
	    "indexes without a gap, times that never go back, and that each key opens the box that "
	    "its entry committed to.");
	return US_EXIT_DONE;
}

static void
verification_drop(struct us_report *r)
{
	free(((struct us_client_verification *)r->state)->open);
}

const struct us_report_kind us_report_verification = {
	.name = "verification",
	.question = "Was the log altered, cut or reordered; are there gaps?",
	.options = "",
	.columns = "check finding",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_verification),
	.entry = verification_entry,
	.end = verification_end,
	.drop = verification_drop,
};

/* ---- certificate ---- */

struct us_client_certificate {
	uint64_t batches, copies, last_copy;
};

static void
certificate_entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_certificate *s = r->state;

	s->batches += e->action == US_ACTION_BATCH_CLOSE && e->entry_class == US_CLASS_STATE;
	if (e->has_copy && e->kind == US_KIND_DISCLOSURE &&
	    (s->copies == 0 || e->copy_id != s->last_copy)) {
		s->copies++;
		s->last_copy = e->copy_id;
	}
}

static int
certificate_end(struct us_report *r)
{
	const struct us_client_certificate *s = r->state;
	const struct us_verify_report *v = &r->trail->verified;
	char root[US_BASE64_SIZE(32) + 1];

	us_base64_encode(v->checkpoint.root.b, 32, root);
	finding(r, "verdict on the log (902(13): the process gives an accurate result)",
	    us_verdict_name(v->verdict));
	finding(r, "log to be named", v->checkpoint.origin);
	finding_number(r, "size to be named", v->checkpoint.size);
	finding(r, "root to be named", root);
	finding_number(r, "batches with a manifest root (902(14): copies by digest)", s->batches);
	finding_number(r, "copies with an id", s->copies);
	finding(r, "the log as files", "underseal audit export --out DIR");
	finding(r, "a draft of 902(13), with its package",
	    "underseal certify 902-13 --log DIR --out DIR");
	finding(r, "a draft of 902(14), with its package",
	    "underseal certify 902-14 FILE... --log DIR --out DIR");
	finding(r, "a check by the other side",
	    "underseal-verify DIR --vkey FILE, with the key from another source");
	finding(r, "what came in, by manifest root", "underseal audit report holdings");
	finding(r, "what left", "underseal audit report disclosures");
	finding(r, "who signs",
	    "a qualified person who knows how the vault is run: name, position, place, date");
	finding(r, "how",
	    "under penalty of perjury (28 U.S.C. 1746), with reasonable notice to the other side");
	us_report_note(r,
	    "Declarations under Fed. R. Evid. 902(13) and 902(14) are a person's own; this is what "
	    "they rest on.");
	return US_EXIT_DONE;
}

const struct us_report_kind us_report_certificate = {
	.name = "certificate",
	.question = "What does a certificate for the court need from this log?",
	.options = "",
	.columns = "check finding",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_certificate),
	.entry = certificate_entry,
	.end = certificate_end,
};
