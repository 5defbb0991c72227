#include "base/array.h"
#include "daemon/front/request_internal.h"

#include "base/err.h"
#include "base/number.h"
#include "registry/act.h"

#define ARGUMENT_MAX 512
#define BATES_MAX 128
#define CURSOR_MAX 512
#define LOG_PATH_MAX 128

static int
take_collection(struct us_decode *d, struct us_bytes *out)
{
	*out = us_decode_segment(d, 2);
	if (out->n > US_COLLECTION_NAME_MAX)
		return us_decode_bad(d->problem, "no collection has so long a name", "collection");
	return 0;
}

static int
flag_of(struct us_decode *d, const char *name, int *out)
{
	const struct us_bytes *v = us_target_query(d->target, name);

	if (v == NULL || us_bytes_is(*v, "0"))
		*out = 0;
	else if (us_bytes_is(*v, "1"))
		*out = 1;
	else
		return us_decode_bad(d->problem, "a flag in the query is neither 0 nor 1", name);
	return 0;
}

/* Header or query parameter, not both. */
static int
take_purpose(struct us_decode *d, struct us_bytes *out)
{
	const struct us_bytes *v = us_target_query(d->target, "purpose");

	*out = d->route->purpose;
	if (v == NULL)
		return 0;
	if (out->n != 0 || v->n > US_PURPOSE_MAX)
		return us_decode_bad(d->problem, "a purpose is one text of at most 1,024 bytes",
		    "purpose");
	*out = *v;
	return 0;
}

int
us_decode_status_request(struct us_decode *d)
{
	struct us_msg_status_request *m = &d->out->u.status_request;

	US_DECODE_WHO(d, m);
	return us_decode_no_query(d);
}

int
us_decode_challenge_request(struct us_decode *d)
{
	struct us_msg_challenge_request *m = &d->out->u.challenge_request;

	US_DECODE_WHO(d, m);
	return us_decode_no_query(d);
}

int
us_decode_session_request(struct us_decode *d)
{
	struct us_msg_session_request *m = &d->out->u.session_request;
	struct us_bytes unread;
	const struct us_json_member list[] = {
		{ "statement", US_JSON_BASE64, 1, 1, 512, &m->statement, NULL },
		{ "signature", US_JSON_BASE64, 1, 1, 256, &m->signature, NULL },
		/* clients of before send it: the keeper has its own */
		{ "certificate", US_JSON_BASE64, 0, 1, 16384, &unread, NULL },
	};

	US_DECODE_WHO(d, m);
	return us_decode_no_query(d) ? d->problem->status : us_decode_members(d, list, 3);
}

int
us_decode_share_request(struct us_decode *d)
{
	struct us_msg_share_request *m = &d->out->u.share_request;
	const struct us_json_member list[] = {
		{ "share", US_JSON_BASE64, 1, 1, 1024, &m->sealed, NULL },
	};

	US_DECODE_WHO(d, m);
	return us_decode_no_query(d) ? d->problem->status : us_decode_members(d, list, 1);
}

int
us_decode_act_request(struct us_decode *d)
{
	struct us_msg_act_request *m = &d->out->u.act_request;
	struct us_signed_act act;
	struct us_reader r;

	US_DECODE_WHO(d, m);
	us_reader_init(&r, d->body.p, d->body.n);
	m->act = us_take_str32(&r, US_ACT_SIGNED_MAX);
	m->signature = us_take_str16(&r, US_ACT_SIGNATURE_MAX);
	if (us_reader_end(&r) != US_OK || m->signature.n == 0 ||
	    us_signed_act_decode(&act, m->act.p, m->act.n) != US_OK)
		return us_decode_bad(d->problem, "the body is not a signed act", NULL);
	if (!us_route_takes(d->route->info, act.type))
		return us_decode_bad(d->problem, "an act of this type is not taken here", NULL);
	/* The vault and the keeper check this again; here it spares them a hopeless act. */
	if (memcmp(act.credential, d->who->credential, 32) != 0)
		return us_decode_refuse(d->problem, 403, "not-yours",
		    "the act names another credential", NULL);
	return us_decode_no_query(d);
}

