/*
 * us_long_log KEEPER ENTRIES[:denied] SHARE...: lengthens the log of a vault that does not run, for
 * bench/start.
 *
 * KEEPER is its directory keeper/, SHARE the files of as many shares as it takes to open it. The
 * entries are what a year of use leaves, eight and eight: searches with their words, snippets of
 * ten records, single reads, refusals; with ":denied" refusals alone. They are sealed under the
 * vault's own box key and signed by its own key, and keep the rules between entries: so the vault
 * opens with them, and a verifier passes them with their boxes open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/slip39.h"
#include "daemon/keeper/files.h"
#include "log/disk/klog.h"
#include "daemon/keeper/root.h"

#define GROUP 512u
#define ATTORNEY 2u  /* of a vault that tests/system/harness.py makes */
#define OTHERS 1000u /* the first number of those who are not of that vault */
#define N_OTHERS 300u
#define ATTORNEY_EVERY 500u
#define RECORDS 100000u
#define ORDER 1u
#define MARK_EVERY 10000u
#define SESSIONS_NS (INT64_C(600) * 1000000000)
#define COUNTERS_GROUP 20u /* docs/PROTOCOL.md, "How answers ended" */

static void
must(int err, const char *what)
{
	if (err != US_OK)
		us_fatal("%s: %s", what, us_strerror(err));
}

static struct us_root_keys *
open_root(const struct us_vault_conf *conf, char **files, size_t n)
{
	char(*mnemonic)[US_SLIP39_TEXT_MAX] = us_secret_alloc(n * sizeof *mnemonic);
	const char **given = calloc(n, sizeof *given);
	uint8_t *secret = us_secret_alloc(US_SLIP39_SECRET_MAX), check[32];
	struct us_root_keys *keys;
	struct us_key *root;
	char text[4096];
	size_t size;

	if (mnemonic == NULL || given == NULL || secret == NULL || us_key_new(&root) != US_OK)
		us_fatal("out of memory");
	for (size_t i = 0; i < n; i++) {
		FILE *f = fopen(files[i], "re");
		const size_t got = f == NULL ? 0 : fread(text, 1, sizeof text, f);

		if (f != NULL)
			(void)fclose(f);
		must(us_slip39_normalise((struct us_bytes){ (const uint8_t *)text, got },
			 mnemonic[i]),
		    files[i]);
		given[i] = mnemonic[i];
	}
	must(us_slip39_combine(given, n, NULL, secret, &size), "shares");
	memcpy(root->b, secret, US_KEY_SIZE);
	must(us_root_check_value(root, check), "root");
	if (memcmp(check, conf->root_check, 32) != 0)
		us_fatal("the shares are another vault's");
	must(us_root_keys_new(&keys, root), "root");
	us_key_free(root);
	us_secret_free(secret);
	us_secret_free(mnemonic);
	free(given);
	return keys;
}

/* ---- the log as it is lengthened ---- */

struct us_bench_long_log {
	struct us_klog *log;
	int denied; /* refusals alone */
	uint64_t settled;
	int64_t sessions_ns; /* when they began; 0: not yet */
	uint32_t round;      /* of sessions */
};

static void
append(struct us_bench_long_log *l, const struct us_entry_in *e, uint64_t *index)
{
	int64_t time_ns;

	must(us_klog_append(l->log, e, index, &time_ns), "append");
	if (l->sessions_ns == 0)
		l->sessions_ns = time_ns;
}

/* What the machine says of itself. Returns its index. */
static uint64_t
machine_event(struct us_bench_long_log *l, enum us_action action, enum us_decision decision,
    const struct us_event *event)
{
	struct us_entry_access a;
	const struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM,
		.order_version = ORDER,
		.access = &a };
	uint64_t index;

	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = action;
	a.decision = decision;
	if (event != NULL)
		a.event = *event;
	append(l, &e, &index);
	return index;
}

/* A vault that was started and opened. */
static void
open_vault(struct us_bench_long_log *l)
{
	const struct us_event start = { .form = US_EVENT_START },
			      order = { .form = US_EVENT_ORDER_IN_FORCE,
				      .order_in_force = { .version = ORDER } };

	(void)machine_event(l, US_ACTION_START, US_DECISION_NONE, &start);
	(void)machine_event(l, US_ACTION_UNSEAL, US_DECISION_ALLOW, NULL);
	(void)machine_event(l, US_ACTION_STATE_OPEN, US_DECISION_ALLOW, NULL);
	(void)machine_event(l, US_ACTION_ORDER_IN_FORCE, US_DECISION_NONE, &order);
}

/* Everything so far left whole: in the log, and in the journal. */
static void
settle(struct us_bench_long_log *l)
{
	struct us_event mark = { .form = US_EVENT_ANSWERED,
		.answered = { .from = l->settled,
		    .to = us_klog_size(l->log) + us_klog_open_group(l->log) } };
	const struct us_bytes counters = us_klog_counters(l->log);
	uint8_t *copy = malloc(counters.n + 1);

	if (copy == NULL)
		us_fatal("out of memory");
	if (mark.answered.from < mark.answered.to)
		(void)machine_event(l, US_ACTION_ANSWERED, US_DECISION_NONE, &mark);
	l->settled = mark.answered.to;
	memcpy(copy, counters.p, counters.n);
	for (size_t at = 0; counters.n - at >= COUNTERS_GROUP; at += COUNTERS_GROUP)
		if (us_load_u32(copy + at) == 0) {
			us_store_u64(copy + at + 4, l->settled);
			us_store_u64(copy + at + 12, l->settled);
		}
	must(us_klog_set_counters(l->log, (struct us_bytes){ copy, counters.n }), "counters");
	free(copy);
}

