#include "daemon/front/request.h"

#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/err.h"
#include "daemon/front/json.h"
#include "registry/act.h"

#define COLLECTION_MAX 64
#define ARGUMENT_MAX 512
#define BATES_MAX 128
#define CURSOR_MAX 512
#define LOG_PATH_MAX 128

struct decode {
	const struct us_route *route;
	const struct us_target *target;
	struct us_bytes body;
	const struct us_who *who;
	struct us_buf *arena;
	struct us_request *out;
	struct us_problem *problem;
};

static int
refuse(struct us_problem *p, int status, const char *type, const char *detail, const char *member)
{
	*p = (struct us_problem){ .status = status, .type = type, .detail = detail, .member = member };
	return status;
}

static int
bad(struct us_problem *p, const char *detail, const char *member)
{
	return refuse(p, 400, "bad-request", detail, member);
}

/* --- values ---------------------------------------------------------------------------- */

/* Decimal without sign or leading zeros. */
static int
parse_number(struct us_bytes v, uint64_t max, uint64_t *out)
{
	uint64_t n = 0, digit;

	if (v.n == 0 || v.n > 20 || (v.n > 1 && v.p[0] == '0'))
		return US_ERR_FORMAT;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return US_ERR_FORMAT;
		digit = (uint64_t)(v.p[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return US_ERR_RANGE;
		n = n * 10 + digit;
	}
	if (n > max)
		return US_ERR_RANGE;
	*out = n;
	return US_OK;
}

/* A number of the query; fallback if it is absent. */
static int
query_number(struct decode *d, const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
	const struct us_bytes *v = us_target_query(d->target, name);

	*out = fallback;
	if (v != NULL && parse_number(*v, max, out) != US_OK)
		return bad(d->problem, "a number in the query is wrong", name);
	return 0;
}

/* Queries are few: every one must be in the route's list (NULL at its end). */
static int
check_query(struct decode *d, const char *const *known)
{
	size_t i, k;

	for (i = 0; i < d->target->query_n; i++) {
		for (k = 0; known[k] != NULL; k++)
			if (us_bytes_is(d->target->query[i].name, known[k]))
				break;
		if (known[k] == NULL)
			return bad(d->problem, "the query has a parameter that is not known", NULL);
	}
	return 0;
}

static int
no_query(struct decode *d)
{
	static const char *const none[] = { NULL };

	return check_query(d, none);
}

static struct us_bytes
segment(const struct decode *d, size_t i)
{
	return i < d->target->segment_n ? d->target->segment[i] : (struct us_bytes){ NULL, 0 };
}

static int
take_collection(struct decode *d, struct us_bytes *out)
{
	*out = segment(d, 2);
	if (out->n > COLLECTION_MAX)
		return bad(d->problem, "no collection has so long a name", "collection");
	return 0;
}

static int
flag_of(struct decode *d, const char *name, int *out)
{
	const struct us_bytes *v = us_target_query(d->target, name);

	if (v == NULL || us_bytes_is(*v, "0"))
		*out = 0;
	else if (us_bytes_is(*v, "1"))
		*out = 1;
	else
		return bad(d->problem, "a flag in the query is neither 0 nor 1", name);
	return 0;
}

/* Header or query parameter, not both. */
static int
take_purpose(struct decode *d, struct us_bytes *out)
{
	const struct us_bytes *v = us_target_query(d->target, "purpose");

	*out = d->route->purpose;
	if (v == NULL)
		return 0;
	if (out->n != 0 || v->n > US_PURPOSE_BYTES)
		return bad(d->problem, "a purpose is one text of at most 1,024 bytes", "purpose");
	*out = *v;
	return 0;
}

static int
members(struct decode *d, const struct us_json_member *m, size_t n)
{
	const char *why;
	int err = us_json_members(d->body, m, n, d->arena, &why);

	if (err == US_OK)
		return 0;
	if (err == US_ERR_NOMEM)
		return refuse(d->problem, 503, "busy", "no memory for this request now", NULL);
	for (size_t i = 0; i < n; i++)
		if (why == m[i].name)
			return bad(d->problem, "a member of the body is missing or wrong", why);
	return bad(d->problem, why, NULL);
}

#define WHO(d, m) \
	do { \
		memcpy((m)->credential, (d)->who->credential, 32); \
		(m)->peer = (d)->who->peer; \
	} while (0)

/* --- routes ---------------------------------------------------------------------------- */

static int
decode_status(struct decode *d)
{
	struct us_msg_status_request *m = &d->out->u.status_request;

	d->out->type = US_MSG_status_request;
	WHO(d, m);
	return no_query(d);
}

static int
decode_challenge(struct decode *d)
{
	struct us_msg_challenge_request *m = &d->out->u.challenge_request;

	d->out->type = US_MSG_challenge_request;
	WHO(d, m);
	return no_query(d);
}

static int
decode_session(struct decode *d)
{
	struct us_msg_session_request *m = &d->out->u.session_request;
	const struct us_json_member list[] = {
		{ "statement", US_JSON_BASE64, 1, 1, 512, &m->statement, NULL },
		{ "signature", US_JSON_BASE64, 1, 1, 256, &m->signature, NULL },
		{ "certificate", US_JSON_BASE64, 1, 1, 16384, &m->certificate, NULL },
	};

	d->out->type = US_MSG_session_request;
	WHO(d, m);
	return no_query(d) ? d->problem->status : members(d, list, 3);
}

static int
decode_share(struct decode *d)
{
	struct us_msg_share_request *m = &d->out->u.share_request;
	const struct us_json_member list[] = {
		{ "share", US_JSON_BASE64, 1, 1, 1024, &m->sealed, NULL },
	};

	d->out->type = US_MSG_share_request;
	WHO(d, m);
	return no_query(d) ? d->problem->status : members(d, list, 1);
}

static int
decode_act(struct decode *d)
{
	struct us_msg_act_request *m = &d->out->u.act_request;
	uint32_t mask = d->route->info->act_mask;
	struct us_signed_act act;
	struct us_reader r;

	d->out->type = US_MSG_act_request;
	WHO(d, m);
	us_reader_init(&r, d->body.p, d->body.n);
	m->act = us_take_str32(&r, US_ACT_SIGNED_MAX);
	m->signature = us_take_str16(&r, US_ACT_SIGNATURE_MAX);
	if (us_reader_end(&r) != US_OK || m->signature.n == 0 ||
	    us_signed_act_decode(&act, m->act.p, m->act.n) != US_OK)
		return bad(d->problem, "the body is not a signed act", NULL);
	if (us_act_is_vaults(act.type) || (mask != 0 && (mask >> (unsigned)act.type & 1) == 0))
		return bad(d->problem, "an act of this type is not taken here", NULL);
	/* The vault and the keeper check this again; here it spares them a hopeless act. */
	if (memcmp(act.credential, d->who->credential, 32) != 0)
		return refuse(d->problem, 403, "not-yours", "the act names another credential", NULL);
	return no_query(d);
}

static int
decode_list(struct decode *d)
{
	static const char *const known[] = { "after", "limit", "argument", NULL };
	struct us_msg_list_request *m = &d->out->u.list_request;
	const struct us_bytes *argument = us_target_query(d->target, "argument");
	int batches = d->route->info->detail == US_LIST_BATCHES;
	uint64_t limit;

	d->out->type = US_MSG_list_request;
	WHO(d, m);
	m->what = d->route->info->detail;
	m->collection = (struct us_bytes){ NULL, 0 };
	m->argument = segment(d, batches ? 4 : 2);
	if (check_query(d, known) != 0 || (batches && take_collection(d, &m->collection) != 0))
		return d->problem->status;
	if (argument != NULL) {
		if (m->argument.n != 0)
			return bad(d->problem, "path and query both name one", "argument");
		m->argument = *argument;
	}
	if (m->argument.n > ARGUMENT_MAX)
		return bad(d->problem, "nothing has so long a name", "argument");
	if (query_number(d, "after", 0, INT64_MAX, &m->after) != 0 ||
	    query_number(d, "limit", 100, US_LIST_LIMIT, &limit) != 0)
		return d->problem->status;
	m->limit = (uint32_t)limit;
	return 0;
}

static int
decode_search(struct decode *d)
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
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_BYTES, &m->purpose, NULL },
	};

	d->out->type = US_MSG_search_request;
	memset(m, 0, sizeof *m);
	WHO(d, m);
	m->purpose = d->route->purpose;
	if (no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    members(d, list, sizeof list / sizeof list[0]) != 0)
		return d->problem->status;
	if (limit > US_SEARCH_LIMIT)
		return bad(d->problem, "more hits at once than can be had", "limit");
	m->limit = (uint32_t)limit;
	m->snapshot = has_snapshot ? snapshot + 1 : 0;
	m->flags = (uint8_t)((count ? US_SEARCH_COUNT : 0) | (snippets ? 0 : US_SEARCH_NO_SNIPPETS));
	return 0;
}

