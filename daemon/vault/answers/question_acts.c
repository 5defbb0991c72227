/*
 * All committed acts, one behind the other, for whoever the order lets open every access box of the
 * log. The log holds them too, but the larger ones (orders, documents) by their digest alone; with
 * these, what the registry was at any moment can be folded again without the vault, and every act
 * is checked against the state that its entry committed to (docs/PROTOCOL.md, section 10).
 */
#include <stdlib.h>

#include "daemon/vault/answers/question.h"

#define ANSWER_BYTES (2u * 1024u * 1024u) /* an answer ends behind the act that fills it so far */
#define TEXT_BYTES 64

struct us_vault_sending {
	uint64_t after;
	struct us_buf acts;
};

static void
sending_free(void *state)
{
	struct us_vault_sending *s = state;

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

static void
logged(struct us_vault_request *r, const struct us_msg_logged *m)
{
	struct us_vault_sending *s = r->state;
	int err = us_vault_history_acts(r->vault, is_wanted, take, s);

	if (err != US_OK) {
		us_vault_reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	r->entry = m->index;
	us_vault_reply_bytes(r, 200, US_TYPE_OCTETS,
	    (struct us_bytes){ s->acts.data, s->acts.len });
}

void
us_vault_question_acts(struct us_vault_request *r, const struct us_msg_question_request *q)
{
	struct us_vault_sending *s;
	struct us_buf text;

	if (us_vault_access_rule(r, US_ACTION_AUDIT_EXPORT, (struct us_bytes){ NULL, 0 }, 0) !=
	    US_OK)
		return;
	if (r->ruling.log_scope != US_LOG_OF_ALL ||
	    (r->ruling.boxes & US_BOXES_ALL) != US_BOXES_ALL) {
		us_vault_question_refuse(r, US_ACTION_AUDIT_EXPORT,
		    "The acts are for those to whom the order opens the whole log");
		return;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL) {
		us_vault_reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	s->after = q->first;
	us_buf_init(&s->acts, ANSWER_BYTES + US_ACT_COMMITTED_MAX + 4);
	r->state = s;
	r->free_state = sending_free;
	us_buf_init(&text, TEXT_BYTES);
	(void)us_buf_putf(&text, "acts after %llu", (unsigned long long)s->after);
	us_vault_question_log(r, US_ACTION_AUDIT_EXPORT, (struct us_bytes){ text.data, text.len },
	    logged);
	us_buf_free(&text);
}
