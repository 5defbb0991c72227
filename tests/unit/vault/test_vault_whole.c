/* Goal: the real vault process, between a real keeper and a real sealer, with the test as monitor,
 * front and intake: it is unsealed, people act, records are loaded, found, read and withheld, and
 * after a restart all of it is there. What is answered stands in whole.txt, which is read when it
 * changes: UNDERSEAL_SAID=FILE writes what is answered now. */
#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "crypto/session.h"
#include "daemon/intake/part.h"
#include "daemon/process/role.h"
#include "daemon/process/ticket.h"
#include "daemon/sealer/sealer.h"
#include "daemon/vault/vault.h"
#include "tests/unit/keeper/rig.h"

#define ok(e) assert_int_equal((e), US_OK)
#define SAID US_SOURCE_DIR "/tests/unit/vault/whole.txt"
#define CHANCE 32 /* letters of base64 in a row: keys, digests, tickets */
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
#define ENCODER(name) (us_encode_fn)(void (*)(void)) us_msg_##name##_encode

struct whole {
	struct rig rig;
	pid_t vault, sealer;
	int vault_control, sealer_control, front, intake;
	uint32_t tag;
	struct us_buf said; /* all that was answered */
	struct us_buf body; /* of the newest answer */
	uint16_t status;
	uint64_t load;
	uint8_t ticket[US_TICKET_SIZE];
};

/* --- processes -------------------------------------------------------------------------------- */

static pid_t
child(const char *role, const char *dir, int *control)
{
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (pair[1] == US_CONTROL_FD || dup2(pair[1], US_CONTROL_FD) < 0)
			_exit(8);
		/* the leak checker cannot look into a process that nobody may trace */
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		(void)setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
		(void)execl("/proc/self/exe", role, role, dir, (char *)NULL);
		_exit(7);
	}
	(void)close(pair[1]);
	*control = pair[0];
	return pid;
}

/* Turns this process into a role if it was started as one. */
static void
become(int argc, char **argv)
{
	rig_main(argc, argv);
	if (argc != 3)
		return;
	if (chdir(argv[2]) != 0)
		_exit(9);
	exit(strcmp(argv[1], "vault") == 0 ? us_vault_main() : us_sealer_main());
}

/* Keeps one end of a pair; the other one is the role's channel to the peer. */
static int
connect_new(int control, enum us_role peer)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	rig_give(control, peer, pair[1]);
	return pair[0];
}

static void
start(struct whole *w)
{
	const struct us_msg_config config = { .settings = us_bytes_of("whole=1\n") };
	const struct us_msg_start go = { 0 };
	struct rig *r = &w->rig;
	char store[80];

	rig_start(r, "");
	(void)snprintf(store, sizeof store, "%s/store", r->dir);
	(void)mkdir(store, 0700);
	w->vault = child("vault", store, &w->vault_control);
	w->sealer = child("sealer", "/", &w->sealer_control);
	rig_send(w->vault_control, US_MSG_config, ENCODER(config), &config);
	rig_send(w->sealer_control, US_MSG_config, ENCODER(config), &config);
	rig_give(w->vault_control, US_ROLE_KEEPER, r->vault);
	rig_give(w->sealer_control, US_ROLE_KEEPER, r->sealer);
	r->vault = r->sealer = -1;
	rig_give(w->sealer_control, US_ROLE_VAULT, connect_new(w->vault_control, US_ROLE_SEALER));
	w->front = connect_new(w->vault_control, US_ROLE_FRONT);
	w->intake = connect_new(w->sealer_control, US_ROLE_INTAKE);
	rig_send(w->vault_control, US_MSG_start, ENCODER(start), &go);
	rig_send(w->sealer_control, US_MSG_start, ENCODER(start), &go);
	assert_true(rig_read(r, w->vault_control, US_MSG_ready));
	assert_true(rig_read(r, w->sealer_control, US_MSG_ready));
}

static void
ends_well(pid_t pid, int control)
{
	int status;

	(void)kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)close(control);
}

