#include "daemon/keeper/create.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/machine_events.h"

#define CA_DAYS 7300
#define SERVER_DAYS 1825
#define CLIENT_DAYS 365
#define DETAIL 256

/* Everything on its way. */
struct us_keeper_making {
	const struct us_create_options *options;
	struct us_created *out;
	char *detail;
	int64_t now;
	struct us_key *root;
	struct us_root_keys *keys;
	struct us_pkey *ca_key;
	struct us_vault_conf conf;
	struct us_boot_keys boot;
	struct us_buf source, compiled, committed;
	struct us_act *act;
	struct us_keyring *keyring;
	uint32_t order_version;
};

static int
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	if (d == NULL)
		return US_ERR_IO;
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return n == 0 ? US_OK : US_ERR_EXISTS;
}

static int
make_root(struct us_keeper_making *m)
{
	struct us_slip39_plan plan = { .threshold = m->options->threshold,
		.shares = m->options->shares,
		.extendable = 1 };
	struct us_created *out = m->out;
	int err = us_key_new(&m->root);

	if (err == US_OK)
		err = us_key_random(m->root);
	if (err == US_OK)
		err = us_random(out->vault_id, 32);
	if (err == US_OK)
		err = us_root_keys_new(&m->keys, m->root);
	out->mnemonics = us_secret_alloc(US_SLIP39_SHARES_MAX * sizeof *out->mnemonics);
	if (err == US_OK && out->mnemonics == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		err = us_slip39_split(&plan, (struct us_bytes){ m->root->b, US_KEY_SIZE },
		    out->mnemonics);
	if (err != US_OK)
		return err;
	out->shares = m->conf.shares = plan.shares;
	m->conf.threshold = plan.threshold;
	memcpy(m->conf.vault_id, out->vault_id, 32);
	for (unsigned i = 0; err == US_OK && i < plan.shares; i++)
		err = us_share_digest(out->vault_id, out->mnemonics[i], m->conf.share_digests[i]);
	if (err == US_OK)
		err = us_root_check_value(m->root, m->conf.root_check);
	if (err == US_OK)
		err = us_x25519_public(&m->keys->log_box_private, m->conf.box_public);
	return err;
}

static int
make_log_key(struct us_keeper_making *m)
{
	struct us_note_key key;
	uint8_t public_key[32];
	char id[17];
	int n, err = us_key_new(&m->boot.log_seed);

	us_hex_encode(m->conf.vault_id, 8, id);
	n = snprintf(m->conf.origin, sizeof m->conf.origin, "%s/underseal/%s", m->options->hosts[0],
	    id);
	if (n < 0 || (size_t)n >= sizeof m->conf.origin)
		return US_ERR_LIMIT;
	if (err == US_OK)
		err = us_key_random(m->boot.log_seed);
	if (err == US_OK)
		err = us_ed25519_public(m->boot.log_seed, public_key);
	if (err == US_OK)
		err = us_note_key_init(&key, m->conf.origin, US_NOTE_ED25519, public_key);
	if (err == US_OK)
		err = us_note_key_format(&key, m->conf.vkey, sizeof m->conf.vkey);
	memcpy(m->out->origin, m->conf.origin, sizeof m->out->origin);
	memcpy(m->out->vkey, m->conf.vkey, sizeof m->out->vkey);
	return err;
}

static int
make_certificates(struct us_keeper_making *m)
{
	const struct us_create_options *o = m->options;
	const int64_t from = m->now - 60 * US_NS_PER_SECOND;
	struct us_cert_validity ca = { from, us_time_add_days(m->now, CA_DAYS) };
	struct us_cert_validity server = { from, us_time_add_days(m->now, SERVER_DAYS) };
	struct us_cert_validity client = { from,
		us_time_add_days(m->now, o->days == 0 ? CLIENT_DAYS : o->days) };
	struct us_issuer issuer;
	char name[US_CERT_NAME_MAX + 1], id[17];
	int err = us_pkey_new(US_PKEY_P256, &m->ca_key);

	us_hex_encode(m->conf.vault_id, 8, id);
	(void)snprintf(name, sizeof name, "Underseal vault %s", id);
	if (err == US_OK)
		err = us_ca_create(m->ca_key, name, ca, &m->conf.ca);
	issuer = (struct us_issuer){ m->ca_key, { m->conf.ca.data, m->conf.ca.len } };
	if (err == US_OK)
		err = us_buf_put(&m->out->ca, m->conf.ca.data, m->conf.ca.len);
	if (err == US_OK)
		err = us_pkey_new(US_PKEY_P256, &m->boot.tls_key);
	if (err == US_OK)
		err = us_cert_issue_server(&issuer, m->boot.tls_key, o->hosts, o->n_hosts, server,
		    &m->boot.tls_certificate);
	for (size_t i = 0; err == US_OK && i < o->n_people; i++) {
		const struct us_create_person *p = &o->people[i];

		if (p->csr.n == 0)
			continue;
		if (p->name.n > US_CERT_NAME_MAX)
			return US_ERR_LIMIT;
		memcpy(name, p->name.p, p->name.n);
		name[p->name.n] = '\0';
		err = us_cert_issue_client(&issuer, p->csr, name, client, &m->out->certificates[i]);
		if (err != US_OK)
			(void)snprintf(m->detail, DETAIL,
			    "no certificate can be made for person %zu: %s", i + 1,
			    us_strerror(err));
	}
	return err;
}

static int
make_init(struct us_keeper_making *m)
{
	const struct us_create_options *o = m->options;
	struct us_act_init *init = &m->act->u.init;
	struct us_refusal refusal = { .reason = US_REASON_NONE };
	struct us_registry *reg = NULL;
	struct us_order *order = NULL;
	int err = us_registry_new(&reg);

	m->act->type = US_ACT_INIT;
	init->ca = (struct us_bytes){ m->conf.ca.data, m->conf.ca.len };
	init->order_source = o->order_source;
	init->order_compiled = o->order_compiled;
	if (err == US_OK && o->order_compiled.n == 0) {
		err = us_order_none(&m->source, &m->compiled);
		init->order_source = (struct us_bytes){ m->source.data, m->source.len };
		init->order_compiled = (struct us_bytes){ m->compiled.data, m->compiled.len };
	}
	if (err == US_OK)
		err = us_order_decode(init->order_compiled.p, init->order_compiled.n, &order);
	m->order_version = order == NULL ? 0 : order->version;
	us_order_free(order);
	init->n_hosts = o->n_hosts;
	for (size_t i = 0; i < o->n_hosts; i++)
		init->hosts[i] = us_bytes_of(o->hosts[i]);
	init->n_people = o->n_people;
	for (size_t i = 0; i < o->n_people; i++) {
		const struct us_create_person *from = &o->people[i];
		struct us_init_person *to = &init->people[i];

		to->name = from->name;
		to->capacity = from->capacity;
		to->n_parties = from->n_parties;
		memcpy(to->parties, from->parties, sizeof to->parties);
		to->certificate = (struct us_bytes){ m->out->certificates[i].data,
			m->out->certificates[i].len };
	}
	if (err == US_OK)
		err = us_registry_prepare_own(reg, m->act, m->conf.vault_id, m->now, &m->committed,
		    &refusal);
	if (err != US_OK && refusal.text[0] != '\0')
		(void)snprintf(m->detail, DETAIL, "%s", refusal.text);
	us_registry_free(reg);
	return err;
}

/* The log's first entry carries the digest of the state that init made. */
static int
write_log(struct us_keeper_making *m)
{
	static const uint8_t zeros[32];
	struct us_klog_options o = { .vault_id = m->conf.vault_id,
		.box_public = m->conf.box_public,
		.origin = m->conf.origin,
		.seed = m->boot.log_seed,
		.segment_size = 0 };
	struct us_entry_access a;
	struct us_entry_in e = { .entry_class = US_CLASS_STATE, .access = &a };
	const struct us_bytes committed = { m->committed.data, m->committed.len };
	struct us_klog *log = NULL;
	uint8_t digest[32];
	uint64_t index;
	int64_t time_ns;
	int err = us_klog_open(&log, &o);

	e.order_version = m->order_version;
	us_entry_access_init(&a);
	a.kind = US_KIND_EVENT;
	a.action = US_ACTION_INIT;
	a.decision = US_DECISION_ALLOW;
	a.sequence = 1;
	if (err == US_OK)
		err = us_event_of_act(&a.event, committed, digest);
	if (err == US_OK)
		err = us_state_digest(zeros, committed, e.state_digest);
	if (err == US_OK) {
		us_klog_set_box_key(log, &m->keys->log_box);
		err = us_klog_append(log, &e, &index, &time_ns);
	}
	if (err == US_OK)
		err = us_klog_commit(log);
	if (err == US_OK) /* what is between this and the first start is no crash */
		us_run_ended(us_klog_size(log), US_GAP_STOPPED);
	us_klog_close(log);
	return err;
}

static int
write_files(struct us_keeper_making *m)
{
	int err = us_keyring_new(&m->keyring, m->conf.vault_id);

	if (err == US_OK)
		err = us_keyring_store(m->keyring, &m->keys->keyring_kek);
	if (err == US_OK)
		err = us_ca_key_write(m->ca_key, &m->keys->ca_wrap, m->conf.vault_id);
	if (err == US_OK)
		err = us_boot_keys_write(&m->boot);
	if (err == US_OK)
		err = us_init_act_write((struct us_bytes){ m->committed.data, m->committed.len },
		    &m->keys->state, m->conf.vault_id);
	if (err == US_OK)
		err = write_log(m);
	/* Last: without it the directory is no vault's. */
	return err != US_OK ? err : us_vault_conf_write(&m->conf);
}

static int
make_all(struct us_keeper_making *m)
{
	int err;

	m->act = calloc(1, sizeof *m->act);
	if (m->act == NULL)
		return US_ERR_NOMEM;
	err = make_root(m);
	if (err != US_OK)
		(void)snprintf(m->detail, DETAIL, "%u of %u shares cannot be made: %s",
		    m->conf.threshold, m->options->shares, us_strerror(err));
	if (err == US_OK)
		err = make_log_key(m);
	if (err == US_OK)
		err = make_certificates(m);
	if (err == US_OK)
		err = make_init(m);
	return err != US_OK ? err : write_files(m);
}

int
us_keeper_create(struct us_created *out, const struct us_create_options *o, char *detail)
{
	struct us_keeper_making m = { .options = o, .out = out, .now = us_time_now_ns() };
	char unused[DETAIL];
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = is_empty(o->dir);

	memset(out, 0, sizeof *out);
	m.detail = detail == NULL ? unused : detail;
	m.detail[0] = '\0';
	us_buf_init(&out->ca, US_CERT_MAX);
	for (size_t i = 0; i < US_INIT_PEOPLE; i++)
		us_buf_init(&out->certificates[i], US_CERT_MAX);
	us_buf_init(&m.conf.ca, US_CERT_MAX);
	us_buf_init(&m.boot.tls_certificate, US_CERT_MAX);
	us_buf_init(&m.source, US_ORDER_SOURCE_MAX);
	us_buf_init(&m.compiled, US_ORDER_COMPILED_MAX);
	us_buf_init(&m.committed, US_ACT_COMMITTED_MAX);
	if (err == US_OK &&
	    (o->n_hosts == 0 || o->n_hosts > US_INIT_HOSTS || o->n_people == 0 ||
		o->n_people > US_INIT_PEOPLE || o->shares > US_SHARES_MAX))
		err = US_ERR_ARG;
	if (err == US_OK && (here < 0 || chdir(o->dir) != 0))
		err = US_ERR_IO;
	if (err == US_OK) {
		err = make_all(&m);
		if (fchdir(here) != 0 && err == US_OK)
			err = US_ERR_IO;
	}
	us_key_free(m.root);
	us_root_keys_free(m.keys);
	us_pkey_free(m.ca_key);
	us_keyring_free(m.keyring);
	us_boot_keys_free(&m.boot);
	us_vault_conf_free(&m.conf);
	us_buf_free(&m.source);
	us_buf_free(&m.compiled);
	us_buf_free(&m.committed);
	free(m.act);
	if (here >= 0)
		(void)close(here);
	if (err != US_OK)
		us_created_free(out);
	return err;
}

void
us_created_free(struct us_created *c)
{
	us_secret_free(c->mnemonics);
	c->mnemonics = NULL;
	us_buf_free(&c->ca);
	for (size_t i = 0; i < US_INIT_PEOPLE; i++)
		us_buf_free(&c->certificates[i]);
}
