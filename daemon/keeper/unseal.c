#include "daemon/keeper/unseal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/slip39.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/handlers.h"
#include "registry/act.h"

#define SIGNED_LABEL "underseal/unseal-key/1"
#define TRANSIT_LABEL "underseal/share-in-transit/1"
#define SHARE_NONE 0xffu

/* Given shares of this sealed period. mnemonics: secret memory. */
struct us_unsealing {
	struct us_key *private_key;
	uint8_t public_key[32];
	uint8_t signature[64];
	char (*mnemonics)[544];
	uint8_t given[US_SHARES_MAX]; /* 1: share i is there */
	unsigned count;
	int64_t expires_ns;
	struct us_buf init_act;
};

int
us_unsealing_new(struct us_keeper *k)
{
	uint8_t message[sizeof SIGNED_LABEL - 1 + 64];
	struct us_unsealing *u;
	int err;

	u = k->unsealing = calloc(1, sizeof *u);
	if (u == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&u->init_act, US_ACT_COMMITTED_MAX); /* filled when the vault is unsealed */
	err = us_key_new(&u->private_key);
	if (err != US_OK)
		return err;
	u->mnemonics = us_secret_alloc(US_SHARES_MAX * sizeof *u->mnemonics);
	if (u->mnemonics == NULL)
		return US_ERR_NOMEM;
	err = us_key_random(u->private_key);
	if (err == US_OK)
		err = us_x25519_public(u->private_key, u->public_key);
	memcpy(message, SIGNED_LABEL, sizeof SIGNED_LABEL - 1);
	memcpy(message + sizeof SIGNED_LABEL - 1, k->conf.vault_id, 32);
	memcpy(message + sizeof SIGNED_LABEL - 1 + 32, u->public_key, 32);
	if (err == US_OK)
		err = us_klog_sign(k->klog, (struct us_bytes){ message, sizeof message },
		    u->signature);
	return err;
}

static void
drop_shares(struct us_keeper *k)
{
	struct us_unsealing *u = k->unsealing;

	if (u->mnemonics != NULL)
		us_wipe(u->mnemonics, US_SHARES_MAX * sizeof *u->mnemonics);
	memset(u->given, 0, sizeof u->given);
	u->count = 0;
	u->expires_ns = 0;
}

/* No more shares are taken: their key goes too. */
static void
end_period(struct us_keeper *k)
{
	struct us_unsealing *u = k->unsealing;

	drop_shares(k);
	us_key_free(u->private_key);
	us_secret_free(u->mnemonics);
	u->private_key = NULL;
	u->mnemonics = NULL;
	memset(u->public_key, 0, 32);
	memset(u->signature, 0, 64);
}

void
us_unsealing_free(struct us_keeper *k)
{
	if (k->unsealing == NULL)
		return;
	end_period(k);
	us_buf_free(&k->unsealing->init_act);
	free(k->unsealing);
	k->unsealing = NULL;
}

void
us_unsealing_expire(struct us_keeper *k)
{
	if (k->unsealing->count == 0 || us_time_now_ns() < k->unsealing->expires_ns)
		return;
	us_log(US_LOG_NOTICE, "the shares given so far are forgotten: 15 minutes have passed");
	drop_shares(k);
}

void
us_unsealing_tell(const struct us_keeper *k, struct us_msg_keeper_status_reply *r)
{
	const struct us_unsealing *u = k->unsealing;

	r->shares_given = (uint8_t)u->count;
	r->shares_wanted = (uint8_t)k->conf.threshold;
	r->shares_expire = u->expires_ns;
	memcpy(r->unseal_key, u->public_key, 32);
	memcpy(r->unseal_signature, u->signature, 64);
}

struct us_bytes
us_unsealing_init_act(const struct us_keeper *k)
{
	return (struct us_bytes){ k->unsealing->init_act.data, k->unsealing->init_act.len };
}

/* --- shares -------------------------------------------------------------------------------- */

struct us_keeper_share_answer {
	int err;
	unsigned share; /* counted from 1; 0: unknown */
	int unsealed;
	uint8_t given;
	char detail[256];
};

