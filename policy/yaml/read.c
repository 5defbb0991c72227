/* From the tree to an order: every key is known, every value is of its form, or it is an error with its place. */
#include <stdlib.h>
#include <string.h>

#include "policy/yaml/read.h"

/* ---- what was meant ---- */

static size_t
distance(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[80];

	/* Levenshtein's distance, one row at a time */
	if (an >= 79 || bn >= 79)
		return 99;
	for (size_t j = 0; j <= bn; j++)
		row[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[bn];
}

struct guess {
	struct us_bytes wanted;
	const char *best;
	size_t best_n;
	size_t distance;
};

static void
consider(struct guess *g, const char *name, size_t n)
{
	size_t d = distance((const char *)g->wanted.p, g->wanted.n, name, n);

	if (d < g->distance) {
		g->distance = d;
		g->best = name;
		g->best_n = n;
	}
}

/* Close enough to be a slip: half of the letters at most, as in two swapped of four. */
static int
is_slip(const struct guess *g)
{
	return g->best != NULL && g->distance * 2 <= g->wanted.n;
}

static void
unknown(struct us_findings *f, const struct us_yaml_node *node, const char *what, const struct guess *g)
{
	if (is_slip(g))
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "unknown %s \"%.*s\": did you mean %.*s?",
		    what, (int)(g->wanted.n < 80 ? g->wanted.n : 80), (const char *)g->wanted.p, (int)g->best_n, g->best);
	else
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "unknown %s \"%.*s\"", what,
		    (int)(g->wanted.n < 80 ? g->wanted.n : 80), (const char *)g->wanted.p);
}

void
us_yaml_error(struct us_findings *f, const struct us_yaml_node *node, const char *text)
{
	us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s", text);
}

/* ---- maps with known keys ---- */

int
us_yaml_map(struct us_findings *f, const struct us_yaml_node *node, const char *what, const struct us_yaml_key *keys,
    const struct us_yaml_node *values[US_YAML_KEYS])
{
	memset(values, 0, US_YAML_KEYS * sizeof(values[0]));
	if (node->kind != US_YAML_MAP) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s must be a mapping (key: value)", what);
		return US_ERR_FORMAT;
	}
	for (size_t i = 0; i + 1 < node->n; i += 2) {
		const struct us_yaml_node *key = node->items[i];
		struct guess g = { .wanted = key->text, .distance = 99 };
		size_t k = 0;
		while (keys[k].name != NULL && !us_bytes_is(key->text, keys[k].name)) {
			consider(&g, keys[k].name, strlen(keys[k].name));
			k++;
		}
		if (keys[k].name == NULL)
			unknown(f, key, "key", &g);
		else if (values[k] != NULL)
			us_finding(f, US_FINDING_ERROR, key->line, key->column, "key %s stands here twice", keys[k].name);
		else
			values[k] = node->items[i + 1];
	}
	for (size_t k = 0; keys[k].name != NULL; k++)
		if (keys[k].required && values[k] == NULL)
			us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s lacks %s", what, keys[k].name);
	return US_OK;
}

static struct us_bytes
read_text(struct us_findings *f, const struct us_yaml_node *node, size_t max)
{
	struct us_bytes none = { NULL, 0 };

	if (node == NULL)
		return none;
	if (node->kind != US_YAML_SCALAR) {
		us_yaml_error(f, node, "text is wanted here");
		return none;
	}
	if (!us_text_ok(node->text, max)) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column,
		    "text of 1 to %zu bytes without control characters or spaces at its ends is wanted here", max);
		return none;
	}
	return node->text;
}

struct us_bytes
us_yaml_id(struct us_findings *f, const struct us_yaml_node *node)
{
	struct us_bytes none = { NULL, 0 };

	if (node == NULL)
		return none;
	if (node->kind != US_YAML_SCALAR || !us_id_ok(node->text, US_ORDER_ID_MAX)) {
		us_yaml_error(f, node, "an identifier is wanted here: a-z 0-9 . _ - beginning with a letter or digit");
		return none;
	}
	return node->text;
}

