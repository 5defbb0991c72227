#include "tests/unit/vault/stage.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/process/ticket.h"
#include "daemon/vault/state/writer.h"

#ifdef US_SANITIZED
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
#endif

#define ENDED 0xdd
#define CHANCE 32 /* hex digits in a row: keys and digests, which are others each time */

struct plan plan;
static int64_t now_ns;

void
plan_reset(unsigned send_fails, unsigned allocation_fails)
{
	plan = (struct plan){ .quiet = 1,
		.send_fails = send_fails,
		.allocation_fails = allocation_fails };
}

/* --- messages -------------------------------------------------------------------------------- */

static void said(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void
said(const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	if (plan.said == NULL)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof line);
	plan.quiet++;
	assert_int_equal(us_buf_put(plan.said, line, (size_t)n), US_OK);
	plan.quiet--;
}

/* As text if it is some, else in hex. */
static void
said_bytes(const char *name, struct us_bytes b)
{
	int text = 1;

	if (b.n == 0)
		return;
	for (size_t i = 0; i < b.n; i++)
		text &= (b.p[i] >= ' ' && b.p[i] < 127) || b.p[i] == '\n' || b.p[i] == '\r';
	said(" %s=", name);
	for (size_t i = 0; i < b.n; i++)
		said(text ? "%c" : "%02x", b.p[i]);
}

void
as_text(struct us_buf *b, size_t from)
{
	static const char load[] = "\"load\":";
	const size_t n = sizeof load - 1;
	size_t to = from;

	for (size_t at = from, run; at < b->len; at += run) {
		for (run = 0; at + run < b->len && isxdigit(b->data[at + run]); run++)
			;
		if (run >= CHANCE ||
		    (run > 0 && to >= from + n && memcmp(b->data + to - n, load, n) == 0)) {
			b->data[to++] = '#';
			continue;
		}
		run = run > 0 ? run : 1;
		memmove(b->data + to, b->data + at, run);
		to += run;
	}
	b->len = to;
}

static int
send_one(uint16_t type, uint32_t tag)
{
	struct us_msg_info info;

	if (++plan.sends == plan.send_fails)
		return US_ERR_NOMEM;
	said("\n  %s", us_msg_name(type));
	assert_int_equal(us_msg_info(type, &info), 1);
	if (us_msg_may_go(&info, US_ROLE_VAULT, US_ROLE_KEEPER) && tag != 0) {
		assert_true(plan.n_questions < STAGE_QUESTIONS);
		plan.questions[plan.n_questions++] = (struct question){ .type = type, .tag = tag };
	}
	return US_OK;
}

static int
send_to_client(uint16_t type, uint32_t tag, uint8_t last)
{
	const int err = send_one(type, tag);

	/* nothing behind the last piece */
	assert_true(tag - STAGE_TAG < STAGE_TAGS && plan.lasts[tag - STAGE_TAG] == 0);
	if (err == US_OK)
		plan.lasts[tag - STAGE_TAG] = last;
	return err;
}

#define WRAP(name) \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m); \
	int __wrap_us_send_##name(struct us_channel *ch, uint32_t tag, \
	    const struct us_msg_##name *m)