static int
open_share(struct us_keeper *k, struct us_bytes sealed, char mnemonic[US_SLIP39_TEXT_MAX])
{
	uint8_t context[sizeof TRANSIT_LABEL - 1 + 32];
	struct us_buf text;
	int err;

	us_buf_init(&text, US_SLIP39_TEXT_MAX);
	memcpy(context, TRANSIT_LABEL, sizeof TRANSIT_LABEL - 1);
	memcpy(context + sizeof TRANSIT_LABEL - 1, k->conf.vault_id, 32);
	err = us_open_from_public(k->unsealing->private_key,
	    (struct us_bytes){ context, sizeof context }, sealed, &text);
	if (err == US_OK)
		err = us_slip39_normalise((struct us_bytes){ text.data, text.len }, mnemonic);
	us_buf_free(&text);
	return err;
}

/* Which share of this vault the mnemonic is. */
static int
recognise(const struct us_keeper *k, const char *mnemonic, struct us_keeper_share_answer *a)
{
	struct us_slip39_info info;
	uint8_t digest[32];
	int err = us_slip39_parse(mnemonic, &info);

	if (err != US_OK) {
		(void)snprintf(a->detail, sizeof a->detail,
		    "the share is wrong: a word is missing or not "
		    "the right one");
		return US_ERR_SHARE;
	}
	err = us_share_digest(k->conf.vault_id, mnemonic, digest);
	if (err != US_OK)
		return err;
	for (unsigned i = 0; i < k->conf.shares; i++) {
		if (memcmp(digest, k->conf.share_digests[i], 32) == 0) {
			a->share = i + 1;
			return US_OK;
		}
	}
	a->share = info.member_index + 1;
	(void)snprintf(a->detail, sizeof a->detail,
	    "the share that calls itself number %u is none of "
	    "this vault's: it was changed, or belongs to another vault",
	    info.member_index + 1);
	return US_ERR_SHARE;
}

static int
combine(struct us_keeper *k, struct us_key *root)
{
	const char *given[US_SHARES_MAX];
	uint8_t *secret = us_secret_alloc(US_SLIP39_SECRET_MAX);
	uint8_t check[32];
	size_t n = 0, size = 0;
	int err = secret == NULL ? US_ERR_NOMEM : US_OK;

	for (unsigned i = 0; i < k->conf.shares && n < k->conf.threshold; i++) {
		if (k->unsealing->given[i])
			given[n++] = k->unsealing->mnemonics[i];
	}
	if (err == US_OK)
		err = us_slip39_combine(given, n, NULL, secret, &size);
	if (err == US_OK && size != US_KEY_SIZE)
		err = US_ERR_SHARE;
	if (err == US_OK) {
		memcpy(root->b, secret, US_KEY_SIZE);
		err = us_root_check_value(root, check);
	}
	if (err == US_OK && !us_equal_secret(check, k->conf.root_check, 32))
		err = US_ERR_SHARE;
	us_secret_free(secret);
	return err;
}

/* Everything that the root opens in this process. */
static int
open_with_root(struct us_keeper *k)
{
	struct us_key *root;
	int err = us_key_new(&root);

	if (err != US_OK)
		return err;
	err = combine(k, root);
	if (err == US_OK)
		err = us_root_keys_new(&k->root, root);
	us_key_free(root);
	if (err != US_OK)
		return err;
	err = us_ca_key_read(&k->ca_key, &k->root->ca_wrap, k->conf.vault_id);
	if (err == US_OK)
		err = us_keyring_new(&k->keyring, k->conf.vault_id);
	if (err == US_OK)
		err = us_keyring_load(k->keyring, &k->root->keyring_kek);
	us_buf_reset(&k->unsealing->init_act);
	if (err == US_OK)
		err = us_init_act_read(&k->unsealing->init_act, &k->root->state, k->conf.vault_id);
	if (err == US_OK)
		err = us_registry_replay(k->registry, us_unsealing_init_act(k), NULL);
	return err;
}

static void
take_share(struct us_keeper *k, const char *mnemonic, struct us_keeper_share_answer *a)
{
	struct us_unsealing *u = k->unsealing;

	if (u->given[a->share - 1]) {
		(void)snprintf(a->detail, sizeof a->detail, "share %u is there already", a->share);
		return;
	}
	(void)snprintf(u->mnemonics[a->share - 1], sizeof u->mnemonics[0], "%s", mnemonic);
	u->given[a->share - 1] = 1;
	if (u->count++ == 0)
		u->expires_ns = us_time_now_ns() + US_SHARE_SECONDS * US_NS_PER_SECOND;
}