uint32_t
us_yaml_number(struct us_findings *f, const struct us_yaml_node *node, uint32_t absent)
{
	uint64_t v = 0;

	if (node == NULL)
		return absent;
	int ok = node->kind == US_YAML_SCALAR && node->text.n >= 1 && node->text.n <= 10 && !node->quoted;
	for (size_t i = 0; ok && i < node->text.n; i++) {
		ok = node->text.p[i] >= '0' && node->text.p[i] <= '9' && (i > 0 || node->text.p[0] != '0');
		v = v * 10 + (uint64_t)(node->text.p[i] - '0');
	}
	if (!ok || v == 0 || v >= UINT32_MAX) {
		us_yaml_error(f, node, "a whole number from 1 on is wanted here, in digits alone (1000, not 1,000 or 1_000)");
		return absent;
	}
	return (uint32_t)v;
}

void
us_yaml_each(struct us_findings *f, const struct us_yaml_node *node,
    void (*each)(struct us_findings *, const struct us_yaml_node *, void *), void *arg)
{
	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR) {
		each(f, node, arg);
		return;
	}
	if (node->kind == US_YAML_MAP || node->n == 0) {
		us_yaml_error(f, node, node->kind == US_YAML_MAP ? "a list is wanted here" :
		    "an empty list: it would fit nobody and nothing; leave the rule out");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->items[i]->kind != US_YAML_SCALAR)
			us_yaml_error(f, node->items[i], "text is wanted here");
		else
			each(f, node->items[i], arg);
	}
}

size_t
us_yaml_list(struct us_findings *f, const struct us_yaml_node *node, const char *what, size_t max)
{
	if (node == NULL)
		return 0;
	if (node->kind != US_YAML_LIST || node->n == 0 || node->n > max) {
		us_finding(f, US_FINDING_ERROR, node->line, node->column, "%s must be a list of 1 to %zu items", what,
		    max);
		return 0;
	}
	return node->n;
}

static int
read_capacity(struct us_findings *f, const struct us_yaml_node *node, enum us_capacity *out)
{
	struct guess g = { .wanted = node->text, .distance = 99 };

	if (node->kind != US_YAML_SCALAR) {
		us_yaml_error(f, node, "a capacity is wanted here");
		return US_ERR_FORMAT;
	}
	if (us_capacity_of(out, (const char *)node->text.p, node->text.n) == US_OK)
		return US_OK;
	for (unsigned c = 1; c <= US_CAPACITY_LAST; c++)
		consider(&g, us_capacity_name(c), strlen(us_capacity_name(c)));
	unknown(f, node, "capacity", &g);
	return US_ERR_FORMAT;
}

/* ---- parties and purposes ---- */