int
us_decode_list_request(struct us_decode *d)
{
	static const char *const known[] = { "after", "limit", "argument", NULL };
	struct us_msg_list_request *m = &d->out->u.list_request;
	const struct us_bytes *argument = us_target_query(d->target, "argument");
	int batches = d->route->info->detail == US_LIST_BATCHES;
	uint64_t limit;

	US_DECODE_WHO(d, m);
	m->what = (uint8_t)d->route->info->detail;
	m->collection = (struct us_bytes){ NULL, 0 };
	m->argument = us_decode_segment(d, batches ? 4 : 2);
	if (us_decode_check_query(d, known) != 0 ||
	    (batches && take_collection(d, &m->collection) != 0))
		return d->problem->status;
	if (argument != NULL) {
		if (m->argument.n != 0)
			return us_decode_bad(d->problem, "path and query both name one",
			    "argument");
		m->argument = *argument;
	}
	if (m->argument.n > ARGUMENT_MAX)
		return us_decode_bad(d->problem, "nothing has so long a name", "argument");
	if (us_decode_query_number(d, "after", 0, INT64_MAX, &m->after) != 0 ||
	    us_decode_query_number(d, "limit", 100, US_LIST_LIMIT, &limit) != 0)
		return d->problem->status;
	if (limit == 0)
		return us_decode_bad(d->problem, "a page has at least one item", "limit");
	m->limit = (uint32_t)limit;
	return 0;
}

int
us_decode_search_request(struct us_decode *d)
{
	struct us_msg_search_request *m = &d->out->u.search_request;
	uint64_t limit = 20, snapshot = 0;
	int count = 0, snippets = 1, has_snapshot = 0;
	const struct us_json_member list[] = {
		{ "query", US_JSON_STRING, 1, 1, 65536, &m->query, NULL },
		{ "limit", US_JSON_NUMBER, 0, 0, 0, &limit, NULL },
		{ "after", US_JSON_STRING, 0, 1, CURSOR_MAX, &m->cursor, NULL },
		{ "snapshot", US_JSON_NUMBER, 0, 0, 0, &snapshot, &has_snapshot },
		{ "count", US_JSON_FLAG, 0, 0, 0, &count, NULL },
		{ "snippets", US_JSON_FLAG, 0, 0, 0, &snippets, NULL },
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_MAX, &m->purpose, NULL },
	};

	memset(m, 0, sizeof *m);
	US_DECODE_WHO(d, m);
	m->purpose = d->route->purpose;
	if (us_decode_no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    us_decode_members(d, list, US_COUNT(list)) != 0)
		return d->problem->status;
	if (limit > US_SEARCH_LIMIT)
		return us_decode_bad(d->problem, "more hits at once than can be had", "limit");
	if (limit == 0)
		return us_decode_bad(d->problem, "a page has at least one hit; count asks for none",
		    "limit");
	m->limit = (uint32_t)limit;
	m->snapshot = has_snapshot ? snapshot + 1 : 0;
	m->flags = (uint8_t)((count ? US_SEARCH_COUNT : 0) |
	    (snippets ? 0 : US_SEARCH_NO_SNIPPETS));
	return 0;
}

static int
decode_read_one(struct us_decode *d)
{
	static const char *const known[] = { "snapshot", "purpose", NULL };
	struct us_msg_read_request *m = &d->out->u.read_request;
	const struct us_bytes *snapshot = us_target_query(d->target, "snapshot");
	struct us_bytes bates = us_decode_segment(d, 4);

	US_DECODE_WHO(d, m);
	m->snapshot = 0;
	m->match = (struct us_bytes){ NULL, 0 };
	if (us_decode_check_query(d, known) != 0 || take_collection(d, &m->collection) != 0 ||
	    take_purpose(d, &m->purpose) != 0 ||
	    us_decode_query_number(d, "snapshot", 0, INT64_MAX, &m->snapshot) != 0)
		return d->problem->status;
	if (snapshot != NULL)
		m->snapshot++;
	if (bates.n > BATES_MAX)
		return us_decode_bad(d->problem, "no Bates number is so long", "bates");
	us_buf_reset(d->arena);
	if (us_buf_put_str16(d->arena, bates.p, bates.n) != US_OK)
		return us_decode_refuse(d->problem, 503, "busy", "no memory for this request now",
		    NULL);
	m->bates = (struct us_bytes){ d->arena->data, d->arena->len };
	return 0;
}

