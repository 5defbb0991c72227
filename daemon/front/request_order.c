/* Questions about the order and its docket: what changes, why, who, to whom. */
#include "daemon/front/request_internal.h"

#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

/* As in the message's fields. */
#define PERSON_MAX 64
#define ACTION_MAX 32
#define BATES_MAX 64
#define DIGEST_DIGITS 64

/* A version of the order, or the number of a filing: counted from 1. */
static int
take_number(struct us_decode *d, size_t segment, const char *what, uint32_t *out)
{
	const struct us_bytes number = us_decode_segment(d, segment);
	uint64_t n;

	if (us_number_parse(number.p, number.n, UINT32_MAX, &n) != US_OK || n == 0)
		return us_decode_bad(d->problem, "versions and filings are numbered from 1", what);
	*out = (uint32_t)n;
	return 0;
}

/* A text of the query, empty if it is absent. */
static int
take_text(struct us_decode *d, const char *name, size_t max, struct us_bytes *out)
{
	const struct us_bytes *v = us_target_query(d->target, name);

	*out = v == NULL ? (struct us_bytes){ NULL, 0 } : *v;
	if (out->n > max)
		return us_decode_bad(d->problem,
		    "a value in the query is longer than any such name", name);
	return 0;
}

static int
take_time(struct us_decode *d, int64_t *out)
{
	const struct us_bytes *v = us_target_query(d->target, "at");

	*out = 0;
	/* 1970 itself would read as "now" */
	if (v != NULL && (us_time_parse((const char *)v->p, v->n, out) != US_OK || *out <= 0))
		return us_decode_bad(d->problem, "a time is RFC 3339, and after 1970 began", "at");
	return 0;
}

/* collection, bates, action, at: what explain and who share. */
static int
take_case(struct us_decode *d, struct us_msg_question_request *m)
{
	if (take_text(d, "action", ACTION_MAX, &m->action) != 0 ||
	    take_text(d, "collection", US_COLLECTION_NAME_MAX, &m->collection) != 0 ||
	    take_text(d, "bates", BATES_MAX, &m->bates) != 0 || take_time(d, &m->at) != 0)
		return d->problem->status;
	if (m->action.n == 0)
		return us_decode_bad(d->problem, "the question is about an action", "action");
	return 0;
}

static int
take_explain(struct us_decode *d, struct us_msg_question_request *m)
{
	static const char *const known[] = { "person", "action", "collection", "bates", "at",
		NULL };

	if (us_decode_check_query(d, known) != 0 ||
	    take_text(d, "person", PERSON_MAX, &m->person) != 0 || take_case(d, m) != 0)
		return d->problem->status;
	if (m->person.n == 0)
		return us_decode_bad(d->problem, "the question is about a person", "person");
	if (m->bates.n != 0 && m->collection.n == 0)
		return us_decode_bad(d->problem, "a record is of a collection", "collection");
	return 0;
}

static int
take_who(struct us_decode *d, struct us_msg_question_request *m)
{
	static const char *const known[] = { "action", "collection", "bates", "at", NULL };

	if (us_decode_check_query(d, known) != 0 || take_case(d, m) != 0)
		return d->problem->status;
	if (m->collection.n == 0 || m->bates.n == 0)
		return us_decode_bad(d->problem, "the question is about a record of a collection",
		    m->bates.n == 0 ? "bates" : "collection");
	return 0;
}

static int
take_digest(struct us_decode *d, struct us_bytes *out)
{
	*out = us_decode_segment(d, 2);
	for (size_t i = 0; i < out->n; i++)
		if (!((out->p[i] >= '0' && out->p[i] <= '9') ||
			(out->p[i] >= 'a' && out->p[i] <= 'f')))
			out->n = 0;
	if (out->n != DIGEST_DIGITS)
		return us_decode_bad(d->problem,
		    "a document is named by its SHA-256: 64 hex digits in lower case", "digest");
	return us_decode_no_query(d);
}

static int
take_after(struct us_decode *d, uint32_t *out)
{
	static const char *const known[] = { "after", NULL };
	uint64_t after;

	if (us_decode_check_query(d, known) != 0 ||
	    us_decode_query_number(d, "after", 0, UINT32_MAX, &after) != 0)
		return d->problem->status;
	*out = (uint32_t)after;
	return 0;
}

int
us_decode_question_request(struct us_decode *d)
{
	struct us_msg_question_request *m = &d->out->u.question_request;
	const enum us_question what = (enum us_question)d->route->info->detail;

	memset(m, 0, sizeof *m);
	US_DECODE_WHO(d, m);
	m->what = (uint8_t)what;
	switch (what) {
	case US_QUESTION_DIFF:
		if (us_decode_no_query(d) != 0 || take_number(d, 2, "from", &m->first) != 0)
			return d->problem->status;
		return take_number(d, 4, "to", &m->second);
	case US_QUESTION_EXPLAIN:
		return take_explain(d, m);
	case US_QUESTION_WHO:
		return take_who(d, m);
	case US_QUESTION_CLAWBACK:
		return us_decode_no_query(d) != 0 ? d->problem->status :
						    take_number(d, 2, "clawback", &m->first);
	case US_QUESTION_DOCUMENT:
		return take_digest(d, &m->argument);
	case US_QUESTION_ACTS:
		return take_after(d, &m->first);
	}
	return us_decode_bad(d->problem, "no such question", NULL);
}
