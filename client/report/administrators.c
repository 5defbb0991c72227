/* Report: did those who run the vault see content? */
#include <string.h>

#include "client/report/kinds.h"

struct us_client_administrators {
	uint64_t allowed, refused;
};

/* Those who run the vault: they may never see evidence. */
static int
runs_the_vault(const struct us_report *r, const struct us_trail_entry *e)
{
	const struct us_named_person *p = us_names_find_person(&r->trail->names, e->person);

	return p != NULL &&
	    (strcmp(p->capacity, "administrator") == 0 || strcmp(p->capacity, "keyholder") == 0);
}

static void
entry(struct us_report *r, const struct us_trail_entry *e)
{
	struct us_client_administrators *s = r->state;
	cJSON *row;

	if (!us_action_row(e->action)->is_evidence || !runs_the_vault(r, e) ||
	    !us_report_in_range(r, e))
		return;
	row = us_report_entry_row(r, e);
	us_report_text(row, "decision", us_decision_name(e->decision));
	us_report_text(row, "reason",
	    e->reason == US_REASON_NONE ? NULL : us_reason_name(e->reason));
	us_report_collection(r, row, e);
	us_report_disclosed(r, row, e);
	if (e->decision == US_DECISION_DENY)
		s->refused++;
	else
		s->allowed++;
}

static int
end(struct us_report *r)
{
	const struct us_client_administrators *s = r->state;

	us_report_number(r->summary, "allowed (expected: 0)", s->allowed);
	us_report_number(r->summary, "refused attempts", s->refused);
	return US_EXIT_DONE;
}

const struct us_report_kind us_report_content_by_administrators = {
	.name = "content-by-administrators",
	.question = "Did those who run the vault see content?",
	.options = "",
	.columns = US_ENTRY_COLUMNS "decision reason collection records bates",
	.needs = US_NEEDS_ACCESS | US_NEEDS_RECORDS,
	.state = sizeof(struct us_client_administrators),
	.entry = entry,
	.end = end,
};
