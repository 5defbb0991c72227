/* The compiled form of an order: strict decoding, checks, canonical encoding. */
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "policy/order.h"

#define MAGIC "USO1"
#define FLAG_ANY_PARTY 1
#define FLAG_ANY_COLLECTION 2
#define FLAG_QUERY 4

static int
same(struct us_bytes a, struct us_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Moves a text into the order's own block, NUL behind it. The block was reserved whole: each text and its
 * NUL are shorter than it was with its length, so that the block never moves. */
static struct us_bytes
keep(struct us_order *order, struct us_reader *r, struct us_bytes text)
{
	struct us_bytes kept = { NULL, 0 };

	if (r->err != US_OK)
		return kept;
	size_t at = order->texts.len;
	if (us_buf_put(&order->texts, text.p, text.n) != US_OK ||
	    us_buf_put_u8(&order->texts, 0) != US_OK) {
		us_reader_fail(r, US_ERR_INTERNAL);
		return kept;
	}
	kept.p = order->texts.data + at;
	kept.n = text.n;
	return kept;
}

enum form { FORM_ID, FORM_TEXT, FORM_TEXT_OR_EMPTY };

static struct us_bytes
take_text(struct us_order *order, struct us_reader *r, enum form form, size_t max)
{
	struct us_bytes text = us_take_str16(r, max);

	if (r->err != US_OK)
		return text;
	if (form == FORM_ID ? !us_id_ok(text, max)
	    : !(form == FORM_TEXT_OR_EMPTY && text.n == 0) && !us_text_ok(text, max))
		us_reader_fail(r, US_ERR_ENCODING);
	return keep(order, r, text);
}

/* A count of items that take at least least bytes each, so that no length makes us allocate more than
 * the input could fill. */
static size_t
take_count(struct us_reader *r, size_t max, size_t least)
{
	size_t n = us_take_u16(r);

	if (n > max)
		us_reader_fail(r, US_ERR_LIMIT);
	else if (n * least > r->left)
		us_reader_fail(r, US_ERR_TRUNCATED);
	return r->err == US_OK ? n : 0;
}

static enum us_capacity
take_capacity(struct us_reader *r)
{
	unsigned c = us_take_u8(r);

	if (us_capacity_name(c) == NULL)
		us_reader_fail(r, US_ERR_RANGE);
	return r->err == US_OK ? (enum us_capacity)c : US_CAPACITY_AUDITOR;
}

static void
take_party(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_party *party = &order->parties[index];

	party->id = take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->parties[i].id, party->id))
			us_reader_fail(r, US_ERR_EXISTS);
	party->name = take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	party->n_signers = us_take_u8(r);
	if (party->n_signers == 0 || party->n_signers > US_ORDER_SIGNERS) {
		us_reader_fail(r, US_ERR_LIMIT);
		party->n_signers = 0;
	}
	for (size_t i = 0; i < party->n_signers; i++) {
		struct us_signer *s = &party->signers[i];
		s->person = take_text(order, r, FORM_TEXT, US_ORDER_NAME_MAX);
		s->capacity = take_capacity(r);
		/* who adds people must not be who signs them in */
		if (s->capacity == US_CAPACITY_ADMINISTRATOR || s->capacity == US_CAPACITY_KEYHOLDER)
			us_reader_fail(r, US_ERR_DENIED);
		for (size_t j = 0; j < i; j++)
			if (same(party->signers[j].person, s->person))
				us_reader_fail(r, US_ERR_EXISTS);
	}
}

static void
take_purpose(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_purpose *purpose = &order->purposes[index];

	purpose->code = take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	purpose->text = take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->purposes[i].code, purpose->code))
			us_reader_fail(r, US_ERR_EXISTS);
}

static void
take_collections(struct us_order *order, struct us_reader *r, struct us_rule *rule)
{
	size_t n = us_take_u8(r);

	if (n > US_ORDER_COLLECTIONS)
		us_reader_fail(r, US_ERR_LIMIT);
	if ((n == 0) != rule->any_collection)
		us_reader_fail(r, US_ERR_FORMAT);
	if (r->err != US_OK || n == 0)
		return;
	rule->collections = calloc(n, sizeof(*rule->collections));
	if (rule->collections == NULL) {
		us_reader_fail(r, US_ERR_NOMEM);
		return;
	}
	rule->n_collections = n;
	for (size_t i = 0; i < n; i++) {
		rule->collections[i] = take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
		for (size_t j = 0; j < i; j++)
			if (same(rule->collections[i], rule->collections[j]))
				us_reader_fail(r, US_ERR_EXISTS);
	}
}