static int
decode_read_one(struct decode *d)
{
	static const char *const known[] = { "snapshot", "purpose", NULL };
	struct us_msg_read_request *m = &d->out->u.read_request;
	const struct us_bytes *snapshot = us_target_query(d->target, "snapshot");
	struct us_bytes bates = segment(d, 4);

	d->out->type = US_MSG_read_request;
	WHO(d, m);
	m->snapshot = 0;
	if (check_query(d, known) != 0 || take_collection(d, &m->collection) != 0 ||
	    take_purpose(d, &m->purpose) != 0 ||
	    query_number(d, "snapshot", 0, INT64_MAX, &m->snapshot) != 0)
		return d->problem->status;
	if (snapshot != NULL)
		m->snapshot++;
	if (bates.n > BATES_MAX)
		return bad(d->problem, "no Bates number is so long", "bates");
	us_buf_reset(d->arena);
	if (us_buf_put_str16(d->arena, bates.p, bates.n) != US_OK)
		return refuse(d->problem, 503, "busy", "no memory for this request now", NULL);
	m->bates = (struct us_bytes){ d->arena->data, d->arena->len };
	return 0;
}

static int
decode_read(struct decode *d)
{
	struct us_msg_read_request *m = &d->out->u.read_request;
	uint64_t snapshot = 0;
	int has_snapshot = 0;
	const struct us_json_member list[] = {
		{ "bates", US_JSON_STRINGS, 1, 1, US_READ_LIMIT, &m->bates, NULL },
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_BYTES, &m->purpose, NULL },
		{ "snapshot", US_JSON_NUMBER, 0, 0, 0, &snapshot, &has_snapshot },
	};

	d->out->type = US_MSG_read_request;
	memset(m, 0, sizeof *m);
	WHO(d, m);
	m->purpose = d->route->purpose;
	if (no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    members(d, list, sizeof list / sizeof list[0]) != 0)
		return d->problem->status;
	m->snapshot = has_snapshot ? snapshot + 1 : 0;
	return 0;
}

