/* What a statement expects of a ruling: read, compared, and said in words. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "policy/suite/suite_internal.h"

const struct us_yaml_key us_suite_expect_keys[] = { { "because", 0 }, { "reason", 0 },
	{ "masks", 0 }, { "left", 0 }, { "boxes", 0 }, { "log", 0 }, { "fewer_than", 0 },
	{ NULL, 0 } };

static const char *const limit_names[US_SUITE_LIMITS] = { "records_per_request", "consecutive",
	"per_day", "life", "share" };
static const char *const role_names[] = { "system", "user", "assistant", "tool" };
static const char *const box_names[] = { "access", "disclosure", "query" };
static const char *const scope_names[] = { NULL, "all", "own-party", "self", "own-records" };
#define ROLES 4u
#define BOXES 3u
#define FIELDS 4u
#define SCOPES ((unsigned)US_LOG_SCOPE_MAX)
#define REASON_LAST 255u

/* ---- in ---- */

/* Classes of identifiers, roles and fields share one list: no two have the same name. */
static void
one_mask(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_mask *m = arg;
	enum us_identifier identifier;
	enum us_mask_field field;

	if (us_bytes_is(node->text, "identifiers")) {
		m->identifiers = US_IDENTIFIERS_ALL;
		return;
	}
	if (us_bytes_is(node->text, "except-match")) {
		m->except_match = 1;
		return;
	}
	if (us_identifier_of(&identifier, node->text) == US_OK) {
		m->identifiers |= (uint8_t)US_IDENTIFIER_BIT(identifier);
		return;
	}
	if (us_mask_field_of(&field, node->text) == US_OK) {
		m->fields |= (uint8_t)field;
		return;
	}
	for (unsigned r = 0; r < ROLES; r++) {
		if (us_bytes_is(node->text, role_names[r])) {
			m->roles |= (uint8_t)(1u << (r + 1));
			return;
		}
	}
	us_yaml_error(f, node,
	    "masks are none, or of: identifiers (all classes of them) email phone url ip card iban "
	    "ssn "
	    "number, system user assistant tool, id created model language, except-match");
}

static void
one_box(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct us_suite_said *e = arg;

	for (unsigned b = 0; b < BOXES; b++) {
		if (us_bytes_is(node->text, box_names[b])) {
			e->boxes |= (uint8_t)(1u << b);
			return;
		}
	}
	if (us_bytes_is(node->text, "all"))
		e->boxes = US_BOXES_ALL;
	else
		us_yaml_error(f, node, "boxes are: all access disclosure query");
}

static void
read_left(struct us_findings *f, const struct us_yaml_node *node, struct us_suite_said *e)
{
	static const struct us_yaml_key keys[] = { { "records_per_request", 0 },
		{ "consecutive", 0 }, { "per_day", 0 }, { "life", 0 }, { "share", 0 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "left", keys, v) != US_OK)
		return;
	if (node->n == 0)
		us_yaml_error(f, node, "left names no limit: leave the key out");
	for (unsigned i = 0; i < US_SUITE_LIMITS; i++) {
		uint64_t left = US_UNLIMITED;

		if (v[i] == NULL)
			continue;
		if (!us_suite_is_word(v[i], "unlimited"))
			us_suite_count(f, v[i], US_UNLIMITED - 1, &left);
		e->left[i] = (uint32_t)left;
		e->says |= US_SAYS_LEFT(i);
	}
}

static void
read_scope(struct us_findings *f, const struct us_yaml_node *node, struct us_suite_said *e)
{
	for (unsigned s = 1; s <= SCOPES; s++)
		if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, scope_names[s]))
			e->log_scope = (enum us_log_scope)s;
	if (e->log_scope == 0)
		us_yaml_error(f, node, "log is all, own-records, own-party or self");
}

static void
read_reason(struct us_findings *f, const struct us_yaml_node *node, struct us_suite_said *e)
{
	if (e->decision == US_DECISION_ALLOW)
		us_yaml_error(f, node, "what is allowed has no reason: reason belongs to may_not");
	else
		e->reason = (enum us_reason)us_suite_named(f, node, "reason", us_reason_name,
		    REASON_LAST);
}

void
us_suite_read_expected(struct us_findings *f, const struct us_yaml_node *node,
    struct us_suite_said *e)
{
	const struct us_yaml_node *v[US_YAML_KEYS];
	uint64_t fewer = 0;

	if (us_yaml_map(f, node, "a statement", us_suite_expect_keys, v) != US_OK)
		return;
	e->says |= (v[0] != NULL ? US_SAYS_PARAGRAPH : 0) | (v[1] != NULL ? US_SAYS_REASON : 0) |
	    (v[2] != NULL ? US_SAYS_MASKS : 0) | (v[4] != NULL ? US_SAYS_BOXES : 0) |
	    (v[5] != NULL ? US_SAYS_LOG : 0) | (v[6] != NULL ? US_SAYS_FEWER : 0);
	e->paragraph = us_yaml_text(f, v[0], US_ORDER_PARAGRAPH_MAX);
	if (v[1] != NULL)
		read_reason(f, v[1], e);
	if (v[2] != NULL && !us_suite_is_word(v[2], "none"))
		us_yaml_each(f, v[2], one_mask, &e->mask);
	if (v[3] != NULL)
		read_left(f, v[3], e);
	us_yaml_each(f, v[4], one_box, e);
	if (v[5] != NULL)
		read_scope(f, v[5], e);
	us_suite_count(f, v[6], US_UNLIMITED - 1, &fewer);
	e->fewer_than = (uint32_t)fewer;
}

