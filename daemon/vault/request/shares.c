#include "daemon/vault/request/shares.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/time.h"

#define NS_PER_MS INT64_C(1000000)
#define HOLDERS 4096 /* of each kind */
#define FRONTS_MAX 64

struct us_vault_shares {
	struct us_shares *shares;
	struct us_vault_gate *turns;
	struct us_share_figures fronts[FRONTS_MAX][US_SHARE_COUNT];
};

static int64_t
now_ms(void)
{
	return us_time_mono_ns() / NS_PER_MS;
}

int
us_vault_shares_new(struct us_vault *v, const struct us_settings *settings,
    void (*go_on)(struct us_vault_request *r))
{
	struct us_vault_shares *s = v->shares = calloc(1, sizeof *s);
	int err = s == NULL ? US_ERR_NOMEM : us_shares_new(&s->shares, 1, HOLDERS);

	if (err == US_OK)
		err = us_vault_gate_new(&s->turns, v->base, &us_vault_turn_limits, v->state, go_on);
	if (err == US_OK && settings != NULL)
		us_shares_set(s->shares, settings);
	return err;
}

void
us_vault_shares_free(struct us_vault *v)
{
	struct us_vault_shares *s = v->shares;

	if (s == NULL)
		return;
	us_vault_gate_free(s->turns);
	us_shares_free(s->shares);
	free(s);
	v->shares = NULL;
}

/* --- a request's ----------------------------------------------------------------------- */

static enum us_vault_next
too_many(struct us_vault_request *r, enum us_share what, uint32_t seconds)
{
	char detail[160];

	us_vault_problem_set(&r->problem, 429, "too-many", "You have had your share for now",
	    US_REASON_OVER_LIMIT)
	    ->retry_after = (uint16_t)(seconds == 0 ? 1 : seconds);
	(void)snprintf(detail, sizeof detail,
	    "Nothing was decided: your share of %s is used up; try again in %u s",
	    us_share_info(what)->text, seconds == 0 ? 1 : seconds);
	us_vault_problem_detail(&r->problem, detail);
	return US_VAULT_FAIL;
}

/* What of those that are spent a request of this kind will cost, beside what each kind does:
 * US_SHARE_COUNT: nothing. */
static enum us_share
cost_of(enum us_request_kind kind)
{
	switch (kind) {
	case US_REQUEST_session_request:
		return US_SHARE_sessions;
	case US_REQUEST_act_request:
		return US_SHARE_acts;
	case US_REQUEST_load_open_request:
		return US_SHARE_loads;
	case US_REQUEST_read_request:
	case US_REQUEST_search_request:
	case US_REQUEST_load_end_request:
	case US_REQUEST_load_ticket_request:
	case US_REQUEST_share_request:
	case US_REQUEST_list_request:
	case US_REQUEST_question_request:
	case US_REQUEST_log_keys_request:
	case US_REQUEST_cosign_request:
		return US_SHARE_entries;
	case US_REQUEST_part:
	case US_REQUEST_status_request:
	case US_REQUEST_challenge_request:
	case US_REQUEST_log_request:
		break;
	}
	return US_SHARE_COUNT;
}

/* A sealed vault writes nothing for what it refuses. */
static int
writes(const struct us_vault_request *r)
{
	return us_vault_is_open(r->vault->state) || r->kind->sealed == US_SEALED_ANSWERED;
}

static enum us_vault_next
spend(struct us_vault_request *r)
{
	struct us_shares *s = r->vault->shares->shares;
	const enum us_share cost = cost_of(r->kind->kind);
	const int64_t now = now_ms();
	uint32_t seconds;

	if (cost == US_SHARE_COUNT || !writes(r))
		return US_VAULT_GO_ON;
	seconds = us_share_wait(s, r->holder, US_SHARE_refusals, 1, now);
	if (seconds > 0)
		return too_many(r, US_SHARE_refusals, seconds);
	if (cost == US_SHARE_acts) {
		seconds = us_share_spend(s, r->holder, US_SHARE_act_bytes, r->body.len, now);
		if (seconds > 0)
			return too_many(r, US_SHARE_act_bytes, seconds);
	}
	seconds = us_share_spend(s, r->holder, cost, 1, now);
	return seconds > 0 ? too_many(r, cost, seconds) : US_VAULT_GO_ON;
}