static int
decode_read_many(struct us_decode *d)
{
	struct us_msg_read_request *m = &d->out->u.read_request;
	uint64_t snapshot = 0;
	int has_snapshot = 0;
	const struct us_json_member list[] = {
		{ "bates", US_JSON_STRINGS, 1, 1, US_READ_LIMIT, &m->bates, NULL },
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_MAX, &m->purpose, NULL },
		{ "snapshot", US_JSON_NUMBER, 0, 0, 0, &snapshot, &has_snapshot },
		{ "match", US_JSON_STRING, 0, 1, 8192, &m->match, NULL },
	};

	memset(m, 0, sizeof *m);
	US_DECODE_WHO(d, m);
	m->purpose = d->route->purpose;
	if (us_decode_no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    us_decode_members(d, list, US_COUNT(list)) != 0)
		return d->problem->status;
	m->snapshot = has_snapshot ? snapshot + 1 : 0;
	return 0;
}

int
us_decode_read_request(struct us_decode *d)
{
	return d->route->info->media == US_MEDIA_NONE ? decode_read_one(d) : decode_read_many(d);
}

int
us_decode_load_open_request(struct us_decode *d)
{
	struct us_msg_load_open_request *m = &d->out->u.load_open_request;
	struct us_bytes defects = { NULL, 0 };
	int dry_run = 0, hold = 0;
	const struct us_json_member list[] = {
		{ "dry_run", US_JSON_FLAG, 0, 0, 0, &dry_run, NULL },
		{ "on_defect", US_JSON_STRING, 0, 1, 8, &defects, NULL },
		{ "hold", US_JSON_FLAG, 0, 0, 0, &hold, NULL },
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_MAX, &m->purpose, NULL },
	};
	int skip;

	memset(m, 0, sizeof *m);
	US_DECODE_WHO(d, m);
	m->purpose = d->route->purpose;
	if (us_decode_no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    us_decode_members(d, list, US_COUNT(list)) != 0)
		return d->problem->status;
	skip = us_bytes_is(defects, "skip");
	if (defects.n != 0 && !skip && !us_bytes_is(defects, "stop"))
		return us_decode_bad(d->problem, "on_defect is stop or skip", "on_defect");
	m->flags = (uint8_t)((dry_run ? US_LOAD_DRY_RUN : 0) | (skip ? US_LOAD_SKIP_DEFECTS : 0) |
	    (hold ? US_LOAD_HOLD : 0));
	return 0;
}

static int
take_load(struct us_decode *d, uint64_t *load)
{
	const struct us_bytes id = us_decode_segment(d, 2);

	if (us_number_parse(id.p, id.n, UINT64_MAX, load) != US_OK)
		return us_decode_bad(d->problem, "a load's id is a number", "load");
	return 0;
}

int
us_decode_part(struct us_decode *d)
{
	static const char *const known[] = { "dry_run", "skip", "hold", "format", NULL };
	const struct us_bytes number = us_decode_segment(d, 4);
	struct us_msg_part *m = &d->out->u.part;
	uint64_t part, format;
	int dry_run, skip, hold;

	if (us_decode_check_query(d, known) != 0 || take_load(d, &m->load) != 0 ||
	    flag_of(d, "dry_run", &dry_run) != 0 || flag_of(d, "skip", &skip) != 0 ||
	    flag_of(d, "hold", &hold) != 0 ||
	    us_decode_query_number(d, "format", 0, 255, &format) != 0)
		return d->problem->status;
	if (us_number_parse(number.p, number.n, UINT32_MAX, &part) != US_OK)
		return us_decode_bad(d->problem, "a part is a number", "part");
	m->part = (uint32_t)part;
	m->format = (uint8_t)format;
	m->first_line = d->route->first_line;
	m->encoding = d->route->encoding;
	m->flags = (uint8_t)((dry_run ? US_LOAD_DRY_RUN : 0) | (skip ? US_LOAD_SKIP_DEFECTS : 0) |
	    (hold ? US_LOAD_HOLD : 0));
	memcpy(m->credential, d->who->credential, sizeof m->credential);
	m->ticket = (struct us_bytes){ d->route->ticket, sizeof d->route->ticket };
	memcpy(m->digest, d->route->digest, sizeof m->digest);
	m->data = d->body;
	return 0;
}

