/* The compiled form of an order: canonical encoding. What it makes is decoded once, so that no
 * order is written that could not be read. */
#include <string.h>

#include "crypto/crypto.h"
#include "policy/compiled.h"

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
put_quorum(struct us_buf *b, const struct us_quorum *q)
{
	int err = us_buf_put_u8(b, (uint8_t)q->n);

	for (size_t i = 0; i < q->n && i < US_ORDER_QUORUM; i++)
		err |= us_buf_put_u64(b, q->alternatives[i]);
	return err;
}

static int
put_calendar(struct us_buf *b, const struct us_calendar *c)
{
	int err = us_buf_put_str16(b, c->id.p, c->id.n);

	err |= us_buf_put_str16(b, c->zone_name.p, c->zone_name.n);
	err |= us_buf_put_str16(b, c->zone_posix.p, c->zone_posix.n);
	err |= us_buf_put_u8(b, c->weekdays);
	err |= us_buf_put_u16(b, c->from_minute);
	err |= us_buf_put_u16(b, c->to_minute);
	err |= us_buf_put_u16(b, (uint16_t)c->n_holidays);
	for (size_t i = 0; i < c->n_holidays; i++)
		err |= us_buf_put_u32(b, (uint32_t)c->holidays[i]);
	return err;
}

static int
put_definitions(struct us_buf *b, const struct us_order *o)
{
	int err = us_buf_put_u8(b, (uint8_t)o->n_designations);

	for (size_t i = 0; i < o->n_designations; i++)
		err |= us_buf_put_str16(b, o->designations[i].name.p, o->designations[i].name.n);
	err |= us_buf_put_u8(b, (uint8_t)o->n_calendars);
	for (size_t i = 0; i < o->n_calendars; i++)
		err |= put_calendar(b, &o->calendars[i]);
	err |= us_buf_put_u8(b, (uint8_t)o->n_periods);
	for (size_t i = 0; i < o->n_periods; i++) {
		err |= us_buf_put_str16(b, o->periods[i].id.p, o->periods[i].id.n);
		err |= us_buf_put_u64(b, (uint64_t)o->periods[i].from_ns);
		err |= us_buf_put_u64(b, (uint64_t)o->periods[i].until_ns);
	}
	err |= us_buf_put_u16(b, (uint16_t)o->n_purposes);
	for (size_t i = 0; i < o->n_purposes; i++) {
		err |= us_buf_put_str16(b, o->purposes[i].code.p, o->purposes[i].code.n);
		err |= us_buf_put_str16(b, o->purposes[i].text.p, o->purposes[i].text.n);
	}
	err |= us_buf_put_u8(b, (uint8_t)o->n_matter_states);
	for (size_t i = 0; i < o->n_matter_states; i++)
		err |= us_buf_put_str16(b, o->matter_states[i].p, o->matter_states[i].n);
	err |= us_buf_put_u8(b, (uint8_t)o->n_clearances);
	for (size_t i = 0; i < o->n_clearances; i++) {
		const struct us_clearance *c = &o->clearances[i];
		err |= us_buf_put_str16(b, c->id.p, c->id.n);
		err |= us_buf_put_str16(b, c->paragraph.p, c->paragraph.n);
		err |= us_buf_put_u64(b, c->serve);
		err |= us_buf_put_u16(b, c->days);
		err |= us_buf_put_u8(b, c->working_only ? 1 : 0);
		err |= put_quorum(b, &c->confirm);
	}
	return err;
}

static int
put_workflows(struct us_buf *b, const struct us_workflows *w)
{
	int err = us_buf_put_str16(b, w->acknowledgement_paragraph.p,
	    w->acknowledgement_paragraph.n);

	err |= us_buf_put_u8(b, w->carries_over ? 1 : 0);
	err |= us_buf_put_u64(b, (uint64_t)w->renew_by_ns);
	err |= put_quorum(b, &w->amend);
	err |= us_buf_put_u64(b, w->may_suspend);
	err |= us_buf_put_u64(b, w->may_freeze);
	err |= put_quorum(b, &w->lift);
	err |= us_buf_put_u32(b, w->clawback_visible);
	err |= us_buf_put_u64(b, w->may_resolve);
	err |= us_buf_put_u16(b, w->confer_days);
	err |= us_buf_put_u16(b, w->move_days);
	return err;
}