/* What no rule may say, however well it is written. */
static int
check_rule(const struct us_order *order, const struct us_rule *rule)
{
	uint32_t machine = US_CAPACITY_BIT(US_CAPACITY_ADMINISTRATOR) | US_CAPACITY_BIT(US_CAPACITY_KEYHOLDER);
	int evidence = 0, log = 0;

	if (rule->effect != US_PERMIT && rule->effect != US_FORBID)
		return US_ERR_RANGE;
	if (rule->any_party ? rule->parties != 0 : rule->parties == 0)
		return US_ERR_FORMAT;
	if (order->n_parties < 64 && rule->parties >> order->n_parties != 0)
		return US_ERR_RANGE;
	if (rule->capacities == 0 || (rule->capacities & ~US_CAPACITY_ANY) != 0)
		return US_ERR_RANGE;
	if (rule->actions[0] == 0 && rule->actions[1] == 0)
		return US_ERR_FORMAT;
	for (unsigned a = 0; a < 128; a++) {
		if (!us_actions_has(rule->actions, (enum us_action)a))
			continue;
		enum us_action_class class = us_action_class_of((enum us_action)a);
		if (class == US_ACTIONS_INTERNAL || class == US_ACTIONS_ADMINISTRATIVE)
			return US_ERR_RANGE;
		evidence |= us_action_is_evidence((enum us_action)a);
		log |= us_action_opens_log((enum us_action)a);
	}
	if (rule->effect == US_PERMIT && evidence && (rule->capacities & machine) != 0)
		return US_ERR_DENIED;
	if ((unsigned)rule->purpose > US_PURPOSE_LISTED || rule->boxes > US_BOXES_ALL ||
	    rule->records_per_request == 0)
		return US_ERR_RANGE;
	if (rule->purpose == US_PURPOSE_LISTED && order->n_purposes == 0)
		return US_ERR_FORMAT;
	if (rule->effect == US_PERMIT ? (rule->boxes != 0) != log
	    : rule->boxes != 0 || rule->purpose != US_PURPOSE_FREE ||
	    rule->records_per_request != US_RECORDS_UNLIMITED)
		return US_ERR_FORMAT;
	return US_OK;
}

static void
take_rule(struct us_order *order, struct us_reader *r, size_t index)
{
	struct us_rule *rule = &order->rules[index];

	rule->id = take_text(order, r, FORM_ID, US_ORDER_ID_MAX);
	for (size_t i = 0; i < index; i++)
		if (same(order->rules[i].id, rule->id))
			us_reader_fail(r, US_ERR_EXISTS);
	rule->paragraph = take_text(order, r, FORM_TEXT, US_ORDER_PARAGRAPH_MAX);
	rule->effect = (enum us_effect)us_take_u8(r);
	unsigned flags = us_take_u8(r);
	if ((flags & ~(unsigned)(FLAG_ANY_PARTY | FLAG_ANY_COLLECTION | FLAG_QUERY)) != 0)
		us_reader_fail(r, US_ERR_RANGE);
	rule->any_party = (flags & FLAG_ANY_PARTY) != 0;
	rule->any_collection = (flags & FLAG_ANY_COLLECTION) != 0;
	rule->is_query = (flags & FLAG_QUERY) != 0;
	rule->parties = us_take_u64(r);
	rule->capacities = us_take_u32(r);
	rule->actions[0] = us_take_u64(r);
	rule->actions[1] = us_take_u64(r);
	rule->purpose = (enum us_purpose_need)us_take_u8(r);
	rule->boxes = us_take_u8(r);
	rule->records_per_request = us_take_u32(r);
	take_collections(order, r, rule);
	struct us_bytes what = us_take_str32(r, US_ORDER_WHAT_MAX);
	if (r->err == US_OK && (rule->is_query ? !us_text_ok(what, US_ORDER_WHAT_MAX) : what.n != 0))
		us_reader_fail(r, US_ERR_ENCODING);
	rule->what = keep(order, r, what);
	if (r->err == US_OK) {
		int err = check_rule(order, rule);
		if (err != US_OK)
			us_reader_fail(r, err);
	}
}