int
us_decode_load_end_request(struct us_decode *d)
{
	struct us_msg_load_end_request *m = &d->out->u.load_end_request;

	US_DECODE_WHO(d, m);
	m->how = (uint8_t)d->route->info->detail;
	/* a client that always sends JSON sends an empty object */
	if (d->body.n != 0 && us_decode_members(d, NULL, 0) != 0)
		return d->problem->status;
	return us_decode_no_query(d) ? d->problem->status : take_load(d, &m->load);
}

int
us_decode_load_ticket_request(struct us_decode *d)
{
	struct us_msg_load_ticket_request *m = &d->out->u.load_ticket_request;

	US_DECODE_WHO(d, m);
	if (d->body.n != 0 && us_decode_members(d, NULL, 0) != 0)
		return d->problem->status;
	return us_decode_no_query(d) ? d->problem->status : take_load(d, &m->load);
}

/* The path behind "log/", put together again from its segments. */
int
us_decode_log_request(struct us_decode *d)
{
	struct us_msg_log_request *m = &d->out->u.log_request;
	struct us_bytes part;
	int err = US_OK;

	US_DECODE_WHO(d, m);
	if (us_decode_no_query(d) != 0)
		return d->problem->status;
	us_buf_reset(d->arena);
	for (size_t i = 2; i < d->target->segment_n && err == US_OK; i++) {
		part = d->target->segment[i];
		if (i > 2)
			err = us_buf_put_u8(d->arena, '/');
		if (err == US_OK)
			err = us_buf_put(d->arena, part.p, part.n);
	}
	if (err != US_OK || d->arena->len > LOG_PATH_MAX)
		return us_decode_refuse(d->problem, 404, "not-found", "the log has no such path",
		    NULL);
	m->path = (struct us_bytes){ d->arena->data, d->arena->len };
	return 0;
}

int
us_decode_log_keys_request(struct us_decode *d)
{
	static const char *const known[] = { "from", "to", NULL };
	struct us_msg_log_keys_request *m = &d->out->u.log_keys_request;

	US_DECODE_WHO(d, m);
	if (us_decode_check_query(d, known) != 0 ||
	    us_decode_query_number(d, "from", 0, INT64_MAX, &m->from) != 0 ||
	    us_decode_query_number(d, "to", INT64_MAX, INT64_MAX, &m->to) != 0)
		return d->problem->status;
	if (m->to < m->from)
		return us_decode_bad(d->problem, "to is before from", "to");
	return 0;
}

/* A signed note: what is in it is the keeper's to judge. */
int
us_decode_cosign_request(struct us_decode *d)
{
	struct us_msg_cosign_request *m = &d->out->u.cosign_request;

	US_DECODE_WHO(d, m);
	m->note = d->body;
	return us_decode_no_query(d);
}

static us_decode_fn *const decoders[US_REQUEST_COUNT] = {
#define X(message, to, action, sealed, needs) us_decode_##message,
	US_REQUESTS(X)
#undef X
};

int
us_request_decode(const struct us_route *route, struct us_bytes body, const struct us_who *who,
    struct us_buf *arena, struct us_request *request, struct us_problem *problem)
{
	struct us_decode d = {
		.route = route,
		.target = &route->target,
		.body = body,
		.who = who,
		.arena = arena,
		.out = request,
		.problem = problem,
	};

	/* by the table alone: no decoder makes a message of its route that others may send */
	request->type = us_request_table()[route->info->kind].type;
	return decoders[route->info->kind](&d);
}
