/*
 * us_long_log KEEPER ENTRIES SHARE...: lengthens the log of a vault that does not run, for
 * bench/start.
 *
 * KEEPER is its directory keeper/, SHARE the files of as many shares as it takes to open it. The
 * entries are what a year of use leaves, eight and eight: searches with their words, snippets of
 * ten records, single reads, refusals. They are sealed under the vault's own box key and signed by
 * its own key, so that the vault opens with them.
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
#define ATTORNEY 2u /* of a vault that tests/system/harness.py makes */
#define RECORDS 100000u

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

/* What entry i is. */
static void
append_one(struct us_klog *log, uint64_t i)
{
	const struct us_bytes party = us_bytes_of("plaintiffs"),
			      words[] = { us_bytes_of("harbour"), us_bytes_of("paywall") };
	struct us_entry_access a;
	struct us_entry_disclosure d;
	struct us_entry_query q;
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS,
		.order_version = 1,
		.access = &a,
		.disclosure = &d,
		.query = &q };
	uint64_t records[10], index;
	int64_t time_ns;

	us_entry_access_init(&a);
	us_entry_disclosure_init(&d);
	us_entry_query_init(&q);
	a.kind = i % 8 < 3 ? US_KIND_INTENT : US_KIND_DISCLOSURE;
	a.action = i % 8 < 5 ? US_ACTION_SEARCH : US_ACTION_READ;
	a.decision = i % 8 == 7 ? US_DECISION_DENY : US_DECISION_ALLOW;
	a.reason = i % 8 == 7 ? US_REASON_NOT_IN_ORDER : US_REASON_NONE;
	a.person = ATTORNEY;
	a.collection = d.collection = 1;
	a.parties[0] = party;
	a.n_parties = 1;
	a.paragraph = us_bytes_of("4(b)");
	if (a.kind == US_KIND_INTENT) {
		q.query = us_bytes_of("harbour AND paywall");
		q.terms = words;
		q.n_terms = 2;
	} else if (i % 8 != 7) {
		d.n_records = a.action == US_ACTION_SEARCH ? 10 : 1;
		for (size_t k = 0; k < d.n_records; k++)
			records[k] = (i * 37 + k) % RECORDS;
		d.records = records;
	}
	q.purpose = us_bytes_of("preparation for trial");
	q.address = us_bytes_of("192.0.2.1:40000");
	must(us_klog_append(log, &e, &index, &time_ns), "append");
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
	uint64_t n;

	us_log_init("long_log", US_LOG_INFO);
	if (argc < 4 || argc - 3 > US_SHARES_MAX)
		us_fatal("usage: us_long_log KEEPER ENTRIES SHARE...");
	n = strtoull(argv[2], NULL, 10);
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
	for (uint64_t i = 0; i < n; i++) {
		append_one(log, i);
		if ((i + 1) % GROUP == 0 || i + 1 == n) {
			must(us_klog_commit(log), "commit");
			(void)us_klog_tick(log);
		}
	}
	while (us_klog_tick(log))
		(void)usleep(1000);
	us_klog_close(log);
	us_root_keys_free(keys);
	us_boot_keys_free(&boot);
	us_vault_conf_free(&conf);
	for (int i = 3; i < argc; i++)
		free(files[i - 3]);
	return 0;
}