static int
decode_load_open(struct decode *d)
{
	struct us_msg_load_open_request *m = &d->out->u.load_open_request;
	struct us_bytes defects = { NULL, 0 };
	int dry_run = 0, hold = 0;
	const struct us_json_member list[] = {
		{ "dry_run", US_JSON_FLAG, 0, 0, 0, &dry_run, NULL },
		{ "on_defect", US_JSON_STRING, 0, 1, 8, &defects, NULL },
		{ "hold", US_JSON_FLAG, 0, 0, 0, &hold, NULL },
		{ "purpose", US_JSON_STRING, 0, 0, US_PURPOSE_BYTES, &m->purpose, NULL },
	};
	int skip;

	d->out->type = US_MSG_load_open_request;
	memset(m, 0, sizeof *m);
	WHO(d, m);
	m->purpose = d->route->purpose;
	if (no_query(d) != 0 || take_collection(d, &m->collection) != 0 ||
	    members(d, list, sizeof list / sizeof list[0]) != 0)
		return d->problem->status;
	skip = us_bytes_is(defects, "skip");
	if (defects.n != 0 && !skip && !us_bytes_is(defects, "stop"))
		return bad(d->problem, "on_defect is stop or skip", "on_defect");
	m->flags = (uint8_t)((dry_run ? US_LOAD_DRY_RUN : 0) | (skip ? US_LOAD_SKIP_DEFECTS : 0) |
	    (hold ? US_LOAD_HOLD : 0));
	return 0;
}

