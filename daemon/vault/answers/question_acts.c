/*
 * All committed acts, one behind the other, for whoever the order lets open every access box of the
 * log. The log holds them too, but the larger ones (orders, documents) by their digest alone; with
 * these, what the registry was at any moment can be folded again without the vault, and every act
 * is checked against the state that its entry committed to (docs/PROTOCOL.md, section 10).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/vault/answers/answer.h"
#include "daemon/vault/answers/question.h"
#include "daemon/vault/state/history.h"

#define ANSWER_BYTES (2u * 1024u * 1024u) /* an answer ends behind the act that fills it so far */
#define TEXT_BYTES 64

struct us_vault_sending {
	uint64_t after;
	struct us_buf acts;
};

static void
sending_free(struct us_vault_request *r)
{
	struct us_vault_sending *s = r->own.sending;

	us_buf_free(&s->acts);
	free(s);
}

static int
is_wanted(void *ctx, uint64_t sequence)
{
	const struct us_vault_sending *s = ctx;

	return sequence > s->after;
}

static int
take(void *ctx, uint64_t sequence, struct us_bytes committed)
{
	struct us_vault_sending *s = ctx;
	int err = us_buf_put_str32(&s->acts, committed.p, committed.n);

	(void)sequence;
	return err == US_OK && s->acts.len >= ANSWER_BYTES ? US_ERR_CLOSED : err;
}

static enum us_vault_next
ask_for_acts(struct us_vault_request *r)
{
	struct us_vault_sending *s;
	enum us_vault_next next;
	char text[TEXT_BYTES];

	r->action = US_ACTION_AUDIT_EXPORT;
	next = us_vault_question_ask_order(r);
	if (next != US_VAULT_GO_ON)
		return next;
	if (r->who.ruling.log_scope != US_LOG_OF_ALL ||
	    (r->who.ruling.boxes & US_BOXES_ALL) != US_BOXES_ALL)
		return us_vault_question_refuse(r,
		    "The acts are for those to whom the order opens the whole log");
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return us_vault_fail(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
	s->after = r->q.question_request.first;
	us_buf_init(&s->acts, ANSWER_BYTES + US_ACT_COMMITTED_MAX + 4);
	r->own.sending = s;
	r->own_free = sending_free;
	(void)snprintf(text, sizeof text, "acts after %llu", (unsigned long long)s->after);
	return us_vault_question_log(r, us_bytes_of(text));
}

static enum us_vault_next
put_acts(struct us_vault_request *r)
{
	struct us_vault_sending *s = r->own.sending;
	const uint64_t entry = r->heard.logged->index;
	const int err = us_vault_history_acts(r->vault, is_wanted, take, s);

	return err != US_OK ? us_vault_fail(r, err, US_REASON_ERROR, entry) :
			      us_vault_answer_bytes(r, 200, US_TYPE_OCTETS, entry,
				  (struct us_bytes){ s->acts.data, s->acts.len });
}

const struct us_vault_step us_vault_all_acts_steps[] = {
	{ .once = ask_for_acts },
	{ .once = put_acts },
	{ .once = NULL },
};
