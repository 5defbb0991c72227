/* Report: who was authorised. The vault says it, or the acts in an export, from which the order is
 * evaluated again. */
#include <string.h>

#include "client/core/lookup.h"
#include "client/report/kinds.h"
#include "base/err.h"
#include "base/time.h"
#include "registry/hypothetical.h"

#define DEPENDS_MAX 65536

/* ---- from the vault ---- */

static void
list_person(struct us_report *r, const cJSON *person)
{
	cJSON *row = us_report_row(r);
	const char *reason = us_json_text(person, "reason");

	us_report_text(row, "person", us_json_text(person, "name"));
	us_report_text(row, "decision", us_json_text(person, "decision"));
	us_report_text(row, "reason", strcmp(reason, "none") == 0 ? NULL : reason);
	us_report_text(row, "rule", us_json_text(person, "rule"));
	us_report_text(row, "paragraph", us_json_text(person, "paragraph"));
	us_report_text(row, "depends_on", NULL);
}

static int
put_parameter(struct us_buf *path, char before, const char *name, const char *value)
{
	int err = us_buf_putf(path, "%c%s=", before, name);

	return err == US_OK ? us_put_escaped(path, value) : err;
}

/* Asks the vault, which has the index: rules with a query are judged too. */
static int
ask_vault(struct us_report *r, const char *collection, const char *bates, const char *action)
{
	cJSON *answer = NULL;
	const cJSON *person;
	struct us_buf path;
	uint64_t may = 0;
	int status, err;

	us_buf_init(&path, 4096);
	err = us_buf_putf(&path, "/v1/order/who");
	if (err == US_OK)
		err = put_parameter(&path, '?', "action", action);
	if (err == US_OK && r->ask->at != NULL)
		err = put_parameter(&path, '&', "at", r->ask->at);
	if (err == US_OK)
		err = put_parameter(&path, '&', "collection", collection);
	if (err == US_OK)
		err = put_parameter(&path, '&', "bates", bates);
	if (err != US_OK || us_buf_cstr(&path) == NULL)
		us_usage_error("this is too long to ask");
	status = us_client_get(r->client, us_buf_cstr(&path), &answer);
	us_buf_free(&path);
	if (status != US_EXIT_DONE)
		return status;
	cJSON_ArrayForEach(person, cJSON_GetObjectItemCaseSensitive(answer, "people")) {
		list_person(r, person);
		may += strcmp(us_json_text(person, "decision"), "allow") == 0;
	}
	us_report_text(r->summary, "at", us_json_text(answer, "at"));
	us_report_number(r->summary, "order version", (uint64_t)us_json_number(answer, "order", 0));
	us_report_number(r->summary, "people who may", may);
	us_report_note(r,
	    "This answer is the vault's, not the log's: it evaluates the order and the acts up to "
	    "that time "
	    "(entry %.0f). From an export (--dir), the answer is made from the acts in it.",
	    us_json_number(answer, "entry", 0));
	cJSON_Delete(answer);
	return status;
}

/* ---- from the acts ---- */

/* What everybody is asked about. */
struct us_client_matter {
	const struct us_registry *reg;
	const struct us_order *order;
	const struct us_collection *collection;
	uint64_t record;
	enum us_action action;
	int64_t at_ns;
};

static int
put_queries(struct us_buf *to, const struct us_order *order, const uint64_t rules[US_RULE_WORDS],
    const char *before)
{
	int err = US_OK;

	for (int i = us_rules_next(rules, 0); i >= 0 && err == US_OK;
	     i = us_rules_next(rules, i + 1))
		if (order->rules[i].is_query)
			err = us_buf_putf(to, "%s%s(%.*s)", to->len > 0 ? " " : "", before,
			    (int)order->rules[i].what.n, (const char *)order->rules[i].what.p);
	return err;
}

/* The queries that decide whether this record is among what the person may see: one of the first,
 * and none of those behind "not". */
static void
put_depends(cJSON *row, const struct us_client_matter *m, const struct us_ruling *ruling)
{
	struct us_buf text;

	us_buf_init(&text, DEPENDS_MAX);
	if (ruling->sees_all || put_queries(&text, m->order, ruling->permits, "") != US_OK ||
	    put_queries(&text, m->order, ruling->forbids, "not ") != US_OK)
		us_report_text(row, "depends_on",
		    ruling->sees_all ? NULL : "the queries of several rules");
	else
		us_report_text(row, "depends_on", us_buf_cstr(&text));
	us_buf_free(&text);
}

