#include "daemon/keeper/life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "crypto/cert.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"

struct us_keeper_life {
	enum us_keeper_state state;
	enum us_keeper_seal seal;
	char why[256];
	int64_t since_ns;
};

static const struct us_state_row states[] = {
	[US_KEEPER_SEALED] = { "sealed", US_TO(US_KEEPER_REPLAYING) },
	[US_KEEPER_REPLAYING] = { "replaying", US_TO(US_KEEPER_OPEN) | US_TO(US_KEEPER_REFUSING) },
	[US_KEEPER_OPEN] = { "open", US_TO(US_KEEPER_SEALED) },
	[US_KEEPER_REFUSING] = { "refusing", 0 },
};
const struct us_transitions us_keeper_transitions = { "the keeper", states, US_COUNT(states) };

static const struct us_state_row seals[] = {
	[US_SEAL_NONE] = { "none", US_TO(US_SEAL_LOGGED) | US_TO(US_SEAL_WIPED) },
	[US_SEAL_LOGGED] = { "logged", US_TO(US_SEAL_WIPED) },
	[US_SEAL_WIPED] = { "wiped", 0 },
};
const struct us_transitions us_keeper_seal_transitions = { "a seal", seals, US_COUNT(seals) };

int
us_keeper_life_new(struct us_keeper *k)
{
	k->life = calloc(1, sizeof *k->life);
	if (k->life == NULL)
		return US_ERR_NOMEM;
	k->life->since_ns = us_time_now_ns();
	return US_OK;
}

void
us_keeper_life_free(struct us_keeper *k)
{
	us_keeper_drop_evidence_keys(k);
	us_keeper_drop_log_keys(k);
	free(k->life);
	k->life = NULL;
}

/* --- states -------------------------------------------------------------------------------- */

enum us_keeper_state
us_keeper_state(const struct us_keeper *k)
{
	return k->life->state;
}

const char *
us_keeper_why(const struct us_keeper *k)
{
	return k->life->why;
}

int64_t
us_keeper_since(const struct us_keeper *k)
{
	return k->life->since_ns;
}

void
us_keeper_enter(struct us_keeper *k, enum us_keeper_state state, const char *why)
{
	k->life->state = us_transition(&us_keeper_transitions, k->life->state, state);
	k->life->since_ns = us_time_now_ns();
	(void)snprintf(k->life->why, sizeof k->life->why, "%s", why);
}

void
us_keeper_explain(struct us_keeper *k, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(k->life->why, sizeof k->life->why, format, ap);
	va_end(ap);
}

void
us_keeper_refuse(struct us_keeper *k, const char *why)
{
	us_log(US_LOG_ERROR, "%s: nothing is released", why);
	us_keeper_drop_evidence_keys(k);
	us_keeper_drop_log_keys(k);
	us_keeper_enter(k, US_KEEPER_REFUSING, why);
	(void)us_keeper_event(k, US_ACTION_STATE_OPEN, US_DECISION_FAILED, US_REASON_STATE,
	    &(struct us_event){ .form = US_EVENT_STATE_REFUSED,
		.state_refused = { us_bytes_of(k->life->why) } },
	    NULL);
}

/* --- a seal -------------------------------------------------------------------------------- */

static void
seal(struct us_keeper *k, enum us_keeper_seal to)
{
	k->life->seal = us_transition(&us_keeper_seal_transitions, k->life->seal, to);
}

int
us_keeper_is_sealing(const struct us_keeper *k)
{
	return k->life->seal != US_SEAL_NONE;
}

void
us_keeper_seal_logged(struct us_keeper *k)
{
	seal(k, US_SEAL_LOGGED);
}

void
us_keeper_seal_wipe(struct us_keeper *k)
{
	seal(k, US_SEAL_WIPED);
	k->life->state = us_transition(&us_keeper_transitions, k->life->state, US_KEEPER_SEALED);
	us_keeper_drop_evidence_keys(k);
}

int
us_keeper_is_wiped(const struct us_keeper *k)
{
	return k->life->seal == US_SEAL_WIPED;
}

/* --- keys ---------------------------------------------------------------------------------- */

void
us_keeper_drop_evidence_keys(struct us_keeper *k)
{
	us_keyring_free(k->keyring);
	us_pkey_free(k->ca_key);
	k->keyring = NULL;
	k->ca_key = NULL;
}

void
us_keeper_drop_log_keys(struct us_keeper *k)
{
	if (k->klog != NULL)
		us_klog_set_box_key(k->klog, NULL);
	us_root_keys_free(k->root);
	k->root = NULL;
}