enum us_vault_next
us_vault_shares_begin(struct us_vault_request *r)
{
	struct us_vault_shares *s = r->vault->shares;
	enum us_vault_next next;

	r->holder = us_share_at_credential(s->shares, r->who.credential);
	us_work_belongs(&r->work, us_load_u64(r->who.credential));
	if (us_share_take(s->shares, r->holder, US_SHARE_requests, 1) != US_OK) {
		us_share_leave(s->shares, r->holder);
		r->holder = NULL;
		return too_many(r, US_SHARE_requests, 0);
	}
	next = spend(r);
	if (next != US_VAULT_GO_ON)
		return next;
	switch (us_vault_gate_enter(s->turns, &r->turn, r, r->who.credential)) {
	case US_VAULT_GATE_PASSED:
		return US_VAULT_GO_ON;
	case US_VAULT_GATE_WAITS:
		return US_VAULT_WAIT;
	case US_VAULT_GATE_SHUT:
		us_share_refused(s->shares, US_SHARE_requests);
		return too_many(r, US_SHARE_requests, 0);
	case US_VAULT_GATE_FAILED:
		break;
	}
	return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
}

void
us_vault_shares_refused(struct us_vault_request *r)
{
	if (r->holder != NULL)
		us_share_owe(r->holder, US_SHARE_refusals, 1, now_ms());
}

void
us_vault_shares_end(struct us_vault_request *r)
{
	struct us_vault_shares *s = r->vault->shares;

	us_vault_gate_leave(s->turns, &r->turn);
	if (r->holder == NULL)
		return;
	us_share_give(s->shares, r->holder, US_SHARE_requests, 1);
	us_share_leave(s->shares, r->holder);
	r->holder = NULL;
}

/* --- figures --------------------------------------------------------------------------- */

int
us_vault_shares_told(struct us_vault_shares *s, uint8_t front, struct us_bytes body)
{
	struct us_msg_shares m;
	const int err = us_msg_shares_decode(&m, body.p, body.n);

	if (err != US_OK || front >= FRONTS_MAX)
		return err != US_OK ? err : US_ERR_MALFORMED;
	return us_shares_unpack(m.figures.p, m.figures.n, s->fronts[front]);
}

/* What a front has said, added up; the largest is that of one front. */
static void
add_fronts(const struct us_vault_shares *s, enum us_share what, struct us_share_figures *out)
{
	*out = (struct us_share_figures){ 0 };
	for (size_t i = 0; i < FRONTS_MAX; i++) {
		const struct us_share_figures *f = &s->fronts[i][what];

		out->limit += f->limit;
		out->held += f->held;
		out->refused += f->refused;
		out->largest = f->largest > out->largest ? f->largest : out->largest;
		out->holders = f->holders > out->holders ? f->holders : out->holders;
	}
}

void
us_vault_put_limits(struct us_vault_shares *s, struct us_json *j)
{
	const int64_t now = now_ms();
	struct us_share_figures f;

	us_json_key(j, "limits");
	us_json_array(j);
	for (size_t i = 0; i < US_SHARE_COUNT; i++) {
		const struct us_share_info *info = us_share_info((enum us_share)i);

		if (info->owner == US_SHARE_FRONT)
			add_fronts(s, (enum us_share)i, &f);
		else
			us_share_figures(s->shares, (enum us_share)i, now, &f);
		us_json_object(j);
		us_json_kv_cstr(j, "name", info->name);
		us_json_kv_cstr(j, "counts", info->text);
		us_json_kv_uint(j, "limit", f.limit);
		us_json_kv_uint(j, "held", f.held);
		us_json_kv_uint(j, "holders", f.holders);
		us_json_kv_uint(j, "largest", f.largest);
		us_json_kv_uint(j, "refused", f.refused);
		us_json_close(j);
	}
	us_json_close(j);
}