static void
read_signer(struct us_findings *f, const struct us_yaml_node *node, struct us_party *party)
{
	static const struct us_yaml_key keys[] = { { "person", 1 }, { "capacity", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];
	struct us_signer s = { .capacity = US_CAPACITY_OUTSIDE_COUNSEL };

	if (us_yaml_map(f, node, "a roster signer", keys, v) != US_OK)
		return;
	s.person = read_text(f, v[0], US_ORDER_NAME_MAX);
	if (v[1] != NULL && read_capacity(f, v[1], &s.capacity) == US_OK &&
	    (s.capacity == US_CAPACITY_ADMINISTRATOR || s.capacity == US_CAPACITY_KEYHOLDER))
		us_yaml_error(f, v[1], "who provisions people cannot be who signs them in: name somebody of the party");
	for (size_t i = 0; i < party->n_signers; i++)
		if (party->signers[i].person.n == s.person.n && s.person.n > 0 &&
		    memcmp(party->signers[i].person.p, s.person.p, s.person.n) == 0)
			us_yaml_error(f, node, "this roster signer stands here twice");
	party->signers[party->n_signers++] = s;
}

static void
read_party(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "name", 1 }, { "roster_signers", 1 }, { NULL, 0 } };
	struct us_party *party = &order->parties[order->n_parties];
	const struct us_yaml_node *v[US_YAML_KEYS];
	size_t other;

	if (us_yaml_map(f, node, "a party", keys, v) != US_OK)
		return;
	party->id = us_yaml_id(f, v[0]);
	if (party->id.n > 0 && us_order_party(order, party->id, &other) == US_OK)
		us_yaml_error(f, v[0], "another party has this id");
	if (us_bytes_is(party->id, "any"))
		us_yaml_error(f, v[0], "\"any\" means every party; it cannot be the id of one");
	party->name = read_text(f, v[1], US_ORDER_TEXT_MAX);
	size_t n = us_yaml_list(f, v[2], "roster_signers", US_ORDER_SIGNERS);
	for (size_t i = 0; i < n; i++)
		read_signer(f, v[2]->items[i], party);
	order->n_parties++;
}

static void
read_purpose(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order)
{
	static const struct us_yaml_key keys[] = { { "code", 1 }, { "text", 1 }, { NULL, 0 } };
	struct us_purpose *p = &order->purposes[order->n_purposes];
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(f, node, "a purpose", keys, v) != US_OK)
		return;
	p->code = us_yaml_id(f, v[0]);
	p->text = read_text(f, v[1], US_ORDER_TEXT_MAX);
	for (size_t i = 0; i < order->n_purposes; i++)
		if (p->code.n > 0 && p->code.n == order->purposes[i].code.n &&
		    memcmp(p->code.p, order->purposes[i].code.p, p->code.n) == 0)
			us_yaml_error(f, v[0], "another purpose has this code");
	order->n_purposes++;
}

/* ---- rules ---- */

struct reading {
	struct us_order *order;
	struct us_rule *rule;
};

static void
one_party(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct reading *r = arg;
	struct guess g = { .wanted = node->text, .distance = 99 };
	size_t party;

	if (us_order_party(r->order, node->text, &party) == US_OK) {
		r->rule->parties |= UINT64_C(1) << party;
		return;
	}
	for (size_t i = 0; i < r->order->n_parties; i++)
		consider(&g, (const char *)r->order->parties[i].id.p, r->order->parties[i].id.n);
	unknown(f, node, "party", &g);
}

static void
one_capacity(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct reading *r = arg;
	enum us_capacity c;

	if (read_capacity(f, node, &c) == US_OK)
		r->rule->capacities |= US_CAPACITY_BIT(c);
}

static void
set_action(struct us_rule *rule, enum us_action a)
{
	rule->actions[(unsigned)a >> 6] |= UINT64_C(1) << ((unsigned)a & 63);
}

static void
one_action(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct reading *r = arg;
	struct guess g = { .wanted = node->text, .distance = 99 };
	enum us_action a;

	if (us_bytes_is(node->text, "audit")) {
		set_action(r->rule, US_ACTION_AUDIT_LIST);
		set_action(r->rule, US_ACTION_AUDIT_KEYS);
		set_action(r->rule, US_ACTION_AUDIT_EXPORT);
		set_action(r->rule, US_ACTION_AUDIT_REPORT);
		return;
	}
	if (us_action_of(&a, (const char *)node->text.p, node->text.n) == US_OK) {
		enum us_action_class class = us_action_class_of(a);
		if (class != US_ACTIONS_INTERNAL)
			set_action(r->rule, a);
		else
			us_finding(f, US_FINDING_ERROR, node->line, node->column,
			    "%s is the machine's own; nobody asks for it", us_action_name((unsigned)a));
		return;
	}
	for (unsigned i = 1; i < 128; i++)
		if (us_action_name(i) != NULL && us_action_class_of((enum us_action)i) != US_ACTIONS_INTERNAL)
			consider(&g, us_action_name(i), strlen(us_action_name(i)));
	unknown(f, node, "action", &g);
}

