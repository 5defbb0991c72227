#include "daemon/vault/request/entry.h"

#include <string.h>

void
us_vault_entry_message(const struct us_vault_entry *e, const struct us_vault_asker *who,
    struct us_msg_log *m)
{
	*m = (struct us_msg_log){ .kind = 0 };
	memcpy(m->credential, who->credential, sizeof m->credential);
	m->peer = (struct us_bytes){ (const uint8_t *)who->peer, who->peer_n };
	memcpy(m->session, who->session, sizeof m->session);
	m->kind = (uint8_t)e->kind;
	m->action = (uint8_t)e->action;
	m->decision = (uint8_t)e->decision;
	m->reason = (uint8_t)e->reason;
	m->collection = who->collection;
	m->rule = who->ruling.rule;
	m->paragraph = who->ruling.paragraph;
	m->related = e->related;
	m->snapshot = e->snapshot;
	m->total = e->total;
	m->load = e->load;
	m->flags = e->flags;
	m->records = e->records;
	m->query = e->query;
	m->purpose = e->purpose;
	m->terms = e->terms;
	m->note = e->note;
}