#define WRAP_ONE(name) \
	WRAP(name) \
	{ \
		(void)ch; \
		(void)m; \
		return send_one(US_MSG_##name, tag); \
	}
WRAP_ONE(keeper_status)
WRAP_ONE(challenge)

WRAP(log_read)
{
	const int err = send_one(US_MSG_log_read, tag);

	(void)ch;
	said_bytes("path", m->path);
	return err;
}

WRAP(entry_proof)
{
	const int err = send_one(US_MSG_entry_proof, tag);

	(void)ch;
	said(" index=%" PRIu64, m->index);
	return err;
}

WRAP(log_keys)
{
	const int err = send_one(US_MSG_log_keys, tag);

	(void)ch;
	said(" from=%" PRIu64 " to=%" PRIu64, m->from, m->to);
	return err;
}

WRAP(disclosed)
{
	const int err = send_one(US_MSG_disclosed, tag);

	(void)ch;
	said(" clawback=%u", m->clawback);
	return err;
}

WRAP(page_keys_request)
{
	const int err = send_one(US_MSG_page_keys_request, tag);

	(void)ch;
	said(" collection=%u batch=%u dictionary=%u", m->collection, m->batch, m->dictionary);
	if (err == US_OK)
		plan.questions[plan.n_questions - 1].pages = *m;
	return err;
}

WRAP(noise)
{
	const int err = send_one(US_MSG_noise, tag);

	(void)ch;
	said_bytes("counts", m->counts);
	return err;
}

WRAP(load_end)
{
	const int err = send_one(US_MSG_load_end, tag);

	(void)ch;
	said(" how=%u", m->how);
	return err;
}

WRAP(load_start)
{
	int err;

	(void)ch;
	plan.load = m->load;
	err = send_one(US_MSG_load_start, tag);
	said(" collection=%u flags=%u", m->collection, m->flags);
	said_bytes("designation", m->designation);
	said_bytes("designations", m->designations);
	return err;
}

WRAP(answers)
{
	(void)ch;
	(void)tag;
	plan.ended = m->ended;
	return US_OK;
}

WRAP(act_prepare)
{
	(void)ch;
	(void)m;
	plan.acts++;
	return send_one(US_MSG_act_prepare, tag);
}

/* What is forwarded as it came. */
int __wrap_us_channel_send(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m);
int
__wrap_us_channel_send(struct us_channel *ch, uint16_t type, uint32_t tag, us_encode_fn encode,
    const void *m)
{
	struct us_buf b;

	(void)ch;
	us_buf_init(&b, 65536);
	plan.quiet++;
	assert_int_equal(encode(&b, m), US_OK);
	plan.quiet--;
	assert_int_equal(us_msg_check(type, b.data, b.len), US_OK);
	us_buf_free(&b);
	return send_one(type, tag);
}

WRAP(log)
{
	const int err = send_one(US_MSG_log, tag);
	struct question *q;
	struct us_reader in;

	(void)ch;
	if (err != US_OK)
		return err;
	q = &plan.questions[plan.n_questions - 1];
	plan.disclosures += m->kind == US_KIND_DISCLOSURE;
	plan.denials += m->decision == US_DECISION_DENY;
	plan.action = m->action;
	plan.named = m->records.n / 8;
	if (m->kind == US_KIND_DISCLOSURE)
		q->records = m->records.n / 8;
	said(" kind=%u action=%s decision=%u reason=%s collection=%u rule=%u", m->kind,
	    us_action_name(m->action), m->decision,
	    m->reason == 0 ? "none" : us_reason_name(m->reason), m->collection, m->rule);
	said(" related=%" PRId64 " snapshot=%" PRIu64 " total=%" PRIu64 " flags=%u",
	    (int64_t)m->related, m->snapshot, m->total, m->flags);
	said_bytes("paragraph", m->paragraph);
	said_bytes("records", m->records);
	said_bytes("query", m->query);
	said_bytes("purpose", m->purpose);
	said_bytes("terms", m->terms);
	said_bytes("note", m->note);
	us_reader_init(&in, m->terms.p, m->terms.n);
	for (; in.left > 0 && in.err == US_OK; q->terms++)
		(void)us_take_str16(&in, US_WORD_MAX);
	return US_OK;
}

WRAP(reply)
{
	const int err = send_to_client(US_MSG_reply, tag, m->last);

	(void)ch;
	plan.status = m->status;
	said(" status=%u type=%u last=%u retry_after=%u entry=%" PRId64, m->status, m->type,
	    m->last, m->retry_after, (int64_t)m->entry);
	said_bytes("body", m->body);
	return err;
}

WRAP(reply_more)
{
	const int err = send_to_client(US_MSG_reply_more, tag, m->last);

	(void)ch;
	said(" last=%u", m->last);
	said_bytes("body", m->body);
	return err;
}

/* --- memory ---------------------------------------------------------------------------------- */

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void __real_free(void *p);
void __wrap_free(void *p);

static int
allocation_fails(void)
{
	return plan.quiet == 0 && ++plan.allocations == plan.allocation_fails;
}

void *
__wrap_malloc(size_t n)
{
	void *p = allocation_fails() ? NULL : __real_malloc(n);

	if (n == sizeof(struct us_vault_request) && p != NULL) {
		assert_true(plan.n_requests < STAGE_REQUESTS);
		plan.requests[plan.n_requests++] = p;
	}
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return allocation_fails() ? NULL : __real_realloc(p, n);
}

/* Requests that have ended stay here: the compiler leaves out a check of the sanitizer where it has
 * made the same before, although a call came between. */
void
__wrap_free(void *p)
{
	for (size_t i = 0; i < plan.n_requests && p != NULL; i++)
		if (plan.requests[i] == p) {
			memset(p, ENDED, sizeof(struct us_vault_request));
			POISON(p, sizeof(struct us_vault_request));
			return;
		}
	__real_free(p);
}

static void
check_untouched(void)
{
	for (size_t i = 0; i < plan.n_requests; i++) {
		const uint8_t *p = plan.requests[i];

		UNPOISON(p, sizeof(struct us_vault_request));
		for (size_t k = 0; k < sizeof(struct us_vault_request); k++)
			if (p[k] != ENDED)
				fail_msg("a request that has ended was written to, at %zu", k);
		__real_free(plan.requests[i]);
	}
	plan.n_requests = 0;
}

/* --- the rest that is wrapped ---------------------------------------------------------------- */

/* Channels are not there: there is always room, and one that fails is told of by its sending. */
size_t __wrap_us_channel_backlog(const struct us_channel *ch);
int __wrap_us_channel_is_high(const struct us_channel *ch);
void __wrap_us_channel_fail(struct us_channel *ch, int err);
void __wrap_us_channel_flush(struct us_channel *ch);
int __wrap_us_channel_is_gone(const struct us_channel *ch);

size_t
__wrap_us_channel_backlog(const struct us_channel *ch)
{
	(void)ch;
	return 0;
}

int
__wrap_us_channel_is_high(const struct us_channel *ch)
{
	(void)ch;
	return 0;
}

void
__wrap_us_channel_fail(struct us_channel *ch, int err)
{
	(void)ch;
	(void)err;
}

void
__wrap_us_channel_flush(struct us_channel *ch)
{
	(void)ch;
}

int
__wrap_us_channel_is_gone(const struct us_channel *ch)
{
	(void)ch;
	return 0;
}

int64_t __wrap_us_time_now_ns(void);
int64_t
__wrap_us_time_now_ns(void)
{
	return now_ns;
}

void __wrap_us_log(enum us_log_level level, const char *format, ...);
void
__wrap_us_log(enum us_log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

void __wrap_us_log_err(int err, const char *format, ...);
void
__wrap_us_log_err(int err, const char *format, ...)
{
	(void)err;
	(void)format;
}

/* --- a vault --------------------------------------------------------------------------------- */

static void
vault_open(struct scene *s)
{
	static char nobody; /* the other end of all channels: what is sent stops above */
	struct us_channel *channel = (struct us_channel *)(void *)&nobody;
	struct us_store_reader *reader;

	assert_int_equal(us_store_reader_open(&reader, s->store), US_OK);
	s->rooms = rooms_open(s->base, s->world->reg, reader, s->writer);
	us_vault_keeper_connect(s->rooms->vault.keeper, channel);
	us_vault_sealer_connect(s->rooms->sealer, channel);
	us_vault_front_connect(s->rooms->front, channel);
}

static void
vault_close(struct scene *s)
{
	struct us_store_reader *reader = s->rooms->vault.reader;

	rooms_close(s->rooms);
	us_store_reader_close(reader);
	s->rooms = NULL;
}

int
scene_open(void **state)
{
	static const struct edit edits[] = {
		{ "actions: [count, search, read]", "actions: [count, search]" }, { NULL, NULL }
	};
	struct us_store_options o = { .create = 1 };
	struct scene *s = calloc(1, sizeof *s);
	char path[64];

	plan_reset(0, 0);
	assert_non_null(s);
	assert_int_equal(docket_setup((void **)&s->world), US_OK);
	assert_int_equal(world_collection(s->world, &s->world->admin, "none", "NONE"), US_OK);
	assert_int_equal(acknowledge(s->world, &s->world->attorney, 1), US_OK);
	assert_int_equal(propose(s->world, &s->world->attorney, 2, edits, 0), US_OK);
	now_ns = s->world->now;
	strcpy(s->dir, "/tmp/us-vault-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(path, sizeof path, "%s/store.db", s->dir);
	o.path = path;
	s->base = event_base_new();
	assert_non_null(s->base);
	assert_int_equal(us_store_open(&s->store, &o), US_OK);
	assert_int_equal(us_writer_new(&s->writer, s->store, s->base), US_OK);
	*state = s;
	return 0;
}

void
scene_hour(const struct scene *s)
{
	now_ns = s->world->now;
}

int
scene_close(void **state)
{
	struct scene *s = *state;
	char command[64];

	us_writer_free(s->writer);
	event_base_free(s->base);
	(void)snprintf(command, sizeof command, "rm -rf %s", s->dir);
	assert_int_equal(system(command), 0);
	(void)docket_teardown((void **)&s->world);
	free(s);
	return 0;
}

/* --- the keeper ------------------------------------------------------------------------------ */

static void
encode_logged(struct us_buf *b, enum mode mode, uint64_t index, const struct question *q)
{
	static const uint8_t zeros[4096];
	struct us_msg_logged m = { .index = index };

	plan.answered = index + 1;
	switch (mode) {
	case GOOD:
		m.record_keys = (struct us_bytes){ zeros, q->records * RECORD_KEY_ITEM };
		if (q->terms > 0)
			m.term_keys = (struct us_bytes){ zeros, 4 + q->terms * US_KEY_SIZE };
		m.ticket = (struct us_bytes){ zeros, US_TICKET_SIZE };
		break;
	case REFUSES:
		m.err = US_ERR_DENIED;
		m.reason = US_REASON_QUOTA;
		m.rule = 1;
		m.cure = (struct us_bytes)TEXT("less");
		break;
	case FAILS:
		m.err = US_ERR_INTERNAL;
		break;
	case EMPTY:
	case MALFORMED:
	case MODES:
		break;
	}
	assert_int_equal(us_msg_logged_encode(b, &m), US_OK);
}

#define ANSWER(name, ...) \
	do { \
		const struct us_msg_##name m = __VA_ARGS__; \
		assert_int_equal(us_msg_##name##_encode(b, &m), US_OK); \
		return US_MSG_##name; \
	} while (0)

static uint32_t
slot_asked(const struct rooms *s, const struct us_msg_page_keys_request *asked)
{
	const struct us_batch *b = us_registry_batch(us_vault_registry(s->vault.state),
	    asked->collection, asked->batch);

	assert_non_null(b);
	return b->facts.slot;
}

static uint16_t
encode_answer(const struct rooms *s, struct us_buf *b, enum mode mode, uint64_t index,
    const struct question *q)
{
	uint8_t page_key[37] = { US_LEAF_SEGMENT };
	const uint8_t err = (uint8_t)(mode == REFUSES ? US_ERR_DENIED :
		mode == FAILS                         ? US_ERR_INTERNAL :
							US_OK);

	/* an act goes no further than that: what follows is between two folds (acts.c) */
	if (q->type == US_MSG_act_prepare)
		ANSWER(act_prepared,
		    { .err = US_ERR_DENIED, .reason = US_REASON_QUOTA, .entry = index });
	if (mode == MALFORMED)
		return US_MSG_checkpoint;
	switch (q->type) {
	case US_MSG_log_read:
		ANSWER(log_data, { .err = err, .data = TEXT("x") });
	case US_MSG_entry_proof:
		ANSWER(entry_proof_reply, { .err = err });
	case US_MSG_log_keys:
		plan.answered = index + 1;
		ANSWER(log_keys_reply, { .err = err, .entry = index });
	case US_MSG_page_keys_request:
		us_store_u32(page_key + 1, slot_asked(s, &q->pages));
		ANSWER(page_keys,
		    { .err = err, .keys = { page_key, mode == EMPTY ? 0 : sizeof page_key } });
	case US_MSG_cosign_request:
		ANSWER(cosigned, { .err = err });
	case US_MSG_keeper_status:
		ANSWER(keeper_status_reply, { .state = US_KEEPER_OPEN });
	case US_MSG_challenge:
		ANSWER(challenge_reply, { .nonce = { 1 } });
	case US_MSG_session_request:
		ANSWER(session_opened, { .err = err, .person = 2 });
	case US_MSG_share_request:
		ANSWER(share_reply, { .err = err });
	case US_MSG_disclosed:
		ANSWER(disclosed_reply, { .err = err });
	default:
		break;
	}
	encode_logged(b, mode, index, q);
	return US_MSG_logged;
}

static void
answer_first(struct rooms *s, enum mode mode, uint64_t index)
{
	const struct question q = plan.questions[0];
	struct us_buf b;
	uint16_t type;

	us_buf_init(&b, 65536);
	plan.quiet++;
	type = encode_answer(s, &b, mode, index, &q);
	plan.quiet--;
	plan.n_questions--;
	memmove(&plan.questions[0], &plan.questions[1], plan.n_questions * sizeof q);
	assert_int_equal(us_vault_keeper_answer(s->vault.keeper, type, q.tag,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
}

/* --- from a request to its end --------------------------------------------------------------- */

static void
work_turn(struct rooms *s)
{
	if (plan.meanwhile != NULL) {
		plan.quiet++;
		plan.meanwhile(plan.ctx);
		plan.quiet--;
	}
	us_vault_requests_turn(s->vault.requests);
}

static void
go_on(struct rooms *s, enum mode mode)
{
	for (uint64_t index = 1001;
	     plan.n_questions > 0 || us_vault_requests_have_work(s->vault.requests); index++) {
		assert_true(index < 2000);
		if (plan.n_questions > 0)
			answer_first(s, mode, index);
		else
			work_turn(s);
	}
}

static void
sealer_says(struct rooms *s, enum mode mode, uint16_t type, uint64_t load)
{
	const struct us_msg_load_started started = { load, mode == FAILS ? US_ERR_NOSPACE : US_OK };
	const struct us_msg_load_ended ended = { .load = load,
		.err = mode == EMPTY ? US_ERR_NOSPACE : US_OK };
	struct us_buf b;

	plan.quiet++;
	us_buf_init(&b, 512);
	assert_int_equal(type == US_MSG_load_started ? us_msg_load_started_encode(&b, &started) :
						       us_msg_load_ended_encode(&b, &ended),
	    US_OK);
	plan.quiet--;
	assert_int_equal(us_vault_sealer_message(s->sealer, type, 0,
			     (struct us_bytes){ b.data, b.len }),
	    US_OK);
	us_buf_free(&b);
}

static void
producer_asks(struct rooms *s, const struct actor *who, uint8_t how, uint32_t tag, uint64_t load)
{
	struct us_msg_load_end_request m = { .peer = PEER, .load = load, .how = how };
	struct us_buf b;

	memcpy(m.credential, who->fingerprint, 32);
	plan.quiet++;
	us_buf_init(&b, 512);
	assert_int_equal(us_msg_load_end_request_encode(&b, &m), US_OK);
	plan.quiet--;
	us_vault_request_take(&s->vault, us_vault_kinds, s->front, US_MSG_load_end_request, tag,
	    (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
}

static void
producer_wants_ticket(struct rooms *s, const struct actor *who, uint32_t tag, uint64_t load)
{
	struct us_msg_load_ticket_request m = { .peer = PEER, .load = load };
	struct us_buf b;

	memcpy(m.credential, who->fingerprint, 32);
	plan.quiet++;
	us_buf_init(&b, 512);
	assert_int_equal(us_msg_load_ticket_request_encode(&b, &m), US_OK);
	plan.quiet--;
	(void)us_vault_request_take(&s->vault, us_vault_kinds, s->front, US_MSG_load_ticket_request,
	    tag, (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
}

/* A load that was opened, to its end; and one whose sealer goes. */
static void
go_on_loading(struct rooms *s, enum mode mode, const struct actor *who, uint64_t load)
{
	if (mode == REFUSES) {
		us_vault_sealer_connect(s->sealer, NULL);
		return;
	}
	sealer_says(s, mode, US_MSG_load_started, load);
	producer_asks(s, who, 2, STAGE_TAG + 1, load); /* how far it is */
	go_on(s, mode);
	producer_wants_ticket(s, who, STAGE_TAG + 3, load);
	go_on(s, mode);
	producer_asks(s, who, 0, STAGE_TAG + 2, load);
	go_on(s, mode);
	sealer_says(s, mode, US_MSG_load_ended, load);
	go_on(s, mode);
}

static void
give_session(struct scene *s, const struct actor *who)
{
	struct us_vault_session session = { .person = who->person, .expires_ns = INT64_MAX };

	memcpy(session.credential, who->fingerprint, 32);
	us_vault_session_put(s->rooms->vault.sessions, &session);
}

int
ask(struct scene *s, const struct asking *a, enum mode mode)
{
	struct us_buf b;
	struct rooms *r;

	us_buf_init(&b, 65536);
	if (!put_request(&b, s, a)) {
		us_buf_free(&b);
		return 0;
	}
	vault_open(s);
	r = s->rooms;
	if (a->in_session)
		give_session(s, a->who);
	plan.quiet = 0;
	plan.load = plan.ended = plan.answered = 0;
	(void)us_vault_request_take(&r->vault, us_vault_kinds, r->front, a->type, STAGE_TAG,
	    (struct us_bytes){ b.data, b.len });
	go_on(r, mode);
	if (us_vault_load_find(r->vault.loads, plan.load) != NULL)
		go_on_loading(r, mode, a->who, plan.load);
	plan.quiet = 1;
	us_buf_free(&b);
	if (us_vault_front_requests(r->front) > 0)
		fail_msg("request %zu of type %x has no end", a->variant, a->type);
	assert_false(us_vault_requests_have_work(r->vault.requests));
	us_vault_outcomes_tell(r->vault.outcomes);
	assert_int_equal(plan.ended, plan.answered); /* no answer is open */
	vault_close(s);
	check_untouched();
	return 1;
}