static int
take_load(struct decode *d, uint64_t *load)
{
	if (parse_number(segment(d, 2), UINT64_MAX, load) != US_OK)
		return bad(d->problem, "a load's id is a number", "load");
	return 0;
}

static int
decode_part(struct decode *d)
{
	static const char *const known[] = { "dry_run", "skip", "hold", "format", NULL };
	struct us_msg_part *m = &d->out->u.part;
	uint64_t part, format;
	int dry_run, skip, hold;

	d->out->type = US_MSG_part;
	if (check_query(d, known) != 0 || take_load(d, &m->load) != 0 ||
	    flag_of(d, "dry_run", &dry_run) != 0 || flag_of(d, "skip", &skip) != 0 ||
	    flag_of(d, "hold", &hold) != 0 || query_number(d, "format", 0, 255, &format) != 0)
		return d->problem->status;
	if (parse_number(segment(d, 4), UINT32_MAX, &part) != US_OK)
		return bad(d->problem, "a part is a number", "part");
	m->part = (uint32_t)part;
	m->format = (uint8_t)format;
	m->first_line = d->route->first_line;
	m->encoding = d->route->encoding;
	m->flags = (uint8_t)((dry_run ? US_LOAD_DRY_RUN : 0) | (skip ? US_LOAD_SKIP_DEFECTS : 0) |
	    (hold ? US_LOAD_HOLD : 0));
	memcpy(m->digest, d->route->digest, sizeof m->digest);
	m->data = d->body;
	return 0;
}

static int
decode_load_end(struct decode *d)
{
	struct us_msg_load_end_request *m = &d->out->u.load_end_request;

	d->out->type = US_MSG_load_end_request;
	WHO(d, m);
	m->how = d->route->info->detail;
	/* a client that always sends JSON sends an empty object */
	if (d->body.n != 0 && members(d, NULL, 0) != 0)
		return d->problem->status;
	return no_query(d) ? d->problem->status : take_load(d, &m->load);
}

/* The path behind "log/", put together again from its segments. */
static int
decode_log(struct decode *d)
{
	struct us_msg_log_request *m = &d->out->u.log_request;
	struct us_bytes part;
	int err = US_OK;

	d->out->type = US_MSG_log_request;
	WHO(d, m);
	if (no_query(d) != 0)
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
		return refuse(d->problem, 404, "not-found", "the log has no such path", NULL);
	m->path = (struct us_bytes){ d->arena->data, d->arena->len };
	return 0;
}

static int
decode_log_keys(struct decode *d)
{
	static const char *const known[] = { "from", "to", NULL };
	struct us_msg_log_keys_request *m = &d->out->u.log_keys_request;

	d->out->type = US_MSG_log_keys_request;
	WHO(d, m);
	if (check_query(d, known) != 0 || query_number(d, "from", 0, INT64_MAX, &m->from) != 0 ||
	    query_number(d, "to", INT64_MAX, INT64_MAX, &m->to) != 0)
		return d->problem->status;
	if (m->to < m->from)
		return bad(d->problem, "to is before from", "to");
	return 0;
}

static int
dispatch(struct decode *d)
{
	switch (d->route->info->kind) {
	case US_ROUTE_STATUS:
		return decode_status(d);
	case US_ROUTE_CHALLENGE:
		return decode_challenge(d);
	case US_ROUTE_SESSION:
		return decode_session(d);
	case US_ROUTE_UNSEAL:
		return decode_share(d);
	case US_ROUTE_ACT:
		return decode_act(d);
	case US_ROUTE_LIST:
		return decode_list(d);
	case US_ROUTE_SEARCH:
		return decode_search(d);
	case US_ROUTE_READ_ONE:
		return decode_read_one(d);
	case US_ROUTE_READ:
		return decode_read(d);
	case US_ROUTE_LOAD_OPEN:
		return decode_load_open(d);
	case US_ROUTE_PART:
		return decode_part(d);
	case US_ROUTE_LOAD_END:
		return decode_load_end(d);
	case US_ROUTE_LOG:
		return decode_log(d);
	case US_ROUTE_LOG_KEYS:
		return decode_log_keys(d);
	}
	return bad(d->problem, "no such route", NULL);
}