static void
stop(struct whole *w)
{
	ends_well(w->vault, w->vault_control);
	ends_well(w->sealer, w->sealer_control);
	(void)close(w->front);
	(void)close(w->intake);
	(void)rig_stop(&w->rig, 0);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void
ask(struct whole *w, uint16_t type, us_encode_fn encode, const void *m)
{
	struct us_msg_reply reply;
	struct us_msg_reply_more more;
	uint8_t last;

	rig_send_tagged(w->front, type, ++w->tag, encode, m);
	assert_true(rig_read(&w->rig, w->front, US_MSG_reply));
	assert_int_equal(w->rig.tag, w->tag);
	ok(us_msg_reply_decode(&reply, w->rig.body.data, w->rig.body.len));
	us_buf_reset(&w->body);
	w->status = reply.status;
	ok(us_buf_put(&w->body, reply.body.p, reply.body.n));
	for (last = reply.last; !last; last = more.last) {
		assert_true(rig_read(&w->rig, w->front, US_MSG_reply_more));
		ok(us_msg_reply_more_decode(&more, w->rig.body.data, w->rig.body.len));
		ok(us_buf_put(&w->body, more.body.p, more.body.n));
	}
}

/* What follows the member's name. */
static const char *
member(struct whole *w, const char *name)
{
	char wanted[64];
	const char *at;

	(void)snprintf(wanted, sizeof wanted, "\"%s\":", name);
	at = strstr(us_buf_cstr(&w->body), wanted);
	if (at == NULL)
		fail_msg("no %s in %s", name, us_buf_cstr(&w->body));
	return at + strlen(wanted);
}

static size_t
time_at(const char *p)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	size_t n = sizeof form - 1;

	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != form[i])
			return 0;
	return n + strcspn(p + n, "Z") + 1;
}

/* Where numbers begin that are others each time: of a load, and of entries, for what was answered
 * is told to the keeper when there is time for it. */
static size_t
number_at(const char *p)
{
	static const char *const names[] = { "\"load\":", "\"entry\":", "\"intent\":",
		"\"snapshot\":", "\"size\":", "\n" };

	for (size_t i = 0; i < US_COUNT(names); i++) {
		const size_t n = strlen(names[i]);
		const size_t digits = strncmp(p, names[i], n) == 0 ? strspn(p + n, "0123456789") :
								     0;

		if (digits > 0 && strchr(BASE64, p[n + digits]) == NULL)
			return n;
	}
	return 0;
}

/* Without what is another each time: times, keys, digests, receipts, those numbers. */
static void
note(struct whole *w, const char *what)
{
	static const char receipt[] = "\"receipt\":\"";
	const char *p = us_buf_cstr(&w->body);

	ok(us_buf_putf(&w->said, "%s\n  %u ", what, w->status));
	while (*p != '\0') {
		size_t run = strspn(p, BASE64);
		const size_t time = time_at(p), number = number_at(p);

		if (time > 0 || run >= CHANCE) {
			ok(us_buf_put(&w->said, "#", 1));
			p += time > 0 ? time : run;
		} else if (number > 0) {
			ok(us_buf_putf(&w->said, "%.*s#", (int)number, p));
			p += number + strspn(p + number, "0123456789");
		} else if (strncmp(p, receipt, sizeof receipt - 1) == 0) {
			ok(us_buf_putf(&w->said, "%s#", receipt));
			p += sizeof receipt - 1;
			p += strcspn(p, "\"");
		} else {
			run = run > 0 ? run : 1;
			ok(us_buf_put(&w->said, p, run));
			p += run;
		}
	}
	ok(us_buf_put(&w->said, "\n\n", 2));
}

static void
from(const struct whole *w, int who, uint8_t credential[32])
{
	memcpy(credential, w->rig.people[who].credential, 32);
}

