#include "client/case/item_text.h"

#include <string.h>

#include "client/core/table.h"
#include "base/array.h"
#include "base/err.h"
#include "case/bates.h"
#include "registry/docket.h"

static const struct us_item_kind kinds[] = {
	{ "person", "a new person, who may do nothing until all have signed who must",
	    "lets this person in, with exactly these credentials, for the parties that you sign "
	    "for",
	    NULL },
	{ "credential", "a further credential for somebody who is active",
	    "lets whoever holds a key with one of these fingerprints act as this person", NULL },
	{ "order", "a new version of the order",
	    "agrees to it for your party: once the quorum has signed, it is what the vault does",
	    "instrument" },
	{ "clearance", "a person is to be cleared for what the order asks a clearance for",
	    "confirms it for your party; to be against it: 'docket object'", "statement" },
	{ "challenge", "the designation of records is challenged",
	    "is not asked: it is decided by 'docket resolve'", "basis" },
	{ "clawback", "records that were produced by mistake are taken back",
	    "is not asked: they are withheld already, and it is decided by 'docket resolve'",
	    "notice" },
	{ "freeze", "access is stopped, by one who may do so at once",
	    "is given by 'unfreeze': it agrees for your party that the freeze be lifted", NULL },
	{ "approval", "one request, which the order lets through only if others approve it",
	    "lets exactly this request through, once", NULL },
};

const struct us_item_kind *
us_item_kind(const char *kind)
{
	for (size_t i = 0; i < US_COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return &kinds[i];
	return NULL;
}

const struct us_item_kind *
us_item_kind_of(enum us_act_type type)
{
	const enum us_filing_kind filing = us_act_opens(type);

	if (type == US_ACT_PERSON_ADD)
		return us_item_kind("person");
	if (type == US_ACT_CREDENTIAL_ISSUE)
		return us_item_kind("credential");
	if (type == US_ACT_ORDER_PROPOSE)
		return us_item_kind("order"); /* numbered by its version, not by its result */
	return (unsigned)filing == 0 ? NULL : us_item_kind(us_filing_kind_name(filing));
}

/* ---- lines ---- */

static void
put_label(const char *label)
{
	us_print("%-*s ", US_LABEL_WIDTH, label);
}

static void
put_line(const char *label, const char *text)
{
	us_print_line(label, us_bytes_of(text));
}

static void
put_number(const char *label, const cJSON *object, const char *member)
{
	if (us_json_number(object, member, 0) <= 0)
		return;
	put_label(label);
	us_print("%.0f\n", us_json_number(object, member, 0));
}

/* Texts of an array; none: what is said of an empty one, NULL: nothing. */
static void
put_list(const char *label, const cJSON *list, const char *none, const char *between)
{
	const cJSON *item;
	int n = 0;

	if (!cJSON_IsArray(list) || (cJSON_GetArraySize(list) == 0 && none == NULL))
		return;
	put_label(label);
	cJSON_ArrayForEach(item, list) {
		const char *text = cJSON_GetStringValue(item);

		if (text == NULL)
			continue;
		if (n++ > 0)
			us_print_lines(stdout, between,
			    strlen(between)); /* it may hold a line end */
		us_print("%s", text);
	}
	us_print("%s\n", n == 0 && none != NULL ? none : "");
}

/* 1 if b is the Bates number behind a. */
static int
follows(const char *a, const char *b)
{
	size_t an, bn;
	uint64_t first, second;

	return us_bates_split(us_bytes_of(a), &an, &first) == US_OK &&
	    us_bates_split(us_bytes_of(b), &bn, &second) == US_OK && an == bn &&
	    memcmp(a, b, an) == 0 && second == first + 1;
}

/* Bates numbers, those that follow one another as a range. all: how many records the item is about,
 * some of which may not be listed. */
static void
put_bates(const cJSON *list, double all)
{
	const cJSON *item, *last;
	int n = 0;

	if (cJSON_GetArraySize(list) == 0)
		return;
	put_label("Bates numbers");
	for (item = list->child; item != NULL; item = last->next) {
		const char *from = cJSON_GetStringValue(item), *to = from;

		for (last = item; last->next != NULL && to != NULL && cJSON_IsString(last->next) &&
		     follows(to, last->next->valuestring);
		     last = last->next)
			to = last->next->valuestring;
		if (from == NULL)
			continue;
		if (n++ > 0)
			us_print(",\n%*s", US_LABEL_WIDTH + 1, "");
		us_print("%s", from);
		if (to == from)
			continue;
		us_print(" to ");
		us_print("%s", to);
	}
	us_print("\n");
	if (all > cJSON_GetArraySize(list))
		us_print("%*sthese are the first %d of %.0f\n", US_LABEL_WIDTH + 1, "",
		    cJSON_GetArraySize(list), all);
}

/* ---- what an item is about ---- */

static void
show_person(const cJSON *item)
{
	const cJSON *about = cJSON_GetObjectItemCaseSensitive(item, "about");

	put_line("capacity", us_json_text(about, "capacity"));
	put_list("parties", cJSON_GetObjectItemCaseSensitive(about, "parties"), "none", ", ");
	put_list("fingerprints", cJSON_GetObjectItemCaseSensitive(item, "fingerprints"),
	    "none: no credential waits yet", "\n               ");
}

static void
show_request(const cJSON *request, double records)
{
	if (!cJSON_IsObject(request))
		return;
	put_line("action", us_json_text(request, "action"));
	put_line("collection", us_json_text(request, "collection"));
	put_line("purpose", us_json_text(request, "purpose"));
	put_line("query", us_json_text(request, "query"));
	put_bates(cJSON_GetObjectItemCaseSensitive(request, "bates"), records);
}

static void
show_about(const cJSON *item)
{
	const cJSON *request = cJSON_GetObjectItemCaseSensitive(item, "request");

	if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(item, "about"))) {
		show_person(item);
		return;
	}
	put_number("records", item, "records");
	if (!cJSON_IsObject(request))
		put_line("collection", us_json_text(item, "collection"));
	put_bates(cJSON_GetObjectItemCaseSensitive(item, "bates"),
	    us_json_number(item, "records", 0));
	show_request(request, us_json_number(item, "records", 0));
}