/* ---- compared ---- */

int
us_suite_agrees(const struct us_suite_said *expected, const struct us_suite_said *found)
{
	const unsigned says = expected->says;

	if (expected->decision != found->decision || (says & ~found->says) != 0)
		return 0;
	if ((says & US_SAYS_PARAGRAPH) != 0 &&
	    (expected->paragraph.n != found->paragraph.n ||
		(found->paragraph.n > 0 &&
		    memcmp(expected->paragraph.p, found->paragraph.p, found->paragraph.n) != 0)))
		return 0;
	if ((says & US_SAYS_REASON) != 0 && expected->reason != found->reason)
		return 0;
	if ((says & US_SAYS_MASKS) != 0 &&
	    (expected->mask.identifiers != found->mask.identifiers ||
		expected->mask.roles != found->mask.roles ||
		expected->mask.fields != found->mask.fields ||
		expected->mask.except_match != found->mask.except_match))
		return 0;
	if (((says & US_SAYS_BOXES) != 0 && expected->boxes != found->boxes) ||
	    ((says & US_SAYS_LOG) != 0 && expected->log_scope != found->log_scope) ||
	    ((says & US_SAYS_FEWER) != 0 && expected->fewer_than != found->fewer_than))
		return 0;
	for (unsigned i = 0; i < US_SUITE_LIMITS; i++)
		if ((says & US_SAYS_LEFT(i)) != 0 && expected->left[i] != found->left[i])
			return 0;
	return 1;
}

/* ---- in words ---- */

struct us_suite_words {
	struct us_buf *b;
	int err;   /* the first */
	int first; /* of a list */
};

static void
put_item(struct us_suite_words *w, int yes, const char *name)
{
	if (!yes || w->err != US_OK)
		return;
	w->err = us_buf_putf(w->b, "%s%s", w->first ? " " : ", ", name);
	w->first = 0;
}

static void
put_head(struct us_suite_words *w, const char *head)
{
	if (w->err == US_OK)
		w->err = us_buf_putf(w->b, "; %s", head);
	w->first = 1;
}

static void
put_masks(struct us_suite_words *w, const struct us_mask *m)
{
	put_head(w, "masks");
	put_item(w, us_mask_is_empty(m), "none");
	put_item(w, m->identifiers == US_IDENTIFIERS_ALL, "identifiers");
	for (unsigned i = 0; i < US_IDENTIFIERS && m->identifiers != US_IDENTIFIERS_ALL; i++)
		put_item(w, (m->identifiers & US_IDENTIFIER_BIT(i)) != 0, us_identifier_name(i));
	for (unsigned r = 0; r < ROLES; r++)
		put_item(w, (m->roles >> (r + 1) & 1) != 0, role_names[r]);
	for (unsigned i = 0; i < FIELDS; i++)
		put_item(w, (m->fields >> i & 1) != 0, us_mask_field_name(1u << i));
	put_item(w, m->except_match, "except-match");
}

static void
put_left(struct us_suite_words *w, const struct us_suite_said *said, unsigned says)
{
	char text[64];
	int any = 0;

	for (unsigned i = 0; i < US_SUITE_LIMITS; i++) {
		if ((says & US_SAYS_LEFT(i)) == 0)
			continue;
		if (!any)
			put_head(w, "left");
		any = 1;
		if (said->left[i] == US_UNLIMITED)
			(void)snprintf(text, sizeof text, "%s unlimited", limit_names[i]);
		else
			(void)snprintf(text, sizeof text, "%s %u", limit_names[i], said->left[i]);
		put_item(w, 1, text);
	}
}

static void
put_log(struct us_suite_words *w, const struct us_suite_said *said, unsigned says)
{
	if ((says & US_SAYS_BOXES) != 0) {
		put_head(w, "boxes");
		put_item(w, said->boxes == 0, "none");
		for (unsigned b = 0; b < BOXES; b++)
			put_item(w, (said->boxes >> b & 1) != 0, box_names[b]);
	}
	if ((says & US_SAYS_LOG) != 0) {
		const unsigned scope = (unsigned)said->log_scope;

		put_head(w, "log of");
		put_item(w, 1, scope >= 1 && scope <= SCOPES ? scope_names[scope] : "nobody");
	}
}

int
us_suite_put_said(struct us_buf *b, const struct us_suite_said *said, unsigned says)
{
	struct us_suite_words w = { b, US_OK, 1 };
	char text[64];

	w.err = us_buf_putf(b, "%s", said->decision == US_DECISION_ALLOW ? "allowed" : "refused");
	if (w.err == US_OK && (says & US_SAYS_PARAGRAPH) != 0)
		w.err = said->paragraph.n == 0 ?
		    us_buf_putf(b, " without a paragraph") :
		    us_buf_putf(b, " under %.*s", (int)said->paragraph.n,
			(const char *)said->paragraph.p);
	if (w.err == US_OK && (says & US_SAYS_REASON) != 0 && said->decision != US_DECISION_ALLOW)
		w.err = us_buf_putf(b, ", %s", us_reason_name((unsigned)said->reason));
	if ((says & US_SAYS_MASKS) != 0)
		put_masks(&w, &said->mask);
	put_left(&w, said, says);
	put_log(&w, said, says);
	if ((says & US_SAYS_FEWER) != 0) {
		(void)snprintf(text, sizeof text, "fewer than %u", said->fewer_than);
		put_head(&w, "numbers");
		put_item(&w, 1, said->fewer_than == 0 ? "exact" : text);
	}
	return w.err;
}