/* Allocates a list of n; n is set on success only, so that freeing never reads beyond. */
static void *
list_new(struct us_reader *r, size_t n, size_t size, size_t *n_out)
{
	void *list = NULL;

	if (r->err == US_OK && n > 0) {
		list = calloc(n, size);
		if (list == NULL)
			us_reader_fail(r, US_ERR_NOMEM);
		else
			*n_out = n;
	}
	return list;
}

static void
take_order(struct us_order *order, struct us_reader *r)
{
	struct us_bytes magic = us_take(r, 4);

	if (r->err == US_OK && memcmp(magic.p, MAGIC, 4) != 0)
		us_reader_fail(r, US_ERR_FORMAT);
	us_take_into(r, order->source_digest, 32);
	order->version = us_take_u32(r);
	if (order->version == 0)
		us_reader_fail(r, US_ERR_RANGE);
	order->title = take_text(order, r, FORM_TEXT, US_ORDER_TEXT_MAX);
	order->docket = take_text(order, r, FORM_TEXT_OR_EMPTY, US_ORDER_TEXT_MAX);
	order->default_paragraph = take_text(order, r, FORM_TEXT_OR_EMPTY, US_ORDER_PARAGRAPH_MAX);
	size_t n = take_count(r, US_ORDER_PARTIES, 8);
	order->parties = list_new(r, n, sizeof(*order->parties), &order->n_parties);
	for (size_t i = 0; i < order->n_parties && r->err == US_OK; i++)
		take_party(order, r, i);
	n = take_count(r, US_ORDER_PURPOSES, 6);
	order->purposes = list_new(r, n, sizeof(*order->purposes), &order->n_purposes);
	for (size_t i = 0; i < order->n_purposes && r->err == US_OK; i++)
		take_purpose(order, r, i);
	n = take_count(r, US_ORDER_RULES, 40);
	order->rules = list_new(r, n, sizeof(*order->rules), &order->n_rules);
	for (size_t i = 0; i < order->n_rules && r->err == US_OK; i++)
		take_rule(order, r, i);
	/* all or nothing: parties whom no rule concerns, or rules without parties, are a mistake */
	if ((order->n_parties == 0) != (order->n_rules == 0))
		us_reader_fail(r, US_ERR_FORMAT);
}

int
us_order_decode(const void *compiled, size_t n, struct us_order **out)
{
	struct us_reader r;
	struct us_order *order;
	int err;

	*out = NULL;
	if (n > US_ORDER_COMPILED_MAX)
		return US_ERR_LIMIT;
	order = calloc(1, sizeof(*order));
	if (order == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&order->texts, n + 1);
	err = us_buf_reserve(&order->texts, n + 1, NULL);
	if (err != US_OK)
		goto out;
	us_reader_init(&r, compiled, n);
	take_order(order, &r);
	err = us_reader_end(&r);
	if (err == US_OK)
		err = us_sha256(compiled, n, order->compiled_digest);
	if (err != US_OK)
		goto out;
	*out = order;
	order = NULL; /* transferred */
out:
	us_order_free(order);
	return err;
}

static int
put_party(struct us_buf *b, const struct us_party *party)
{
	int err = US_OK;

	if (party->n_signers > US_ORDER_SIGNERS)
		return US_ERR_LIMIT;
	err |= us_buf_put_str16(b, party->id.p, party->id.n);
	err |= us_buf_put_str16(b, party->name.p, party->name.n);
	err |= us_buf_put_u8(b, (uint8_t)party->n_signers);
	for (size_t i = 0; i < party->n_signers; i++) {
		err |= us_buf_put_str16(b, party->signers[i].person.p, party->signers[i].person.n);
		err |= us_buf_put_u8(b, (uint8_t)party->signers[i].capacity);
	}
	return err == US_OK ? US_OK : US_ERR_LIMIT;
}