/* ---- where it stands ---- */

static void
show_served(const cJSON *item)
{
	static const char *const columns[] = { "party", "served", "received", "due", "confer" };
	const cJSON *served = cJSON_GetObjectItemCaseSensitive(item, "served");

	if (cJSON_IsString(served)) {
		put_line("waits since", served->valuestring);
	} else if (cJSON_GetArraySize(served) > 0) {
		us_print("served\n");
		us_print_table(served, columns, US_COUNT(columns));
	}
}

static void
show_signatures(const cJSON *item)
{
	static const char *const columns[] = { "person", "name", "time" };
	const cJSON *signatures = cJSON_GetObjectItemCaseSensitive(item, "signatures");

	if (cJSON_GetArraySize(signatures) == 0)
		return;
	us_print("signed by\n");
	us_print_table(signatures, columns, US_COUNT(columns));
}

static void
show_standing(const cJSON *item)
{
	const cJSON *yours = cJSON_GetObjectItemCaseSensitive(item, "yours");

	put_line("filed by", us_json_text(item, "filed_by"));
	put_line("filed", us_json_text(item, "filed"));
	put_line("due", us_json_text(item, "due"));
	put_line("objected by", us_json_text(item, "objected_by"));
	put_line("objected", us_json_text(item, "objected"));
	put_line("grounds", us_json_text(item, "grounds"));
	put_line("waits for", us_json_text(item, "wanted"));
	put_list("waits for", cJSON_GetObjectItemCaseSensitive(item, "waits_for"), NULL, ", ");
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "waits_for_court")))
		put_line("waits for", "the court's roster signer");
	if (cJSON_IsBool(yours))
		put_line("yours", cJSON_IsTrue(yours) ? "yes: it waits for you" : "no");
	put_line("closed", us_json_text(item, "closed"));
	put_line("closed by", us_json_text(item, "closed_by"));
	put_line("authority", us_json_text(item, "authority"));
}

static void
show_document(const cJSON *item, const struct us_item_kind *kind)
{
	const char *digest = us_json_text(item, "document"), *id = us_json_text(item, "id");

	if (kind == NULL || kind->document == NULL)
		return;
	put_line(kind->document, *digest == '\0' ? "none was filed with it" : digest);
	if (*digest == '\0')
		return;
	put_label("");
	us_print("to read it: underseal docket show ");
	us_print("%s", id);
	us_print(" --document FILE\n");
}

void
us_item_show(const cJSON *item)
{
	const struct us_item_kind *kind = us_item_kind(us_json_text(item, "kind"));
	const char *id = us_json_text(item, "id"), *status = us_json_text(item, "status");

	us_print("%s", id);
	us_print(": %s\n", kind == NULL ? "of a kind that this client does not know" : kind->title);
	put_line("what", us_json_text(item, "name"));
	put_line("status", *status == '\0' ? "waits" : status);
	show_about(item);
	show_document(item, kind);
	show_standing(item);
	show_served(item);
	show_signatures(item);
	put_line("digest", us_json_text(item, "digest"));
	if (kind != NULL &&
	    (*status == '\0' || strcmp(status, "waits") == 0 || strcmp(status, "objected") == 0))
		put_line("a signature", kind->signing);
}
