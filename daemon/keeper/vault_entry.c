#include "daemon/keeper/vault_entry.h"

#include "base/array.h"
#include "base/err.h"
#include "daemon/keeper/internal.h"
#include "log/entry.h"

#define TERM_MAX 1024u /* longer than any word that there is */

enum us_keeper_names { NOTHING, WORDS, RECORDS, COPY, LOAD };

struct us_keeper_vault_row {
	enum us_kind kind;
	enum us_action action;
	enum us_keeper_names names;
};

static const struct us_keeper_vault_row rows[] = {
#define US_VAULT_ENTRY(kind, action, names) { US_KIND_##kind, US_ACTION_##action, names },
#include "daemon/keeper/vault_entries.def"
#undef US_VAULT_ENTRY
};

static int
count_terms(struct us_bytes packed, size_t *n)
{
	struct us_reader r;

	us_reader_init(&r, packed.p, packed.n);
	*n = 0;
	while (r.err == US_OK && r.left > 0) {
		if (us_take_str16(&r, TERM_MAX).n == 0)
			return US_ERR_FORMAT;
		++*n;
	}
	return us_reader_end(&r) == US_OK ? US_OK : US_ERR_FORMAT;
}

static int
are_records(struct us_bytes packed)
{
	if (packed.n % 8 != 0)
		return 0;
	for (size_t i = 0; i < packed.n; i += 8)
		if (us_load_u64(packed.p + i) > INT64_MAX)
			return 0;
	return 1;
}

/* Which of the lists it may have; those it has not are empty. */
static int
names_no_more(const struct us_msg_log *m, enum us_keeper_names names)
{
	const int records = names == RECORDS || names == COPY;
	const uint8_t flags = names == COPY ? US_LOG_COPY :
	    m->kind == US_KIND_DISCLOSURE   ? US_LOG_FEWER :
					      0;

	return (records || m->records.n == 0) && (names == WORDS || m->terms.n == 0) &&
	    (names == COPY || m->note.n == 0) && (names == LOAD || m->load == 0) &&
	    (m->flags & ~flags) == 0;
}

static int
may_allow(const struct us_msg_log *m)
{
	if (m->reason != US_REASON_NONE)
		return 0;
	for (size_t i = 0; i < US_COUNT(rows); i++)
		if (rows[i].kind == m->kind && rows[i].action == m->action)
			return names_no_more(m, rows[i].names);
	return 0;
}

static int
may_refuse(const struct us_msg_log *m)
{
	const struct us_action_row *action = us_action_row(m->action);

	return m->kind == US_KIND_INTENT && action->class != US_ACTIONS_INTERNAL &&
	    action->done == US_ACTION_IS_PERFORMED && us_reason_name(m->reason) != NULL &&
	    m->reason != US_REASON_NONE && m->terms.n == 0 && m->note.n == 0 && m->load == 0 &&
	    m->flags == 0 && m->records.n <= 8 * (size_t)US_ENTRY_REFUSED;
}

int
us_vault_entry_check(const struct us_keeper *k, const struct us_msg_log *m, size_t *n_terms)
{
	const uint64_t next = us_klog_size(k->klog) + us_klog_open_group(k->klog);
	const int may = m->decision == US_DECISION_ALLOW ? may_allow(m) :
	    m->decision == US_DECISION_DENY              ? may_refuse(m) :
							   0;

	/* an answer stands behind what it answers */
	if (!may || !are_records(m->records) || (m->related != US_ENTRY_NONE && m->related >= next))
		return US_ERR_FORMAT;
	return count_terms(m->terms, n_terms);
}

void
us_vault_entry_correct(const struct us_keeper *k, struct us_msg_log *m)
{
	const struct us_order *order = us_registry_order(k->registry);

	if (us_registry_collection(k->registry, m->collection) == NULL)
		m->collection = 0;
	if (order == NULL || m->rule > order->n_rules)
		m->rule = 0;
	m->paragraph = m->rule != 0 ? order->rules[m->rule - 1].paragraph :
	    order != NULL && m->reason == US_REASON_NOT_IN_ORDER ? order->default_paragraph :
								   (struct us_bytes){ NULL, 0 };
}
