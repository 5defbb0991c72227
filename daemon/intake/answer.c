#include "daemon/intake/answer.h"

#include <stdio.h>

#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"

/* The last part of the problem's type (RFC 9457), as the vault and the front name theirs. */
static const char *
problem_of(uint16_t status, enum us_reason reason)
{
	switch (status) {
	case 401:
	case 403:
		return reason == US_REASON_NONE ? "ticket" : "denied";
	case 409:
		return "conflict";
	case 503:
		return reason == US_REASON_SEALED ? "sealed" : "busy";
	case 500:
		return "internal";
	default:
		return "part";
	}
}

void
us_intake_problem(uint32_t part, const struct us_intake_failure *f, struct us_buf *body)
{
	char type[64];
	struct us_json j;

	us_json_begin(&j, body);
	us_json_object(&j);
	(void)snprintf(type, sizeof type, "urn:underseal:problem:%s",
	    f->type != NULL ? f->type : problem_of(f->status, f->reason));
	us_json_kv_cstr(&j, "type", type);
	us_json_kv_cstr(&j, "title", "The part was not taken");
	us_json_kv_uint(&j, "status", f->status);
	us_json_kv_cstr(&j, "detail", f->why);
	if (f->reason != US_REASON_NONE)
		us_json_kv_cstr(&j, "reason", us_reason_name(f->reason));
	us_json_kv_uint(&j, "part", part);
	us_json_kv_cstr(&j, "error", f->why);
	if (f->code != US_DEFECT_NONE)
		us_json_kv_cstr(&j, "code", us_defect_code(f->code));
	us_json_close(&j);
	if (us_json_end(&j) != US_OK) {
		us_buf_reset(body); /* the status says it too */
		us_log(US_LOG_WARNING, "out of memory: a part's failure is not explained");
	}
}

static void
put_defect(struct us_json *j, uint64_t line, unsigned code)
{
	us_json_object(j);
	us_json_kv_uint(j, "line", line);
	us_json_kv_cstr(j, "code", us_defect_code(code));
	us_json_close(j);
}

/* The sealer's lines: the refused ones as defects, or the duplicates, until *left is 0. Returns how
 * many there are, named or not. */
static size_t
put_sealer_lines(struct us_json *j, struct us_bytes lines, int duplicates, size_t *left)
{
	struct us_reader r;
	size_t n = 0;

	us_reader_init(&r, lines.p, lines.n);
	while (r.left > 0) {
		uint64_t line = us_take_u64(&r);
		uint8_t code = us_take_u8(&r);

		if (r.err != US_OK)
			break;
		if ((code == US_DEFECT_NONE) != duplicates)
			continue;
		n++;
		if (*left == 0)
			continue;
		--*left;
		if (duplicates)
			us_json_uint(j, line);
		else
			put_defect(j, line, code);
	}
	return n;
}

int
us_intake_report(const struct us_intake_taken *p, const struct us_msg_documents_done *m,
    struct us_buf *body)
{
	size_t own = p->n_defects < US_INTAKE_LINES_SHOWN ? p->n_defects : US_INTAKE_LINES_SHOWN,
	       left = US_INTAKE_LINES_SHOWN - own;
	size_t n, before = left;
	struct us_json j;

	us_json_begin(&j, body);
	us_json_object(&j);
	us_json_kv_uint(&j, "part", p->part);
	us_json_kv_uint(&j, "records", p->records);
	us_json_kv_uint(&j, "accepted", m->accepted);
	us_json_kv_uint(&j, "duplicates", m->duplicates);
	us_json_kv_uint(&j, "refused", (uint64_t)m->refused + p->n_defects);
	us_json_key(&j, "defects");
	us_json_array(&j);
	for (size_t i = 0; i < own; i++)
		put_defect(&j, p->defects[i].line, p->defects[i].code);
	n = put_sealer_lines(&j, m->lines, 0, &left);
	us_json_close(&j);
	us_json_kv_uint(&j, "more", p->n_defects - own + n - (before - left));
	us_json_key(&j, "duplicate_lines");
	us_json_array(&j);
	(void)put_sealer_lines(&j, m->lines, 1, &left);
	us_json_close(&j);
	us_json_close(&j);
	return us_json_end(&j);
}

/* Of a load that was stopped. */
static const char *
why_stopped(enum us_reason reason)
{
	static const char sealed[] = "the vault has been sealed: what was not admitted is not; "
				     "once it is unsealed, load again";
	static const char frozen[] =
	    "a freeze stops loading: what was not admitted is not; once it is lifted, load again";
	static const char revoked[] = "the credential that opened the load was revoked";
	static const char standing[] =
	    "the person or credential that opened the load may not act any more";
	static const char order[] = "the order does not allow the load any more";

	if (reason == US_REASON_SEALED)
		return sealed;
	if (reason == US_REASON_FROZEN)
		return frozen;
	if (reason == US_REASON_REVOKED)
		return revoked;
	return reason == US_REASON_SUSPENDED || reason == US_REASON_ENDED ||
		reason == US_REASON_EXPIRED ?
	    standing :
	    order;
}

struct us_intake_failure
us_intake_failure_of(int err, enum us_reason reason)
{
	struct us_intake_failure f = { .reason = reason };

	switch (err) {
	case US_ERR_SIGNATURE:
		f.why = "the ticket is not one of this load and credential: the load has ended, or "
			"the vault was "
			"sealed or started anew; load again";
		f.status = 403;
		break;
	case US_ERR_EXPIRED:
		f.why = "the ticket has expired; get another one (POST /v1/loads/{load}/ticket)";
		f.status = 401;
		break;
	case US_ERR_DENIED:
		f.why = why_stopped(reason);
		f.status = reason == US_REASON_SEALED ? 503 : 403;
		break;
	case US_ERR_ARG:
		f.why = "the part's flags are not those that its load was opened with";
		f.status = 400;
		break;
	case US_ERR_CLOSED:
		f.why = "the load was given up";
		f.status = 409;
		break;
	case US_ERR_INCOMPLETE:
		f.why = "a part before this one never came, and the load has ended without both; "
			"load the file again";
		f.type = "incomplete";
		f.status = 409;
		break;
	case US_ERR_STATE:
		f.why = "the load has stopped because of a refused record; end it";
		f.status = 409;
		break;
	case US_ERR_EXISTS:
		f.why = "another part was taken under this number; or this one is on its way over "
			"another connection";
		f.status = 409;
		break;
	case US_ERR_FORMAT:
		f.why = "the part is out of place";
		f.status = 400;
		break;
	default:
		f.why = "the load cannot be taken at present: try again";
		f.status = 503;
		break;
	}
	return f;
}