static int
finish_share(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_share_answer *a = p->data;
	const struct us_msg_share_reply r = {
		.err = (uint8_t)a->err,
		.share = (uint8_t)a->share,
		.shares_given = a->given,
		.shares_wanted = (uint8_t)k->conf.threshold,
		.entry = p->index,
		.detail = us_bytes_of(a->detail),
	};
	struct us_msg_unsealed u = { .init_act = us_unsealing_init_act(k) };
	int err = p->ch == NULL ? US_OK : us_send_share_reply(p->ch, p->tag, &r);

	if (err != US_OK || !a->unsealed || p->ch == NULL || k->root == NULL)
		return err;
	memcpy(u.vault_id, k->conf.vault_id, 32);
	memcpy(u.state_key, k->root->state.b, 32);
	memcpy(u.cursor_key, k->root->cursor.b, 32);
	err = us_send_unsealed(p->ch, 0, &u);
	us_wipe(&u, sizeof u);
	return err;
}

static void
try_unseal(struct us_keeper *k, struct us_keeper_share_answer *a)
{
	int err = open_with_root(k);

	if (err != US_OK) {
		us_log_err(err, "enough shares were given, but the vault does not open");
		drop_shares(k);
		us_keeper_drop_evidence_keys(k);
		us_keeper_drop_log_keys(k);
		a->err = err;
		(void)snprintf(a->detail, sizeof a->detail,
		    "the shares are right, but the vault does not "
		    "open: %s (see the operator's log)",
		    us_strerror(err));
		return;
	}
	(void)us_keeper_event(k, US_ACTION_UNSEAL, US_DECISION_ALLOW, US_REASON_NONE, NULL, NULL);
	us_klog_set_box_key(k->klog, &k->root->log_box);
	end_period(k);
	us_keeper_enter(k, US_KEEPER_REPLAYING, "the vault's state is being read");
	a->unsealed = 1;
}

static int
append_share(struct us_keeper *k, const struct us_msg_share_request *m,
    const struct us_keeper_share_answer *a, struct us_pending *p)
{
	struct us_entry_access access;
	struct us_entry_query query;
	struct us_entry_in e = { .entry_class = US_CLASS_SYSTEM,
		.access = &access,
		.query = &query };

	us_entry_access_init(&access);
	us_entry_query_init(&query);
	access.kind = US_KIND_EVENT;
	access.action = US_ACTION_UNSEAL_SHARE;
	access.decision = a->err == US_OK ? US_DECISION_ALLOW : US_DECISION_DENY;
	access.reason = a->err == US_OK ? US_REASON_NONE :
	    a->err == US_ERR_NOSPACE    ? US_REASON_LOW_SPACE :
					  US_REASON_WRONG_SHARE;
	access.event = (struct us_event){ .form = US_EVENT_SHARE, .share = { (uint8_t)a->share } };
	memcpy(access.credential, m->credential, 32);
	access.told = 1;
	query.address = m->peer;
	return us_keeper_append(k, &e, &p->index, &p->time_ns);
}

int
us_on_share_request(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_share };
	char mnemonic[US_SLIP39_TEXT_MAX];
	struct us_keeper_share_answer *a;
	struct us_msg_share_request m;
	int err = us_msg_share_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	a = p.data = calloc(1, sizeof *a);
	if (a == NULL)
		return US_ERR_NOMEM;
	us_unsealing_expire(k);
	a->err = us_keeper_state(k) != US_KEEPER_SEALED ? US_ERR_STATE :
	    us_low_space_refuses(k, US_ACTION_UNSEAL_SHARE, m.credential) ?
							  US_ERR_NOSPACE :
							  open_share(k, m.sealed, mnemonic);
	if (a->err == US_OK)
		a->err = recognise(k, mnemonic, a);
	else
		(void)snprintf(a->detail, sizeof a->detail, "%s",
		    a->err == US_ERR_STATE ?
			"the vault is not sealed" :
			a->err == US_ERR_NOSPACE ?
			"the log's disk is nearly full" :
			"the share does not open: it was not sealed to this sealed "
			"period's key");
	if (a->err == US_OK)
		take_share(k, mnemonic, a);
	us_wipe(mnemonic, sizeof mnemonic);
	a->given = (uint8_t)k->unsealing->count;
	err = append_share(k, &m, a, &p);
	if (err != US_OK) {
		free(a);
		return err;
	}
	if (a->err == US_OK && k->unsealing->count >= k->conf.threshold)
		try_unseal(k, a);
	return us_keeper_answer(k, &p);
}
