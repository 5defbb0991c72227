/* Reports on the log itself: whether it was altered, what a certificate needs. */
#include <string.h>

#include "client/core/lookup.h"
#include "client/report/endings.h"
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

/* The longest time without an entry, and starts that no stop came before: the vault ended without
 * saying so. */
static void
list_gaps(struct us_report *r)
{
	uint64_t starts = 0, unclean = 0, longest_at = 0;
	int64_t longest = 0;
	int running = 0;
	char text[96];

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		if (i > 0 && e->time_ns - r->trail->entries[i - 1].time_ns > longest) {
			longest = e->time_ns - r->trail->entries[i - 1].time_ns;
			longest_at = e->index;
		}
		if (e->action == US_ACTION_START) {
			starts++;
			unclean += running != 0;
			running = 1;
		} else if (e->action == US_ACTION_STOP)
			running = 0;
	}
	(void)snprintf(text, sizeof text, "%lld s, before entry %llu",
	    (long long)(longest / US_NS_PER_SECOND), (unsigned long long)longest_at);
	finding(r, "longest time without an entry", text);
	finding_number(r, "starts of the vault", starts);
	finding_number(r, "starts after an end that is not in the log", unclean);
}

/* How answers ended, by outcomes and marks. */
static void
list_endings(struct us_report *r)
{
	struct us_endings *left = us_endings_of(r->trail);
	uint64_t outcomes = 0, unknown = 0;
	char text[US_ENDING_TEXT];

	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		outcomes += (uint64_t)us_trail_is_outcome(e);
		us_ending_text(left, e, text);
		unknown += us_report_discloses(e) && strncmp(text, "unknown", 7) == 0;
	}
	us_endings_free(left);
	finding_number(r, "answers that did not leave whole", outcomes);
	finding_number(r, "disclosures of which it is not known how they ended", unknown);
}

int
us_report_verification(struct us_report *r)
{
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
	for (int box = 0; box < US_BOXES; box++) {
		uint64_t n = 0;

		for (size_t i = 0; i < r->trail->n; i++)
			n += r->trail->entries[i].opened >> box & 1;
		finding_number(r, opened[box], n);
	}
	list_gaps(r);
	list_endings(r);
	us_report_text(r->summary, "verdict", us_verdict_name(v->verdict));
	us_report_note(r,
	    "Checked: signature and origin of the checkpoint, every entry against its tile, every "
	    "tile, the root, "
	    "indexes without a gap, times that never go back, and that each key opens the box that "
	    "its entry committed to.");
	return US_EXIT_DONE;
}

/* ---- certificate ---- */

int
us_report_certificate(struct us_report *r)
{
	const struct us_verify_report *v = &r->trail->verified;
	char root[US_BASE64_SIZE(32) + 1];
	uint64_t batches = 0, copies = 0, last_copy = 0;

	us_base64_encode(v->checkpoint.root.b, 32, root);
	for (size_t i = 0; i < r->trail->n; i++) {
		const struct us_trail_entry *e = &r->trail->entries[i];

		batches += e->action == US_ACTION_BATCH_CLOSE && e->entry_class == US_CLASS_STATE;
		if (e->has_copy && e->kind == US_KIND_DISCLOSURE &&
		    (copies == 0 || e->copy_id != last_copy)) {
			copies++;
			last_copy = e->copy_id;
		}
	}
	finding(r, "verdict on the log (902(13): the process gives an accurate result)",
	    us_verdict_name(v->verdict));
	finding(r, "log to be named", v->checkpoint.origin);
	finding_number(r, "size to be named", v->checkpoint.size);
	finding(r, "root to be named", root);
	finding_number(r, "batches with a manifest root (902(14): copies by digest)", batches);
	finding_number(r, "copies with an id", copies);
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