int
us_request_decode(const struct us_route *route, struct us_bytes body, const struct us_who *who,
    struct us_buf *arena, struct us_request *request, struct us_problem *problem)
{
	struct decode d = {
		.route = route,
		.target = &route->target,
		.body = body,
		.who = who,
		.arena = arena,
		.out = request,
		.problem = problem,
	};

	return dispatch(&d);
}

/* --- the head -------------------------------------------------------------------------- */

/* A media type without its parameters. */
static int
media_is(struct us_bytes v, const char *media)
{
	size_t n = strlen(media);

	return v.n >= n && strncasecmp((const char *)v.p, media, n) == 0 &&
	    (v.n == n || v.p[n] == ';' || v.p[n] == ' ');
}

static int
check_media(const struct us_http_head *head, const struct us_route_info *info, struct us_problem *p)
{
	int right = 1;

	switch (info->media) {
	case US_MEDIA_NONE:
		break;
	case US_MEDIA_JSON:
		right = media_is(head->content_type, "application/json");
		break;
	case US_MEDIA_OCTETS:
		right = media_is(head->content_type, "application/octet-stream");
		break;
	}
	if (!right)
		return refuse(p, 415, "media-type", "the body's Content-Type is not this route's", NULL);
	if (head->content_encoding.n != 0 && info->kind != US_ROUTE_PART)
		return refuse(p, 415, "media-type", "the body may not be encoded", NULL);
	return 0;
}

static int
take_part_headers(const struct us_http_head *head, struct us_route *route, struct us_problem *p)
{
	struct us_bytes encoding = head->content_encoding;

	if (parse_number(head->first_line, INT64_MAX, &route->first_line) != US_OK)
		return bad(p, "a part names its first line", "Underseal-First-Line");
	if (us_hex_decode((const char *)head->digest.p, head->digest.n, route->digest, 32) != US_OK)
		return bad(p, "a part names the SHA-256 of its bytes", "Underseal-Digest");
	if (encoding.n == 0 || us_bytes_is(encoding, "identity"))
		route->encoding = 0;
	else if (us_bytes_is(encoding, "zstd"))
		route->encoding = 1;
	else
		return refuse(p, 415, "media-type", "a part is encoded as zstd or identity", NULL);
	if (route->body_n == 0)
		return bad(p, "a part is not empty", NULL);
	return 0;
}

static const char *
type_of(int status)
{
	switch (status) {
	case 405:
		return "method-not-allowed";
	case 411:
		return "length-required";
	case 414:
	case 431:
		return "too-large";
	case 417:
		return "expectation";
	case 505:
		return "http-version";
	default:
		return "bad-request";
	}
}

int
us_request_head(const uint8_t *p, size_t n, struct us_http_head *head, struct us_route *route,
    struct us_problem *problem)
{
	const char *why;
	size_t purpose_n;
	int status, err;

	status = us_http_parse(p, n, head, &why);
	if (status != 0)
		return refuse(problem, status, type_of(status), why, NULL);
	err = us_target_parse(&route->target, head->target);
	if (err == US_ERR_LIMIT)
		return refuse(problem, 414, "too-large", "the request target is too long", NULL);
	if (err != US_OK)
		return bad(problem, "the request target is not a path in its plain form", NULL);
	route->info = us_route_find(&route->target, head->method, &status);
	if (route->info == NULL)
		return status == 405 ?
		    refuse(problem, 405, "method-not-allowed", "not with this method", NULL) :
		    refuse(problem, 404, "not-found", "there is no such resource", NULL);
	if (head->content_length > route->info->body_max)
		return refuse(problem, 413, "too-large", "the body is larger than this route takes", NULL);
	route->body_n = (uint32_t)head->content_length;
	status = check_media(head, route->info, problem);
	if (status != 0)
		return status;
	if (us_percent_decode(head->purpose, route->purpose_text, sizeof route->purpose_text,
	        &purpose_n) != US_OK)
		return bad(problem, "a purpose is percent-encoded UTF-8 of at most 1,024 bytes",
		    "Underseal-Purpose");
	route->purpose = (struct us_bytes){ purpose_n == 0 ? NULL : route->purpose_text, purpose_n };
	return route->info->kind == US_ROUTE_PART ? take_part_headers(head, route, problem) : 0;
}
