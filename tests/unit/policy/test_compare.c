/*
 * Goal: no limit, condition, mask, box or scope of a permit changes without the comparison saying
 * so; what is the same on both sides is not said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "policy/compare/compare.h"
#include "policy/yaml/yaml.h"

static const char *const examples[] = { "inspection-protocol", "chat-logs" };

static struct us_order *
load(const char *name)
{
	static struct us_findings findings;
	struct us_buf source, compiled;
	struct us_order *order;
	char path[512];
	uint8_t chunk[4096];
	size_t n;

	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	(void)snprintf(path, sizeof path, "%s/policy/orders/%s.yaml", US_SOURCE_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		assert_int_equal(us_buf_put(&source, chunk, n), US_OK);
	(void)fclose(f);
	assert_int_equal(us_order_compile((struct us_bytes){ source.data, source.len }, &compiled,
			     &findings),
	    US_OK);
	assert_int_equal(us_order_decode(compiled.data, compiled.len, &order), US_OK);
	us_buf_free(&source);
	us_buf_free(&compiled);
	return order;
}

/* How many changes of that term, of any if term is NULL. */
static size_t
changes(const struct us_order *from, const struct us_order *to, const char *term)
{
	struct us_comparison c = { 0 };
	size_t n = 0;

	assert_int_equal(us_compare_orders(&c, from, to), US_OK);
	for (size_t i = 0; i < c.n_changes; i++)
		n += term == NULL || strcmp(c.changes[i].term, term) == 0;
	us_compare_free(&c);
	return n;
}

enum us_test_field {
	REQUEST,
	CONSECUTIVE,
	DAY,
	LIFE,
	SHARE, /* below what any other rule says: seen of each rule */
	ACKNOWLEDGEMENT,
	CLEARANCE,
	MATTER,
	PERIOD,
	HOURS,
	NETWORK,
	BITS,
	DAYS,
	PURPOSE,
	APPROVAL,
	IDENTIFIERS,
	ROLES,
	FIELDS,
	EXCEPT,
	BOXES,
	SCOPE,
	CAPACITIES,
	ALL_FIELDS
};

static const char *const term_of[ALL_FIELDS] = { "records_per_request", "consecutive", "per_day",
	"life", "share", "acknowledgement", "clearance", "matter", "period", "hours", "network",
	"credential", "credential", "purpose", "approval", "mask_identifiers", "mask_roles",
	"mask_fields", "mask_contents", "boxes", "log_scope", "permitted" };

static struct us_network office = { { 0x20, 1 }, 32 };

static void
alter(const struct us_order *order, struct us_rule *r, enum us_test_field field)
{
	struct us_conditions *c = &r->conditions;

	switch (field) {
	case REQUEST:
		r->limits.records_per_request = 0;
		break;
	case CONSECUTIVE:
		r->limits.consecutive = 0;
		break;
	case DAY:
		r->limits.per_day = 0;
		break;
	case LIFE:
		r->limits.life = 0;
		break;
	case SHARE:
		r->limits.share = 0;
		break;
	case ACKNOWLEDGEMENT:
		c->acknowledgement = !c->acknowledgement;
		break;
	case CLEARANCE:
		c->clearance = order->n_clearances > 0 ? !c->clearance : 0;
		break;
	case MATTER:
		c->matter_states = c->matter_states != 0 ? 0 :
							   (uint16_t)(order->n_matter_states > 0);
		break;
	case PERIOD:
		c->period = order->n_periods > 0 ? !c->period : 0;
		break;
	case HOURS:
		c->calendar = order->n_calendars > 0 ? !c->calendar : 0;
		break;
	case NETWORK:
		c->networks = &office;
		c->n_networks = 1;
		break;
	case BITS:
		c->credential_bits = 200;
		break;
	case DAYS:
		c->credential_days = 1;
		break;
	case PURPOSE:
		c->purpose = (enum us_purpose_need)((c->purpose + 1) % 3);
		break;
	case APPROVAL:
		c->approval.count++;
		break;
	case IDENTIFIERS:
		r->mask.identifiers ^= 1;
		break;
	case ROLES:
		r->mask.roles ^= 2;
		break;
	case FIELDS:
		r->mask.fields ^= 1;
		break;
	case EXCEPT:
		r->mask.except_match ^= 1;
		break;
	case BOXES:
		r->boxes = r->boxes == 0 ? 0 : r->boxes == 1 ? 3 : 1;
		break;
	case SCOPE:
		r->log_scope = r->boxes == 0       ? r->log_scope :
		    r->log_scope == US_LOG_OF_SELF ? US_LOG_OF_ALL :
						     US_LOG_OF_SELF;
		break;
	case CAPACITIES:
		r->capacities = 0;
		break;
	case ALL_FIELDS:
		break;
	}
}

/* 1 if the order has what the field refers to. */
static int
applies(const struct us_order *order, enum us_test_field field)
{
	return (field != CLEARANCE || order->n_clearances > 0) &&
	    (field != MATTER || order->n_matter_states > 0) &&
	    (field != PERIOD || order->n_periods > 0) && (field != HOURS || order->n_calendars > 0);
}

static void
every_field_is_compared(void **state)
{
	(void)state;
	for (size_t e = 0; e < US_COUNT(examples); e++) {
		struct us_order *from = load(examples[e]), *to = load(examples[e]);

		assert_int_equal(changes(from, to, NULL), 0);
		for (unsigned f = 0; f < ALL_FIELDS; f++) {
			struct us_rule *kept = malloc(to->n_rules * sizeof *kept);

			if (!applies(from, (enum us_test_field)f)) {
				free(kept);
				continue;
			}
			assert_non_null(kept);
			memcpy(kept, to->rules, to->n_rules * sizeof *kept);
			for (size_t r = 0; r < to->n_rules; r++) {
				if (to->rules[r].effect == US_PERMIT)
					alter(to, &to->rules[r], (enum us_test_field)f);
				if (f > SHARE || to->rules[r].effect != US_PERMIT)
					continue;
				if (changes(from, to, term_of[f]) == 0)
					fail_msg("%s, rule %zu: %s", examples[e], r + 1,
					    term_of[f]);
				to->rules[r] = kept[r];
			}
			if (f > SHARE && changes(from, to, term_of[f]) == 0)
				fail_msg("%s: %s", examples[e], term_of[f]);
			memcpy(to->rules, kept, to->n_rules * sizeof *kept);
			free(kept);
		}
		us_order_free(from);
		us_order_free(to);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_field_is_compared) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
