/* Documents, gathered from the acts that brought them; and the report on a clawback, whose numbers are the keeper's. */
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/crypto.h"
#include "common/timefmt.h"
#include "daemon/vault/question.h"

/* --- documents ---------------------------------------------------------------------------------------------------- */

struct gathering {
	struct us_document document; /* a copy: the registry may grow meanwhile */
	struct us_act *act;          /* scratch */
	struct us_buf bytes;
	uint32_t parts;              /* gathered so far */
};

static void
gathering_free(void *state)
{
	struct gathering *g = state;

	us_buf_free(&g->bytes);
	free(g->act);
	free(g);
}

static int
is_part(void *ctx, uint64_t sequence)
{
	const struct gathering *g = ctx;

	return g->parts < g->document.parts_all && sequence == g->document.sequences[g->parts];
}

static int
take_part(void *ctx, uint64_t sequence, struct us_bytes committed)
{
	struct gathering *g = ctx;
	struct us_committed_act act;
	struct us_signed_act envelope;
	int err = us_committed_act_decode(&act, &envelope, committed.p, committed.n);

	(void)sequence;
	if (err == US_OK && envelope.type != US_ACT_DOCUMENT_ADD)
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_act_decode(g->act, envelope.type, envelope.payload);
	if (err == US_OK && (g->act->u.document.part != g->parts ||
	    memcmp(g->act->u.document.digest, g->document.digest, 32) != 0))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_buf_put(&g->bytes, g->act->u.document.bytes.p, g->act->u.document.bytes.n);
	if (err == US_OK && ++g->parts == g->document.parts_all)
		return US_ERR_CLOSED; /* that was the last one */
	return err;
}

/* Parts larger than one act are not compared with the digest when they come in: here they are, as a whole. */
static int
gather(struct vault *v, struct gathering *g)
{
	uint8_t digest[32];
	int err = past_acts(v, is_part, take_part, g);

	if (err == US_OK && (g->parts != g->document.parts_all || g->bytes.len != g->document.size))
		err = US_ERR_VERIFY;
	if (err == US_OK)
		err = us_sha256(g->bytes.data, g->bytes.len, digest);
	if (err == US_OK && memcmp(digest, g->document.digest, sizeof digest) != 0)
		err = US_ERR_VERIFY;
	return err;
}

static void
document_logged(struct request *r, const struct us_msg_logged *m)
{
	struct gathering *g = r->state;
	struct problem p = { .status = 409, .type = "conflict", .title = "The document is not what it was said to be",
		.detail = "Its parts do not have the digest under which it was added; nothing of it is given out",
		.reason = US_REASON_STATE, .entry = m->index, .position = -1 };
	int err = gather(r->vault, g);

	if (err == US_ERR_VERIFY) {
		reply_problem(r, &p);
		return;
	}
	if (err != US_OK) {
		reply_error(r, err, US_REASON_ERROR, m->index);
		return;
	}
	r->entry = m->index;
	reply_bytes(r, 200, US_TYPE_OCTETS, (struct us_bytes){ g->bytes.data, g->bytes.len });
}

void
question_document(struct request *r, const struct us_msg_question_request *q)
{
	const struct us_document *d = NULL;
	struct gathering *g;
	uint8_t digest[32];

	if (us_hex_decode((const char *)q->argument.p, q->argument.n, digest, sizeof digest) != US_OK) {
		reply_error(r, US_ERR_FORMAT, US_REASON_MALFORMED, NO_ENTRY);
		return;
	}
	if (access_rule(r, US_ACTION_DOCUMENT_READ, (struct us_bytes){ NULL, 0 }, 0) != US_OK)
		return;
	d = us_registry_document_of(r->vault->registry, digest, 1);
	/* what is not for one's eyes is answered like what is not there */
	if (d == NULL || !sight_document(r, d)) {
		question_not_found(r, US_ACTION_DOCUMENT_READ, "There is no such document, or it is not for you");
		return;
	}
	g = calloc(1, sizeof *g);
	if (g != NULL)
		g->act = malloc(sizeof *g->act);
	if (g == NULL || g->act == NULL) {
		free(g);
		reply_error(r, US_ERR_NOMEM, US_REASON_ERROR, NO_ENTRY);
		return;
	}
	g->document = *d;
	us_buf_init(&g->bytes, US_DOCUMENT_MAX);
	r->state = g;
	r->free_state = gathering_free;
	question_log(r, US_ACTION_DOCUMENT_READ, q->argument, document_logged);
}

/* --- clawbacks -------------------------------------------------------------------------------------------------------- */

void
question_clawback(struct request *r, const struct us_msg_question_request *q)
{
	(void)q;
	question_not_found(r, US_ACTION_CLAWBACK_REPORT, "There is no such clawback");
}