static int
put_conditions(struct us_buf *b, const struct us_conditions *c)
{
	int err = us_buf_put_u8(b, (uint8_t)c->purpose);

	err |= us_buf_put_u8(b, c->acknowledgement ? 1 : 0);
	err |= us_buf_put_u8(b, c->clearance);
	err |= us_buf_put_u8(b, c->calendar);
	err |= us_buf_put_u8(b, c->period);
	err |= us_buf_put_u16(b, c->matter_states);
	err |= us_buf_put_u16(b, c->credential_bits);
	err |= us_buf_put_u16(b, c->credential_days);
	err |= us_buf_put_u8(b, c->approval.count);
	if (c->approval.count > 0) {
		err |= us_buf_put_u8(b, c->approval.any_party ? 1 : 0);
		err |= us_buf_put_u64(b, c->approval.parties);
		err |= us_buf_put_u32(b, c->approval.capacities);
		err |= us_buf_put_u16(b, c->approval.hours);
	}
	err |= us_buf_put_u8(b, (uint8_t)c->n_networks);
	for (size_t i = 0; i < c->n_networks; i++) {
		err |= us_buf_put_u8(b, c->networks[i].bits);
		err |= us_buf_put(b, c->networks[i].address, 16);
	}
	return err;
}

static int
put_rule(struct us_buf *b, const struct us_rule *rule)
{
	int err = US_OK;

	if (rule->n_collections > US_ORDER_COLLECTIONS ||
	    rule->conditions.n_networks > US_ORDER_NETWORKS)
		return US_ERR_LIMIT;
	err |= us_buf_put_str16(b, rule->id.p, rule->id.n);
	err |= us_buf_put_str16(b, rule->paragraph.p, rule->paragraph.n);
	err |= us_buf_put_u8(b, (uint8_t)rule->effect);
	err |= us_buf_put_u8(b,
	    (uint8_t)((rule->any_party ? US_RULE_FLAG_ANY_PARTY : 0) |
		(rule->any_collection ? US_RULE_FLAG_ANY_COLLECTION : 0) |
		(rule->is_query ? US_RULE_FLAG_QUERY : 0)));
	err |= us_buf_put_u64(b, rule->parties);
	err |= us_buf_put_u32(b, rule->capacities);
	err |= us_buf_put_u64(b, rule->actions[0]);
	err |= us_buf_put_u64(b, rule->actions[1]);
	err |= us_buf_put_u8(b, (uint8_t)rule->n_collections);
	for (size_t i = 0; i < rule->n_collections; i++)
		err |= us_buf_put_str16(b, rule->collections[i].p, rule->collections[i].n);
	err |= us_buf_put_str32(b, rule->what.p, rule->what.n);
	if (rule->effect == US_PERMIT) {
		err |= put_conditions(b, &rule->conditions);
		err |= us_buf_put_u8(b, (uint8_t)rule->limits.per);
		err |= us_buf_put_u32(b, rule->limits.records_per_request);
		err |= us_buf_put_u32(b, rule->limits.consecutive);
		err |= us_buf_put_u32(b, rule->limits.per_day);
		err |= us_buf_put_u32(b, rule->limits.life);
		err |= us_buf_put_u32(b, rule->limits.share);
		err |= us_buf_put_u8(b, rule->mask.identifiers);
		err |= us_buf_put_u8(b, rule->mask.roles);
		err |= us_buf_put_u8(b, rule->mask.fields);
		err |= us_buf_put_u8(b, rule->mask.except_match);
		err |= us_buf_put_u8(b, rule->boxes);
		err |= us_buf_put_u8(b, (uint8_t)rule->log_scope);
	}
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
	    order->n_rules > US_ORDER_RULES || order->n_designations > US_ORDER_DESIGNATIONS ||
	    order->n_calendars > US_ORDER_CALENDARS || order->n_periods > US_ORDER_PERIODS ||
	    order->n_matter_states > US_ORDER_MATTER_STATES ||
	    order->n_clearances > US_ORDER_CLEARANCES)
		return US_ERR_LIMIT;
	/* only "too large" and "no memory" can go wrong with a put; both are told apart well
	 * enough */
	err |= us_buf_put(&b, US_ORDER_MAGIC, 4);
	err |= us_buf_put(&b, order->source_digest, 32);
	err |= us_buf_put_u32(&b, order->version);
	err |= us_buf_put_str16(&b, order->title.p, order->title.n);
	err |= us_buf_put_str16(&b, order->docket.p, order->docket.n);
	err |= us_buf_put_str16(&b, order->default_paragraph.p, order->default_paragraph.n);
	err |= us_buf_put_u32(&b, order->smallest_count);
	err |= us_buf_put_u8(&b, order->home_calendar);
	err |= us_buf_put_u16(&b, (uint16_t)order->n_parties);
	for (size_t i = 0; i < order->n_parties; i++)
		err |= put_party(&b, &order->parties[i]);
	err |= put_definitions(&b, order);
	err |= put_workflows(&b, &order->workflows);
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
	static const char text[] =
	    "# No protective order yet: nobody may do anything with evidence.\n";
	struct us_order order = { .version = 1, .title = us_bytes_of("No order") };
	int err = us_sha256(text, sizeof text - 1, order.source_digest);

	if (err == US_OK)
		err = us_order_encode(&order, compiled);
	if (err == US_OK)
		err = us_buf_put(source, text, sizeof text - 1);
	return err;
}