static int
put_rule(struct us_buf *b, const struct us_rule *rule)
{
	int err = US_OK;

	if (rule->n_collections > US_ORDER_COLLECTIONS)
		return US_ERR_LIMIT;
	err |= us_buf_put_str16(b, rule->id.p, rule->id.n);
	err |= us_buf_put_str16(b, rule->paragraph.p, rule->paragraph.n);
	err |= us_buf_put_u8(b, (uint8_t)rule->effect);
	err |= us_buf_put_u8(b, (uint8_t)((rule->any_party ? FLAG_ANY_PARTY : 0) |
	    (rule->any_collection ? FLAG_ANY_COLLECTION : 0) | (rule->is_query ? FLAG_QUERY : 0)));
	err |= us_buf_put_u64(b, rule->parties);
	err |= us_buf_put_u32(b, rule->capacities);
	err |= us_buf_put_u64(b, rule->actions[0]);
	err |= us_buf_put_u64(b, rule->actions[1]);
	err |= us_buf_put_u8(b, (uint8_t)rule->purpose);
	err |= us_buf_put_u8(b, rule->boxes);
	err |= us_buf_put_u32(b, rule->records_per_request);
	err |= us_buf_put_u8(b, (uint8_t)rule->n_collections);
	for (size_t i = 0; i < rule->n_collections; i++)
		err |= us_buf_put_str16(b, rule->collections[i].p, rule->collections[i].n);
	err |= us_buf_put_str32(b, rule->what.p, rule->what.n);
	return err == US_OK ? US_OK : US_ERR_LIMIT;
}

int
us_order_encode(const struct us_order *order, struct us_buf *out)
{
	struct us_order *check = NULL;
	struct us_buf b;
	int err = US_OK;

	us_buf_init(&b, US_ORDER_COMPILED_MAX);
	if (order->n_parties > US_ORDER_PARTIES || order->n_purposes > US_ORDER_PURPOSES ||
	    order->n_rules > US_ORDER_RULES)
		return US_ERR_LIMIT;
	/* only "too large" and "no memory" can go wrong with a put; both are told apart well enough */
	err |= us_buf_put(&b, MAGIC, 4);
	err |= us_buf_put(&b, order->source_digest, 32);
	err |= us_buf_put_u32(&b, order->version);
	err |= us_buf_put_str16(&b, order->title.p, order->title.n);
	err |= us_buf_put_str16(&b, order->docket.p, order->docket.n);
	err |= us_buf_put_str16(&b, order->default_paragraph.p, order->default_paragraph.n);
	err |= us_buf_put_u16(&b, (uint16_t)order->n_parties);
	for (size_t i = 0; i < order->n_parties; i++)
		err |= put_party(&b, &order->parties[i]);
	err |= us_buf_put_u16(&b, (uint16_t)order->n_purposes);
	for (size_t i = 0; i < order->n_purposes; i++) {
		err |= us_buf_put_str16(&b, order->purposes[i].code.p, order->purposes[i].code.n);
		err |= us_buf_put_str16(&b, order->purposes[i].text.p, order->purposes[i].text.n);
	}
	err |= us_buf_put_u16(&b, (uint16_t)order->n_rules);
	for (size_t i = 0; i < order->n_rules; i++)
		err |= put_rule(&b, &order->rules[i]);
	if (err != US_OK) {
		err = US_ERR_LIMIT;
		goto out;
	}
	err = us_order_decode(b.data, b.len, &check);
	if (err == US_OK)
		err = us_buf_put(out, b.data, b.len);
out:
	us_order_free(check);
	us_buf_free(&b);
	return err;
}

int
us_order_none(struct us_buf *source, struct us_buf *compiled)
{
	static const char text[] = "# No protective order yet: nobody may do anything with evidence.\n";
	struct us_order order = { .version = 1, .title = us_bytes_of("No order") };
	int err = us_sha256(text, sizeof(text) - 1, order.source_digest);

	if (err == US_OK)
		err = us_order_encode(&order, compiled);
	if (err == US_OK)
		err = us_buf_put(source, text, sizeof(text) - 1);
	return err;
}
