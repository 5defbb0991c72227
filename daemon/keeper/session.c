#include "daemon/keeper/session.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "crypto/session.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/low_space.h"
#include "daemon/keeper/handlers.h"
#include "registry/versions.h"

#define OWNERS (US_KEEPER_SESSIONS / US_KEEPER_SESSIONS_OWN) /* a power of two */
#define TRIES 16u

/* A session that a person's key has signed. Free slots have expires_ns 0. */
struct us_session {
	uint8_t id[16];
	uint8_t credential[32];
	uint32_t person;
	int64_t expires_ns;
};

/* The newest sessions of a credential: with one more the oldest ends, so that no credential takes
 * the places of others. */
struct us_session_owner {
	uint8_t credential[32];
	uint8_t id[US_KEEPER_SESSIONS_OWN][16];
	unsigned next;
	int64_t expires_ns; /* of the newest; 0: nobody's */
};

struct us_sessions {
	struct us_session slot[US_KEEPER_SESSIONS];
	struct us_session_owner owner[OWNERS];
	uint32_t order_version; /* that the log was told is in force; 0: none yet */
};

int
us_sessions_new(struct us_keeper *k)
{
	k->sessions = calloc(1, sizeof *k->sessions);
	return k->sessions == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_sessions_free(struct us_keeper *k)
{
	free(k->sessions);
	k->sessions = NULL;
}

static int
nonce_tag(const struct us_keeper *k, const uint8_t *nonce, uint8_t tag[32])
{
	const struct us_bytes part = { nonce, 16 };

	return us_hmac_sha256((struct us_bytes){ k->nonce_key->b, US_KEY_SIZE }, &part, 1, tag);
}

int
us_on_challenge(struct us_keeper *k, struct us_channel *ch, uint32_t tag, struct us_bytes body)
{
	struct us_msg_challenge_reply reply = { 0 };
	struct us_msg_challenge m;
	uint8_t mac[32];
	int err = us_msg_challenge_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	us_store_u64(reply.nonce, (uint64_t)us_time_now_ns());
	err = us_random(reply.nonce + 8, 8);
	if (err == US_OK)
		err = nonce_tag(k, reply.nonce, mac);
	if (err != US_OK)
		return err;
	memcpy(reply.nonce + 16, mac, 16);
	memcpy(reply.vault_id, k->conf.vault_id, 32);
	return us_send_challenge_reply(ch, tag, &reply);
}

static enum us_reason
check_nonce(const struct us_keeper *k, const uint8_t nonce[32], int64_t now)
{
	const int64_t age = now - (int64_t)us_load_u64(nonce);
	uint8_t mac[32];

	if (nonce_tag(k, nonce, mac) != US_OK || !us_equal_secret(mac, nonce + 16, 16))
		return US_REASON_SESSION_FORGED;
	return age < -US_SESSION_TOLERANCE_SECONDS * US_NS_PER_SECOND ||
		age > US_SESSION_NONCE_SECONDS * US_NS_PER_SECOND ?
	    US_REASON_EXPIRED :
	    US_REASON_NONE;
}

static enum us_reason
reason_of(int err)
{
	switch (err) {
	case US_ERR_SIGNATURE:
		return US_REASON_BAD_SIGNATURE;
	case US_ERR_DENIED:
		return US_REASON_SESSION_FORGED;
	case US_ERR_EXPIRED:
		return US_REASON_EXPIRED;
	case US_ERR_NOT_YET:
		return US_REASON_NOT_YET_VALID;
	case US_ERR_TRUNCATED:
	case US_ERR_TRAILING:
	case US_ERR_FORMAT:
	case US_ERR_RANGE:
		return US_REASON_MALFORMED;
	default:
		return US_REASON_ERROR;
	}
}

/* Everything that a session needs. theirs: 1 once it is known that the credential's key signed. */
static enum us_reason
verify(struct us_keeper *k, const struct us_msg_session_request *m, int64_t now,
    struct us_session_statement *s, const struct us_person **person, int *theirs)
{
	struct us_session_proof proof = { .statement = m->statement, .signature = m->signature };
	const struct us_credential *known;
	enum us_reason reason;
	int err;

	*person = NULL;
	if (us_keeper_state(k) != US_KEEPER_OPEN)
		return US_REASON_SEALED;
	/* No certificate comes here: of the one that was shown to a front its fingerprint does, and
	 * by that the keeper's own copy is found, which it issued. */
	(void)us_registry_standing(k->registry, m->credential, now, NULL, &known);
	if (known == NULL)
		return US_REASON_UNKNOWN_CREDENTIAL;
	proof.cert = known->certificate;
	err = us_session_verify(&proof, k->conf.vault_id, now, s);
	if (err != US_OK)
		return reason_of(err);
	reason = check_nonce(k, s->nonce, now);
	if (reason != US_REASON_NONE)
		return reason;
	*theirs = 1;
	reason = us_registry_standing(k->registry, s->credential, now, person, NULL);
	return reason == US_REASON_NONE &&
		us_low_space_refuses(k, US_ACTION_SESSION, s->credential) ?
	    US_REASON_LOW_SPACE :
	    reason;
}

/* Where the id is, or where it may be put: the first of sixteen places that is free or expired,
 * else the one that expires first. */
static struct us_session *
place(const struct us_keeper *k, const uint8_t id[16], int64_t now, int to_write)
{
	struct us_session *best = NULL;

	for (unsigned i = 0; i < TRIES; i++) {
		struct us_session *s =
		    &k->sessions->slot[(us_load_u32(id) + i) & (US_KEEPER_SESSIONS - 1)];

		if (s->expires_ns != 0 && memcmp(s->id, id, 16) == 0)
			return s;
		if (to_write &&
		    (best == NULL || (best->expires_ns > now && s->expires_ns < best->expires_ns)))
			best = s;
	}
	return best;
}

/* The credential's, or one that is free or whose sessions have expired, or will first. */
static struct us_session_owner *
owner_of(struct us_keeper *k, const uint8_t credential[32])
{
	struct us_session_owner *best = NULL;

	for (unsigned i = 0; i < TRIES; i++) {
		struct us_session_owner *o =
		    &k->sessions->owner[(us_load_u32(credential) + i) & (OWNERS - 1)];

		if (o->expires_ns != 0 && memcmp(o->credential, credential, 32) == 0)
			return o;
		if (best == NULL || o->expires_ns < best->expires_ns)
			best = o;
	}
	memset(best, 0, sizeof *best);
	memcpy(best->credential, credential, 32);
	return best;
}

static void
keep(struct us_keeper *k, const struct us_session *session)
{
	const int64_t now = us_time_now_ns();
	struct us_session_owner *o = owner_of(k, session->credential);
	uint8_t *id = o->id[o->next];
	struct us_session *oldest = place(k, id, now, 0);

	if (oldest != NULL && memcmp(oldest->credential, session->credential, 32) == 0)
		memset(oldest, 0, sizeof *oldest);
	memcpy(id, session->id, sizeof session->id);
	o->next = (o->next + 1) % US_KEEPER_SESSIONS_OWN;
	o->expires_ns = session->expires_ns;
	*place(k, session->id, now, 1) = *session;
}

struct us_keeper_opened {
	enum us_reason reason;
	struct us_session session;
};

static int
finish_open(struct us_keeper *k, struct us_pending *p)
{
	const struct us_keeper_opened *o = p->data;
	struct us_msg_session_opened m = {
		.err = o->reason == US_REASON_NONE   ? US_OK :
		    o->reason == US_REASON_SEALED    ? US_ERR_SEALED :
		    o->reason == US_REASON_LOW_SPACE ? US_ERR_NOSPACE :
						       US_ERR_DENIED,
		.reason = (uint8_t)o->reason,
		.entry = p->index,
	};

	if (o->reason == US_REASON_NONE) {
		keep(k, &o->session);
		memcpy(m.session, o->session.id, 16);
		m.person = o->session.person;
		m.expires = o->session.expires_ns;
	}
	return p->ch == NULL ? US_OK : us_send_session_opened(p->ch, p->tag, &m);
}

int
us_on_session_request(struct us_keeper *k, struct us_channel *ch, uint32_t tag,
    struct us_bytes body)
{
	struct us_pending p = { .ch = ch, .tag = tag, .finish = finish_open };
	struct us_entry_in e = { .entry_class = US_CLASS_ACCESS };
	struct us_session_statement s = { .expires_ns = 0 };
	const struct us_person *person;
	struct us_msg_session_request m;
	struct us_entry_access a;
	struct us_entry_query q;
	struct us_keeper_opened *o;
	int theirs = 0;
	int err = us_msg_session_request_decode(&m, body.p, body.n);

	if (err != US_OK)
		return err;
	o = p.data = calloc(1, sizeof *o);
	if (o == NULL)
		return US_ERR_NOMEM;
	o->reason = verify(k, &m, us_time_now_ns(), &s, &person, &theirs);
	us_entry_access_init(&a);
	us_entry_query_init(&q);
	a.kind = US_KIND_INTENT;
	a.action = US_ACTION_SESSION;
	a.decision = o->reason == US_REASON_NONE ? US_DECISION_ALLOW : US_DECISION_DENY;
	a.reason = o->reason;
	us_keeper_fill_person(k, &a, m.credential);
	a.told = !theirs;
	q.address = m.peer;
	if (o->reason == US_REASON_NONE) {
		err = us_session_id(m.statement, o->session.id);
		memcpy(o->session.credential, s.credential, 32);
		o->session.person = person->id;
		o->session.expires_ns = s.expires_ns;
		memcpy(a.session, o->session.id, 16);
	}
	e.access = &a;
	e.query = &q;
	if (err == US_OK)
		err = us_keeper_append(k, &e, &p.index, &p.time_ns);
	if (err != US_OK) {
		free(o);
		return err;
	}
	return us_keeper_answer(k, &p);
}

enum us_reason
us_keeper_session(struct us_keeper *k, const uint8_t session[16], const uint8_t credential[32],
    const struct us_person **person)
{
	const int64_t now = us_time_now_ns();
	const struct us_session *s = place(k, session, now, 0);
	enum us_reason reason;

	*person = NULL;
	if (us_keeper_state(k) != US_KEEPER_OPEN)
		return US_REASON_SEALED;
	if (s == NULL)
		return US_REASON_NO_SESSION;
	if (memcmp(s->credential, credential, 32) != 0)
		return US_REASON_SESSION_FORGED;
	if (s->expires_ns <= now)
		return US_REASON_EXPIRED;
	reason = us_registry_standing(k->registry, credential, now, person, NULL);
	if (reason == US_REASON_NONE && (*person == NULL || (*person)->id != s->person))
		return US_REASON_SESSION_FORGED;
	return reason;
}

static int
session_is_of(const struct us_keeper *k, const uint8_t session[16], const uint8_t credential[32])
{
	const int64_t now = us_time_now_ns();
	const struct us_session *s = place(k, session, now, 0);

	return us_keeper_state(k) == US_KEEPER_OPEN && s != NULL && s->expires_ns > now &&
	    memcmp(s->credential, credential, sizeof s->credential) == 0;
}

void
us_keeper_fill_asker(const struct us_keeper *k, struct us_entry_access *a,
    const uint8_t credential[32], const uint8_t session[16])
{
	us_keeper_fill_person(k, a, credential);
	a->told = a->decision != US_DECISION_ALLOW && !session_is_of(k, session, credential);
	if (!a->told)
		memcpy(a->session, session, sizeof a->session);
}

void
us_keeper_order_at(struct us_keeper *k, int64_t now_ns)
{
	struct us_event e = { .form = US_EVENT_ORDER_IN_FORCE };

	/* while the state is replayed, acts move the registry through their own times */
	if (us_keeper_state(k) != US_KEEPER_OPEN)
		return;
	(void)us_registry_at(k->registry, now_ns);
	if (us_registry_order(k->registry)->version == k->sessions->order_version)
		return;
	k->sessions->order_version = us_registry_order(k->registry)->version;
	e.order_in_force.version = k->sessions->order_version;
	us_log(US_LOG_NOTICE, "version %u of the order is in force",
	    (unsigned)k->sessions->order_version);
	if (us_keeper_event(k, US_ACTION_ORDER_IN_FORCE, US_DECISION_NONE, US_REASON_NONE, &e,
		NULL) != US_OK)
		us_fatal("that a version of the order is in force cannot be logged. Stopping");
}

void
us_keeper_context(const struct us_keeper *k, const uint8_t credential[32], struct us_bytes peer,
    struct us_context *out)
{
	const int64_t now = us_time_now_ns();
	const struct us_credential *found = NULL;

	if (k->registry != NULL)
		(void)us_registry_standing(k->registry, credential, now, NULL, &found);
	us_registry_context(k->registry, found, peer, now, out);
	if (k->frozen)
		us_context_freeze(out);
}
