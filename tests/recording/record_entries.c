/*
 * record_entries: prints, in hexadecimal, log entries of every class with fixed contents under
 * fixed keys and salts, and the keys of their boxes; and the names of all that an entry can be
 * about. For tests/recording/record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/entry.h"
#include "base/base64.h"
#include "base/err.h"

struct parts {
	struct us_entry_in in;
	struct us_entry_access access;
	struct us_entry_disclosure disclosure;
	struct us_entry_query query;
};

static const uint64_t records[] = { 7, 8, 3, 1000000007 };

static void
must(int err, const char *what)
{
	if (err != US_OK) {
		(void)fprintf(stderr, "%s: %s\n", what, us_strerror(err));
		exit(1);
	}
}

static void
put(const char *what, const void *p, size_t n)
{
	struct us_buf hex;

	us_buf_init(&hex, 2 * n + 1);
	must(us_hex_put(&hex, p, n), "hex");
	(void)printf(" %s %.*s\n", what, (int)hex.len, (const char *)hex.data);
	us_buf_free(&hex);
}

static void
fill_access(struct us_entry_access *a, unsigned which)
{
	a->kind = (enum us_kind)(1 + which % 4);
	a->action = which % 2 ? US_ACTION_READ : US_ACTION_SEARCH;
	a->decision = which % 3 ? US_DECISION_ALLOW : US_DECISION_DENY;
	a->reason = which % 3 ? US_REASON_NONE : US_REASON_QUOTA;
	a->person = 7;
	memset(a->credential, 0x44, 32);
	a->collection = 2;
	a->rule = 3;
	a->paragraph = us_bytes_of("4(b)");
	memset(a->session, 0x55, 16);
	a->n_parties = 2;
	a->parties[0] = us_bytes_of("defendant");
	a->parties[1] = us_bytes_of("plaintiffs");
	a->related = 11;
	a->sequence = which % 2 ? 12 : US_ENTRY_NONE;
	a->event = (struct us_event){ .form = US_EVENT_OTHER, .other = us_bytes_of("summary") };
}

static void
fill_disclosure(struct us_entry_disclosure *d, unsigned which)
{
	d->collection = 2;
	d->snapshot = 21;
	d->total = 22;
	d->fewer = which % 4 == 3;
	d->part = 1;
	d->parts = 3;
	d->n_records = sizeof(records) / sizeof(records[0]);
	d->records = records;
	d->has_copy = which % 2;
	if (d->has_copy) {
		d->copy_id = 23;
		d->recipient = us_bytes_of("Expert E");
	}
	d->has_batch = which % 4 == 2;
	if (d->has_batch) {
		d->slot = 24;
		d->first = 25;
		d->count = 26;
		memset(d->manifest_root.b, 0x66, 32);
	}
}

static void
show(unsigned which, const struct us_bytes terms[2], const struct us_key *secret)
{
	static const uint8_t vault_id[32] = { 0x77 }, sealed[104] = { 0x88 };
	struct us_key keys[US_BOXES];
	struct parts p;
	struct us_buf out;

	memset(&p, 0, sizeof(p));
	us_entry_access_init(&p.access);
	us_entry_disclosure_init(&p.disclosure);
	us_entry_query_init(&p.query);
	fill_access(&p.access, which);
	fill_disclosure(&p.disclosure, which);
	p.query = (struct us_entry_query){ .purpose = us_bytes_of("trial"),
		.address = us_bytes_of("192.0.2.1"),
		.parts = 1,
		.n_terms = 2,
		.query = us_bytes_of("restaurant AND s\xc3\xa9jour"),
		.terms = terms };
	p.in = (struct us_entry_in){ .entry_class = (enum us_entry_class)(1 + which % 4),
		.order_version = 4,
		.index = 1000 + which,
		.time_ns = 1700000000000000000 + which,
		.vault_id = vault_id,
		.secret = secret };
	memset(p.in.state_digest, 0x99, 32);
	memset(p.in.manifest_root, 0xaa, 32);
	memset(p.in.salt, (int)which + 1, US_ENTRY_SALT);
	p.in.access = which == 7 ? NULL : &p.access;
	p.in.disclosure = which % 3 ? &p.disclosure : NULL;
	p.in.query = which % 5 ? &p.query : NULL;
	if (which == 6)
		p.in.sealed = (struct us_bytes){ sealed, sizeof(sealed) };
	us_buf_init(&out, US_ENTRY_MAX);
	must(us_entry_encode(&out, &p.in), "entry");
	must(us_entry_box_keys(keys, secret, vault_id, p.in.index, p.in.salt), "keys");
	(void)printf("entry %u, class %s\n", which, us_entry_class_name(p.in.entry_class));
	put("bytes", out.data, out.len);
	for (size_t i = 0; i < US_BOXES; i++)
		put("key", keys[i].b, sizeof(keys[i].b));
	us_buf_free(&out);
}

static void
names(const char *what, const char *(*name)(unsigned))
{
	(void)printf("%s:", what);
	for (unsigned i = 0; i < 256; i++)
		if (name(i) != NULL)
			(void)printf(" %u %s,", i, name(i));
	(void)printf("\n");
}

int
main(void)
{
	const struct us_bytes terms[2] = { us_bytes_of("restaurant"),
		us_bytes_of("s\xc3\xa9jour") };
	struct us_key secret;

	memset(secret.b, 0x5a, sizeof(secret.b)); /* a key of nothing */
	for (unsigned which = 0; which < 12; which++)
		show(which, terms, &secret);
	names("classes", us_entry_class_name);
	names("kinds", us_kind_name);
	names("actions", us_action_name);
	names("decisions", us_decision_name);
	names("reasons", us_reason_name);
	return 0;
}
