#include "daemon/vault/answers/listing.h"

#include <stdio.h>
#include <string.h>

#include "registry/registry.h"

int
us_vault_listing_room(struct us_vault_listing *l, uint64_t at)
{
	if (l->shown == l->limit) {
		if (l->next == 0)
			l->next = at - 1;
		return 0;
	}
	l->shown++;
	return 1;
}

int
us_vault_listing_is(const struct us_vault_listing *l, const char *name, uint64_t id)
{
	char digits[24];

	if (l->q->argument.n == 0)
		return 1;
	(void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)id);
	return (name != NULL && us_bytes_is(l->q->argument, name)) ||
	    us_bytes_is(l->q->argument, digits);
}

const char *
us_vault_list_person_name(const struct us_registry *reg, uint32_t id)
{
	const struct us_person *p = us_registry_person(reg, id);

	return p == NULL ? NULL : p->name;
}

const char *
us_vault_list_collection_name(const struct us_registry *reg, uint32_t id)
{
	const struct us_collection *c = us_registry_collection(reg, id);

	return c == NULL ? NULL : c->name;
}

void
us_vault_list_put_time(struct us_json *j, const char *key, int64_t ns)
{
	us_json_key(j, key);
	if (ns == 0 || ns == INT64_MAX || ns == INT64_MIN)
		us_json_null(j);
	else
		us_json_time(j, ns);
}

void
us_vault_list_put_digest(struct us_json *j, const char *key, const uint8_t digest[32])
{
	static const uint8_t none[32];

	us_json_key(j, key);
	if (memcmp(digest, none, sizeof none) == 0)
		us_json_null(j);
	else
		us_json_hex(j, digest, sizeof none);
}

void
us_vault_list_put_person(struct us_json *j, const struct us_person *p)
{
	size_t i;

	us_json_object(j);
	us_json_kv_uint(j, "person", p->id);
	us_json_kv_cstr(j, "name", p->name);
	us_json_kv_cstr(j, "capacity", us_capacity_name((unsigned)p->capacity));
	us_json_kv_cstr(j, "status", us_person_status_name(p->status));
	us_json_key(j, "parties");
	us_json_array(j);
	for (i = 0; i < p->n_parties; i++)
		us_json_cstr(j, p->parties[i]);
	us_json_close(j);
	us_json_kv_time(j, "added", p->added_ns);
	us_json_kv_uint(j, "added_by", p->added_by);
	us_json_kv_time(j, "changed", p->changed_ns);
	if (p->reason[0] != '\0')
		us_json_kv_cstr(j, "reason", p->reason);
	us_json_close(j);
}