/* Asks as that person; what is said of it, or NULL: its answer is not noted. */
#define ASK(w, who, what, name, ...) \
	do { \
		struct us_msg_##name m_ = __VA_ARGS__; \
		const char *what_ = what; \
		m_.peer = us_bytes_of("192.0.2.1"); \
		from(w, who, m_.credential); \
		ask(w, US_MSG_##name, ENCODER(name), &m_); \
		if (what_ != NULL) \
			note(w, what_); \
	} while (0)
#define NOT_NOTED ((const char *)NULL)

/* --- unsealing and sessions ------------------------------------------------------------------- */

static void
give_share(struct whole *w, unsigned i)
{
	static const char label[] = "underseal/share-in-transit/1";
	uint8_t context[sizeof label - 1 + 32], key[US_X25519_SIZE];
	struct us_buf sealed;
	size_t n;

	memcpy(context, label, sizeof label - 1);
	memcpy(context + sizeof label - 1, w->rig.vault_id, 32);
	ASK(w, RIG_ADMIN, NOT_NOTED, status_request, { .peer = { NULL, 0 } });
	const char *text = member(w, "unseal_key") + 1;

	ok(us_base64_decode(text, strcspn(text, "\""), key, sizeof key, &n));
	us_buf_init(&sealed, 1024);
	ok(us_seal_to_public(key, (struct us_bytes){ context, sizeof context },
	    us_bytes_of(w->rig.made.mnemonics[i]), &sealed));
	ASK(w, RIG_ADMIN, "a share", share_request, { .sealed = { sealed.data, sealed.len } });
	us_buf_free(&sealed);
}

static void
open_session(struct whole *w, int who)
{
	struct us_session_statement s = { .issued_ns = us_time_now_ns() };
	struct rig_person *p = &w->rig.people[who];
	uint8_t statement[US_SESSION_STATEMENT_SIZE], sig[US_SIGNATURE_MAX];
	size_t n;

	ASK(w, who, NOT_NOTED, challenge_request, { .peer = { NULL, 0 } });
	ok(us_hex_decode(member(w, "nonce") + 1, 64, s.nonce, 32));
	memcpy(s.vault, w->rig.vault_id, 32);
	memcpy(s.credential, p->credential, 32);
	s.expires_ns = s.issued_ns + 600 * US_NS_PER_SECOND;
	us_session_encode(&s, statement);
	ok(us_session_sign(p->key, &s, sig, &n));
	ASK(w, who, "a session", session_request,
	    { .statement = { statement, sizeof statement }, .signature = { sig, n } });
	assert_int_equal(w->status, 201);
}

static void
unseal(struct whole *w)
{
	for (unsigned i = 0; i < 2; i++)
		give_share(w, i);
	for (int i = 0; i < 200; i++) {
		ASK(w, RIG_ADMIN, NOT_NOTED, status_request, { .peer = { NULL, 0 } });
		if (strncmp(member(w, "state"), "\"open\"", 6) == 0)
			break;
		(void)usleep(10000);
	}
	assert_memory_equal(member(w, "state"), "\"open\"", 6);
	for (int i = 0; i < RIG_PEOPLE; i++)
		open_session(w, i);
}

/* --- acts ------------------------------------------------------------------------------------- */

/* Frees the act. */
static void
act(struct whole *w, int who, const char *what, struct us_act *act)
{
	struct rig_signed s;

	rig_sign(&w->rig, who, act, &s);
	ASK(w, who, what, act_request,
	    { .act = { s.bytes.data, s.bytes.len }, .signature = { s.signature, s.n } });
	us_buf_free(&s.bytes);
	free(act);
}

static struct us_act *
new_act(enum us_act_type type)
{
	struct us_act *act = calloc(1, sizeof *act);

	assert_non_null(act);
	act->type = type;
	return act;
}

static void
create_collection(struct whole *w, int who, const char *what)
{
	struct us_act *a = new_act(US_ACT_COLLECTION_CREATE);

	a->u.collection.name = us_bytes_of("demo");
	a->u.collection.prefix = us_bytes_of("DEMO");
	act(w, who, what, a);
}

static void
acknowledge_order(struct whole *w, int who)
{
	struct us_act *a = new_act(US_ACT_ACKNOWLEDGE);
	const char *digest;

	ASK(w, who, NOT_NOTED, list_request, { .what = US_LIST_ORDER });
	digest = member(w, "source_digest") + 1;
	a->u.acknowledge.version = 1;
	ok(us_hex_decode(digest, 64, a->u.acknowledge.source_digest, 32));
	a->u.acknowledge.address = us_bytes_of("1 Main Street");
	a->u.acknowledge.place = us_bytes_of("New York");
	act(w, who, "Alice acknowledges the order", a);
}

/* An act about records, and the document that it names. */
static void
about_records(struct whole *w, int who, const char *what, enum us_act_type type, uint64_t first,
    uint64_t count)
{
	static const char notice[] = "these are privileged";
	struct us_act *document = new_act(US_ACT_DOCUMENT_ADD), *a = new_act(type);
	struct us_buf runs;

	document->u.document.size = sizeof notice;
	document->u.document.name = us_bytes_of("notice.txt");
	document->u.document.bytes = (struct us_bytes){ (const uint8_t *)notice, sizeof notice };
	ok(us_sha256(notice, sizeof notice, document->u.document.digest));
	if (type == US_ACT_RELABEL) {
		a->u.records.designation = us_bytes_of("CONFIDENTIAL");
		a->u.records.reason = us_bytes_of("agreed");
		free(document);
	} else {
		memcpy(a->u.records.document, document->u.document.digest, 32);
		act(w, who, "a notice is added", document);
	}
	us_buf_init(&runs, 64);
	ok(us_buf_put_varint(&runs, first));
	ok(us_buf_put_varint(&runs, count));
	a->u.records.selection.collection = 1;
	a->u.records.selection.n_runs = 1;
	a->u.records.selection.runs = (struct us_bytes){ runs.data, runs.len };
	act(w, who, what, a);
	us_buf_free(&runs);
}

static void
change_batch(struct whole *w, const char *what, enum us_act_type type, uint32_t slot)
{
	struct us_act *a = new_act(type);

	a->u.batch.collection = 1;
	a->u.batch.slot = slot;
	a->u.batch.reason = us_bytes_of("sent by mistake");
	act(w, RIG_PRODUCER, what, a);
}

static void
copy(struct whole *w, const char *what, uint64_t record)
{
	struct us_act *a = new_act(US_ACT_COPY);
	uint8_t records[8];

	us_store_u64(records, record);
	a->u.copy = (struct us_act_copy){ .collection = 1,
		.recipient = us_bytes_of("court"),
		.purpose = us_bytes_of("exhibit"),
		.n = 1,
		.records = { records, sizeof records } };
	act(w, RIG_ATTORNEY, what, a);
}

/* --- records ---------------------------------------------------------------------------------- */

#define SAYS(role, text) "{\"role\":\"" role "\",\"content\":\"" text "\"}"
#define RECORD(id, more, question, answer) \
	"{\"id\":\"" id "\"," more \
	"\"messages\":[" SAYS("user", question) "," SAYS("assistant", answer) "]}\n"

static const char harbour[] = RECORD("a", "\"created\":\"2024-03-01T10:00:00Z\",\"model\":\"big\",",
    "Where is the harbour of Rotterdam?",
    "The harbour is west of the city. Mail jane.doe@example.com or call.")
    RECORD("b", "", "A poem about ships, please", "Ships leave the harbour at night")
	RECORD("c", "", "nothing of interest", "nothing")
	    RECORD("d", "", "the harbour master", "He is out");
static const char defects[] = "{\"id\":\n" RECORD("a2", "", "ships and shipping", "Some");
static const char given_up[] = RECORD("z", "", "gone", "away");

static void
send_part(struct whole *w, uint32_t number, const char *text, unsigned accepted,
    unsigned duplicates)
{
	struct us_part_worker *worker;
	struct us_part_result *result;
	struct us_msg_documents m;
	struct us_msg_documents_done done;
	uint8_t digest[32];
	struct us_part part = { number, 1, US_PART_PLAIN, digest, us_bytes_of(text) };

	ok(us_sha256(text, strlen(text), digest));
	ok(us_part_worker_new(&worker));
	ok(us_part_process(worker, &part, us_time_now_ns(), &result));
	m = (struct us_msg_documents){ .load = w->load,
		.part = number,
		.count = result->count,
		.defects = result->n_defects,
		.flags = US_LOAD_SKIP_DEFECTS,
		.ticket = { w->ticket, sizeof w->ticket },
		.documents = { result->documents.data, result->documents.len } };
	memcpy(m.credential, w->rig.people[RIG_PRODUCER].credential, 32);
	memcpy(m.digest, digest, 32);
	rig_send(w->intake, US_MSG_documents, ENCODER(documents), &m);
	us_part_worker_free(worker);
	assert_true(rig_read(&w->rig, w->intake, US_MSG_documents_done));
	ok(us_msg_documents_done_decode(&done, w->rig.body.data, w->rig.body.len));
	ok(done.err);
	assert_int_equal(done.accepted, accepted);
	assert_int_equal(done.duplicates, duplicates);
}

static void
open_load(struct whole *w)
{
	const char *text;
	size_t n;

	ASK(w, RIG_PRODUCER, "Peter opens a load", load_open_request,
	    { .collection = us_bytes_of("demo"),
		.purpose = us_bytes_of("production 1"),
		.flags = US_LOAD_SKIP_DEFECTS });
	assert_int_equal(w->status, 201);
	w->load = strtoull(member(w, "load"), NULL, 10);
	text = member(w, "ticket") + 1;
	ok(us_base64_decode(text, strcspn(text, "\""), w->ticket, sizeof w->ticket, &n));
	assert_int_equal(n, sizeof w->ticket);
}

static void
load_records(struct whole *w)
{
	open_load(w);
	send_part(w, 0, harbour, 4, 0);
	ASK(w, RIG_PRODUCER, "how far it is", load_end_request, { .load = w->load, .how = 2 });
	ASK(w, RIG_PRODUCER, NOT_NOTED, load_ticket_request, { .load = w->load });
	assert_int_equal(w->status, 200);
	ASK(w, RIG_ATTORNEY, "of somebody else's load", load_end_request,
	    { .load = w->load, .how = 0 });
	ASK(w, RIG_PRODUCER, "Peter ends the load", load_end_request, { .load = w->load });
	open_load(w); /* the second one knows the first one's records */
	send_part(w, 0, harbour, 0, 4);
	send_part(w, 1, defects, 1, 0);
	ASK(w, RIG_PRODUCER, "Peter ends the second load", load_end_request, { .load = w->load });
	open_load(w);
	send_part(w, 0, given_up, 1, 0);
	ASK(w, RIG_PRODUCER, "Peter gives a load up", load_end_request,
	    { .load = w->load, .how = 1 });
}

static void
search(struct whole *w, int who, const char *query, uint32_t limit, uint8_t flags)
{
	char what[128];

	(void)snprintf(what, sizeof what, "search %d: %s (%u, %u)", who, query, limit, flags);
	ASK(w, who, what, search_request,
	    { .collection = us_bytes_of("demo"),
		.query = us_bytes_of(query),
		.purpose = us_bytes_of("review"),
		.limit = limit,
		.flags = flags });
}

/* On from where the answer before ended. */
static void
search_on(struct whole *w, const char *query)
{
	char cursor[512];
	const char *at = member(w, "next") + 1;
	const size_t n = strcspn(at, "\"");

	assert_true(n < sizeof cursor);
	memcpy(cursor, at, n);
	ASK(w, RIG_ATTORNEY, "the next page", search_request,
	    { .collection = us_bytes_of("demo"),
		.query = us_bytes_of(query),
		.purpose = us_bytes_of("review"),
		.cursor = { (const uint8_t *)cursor, n },
		.limit = 1 });
}

static void
read_records(struct whole *w, int who, const char *what, const unsigned *numbers, const char *match)
{
	struct us_buf bates;

	us_buf_init(&bates, 1024);
	for (; *numbers != 0; numbers++) {
		char name[32];

		(void)snprintf(name, sizeof name, "DEMO%09u", *numbers);
		ok(us_buf_put_str16(&bates, name, strlen(name)));
	}
	ASK(w, who, what, read_request,
	    { .collection = us_bytes_of("demo"),
		.purpose = us_bytes_of("review"),
		.bates = { bates.data, bates.len },
		.match = us_bytes_of(match) });
	us_buf_free(&bates);
}

static void
search_and_read(struct whole *w)
{
	static const char *const queries[] = { "harbour", "harbour AND ships", "harbour -ships",
		"\"the harbour\"", "role:user harbour", "ship*", "model:big", "date:2024",
		"zeppelin", "*", "harbour OR poem" };
	static const unsigned all[] = { 1, 2, 3, 4, 5, 0 }, one[] = { 2, 0 },
			      beyond[] = { 1, 9, 0 };

	for (size_t i = 0; i < US_COUNT(queries); i++) {
		search(w, RIG_ATTORNEY, queries[i], 10, 0);
		search(w, RIG_ATTORNEY, queries[i], 10, US_SEARCH_COUNT);
	}
	search(w, RIG_ATTORNEY, "harbour", 1, 0);
	search_on(w, "harbour");
	search(w, RIG_PRODUCER, "harbour", 10, 0);
	read_records(w, RIG_ATTORNEY, "Alice reads all", all, "");
	read_records(w, RIG_ATTORNEY, "Alice reads one, with what matches", one, "harbour");
	read_records(w, RIG_ATTORNEY, "Alice reads beyond the last", beyond, "");
	read_records(w, RIG_ADMIN, "Adam reads", one, "");
	copy(w, "Alice copies", 1);
	copy(w, "Alice copies what is not there", 77);
}

static void
ask_about_it(struct whole *w)
{
	static const uint8_t lists[] = { US_LIST_COLLECTIONS, US_LIST_BATCHES, US_LIST_COPIES,
		US_LIST_FILINGS };

	for (size_t i = 0; i < US_COUNT(lists); i++)
		for (int who = RIG_ADMIN; who < RIG_PEOPLE; who++) {
			char what[32];

			(void)snprintf(what, sizeof what, "list %u for %d", lists[i], who);
			ASK(w, who, what, list_request,
			    { .what = lists[i],
				.collection = us_bytes_of(
				    lists[i] == US_LIST_BATCHES ? "demo" : "") });
		}
	ASK(w, RIG_ATTORNEY, "why Alice may read", question_request,
	    { .what = US_QUESTION_EXPLAIN,
		.person = us_bytes_of("Alice Attorney"),
		.action = us_bytes_of("read"),
		.collection = us_bytes_of("demo"),
		.bates = us_bytes_of("DEMO000000002") });
	ASK(w, RIG_ATTORNEY, "why Alice might have read, before anybody did anything",
	    question_request,
	    { .what = US_QUESTION_EXPLAIN,
		.person = us_bytes_of("Alice Attorney"),
		.action = us_bytes_of("read"),
		.collection = us_bytes_of("demo"),
		.at = 1 });
	ASK(w, RIG_AUDITOR, "who may read", question_request,
	    { .what = US_QUESTION_WHO,
		.action = us_bytes_of("read"),
		.collection = us_bytes_of("demo"),
		.bates = us_bytes_of("DEMO000000002") });
	ASK(w, RIG_AUDITOR, "what was disclosed of what was clawed back", question_request,
	    { .what = US_QUESTION_CLAWBACK, .first = 1 });
}

static void
ask_of_the_log(struct whole *w)
{
	static const char *const paths[] = { "vkey", "checkpoint", "entry-proof/3",
		"entry-proof/9999", "tile/9/000" };

	for (size_t i = 0; i < US_COUNT(paths); i++)
		ASK(w, RIG_AUDITOR, paths[i], log_request, { .path = us_bytes_of(paths[i]) });
	ASK(w, RIG_AUDITOR, "keys for Ada", log_keys_request, { .from = 0, .to = 20 });
	ASK(w, RIG_ATTORNEY, "keys for Alice", log_keys_request, { .from = 0, .to = 20 });
	ASK(w, RIG_AUDITOR, "keys of nothing", log_keys_request, { .from = 9, .to = 9 });
}

/* --- the test --------------------------------------------------------------------------------- */

static void
same_as(struct us_buf *said)
{
	const char *write_to = getenv("UNDERSEAL_SAID"), *at = us_buf_cstr(said);
	FILE *f = fopen(write_to != NULL ? write_to : SAID, write_to != NULL ? "w" : "r");
	char *want = NULL;
	size_t cap = 0, line = 0;

	assert_non_null(f);
	if (write_to != NULL) {
		assert_int_equal(fwrite(at, 1, said->len, f), said->len);
		(void)fclose(f);
		return;
	}
	for (ssize_t n; (n = getline(&want, &cap, f)) > 0; at += n) {
		line++;
		if (strncmp(at, want, (size_t)n) != 0)
			fail_msg("line %zu: said\n%.*s\nis to be\n%s", line, (int)strcspn(at, "\n"),
			    at, want);
	}
	assert_int_equal(*at, '\0');
	free(want);
	(void)fclose(f);
}

static void
from_the_first_share_to_a_restart(void **state)
{
	static const unsigned one[] = { 2, 0 }, other[] = { 1, 0 };
	struct whole *w = calloc(1, sizeof *w);

	(void)state;
	us_buf_init(&w->said, (size_t)16 << 20);
	us_buf_init(&w->body, (size_t)16 << 20);
	rig_create(&w->rig);
	start(w);
	ASK(w, RIG_ATTORNEY, "of a sealed vault", list_request, { .what = US_LIST_PEOPLE });
	unseal(w);
	create_collection(w, RIG_ATTORNEY, "Alice may not create a collection");
	create_collection(w, RIG_ADMIN, "Adam creates a collection");
	create_collection(w, RIG_ADMIN, "and again");
	load_records(w);
	search(w, RIG_ATTORNEY, "harbour", 10, 0); /* not acknowledged */
	acknowledge_order(w, RIG_ATTORNEY);
	search_and_read(w);
	about_records(w, RIG_PRODUCER, "Peter claws a record back", US_ACT_CLAWBACK, 1, 1);
	about_records(w, RIG_PRODUCER, "Peter claws back what is not there", US_ACT_CLAWBACK, 50,
	    1);
	about_records(w, RIG_PRODUCER, "Peter relabels a record", US_ACT_RELABEL, 2, 1);
	change_batch(w, "Peter withdraws a batch", US_ACT_BATCH_WITHDRAW, 1);
	change_batch(w, "Peter withdraws no batch", US_ACT_BATCH_WITHDRAW, 7);
	ask_about_it(w);
	ask_of_the_log(w);
	read_records(w, RIG_ATTORNEY, "Alice reads what was clawed back", one, "");
	search(w, RIG_ATTORNEY, "harbour", 10, 0);
	stop(w);
	start(w);
	unseal(w);
	ask_about_it(w);
	search(w, RIG_ATTORNEY, "harbour", 10, 0);
	read_records(w, RIG_ATTORNEY, "Alice reads what was clawed back", one, "");
	read_records(w, RIG_ATTORNEY, "Alice reads another", other, "");
	stop(w);
	same_as(&w->said);
	rig_destroy(&w->rig);
	us_buf_free(&w->said);
	us_buf_free(&w->body);
	free(w);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(from_the_first_share_to_a_restart) };

	become(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