/* 1 if the person may, as far as the acts tell. */
static int
judge(struct us_report *r, const struct us_client_matter *m, const struct us_person *person)
{
	cJSON *row = us_report_row(r);
	struct us_hypothetical o;
	enum us_reason reason;
	char text[US_ORDER_PARAGRAPH_MAX + US_ORDER_ID_MAX + 1];

	us_registry_hypothetical(m->reg, person, m->action, m->collection, 1, m->at_ns, &o);
	reason = us_person_fallen(m->reg, person, m->at_ns);
	if (reason == US_REASON_NONE)
		reason = o.ruling.reason;
	if (reason == US_REASON_NONE)
		reason = us_registry_barred(m->reg, person, m->collection->id, m->record);
	us_report_text(row, "person", person->name);
	us_report_text(row, "decision", reason == US_REASON_NONE ? "allow" : "deny");
	us_report_text(row, "reason",
	    reason == US_REASON_NONE ? NULL : us_reason_name((unsigned)reason));
	(void)snprintf(text, sizeof text, "%.*s", (int)o.ruling.rule_id.n,
	    (const char *)o.ruling.rule_id.p);
	us_report_text(row, "rule", text);
	(void)snprintf(text, sizeof text, "%.*s", (int)o.ruling.paragraph.n,
	    (const char *)o.ruling.paragraph.p);
	us_report_text(row, "paragraph", text);
	if (reason == US_REASON_NONE)
		put_depends(row, m, &o.ruling);
	else
		us_report_text(row, "depends_on", NULL);
	return reason == US_REASON_NONE;
}

static void
judge_all(struct us_report *r, const struct us_client_matter *m)
{
	char at[US_TIME_TEXT_SIZE];
	uint64_t may = 0;

	for (uint32_t id = 1; id <= us_registry_people(m->reg); id++)
		may += (uint64_t)judge(r, m, us_registry_person(m->reg, id));
	us_report_text(r->summary, "at", us_time_format(m->at_ns, at));
	us_report_number(r->summary, "order version", m->order->version);
	us_report_number(r->summary, "people who may", may);
	us_report_note(r,
	    "Evaluated here from the acts in the export, each of which the log commits to. "
	    "Address, what was disclosed before and "
	    "approvals are left out; a purpose is taken to be stated.");
	us_report_note(r,
	    "depends_on: whether these queries find the record is not in the log. The vault can "
	    "say: without --dir.");
}

static int
ask_acts(struct us_report *r, const char *collection, const char *bates, const char *action)
{
	struct us_registry *reg;
	struct us_client_matter m = { .at_ns = r->trail->verified.last_ns };
	int err;

	if (r->ask->at != NULL)
		(void)us_time_parse(r->ask->at, strlen(r->ask->at), &m.at_ns);
	if (m.at_ns > r->trail->verified.last_ns) {
		us_report_note(r,
		    "This export ends before that time: this is how it was at its end.");
		m.at_ns = r->trail->verified.last_ns;
	}
	err = us_trail_registry(r->trail, m.at_ns, &reg);
	if (err == US_ERR_NOT_FOUND) {
		us_report_note(r,
		    "Who was authorised follows from the order and the acts up to then. This "
		    "export does not have them all: "
		    "it is made with them for whoever may open the whole log. Or ask the vault, "
		    "without --dir.");
		return US_EXIT_INCOMPLETE;
	}
	if (err != US_OK)
		us_give_up(err == US_ERR_NOMEM ? US_EXIT_OTHER : US_EXIT_UNVERIFIED,
		    "the acts of this export do not follow from one another: %s", us_strerror(err));
	m.reg = reg;
	m.order = us_registry_order(reg);
	m.collection = us_registry_collection_named(reg, us_bytes_of(collection));
	if (us_action_of(&m.action, action, strlen(action)) != US_OK || m.action == US_ACTION_NONE)
		us_usage_error("'%s' is no action", action);
	if (m.collection == NULL ||
	    us_bates_parse(m.collection->prefix, us_bytes_of(bates), &m.record) != US_OK ||
	    us_registry_batch_of(reg, m.collection->id, m.record) == NULL)
		us_report_note(r, "There was no such record at that time: nobody could see it.");
	else
		judge_all(r, &m);
	us_registry_free(reg);
	return US_EXIT_DONE;
}

static int
end(struct us_report *r)
{
	const char *slash = r->ask->record == NULL ? NULL : strchr(r->ask->record, '/');
	const char *action = r->ask->action == NULL ? "read" : r->ask->action;
	char collection[US_COLLECTION_NAME_MAX + 1];

	if (slash == NULL || (size_t)(slash - r->ask->record) >= sizeof collection)
		us_usage_error("for which record? underseal audit report authorised "
			       "COLLECTION/BATES --at TIME");
	(void)snprintf(collection, sizeof collection, "%.*s", (int)(slash - r->ask->record),
	    r->ask->record);
	us_report_text(r->summary, "record", r->ask->record);
	us_report_text(r->summary, "action", action);
	return r->client != NULL ? ask_vault(r, collection, slash + 1, action) :
				   ask_acts(r, collection, slash + 1, action);
}

const struct us_report_kind us_report_authorised = {
	.name = "authorised",
	.question = "Who was authorised to see this record at that time, and why?",
	.options = "COLLECTION/BATES --at TIME",
	.columns = "person decision reason rule paragraph depends_on",
	.end = end,
};