/* Where the newest mark of the vault itself ends. */
static uint64_t
settled_so_far(const struct us_klog *log)
{
	const struct us_bytes counters = us_klog_counters(log);

	for (size_t at = 0; counters.n - at >= COUNTERS_GROUP; at += COUNTERS_GROUP)
		if (us_load_u32(counters.p + at) == 0)
			return us_load_u64(counters.p + at + 4);
	return 0;
}

/* Who did entry i: one in so many is the attorney's, all else others'. */
static uint32_t
person_of(uint64_t i)
{
	return i / 8 % ATTORNEY_EVERY == 0 ? ATTORNEY : OTHERS + (uint32_t)(i / 8 % N_OTHERS);
}

static void
set_person(const struct us_bench_long_log *l, struct us_entry_access *a, uint32_t person)
{
	a->person = person;
	us_store_u32(a->credential, person);
	us_store_u32(a->session, person);
	us_store_u32(a->session + 4, l->round);
	us_store_u32(a->session + 8, 1);
	a->parties[0] = us_bytes_of(person % 2 == 0 ? "plaintiffs" : "defendants");
	a->n_parties = 1;
}

/* Sessions hold for a quarter of an hour. */
static void
open_sessions(struct us_bench_long_log *l)
{
	struct us_entry_access a;
	const struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.order_version = ORDER,
		.access = &a };
	uint64_t index;

	l->sessions_ns = 0;
	l->round++;
	for (uint32_t i = 0; i <= N_OTHERS; i++) {
		us_entry_access_init(&a);
		a.kind = US_KIND_INTENT;
		a.action = US_ACTION_SESSION;
		a.decision = US_DECISION_ALLOW;
		set_person(l, &a, i == 0 ? ATTORNEY : OTHERS + i - 1);
		append(l, &e, &index);
	}
}

/* What entry i is. */
static void
append_one(struct us_bench_long_log *l, uint64_t i)
{
	const struct us_bytes words[] = { us_bytes_of("harbour"), us_bytes_of("paywall") };
	const int denied = l->denied || i % 8 == 7;
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.order_version = ORDER,
		.access = &a,
		.disclosure = &d,
		.query = &q };
	uint64_t records[10], index;

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	a.kind = i % 8 < 3 ? US_KIND_INTENT : US_KIND_DISCLOSURE;
	a.action = i % 8 < 5 ? US_ACTION_SEARCH : US_ACTION_READ;
	a.decision = denied ? US_DECISION_DENY : US_DECISION_ALLOW;
	a.reason = denied ? US_REASON_NOT_IN_ORDER : US_REASON_NONE;
	a.collection = d.collection = 1;
	set_person(l, &a, person_of(i));
	a.paragraph = us_bytes_of("4(b)");
	if (a.kind == US_KIND_INTENT) {
		q.query = us_bytes_of("harbour AND paywall");
		q.terms = words;
		q.n_terms = 2;
	} else if (!denied) {
		d.n_records = a.action == US_ACTION_SEARCH ? 10 : 1;
		d.total = d.n_records;
		for (size_t k = 0; k < d.n_records; k++)
			records[k] = (i * 37 + k) % RECORDS;
		d.records = records;
	}
	q.purpose = us_bytes_of("preparation for trial");
	q.address = us_bytes_of("192.0.2.1:40000");
	append(l, &e, &index);
}

static void
lengthen(struct us_bench_long_log *l, uint64_t n)
{
	l->settled = settled_so_far(l->log);
	open_vault(l);
	for (uint64_t i = 0; i < n; i++) {
		if (i == 0 || us_klog_last_time(l->log) - l->sessions_ns > SESSIONS_NS)
			open_sessions(l);
		append_one(l, i);
		if ((i + 1) % MARK_EVERY == 0 || i + 1 == n)
			settle(l);
		if ((i + 1) % GROUP == 0 || i + 1 == n) {
			must(us_klog_commit(l->log), "commit");
			(void)us_klog_tick(l->log);
		}
	}
	while (us_klog_tick(l->log))
		(void)usleep(1000);
}

int
main(int argc, char **argv)
{
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_root_keys *keys;
	struct us_klog_options o = { 0 };
	struct us_klog *log;
	char *files[US_SHARES_MAX];
	struct us_bench_long_log l = { 0 };
	char *end;
	uint64_t n;

	us_log_init("long_log", US_LOG_INFO);
	if (argc < 4 || argc - 3 > US_SHARES_MAX)
		us_fatal("usage: us_long_log KEEPER ENTRIES[:denied] SHARE...");
	n = strtoull(argv[2], &end, 10);
	l.denied = strcmp(end, ":denied") == 0;
	if (*end != '\0' && !l.denied)
		us_fatal("%s is no number of entries", argv[2]);
	for (int i = 3; i < argc; i++)
		if ((files[i - 3] = realpath(argv[i], NULL)) == NULL)
			us_fatal("there is no %s", argv[i]);
	if (chdir(argv[1]) != 0)
		us_fatal("there is no %s", argv[1]);
	must(us_crypto_init(), "cryptographic library");
	must(us_vault_conf_read(&conf), "vault.conf");
	must(us_boot_keys_read(&boot), "boot.keys");
	keys = open_root(&conf, files, (size_t)argc - 3);
	o.vault_id = conf.vault_id;
	o.box_public = conf.box_public;
	o.origin = conf.origin;
	o.seed = boot.log_seed;
	must(us_klog_open(&log, &o), "log");
	us_klog_set_box_key(log, &keys->log_box);
	l.log = log;
	lengthen(&l, n);
	us_klog_close(log);
	us_root_keys_free(keys);
	us_boot_keys_free(&boot);
	us_vault_conf_free(&conf);
	for (int i = 3; i < argc; i++)
		free(files[i - 3]);
	return 0;
}