static void
one_collection(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	struct reading *r = arg;
	struct us_bytes id = us_yaml_id(f, node);

	if (id.n == 0)
		return;
	for (size_t i = 0; i < r->rule->n_collections; i++)
		if (r->rule->collections[i].n == id.n && memcmp(r->rule->collections[i].p, id.p, id.n) == 0)
			us_yaml_error(f, node, "this collection stands here twice");
	if (r->rule->n_collections < US_ORDER_COLLECTIONS)
		r->rule->collections[r->rule->n_collections++] = id;
}

static void
one_box(struct us_findings *f, const struct us_yaml_node *node, void *arg)
{
	static const struct { const char *name; uint8_t bit; } boxes[] = {
		{ "access", US_BOXES_ACCESS }, { "disclosure", US_BOXES_DISCLOSURE }, { "query", US_BOXES_QUERY },
		{ "all", US_BOXES_ALL },
	};
	struct reading *r = arg;
	struct guess g = { .wanted = node->text, .distance = 99 };

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		if (us_bytes_is(node->text, boxes[i].name)) {
			r->rule->boxes |= boxes[i].bit;
			return;
		}
		consider(&g, boxes[i].name, strlen(boxes[i].name));
	}
	unknown(f, node, "box of the log", &g);
}

static void
read_who(struct us_findings *f, const struct us_yaml_node *node, struct reading *r)
{
	static const struct us_yaml_key keys[] = { { "party", 1 }, { "capacity", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (node == NULL || us_yaml_map(f, node, "who", keys, v) != US_OK)
		return;
	if (v[0] != NULL && v[0]->kind == US_YAML_SCALAR && us_bytes_is(v[0]->text, "any"))
		r->rule->any_party = 1;
	else
		us_yaml_each(f, v[0], one_party, r);
	if (v[1] != NULL && v[1]->kind == US_YAML_SCALAR && us_bytes_is(v[1]->text, "any"))
		r->rule->capacities = US_CAPACITY_ANY;
	else
		us_yaml_each(f, v[1], one_capacity, r);
}

static void
read_what(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule,
    struct us_rule_place *place)
{
	static const struct us_yaml_key keys[] = { { "query", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR) {
		if (!us_bytes_is(node->text, "all"))
			us_yaml_error(f, node, "what is \"all\", or a mapping: what: {query: '...'}");
		return;
	}
	if (us_yaml_map(f, node, "what", keys, v) != US_OK || v[0] == NULL)
		return;
	rule->is_query = 1;
	rule->what = read_text(f, v[0], US_ORDER_WHAT_MAX);
	place->what = v[0];
}

/* conditions, limits, masks, the scope of the log */
static void
read_permit(struct us_findings *f, const struct us_yaml_node *const v[4], const struct us_order *order,
    struct us_rule *rule)
{
	rule->limits = us_limits_none();
	if (rule->effect == US_FORBID) {
		for (size_t i = 0; i < 4; i++)
			if (v[i] != NULL)
				us_yaml_error(f, v[i], "a prohibition has no conditions, no limits and no masks: it forbids");
		return;
	}
	if (v[0] != NULL)
		us_yaml_conditions(f, v[0], order, rule);
	if (v[1] != NULL)
		us_yaml_limits(f, v[1], rule);
	if (v[2] != NULL)
		us_yaml_masks(f, v[2], rule);
	us_yaml_log_scope(f, v[3], rule);
}

static void
read_effect(struct us_findings *f, const struct us_yaml_node *node, struct us_rule *rule)
{
	rule->effect = US_FORBID;
	if (node == NULL)
		return;
	if (node->kind == US_YAML_SCALAR && us_bytes_is(node->text, "permit"))
		rule->effect = US_PERMIT;
	else if (node->kind != US_YAML_SCALAR || !us_bytes_is(node->text, "forbid"))
		us_yaml_error(f, node, "effect is \"permit\" or \"forbid\"");
}

/* What an order may never say: checked when compiled again, but said here with its place. */
static void
check_rule(struct us_findings *f, const struct us_yaml_node *node, const struct us_yaml_node *boxes,
    const struct us_yaml_node *what, const struct us_rule *rule)
{
	int evidence = 0, log = 0;

	for (unsigned a = 1; a < 128; a++) {
		if (!us_actions_has(rule->actions, (enum us_action)a))
			continue;
		evidence |= us_action_is_evidence((enum us_action)a);
		log |= us_action_opens_log((enum us_action)a);
	}
	if (rule->effect == US_PERMIT && evidence && (rule->capacities &
	    (US_CAPACITY_BIT(US_CAPACITY_ADMINISTRATOR) | US_CAPACITY_BIT(US_CAPACITY_KEYHOLDER))) != 0)
		us_yaml_error(f, node, "no order gives the evidence to administrators or keyholders: name the capacities without them");
	if (rule->effect == US_PERMIT && log && boxes == NULL)
		us_yaml_error(f, node, "a permit to read the log lacks boxes: all, or a list of access, disclosure, query");
	if (boxes != NULL && (rule->effect == US_FORBID || !log))
		us_yaml_error(f, boxes, "boxes belong to a permit to read the log (audit)");
	if (evidence && what == NULL)
		us_yaml_error(f, node, "a rule about evidence lacks what: all, or {query: '...'}");
}

static void
read_rule(struct us_findings *f, const struct us_yaml_node *node, struct us_order *order,
    struct us_rule_place *place)
{
	static const struct us_yaml_key keys[] = { { "id", 1 }, { "paragraph", 1 }, { "effect", 1 }, { "who", 1 },
		{ "what", 0 }, { "collections", 0 }, { "actions", 1 }, { "conditions", 0 }, { "limits", 0 },
		{ "boxes", 0 }, { "masks", 0 }, { "log", 0 }, { NULL, 0 } };
	struct us_rule *rule = &order->rules[order->n_rules];
	struct reading r = { order, rule };
	const struct us_yaml_node *v[US_YAML_KEYS];

	place->rule = node;
	if (us_yaml_map(f, node, "a rule", keys, v) != US_OK)
		return;
	rule->id = us_yaml_id(f, v[0]);
	for (size_t i = 0; i < order->n_rules; i++)
		if (rule->id.n > 0 && order->rules[i].id.n == rule->id.n &&
		    memcmp(order->rules[i].id.p, rule->id.p, rule->id.n) == 0)
			us_yaml_error(f, v[0], "another rule has this id");
	rule->paragraph = read_text(f, v[1], US_ORDER_PARAGRAPH_MAX);
	read_effect(f, v[2], rule);
	read_who(f, v[3], &r);
	read_what(f, v[4], rule, place);
	rule->any_collection = v[5] == NULL;
	if (v[5] != NULL && v[5]->kind == US_YAML_LIST && v[5]->n > US_ORDER_COLLECTIONS)
		us_yaml_error(f, v[5], "too many collections");
	if (v[5] != NULL) {
		rule->collections = calloc(US_ORDER_COLLECTIONS, sizeof(*rule->collections));
		if (rule->collections != NULL)
			us_yaml_each(f, v[5], one_collection, &r);
		else
			us_yaml_error(f, v[5], "out of memory");
	}
	us_yaml_each(f, v[6], one_action, &r);
	us_yaml_each(f, v[9], one_box, &r);
	const struct us_yaml_node *const permit[4] = { v[7], v[8], v[10], v[11] };
	read_permit(f, permit, order, rule);
	check_rule(f, node, v[9], v[4], rule);
	order->n_rules++;
}

/* ---- the whole ---- */

static void
read_head(struct us_findings *f, const struct us_yaml_node *head, const struct us_yaml_node *otherwise,
    struct us_order *order)
{
	static const struct us_yaml_key head_keys[] = { { "title", 1 }, { "docket", 0 }, { "version", 1 }, { NULL, 0 } };
	static const struct us_yaml_key default_keys[] = { { "paragraph", 1 }, { "smallest_count", 0 }, { "calendar", 0 },
		{ NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (head != NULL && us_yaml_map(f, head, "order", head_keys, v) == US_OK) {
		order->title = read_text(f, v[0], US_ORDER_TEXT_MAX);
		order->docket = read_text(f, v[1], US_ORDER_TEXT_MAX);
		order->version = us_yaml_number(f, v[2], 1);
	}
	if (otherwise != NULL && us_yaml_map(f, otherwise, "default", default_keys, v) == US_OK) {
		order->default_paragraph = read_text(f, v[0], US_ORDER_PARAGRAPH_MAX);
		order->smallest_count = us_yaml_number(f, v[1], 0);
		if (v[2] != NULL)
			order->home_calendar = us_yaml_calendar_named(f, v[2], order);
	}
}

int
us_order_read(const struct us_yaml_node *root, struct us_order *order, struct us_rule_place *places,
    struct us_findings *findings)
{
	static const struct us_yaml_key keys[] = { { "order", 1 }, { "default", 0 }, { "parties", 1 }, { "periods", 0 },
		{ "calendars", 0 }, { "purposes", 0 }, { "rules", 1 }, { NULL, 0 } };
	const struct us_yaml_node *v[US_YAML_KEYS];

	if (us_yaml_map(findings, root, "the file", keys, v) != US_OK)
		return US_ERR_FORMAT;
	size_t parties = us_yaml_list(findings, v[2], "parties", US_ORDER_PARTIES);
	size_t periods = us_yaml_list(findings, v[3], "periods", US_ORDER_PERIODS);
	size_t calendars = us_yaml_list(findings, v[4], "calendars", US_ORDER_CALENDARS);
	size_t purposes = us_yaml_list(findings, v[5], "purposes", US_ORDER_PURPOSES);
	size_t rules = us_yaml_list(findings, v[6], "rules", US_ORDER_RULES);
	order->parties = calloc(parties + 1, sizeof(*order->parties));
	order->periods = calloc(periods + 1, sizeof(*order->periods));
	order->calendars = calloc(calendars + 1, sizeof(*order->calendars));
	order->purposes = calloc(purposes + 1, sizeof(*order->purposes));
	order->rules = calloc(rules + 1, sizeof(*order->rules));
	/* room for the rules of all time zones, so that views into it stay */
	us_buf_init(&order->texts, US_ORDER_CALENDARS * 512);
	if (order->parties == NULL || order->periods == NULL || order->calendars == NULL || order->purposes == NULL ||
	    order->rules == NULL || us_buf_reserve(&order->texts, US_ORDER_CALENDARS * 512, NULL) != US_OK)
		return US_ERR_NOMEM;
	order->workflows.renew_by_ns = INT64_MAX;
	for (size_t i = 0; i < calendars; i++)
		us_yaml_calendar(findings, v[4]->items[i], order);
	for (size_t i = 0; i < periods; i++)
		us_yaml_period(findings, v[3]->items[i], order);
	read_head(findings, v[0], v[1], order);
	for (size_t i = 0; i < parties; i++)
		read_party(findings, v[2]->items[i], order);
	for (size_t i = 0; i < purposes; i++)
		read_purpose(findings, v[5]->items[i], order);
	for (size_t i = 0; i < rules; i++)
		read_rule(findings, v[6]->items[i], order, &places[order->n_rules]);
	return findings->errors > 0 ? US_ERR_FORMAT : US_OK;
}
