#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/tiles.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/session.h"
#include "base/time.h"
#include "daemon/keeper/keeper.h"
#include "daemon/process/role.h"
#include "policy/yaml/yaml.h"

#define ok(e) assert_int_equal((e), US_OK)

void
rig_main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--keeper") == 0) {
		if (chdir(argv[2]) != 0)
			_exit(9);
		exit(us_keeper_main());
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

/* --- the directory ------------------------------------------------------------------------- */

static struct us_bytes
view(const struct us_buf *b)
{
	return (struct us_bytes){ b->data, b->len };
}

static void
exchange(struct us_buf *source, const char *line, const char *by)
{
	struct us_buf changed;
	const char *text, *at;

	us_buf_init(&changed, US_ORDER_SOURCE_MAX);
	text = us_buf_cstr(source);
	assert_non_null(strstr(text, line));
	while ((at = strstr(text, line)) != NULL) {
		ok(us_buf_put(&changed, text, (size_t)(at - text)));
		ok(us_buf_put(&changed, by, strlen(by)));
		text = at + strlen(line);
	}
	ok(us_buf_put(&changed, text, strlen(text)));
	us_buf_reset(source);
	ok(us_buf_put(source, changed.data, changed.len));
	us_buf_free(&changed);
}

/* The demonstration's order, with pieces of text exchanged. */
static void
read_order(struct us_buf *source, struct us_buf *compiled, const char *const *pieces)
{
	struct us_findings *findings = calloc(1, sizeof *findings);
	FILE *f = fopen(US_SOURCE_DIR "/policy/orders/demo.yaml", "rb");
	uint8_t *to;
	size_t n;

	assert_non_null(f);
	ok(us_buf_reserve(source, 65536, &to));
	n = fread(to, 1, 65536, f);
	source->len = n;
	(void)fclose(f);
	for (; *pieces != NULL; pieces += 2)
		exchange(source, pieces[0], pieces[1]);
	if (us_order_compile(view(source), compiled, findings) != US_OK)
		fail_msg("the order does not compile: %s",
		    findings->n == 0 ? "?" : findings->items[0].text);
	free(findings);
}

void
rig_create(struct rig *r)
{
	rig_create_order(r, (const char *const[]){ NULL });
}

void
rig_create_order(struct rig *r, const char *const *pieces)
{
	static const struct {
		const char *name, *party;
		enum us_capacity capacity;
	} who[RIG_PEOPLE] = {
		{ "Adam Admin", NULL, US_CAPACITY_ADMINISTRATOR },
		{ "Alice Attorney", "plaintiffs", US_CAPACITY_OUTSIDE_COUNSEL },
		{ "Peter Producer", "defendant", US_CAPACITY_PRODUCER },
		{ "Ada Auditor", "court", US_CAPACITY_AUDITOR },
	};
	static const char *const hosts[] = { "vault.example" };
	struct us_create_person people[RIG_PEOPLE] = { 0 };
	struct us_create_options o = { .dir = r->dir,
		.n_hosts = 1,
		.hosts = hosts,
		.n_people = RIG_PEOPLE,
		.people = people,
		.shares = 3,
		.threshold = 2 };
	struct us_buf csr[RIG_PEOPLE], source, compiled;
	char detail[256];

	memset(r, 0, sizeof *r);
	us_buf_init(&r->body, 32u << 20);
	us_buf_init(&source, US_ORDER_SOURCE_MAX);
	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	(void)snprintf(r->dir, sizeof r->dir, "/tmp/us-keeper-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	read_order(&source, &compiled, pieces);
	o.order_source = view(&source);
	o.order_compiled = view(&compiled);
	for (size_t i = 0; i < RIG_PEOPLE; i++) {
		us_buf_init(&csr[i], 4096);
		us_buf_init(&r->people[i].cert, US_CERT_MAX);
		ok(us_pkey_new(US_PKEY_P256, &r->people[i].key));
		ok(us_csr_create(r->people[i].key, who[i].name, &csr[i]));
		people[i].name = us_bytes_of(who[i].name);
		people[i].capacity = who[i].capacity;
		people[i].csr = view(&csr[i]);
		people[i].n_parties = who[i].party != NULL;
		if (who[i].party != NULL)
			people[i].parties[0] = us_bytes_of(who[i].party);
	}
	if (us_keeper_create(&r->made, &o, detail) != US_OK)
		fail_msg("create: %s", detail);
	for (size_t i = 0; i < RIG_PEOPLE; i++) {
		ok(us_buf_put(&r->people[i].cert, r->made.certificates[i].data,
		    r->made.certificates[i].len));
		ok(us_cert_fingerprint(view(&r->people[i].cert), r->people[i].credential));
		us_buf_free(&csr[i]);
	}
	us_buf_free(&source);
	us_buf_free(&compiled);
	memcpy(r->vault_id, r->made.vault_id, 32);
	for (size_t i = 0; i < 16; i++)
		us_buf_init(&r->acts[i], US_ACT_COMMITTED_MAX);
	r->control = r->vault = r->sealer = r->front = -1;
}

void
rig_destroy(struct rig *r)
{
	char command[128];

	if (r->pid > 0)
		(void)rig_stop(r, SIGKILL);
	for (size_t i = 0; i < RIG_PEOPLE; i++) {
		us_pkey_free(r->people[i].key);
		us_buf_free(&r->people[i].cert);
	}
	for (size_t i = 0; i < 16; i++)
		us_buf_free(&r->acts[i]);
	us_created_free(&r->made);
	us_buf_free(&r->body);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", r->dir);
	assert_int_equal(system(command), 0);
}

/* --- the process --------------------------------------------------------------------------- */

static void
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* the reader finds out */
		p += w;
		n -= (size_t)w;
	}
}

void
rig_send_tagged(int fd, uint16_t type, uint32_t tag, us_encode_fn encode, const void *m)
{
	uint8_t header[US_FRAME_HEADER] = { 0 };
	struct us_buf b;

	us_buf_init(&b, 32u << 20);
	ok(encode(&b, m));
	us_store_u32(header, (uint32_t)b.len);
	us_store_u16(header + 4, type);
	us_store_u32(header + 8, tag);
	write_all(fd, header, sizeof header);
	write_all(fd, b.data, b.len);
	us_buf_free(&b);
}

void
rig_send(int fd, uint16_t type, us_encode_fn encode, const void *m)
{
	rig_send_tagged(fd, type, 7, encode, m);
}

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

void
rig_give(int control, enum us_role peer, int fd)
{
	const struct us_msg_channel m = { .role = (uint8_t)peer };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { .bytes = { 0 } };
	uint8_t frame[US_FRAME_HEADER + 2] = { 0 };
	struct iovec iov = { frame, sizeof frame };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.bytes,
		.msg_controllen = sizeof ancillary.bytes };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	us_store_u32(frame, 2);
	us_store_u16(frame + 4, US_MSG_channel);
	frame[US_FRAME_HEADER] = m.role;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	assert_int_equal(sendmsg(control, &msg, MSG_NOSIGNAL), (ssize_t)sizeof frame);
	(void)close(fd);
}

static int
give_channel(const struct rig *r, enum us_role role)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	rig_give(r->control, role, pair[1]);
	return pair[0];
}

void
rig_start(struct rig *r, const char *settings)
{
	const struct us_msg_config config = { .settings = us_bytes_of(
						  settings[0] == '\0' ? "rig=1\n" : settings) };
	const struct us_msg_start start = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		if (pair[1] == US_CONTROL_FD || dup2(pair[1], US_CONTROL_FD) < 0)
			_exit(8);
		/* the leak checker cannot look into a process that nobody may trace */
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		(void)setenv("LSAN_OPTIONS", "detect_leaks=0", 1);
		(void)execl("/proc/self/exe", "keeper", "--keeper", r->dir, (char *)NULL);
		_exit(7);
	}
	(void)close(pair[1]);
	r->control = pair[0];
	SEND(r->control, config, &config);
	r->vault = give_channel(r, US_ROLE_VAULT);
	r->sealer = give_channel(r, US_ROLE_SEALER);
	r->front = give_channel(r, US_ROLE_FRONT);
	SEND(r->control, start, &start);
	(void)rig_read(r, r->control, US_MSG_ready);
}

static void
close_fds(struct rig *r)
{
	int *fds[] = { &r->control, &r->vault, &r->sealer, &r->front };

	for (size_t i = 0; i < 4; i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

int
rig_wait(struct rig *r)
{
	int status;

	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	r->pid = 0;
	close_fds(r);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
rig_stop(struct rig *r, int signal_number)
{
	(void)kill(r->pid, signal_number == 0 ? SIGTERM : signal_number);
	return rig_wait(r);
}

static int
read_all(int fd, uint8_t *p, size_t n)
{
	while (n > 0) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&poll_fd, 1, 20000) <= 0)
			fail_msg("the keeper does not answer");
		got = recv(fd, p, n, 0);
		if (got <= 0)
			return 0;
		p += got;
		n -= (size_t)got;
	}
	return 1;
}

int
rig_read(struct rig *r, int fd, uint16_t type)
{
	for (;;) {
		uint8_t header[US_FRAME_HEADER], *to;
		uint16_t got;
		uint32_t n;

		if (!read_all(fd, header, sizeof header))
			return 0;
		n = us_load_u32(header);
		got = us_load_u16(header + 4);
		r->tag = us_load_u32(header + 8);
		us_buf_reset(&r->body);
		ok(us_buf_extend(&r->body, n, &to));
		if (!read_all(fd, to, n))
			return 0;
		if (got == type)
			return 1;
		if (got == US_MSG_checkpoint) {
			struct us_msg_checkpoint m;

			ok(us_msg_checkpoint_decode(&m, r->body.data, r->body.len));
			r->tree_size = m.tree_size;
		} else if (got != US_MSG_unsealed) {
			fail_msg("message %04x instead of %04x", got, type);
		}
	}
}

int
rig_has(struct rig *r, int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, ms) == 1) {
		uint8_t header[US_FRAME_HEADER], *to;

		if (!read_all(fd, header, sizeof header) ||
		    us_load_u16(header + 4) != US_MSG_checkpoint)
			return 1;
		us_buf_reset(&r->body);
		ok(us_buf_extend(&r->body, us_load_u32(header), &to));
		assert_true(read_all(fd, to, us_load_u32(header)));
	}
	return 0;
}

/* --- the vault's part ---------------------------------------------------------------------- */

void
rig_unseal(struct rig *r, unsigned shares, struct us_msg_share_reply *reply)
{
	static const char label[] = "underseal/share-in-transit/1";
	uint8_t context[sizeof label - 1 + 32];
	const struct us_msg_keeper_status ask = { 0 };
	struct us_msg_keeper_status_reply status;

	memcpy(context, label, sizeof label - 1);
	memcpy(context + sizeof label - 1, r->vault_id, 32);
	SEND(r->vault, keeper_status, &ask);
	assert_true(rig_read(r, r->vault, US_MSG_keeper_status_reply));
	ok(us_msg_keeper_status_reply_decode(&status, r->body.data, r->body.len));
	for (unsigned i = 0; i < shares; i++) {
		struct us_msg_share_request m = { 0 };
		struct us_buf sealed;

		us_buf_init(&sealed, 1024);
		ok(us_seal_to_public(status.unseal_key,
		    (struct us_bytes){ context, sizeof context }, us_bytes_of(r->made.mnemonics[i]),
		    &sealed));
		m.sealed = view(&sealed);
		SEND(r->vault, share_request, &m);
		us_buf_free(&sealed);
		assert_true(rig_read(r, r->vault, US_MSG_share_reply));
		ok(us_msg_share_reply_decode(reply, r->body.data, r->body.len));
	}
}

int
rig_replay(struct rig *r, size_t n)
{
	const struct us_msg_replay_end end = { 0 };
	struct us_msg_replay_reply reply;

	for (size_t i = 0; i < n; i++) {
		const struct us_msg_replay m = { .committed = view(&r->acts[i]) };

		SEND(r->vault, replay, &m);
	}
	SEND(r->vault, replay_end, &end);
	assert_true(rig_read(r, r->vault, US_MSG_replay_reply));
	ok(us_msg_replay_reply_decode(&reply, r->body.data, r->body.len));
	return reply.err;
}

int
rig_session(struct rig *r, int who, int64_t lifetime, struct us_msg_session_opened *out)
{
	const struct us_msg_challenge ask = { 0 };
	struct us_msg_challenge_reply challenge;
	struct us_session_statement s = { .issued_ns = us_time_now_ns() };
	struct rig_person *p = &r->people[who];
	uint8_t statement[US_SESSION_STATEMENT_SIZE], sig[US_SIGNATURE_MAX];
	struct us_msg_session_request m = { .statement = { statement, sizeof statement },
		.peer = us_bytes_of("192.0.2.1") };
	size_t n;

	SEND(r->vault, challenge, &ask);
	assert_true(rig_read(r, r->vault, US_MSG_challenge_reply));
	ok(us_msg_challenge_reply_decode(&challenge, r->body.data, r->body.len));
	memcpy(s.vault, r->vault_id, 32);
	memcpy(s.nonce, challenge.nonce, 32);
	memcpy(s.credential, p->credential, 32);
	s.expires_ns = s.issued_ns + lifetime * US_NS_PER_SECOND;
	us_session_encode(&s, statement);
	ok(us_session_sign(p->key, &s, sig, &n));
	m.signature = (struct us_bytes){ sig, n };
	memcpy(m.credential, p->credential, 32);
	SEND(r->vault, session_request, &m);
	assert_true(rig_read(r, r->vault, US_MSG_session_opened));
	ok(us_msg_session_opened_decode(out, r->body.data, r->body.len));
	if (out->err == US_OK)
		memcpy(p->session, out->session, 16);
	return out->err;
}

void
rig_log_init(struct rig *r, struct us_msg_log *m, int who)
{
	memset(m, 0, sizeof *m);
	memcpy(m->credential, r->people[who].credential, 32);
	memcpy(m->session, r->people[who].session, 16);
	m->peer = us_bytes_of("192.0.2.1");
	m->purpose = us_bytes_of("test");
	m->kind = US_KIND_INTENT;
	m->decision = US_DECISION_ALLOW;
	m->related = UINT64_MAX;
}

int
rig_log(struct rig *r, const struct us_msg_log *m, struct us_msg_logged *out)
{
	SEND(r->vault, log, m);
	if (!rig_read(r, r->vault, US_MSG_logged))
		return 0;
	ok(us_msg_logged_decode(out, r->body.data, r->body.len));
	return 1;
}

static void
begin_commit(struct rig *r, const struct us_msg_act_prepared *prepared)
{
	const struct us_msg_act_commit m = { .sequence = prepared->sequence };

	ok(us_buf_put(&r->acts[r->n_acts++], prepared->committed.p, prepared->committed.n));
	SEND(r->vault, act_commit, &m);
}

static void
commit(struct rig *r, const struct us_msg_act_prepared *prepared)
{
	struct us_msg_logged logged;

	begin_commit(r, prepared);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	ok(us_msg_logged_decode(&logged, r->body.data, r->body.len));
	ok(logged.err);
}

void
rig_sign(struct rig *r, int who, const struct us_act *act, struct rig_signed *out)
{
	const struct rig_person *p = &r->people[who];
	struct us_signed_act s = { .type = act->type, .time_ns = us_time_now_ns() };
	struct us_buf payload;

	us_buf_init(&payload, US_ACT_SIGNED_MAX);
	us_buf_init(&out->bytes, US_ACT_SIGNED_MAX);
	ok(us_act_encode(&payload, act));
	s.payload = view(&payload);
	memcpy(s.vault_id, r->vault_id, 32);
	memcpy(s.credential, p->credential, 32);
	s.nonce[0] = ++r->nonce;
	ok(us_signed_act_encode(&out->bytes, &s));
	ok(us_pkey_sign(p->key, view(&out->bytes), out->signature, &out->n));
	us_buf_free(&payload);
}

static int
prepare(struct rig *r, int who, const struct us_act *act, struct us_msg_act_prepared *prepared)
{
	const struct rig_person *p = &r->people[who];
	struct us_msg_act_prepare m = { .peer = us_bytes_of("192.0.2.1") };
	struct rig_signed s;

	rig_sign(r, who, act, &s);
	m.act = view(&s.bytes);
	m.signature = (struct us_bytes){ s.signature, s.n };
	memcpy(m.credential, p->credential, 32);
	memcpy(m.session, p->session, 16);
	SEND(r->vault, act_prepare, &m);
	us_buf_free(&s.bytes);
	assert_true(rig_read(r, r->vault, US_MSG_act_prepared));
	ok(us_msg_act_prepared_decode(prepared, r->body.data, r->body.len));
	return prepared->err;
}

int
rig_act(struct rig *r, int who, struct us_act *act)
{
	struct us_msg_act_prepared prepared;
	int err = prepare(r, who, act, &prepared);

	if (err == US_OK)
		commit(r, &prepared);
	return err;
}

void
rig_begin_act(struct rig *r, int who, struct us_act *act)
{
	struct us_msg_act_prepared prepared;

	ok(prepare(r, who, act, &prepared));
	begin_commit(r, &prepared);
}

void
rig_open(struct rig *r)
{
	struct us_msg_share_reply share;
	struct us_msg_session_opened session;

	rig_unseal(r, 2, &share);
	ok(share.err);
	ok(rig_replay(r, r->n_acts));
	for (int i = 0; i < RIG_PEOPLE; i++)
		ok(rig_session(r, i, 600, &session));
}

void
rig_load(struct rig *r, uint32_t n)
{
	struct us_act *act = calloc(1, sizeof *act);
	const struct us_msg_batch_open open = { .load = 77, .count = n };
	struct us_msg_batch_prepare prepare = { .load = 77, .collection = 1 };
	struct us_msg_act_prepared prepared;
	struct us_msg_batch_sealed sealed = { .load = 77 };
	struct us_msg_batch_sealed_ok sealed_ok;
	struct us_msg_batch_keys keys;
	struct us_msg_logged logged;
	struct us_msg_log m;
	struct us_buf facts;

	us_buf_init(&facts, 2048);
	act->type = US_ACT_COLLECTION_CREATE;
	act->u.collection.name = us_bytes_of("demo");
	act->u.collection.prefix = us_bytes_of("DEMO");
	ok(rig_act(r, RIG_ADMIN, act));
	rig_log_init(r, &m, RIG_PRODUCER);
	m.action = US_ACTION_LOAD;
	m.collection = 1;
	m.load = 77;
	assert_true(rig_log(r, &m, &logged));
	ok(logged.err);
	SEND(r->sealer, batch_open, &open);
	assert_true(rig_read(r, r->sealer, US_MSG_batch_keys));
	ok(us_msg_batch_keys_decode(&keys, r->body.data, r->body.len));
	ok(keys.err);
	assert_int_equal(keys.count, n);
	memset(act, 0, sizeof *act);
	act->type = US_ACT_BATCH_CLOSE;
	act->u.batch_close = (struct us_act_batch_close){ .collection = 1,
		.slot = keys.slot,
		.load = 77,
		.loaded_by = 3,
		.first = keys.first_record,
		.count = n,
		.segment_slot = keys.slot,
		.parts = 1 };
	ok(us_act_encode(&facts, act));
	sealed.slot = prepare.slot = keys.slot;
	sealed.facts = view(&facts);
	SEND(r->sealer, batch_sealed, &sealed);
	assert_true(rig_read(r, r->sealer, US_MSG_batch_sealed_ok));
	ok(us_msg_batch_sealed_ok_decode(&sealed_ok, r->body.data, r->body.len));
	ok(sealed_ok.err);
	SEND(r->vault, batch_prepare, &prepare);
	assert_true(rig_read(r, r->vault, US_MSG_act_prepared));
	ok(us_msg_act_prepared_decode(&prepared, r->body.data, r->body.len));
	ok(prepared.err);
	commit(r, &prepared);
	us_buf_free(&facts);
	free(act);
}

/* --- the log ------------------------------------------------------------------------------- */

void
rig_entry(struct rig *r, uint64_t index, struct us_buf *out)
{
	struct us_bytes entry = { NULL, 0 };
	struct us_msg_log_data data;
	struct us_reader bundle;
	char path[64];

	(void)snprintf(path, sizeof path, "tile/entries/000.p/%u", (unsigned)index + 1);
	SEND(r->vault, log_read, &((struct us_msg_log_read){ .path = us_bytes_of(path) }));
	assert_true(rig_read(r, r->vault, US_MSG_log_data));
	ok(us_msg_log_data_decode(&data, r->body.data, r->body.len));
	ok(data.err);
	us_reader_init(&bundle, data.data.p, data.data.n);
	for (uint64_t i = 0; i <= index; i++)
		entry = us_bundle_take(&bundle);
	us_buf_reset(out);
	ok(us_buf_put(out, entry.p, entry.n));
}

void
rig_open_access(struct rig *r, uint64_t index, struct us_entry_access *access,
    struct us_buf *content)
{
	struct us_msg_log_keys ask = { .from = index,
		.to = index + 1,
		.peer = us_bytes_of("192.0.2.1") };
	struct us_msg_log_keys_reply keys;
	struct us_entry_view v;
	struct us_buf entry;
	struct us_key key;

	memcpy(ask.credential, r->people[RIG_AUDITOR].credential, 32);
	memcpy(ask.session, r->people[RIG_AUDITOR].session, 16);
	SEND(r->vault, log_keys, &ask);
	assert_true(rig_read(r, r->vault, US_MSG_log_keys_reply));
	ok(us_msg_log_keys_reply_decode(&keys, r->body.data, r->body.len));
	ok(keys.err);
	assert_true(keys.boxes.n == 97 && keys.boxes.p[0] == 7);
	memcpy(key.b, keys.boxes.p + 1, 32);
	us_buf_init(&entry, US_ENTRY_MAX);
	rig_entry(r, index, &entry);
	us_buf_reset(content);
	ok(us_entry_decode(&v, entry.data, entry.len));
	ok(us_entry_open(&v, US_BOX_ACCESS, &key, content));
	ok(us_entry_access_decode(access, content->data, content->len));
	us_buf_free(&entry);
}

size_t
rig_said(const struct us_entry_access *access, uint8_t out[RIG_SAID_MAX])
{
	const struct us_event_place place = { access->kind, access->action, access->decision,
		access->sequence != US_ENTRY_NONE };
	struct us_buf b;
	size_t n;

	us_buf_init(&b, RIG_SAID_MAX);
	ok(us_event_encode(&b, &place, &access->event));
	n = b.len;
	if (n > 0)
		memcpy(out, b.data, n);
	us_buf_free(&b);
	return n;
}

void
rig_send_seal(struct rig *r)
{
	const struct rig_person *p = &r->people[RIG_ADMIN];
	struct us_act *act = calloc(1, sizeof *act);
	struct us_msg_seal m = { .peer = us_bytes_of("192.0.2.1") };
	struct rig_signed s;

	assert_non_null(act);
	act->type = US_ACT_SEAL;
	act->u.seal.reason = us_bytes_of("the disk is full");
	rig_sign(r, RIG_ADMIN, act, &s);
	m.act = view(&s.bytes);
	m.signature = (struct us_bytes){ s.signature, s.n };
	memcpy(m.credential, p->credential, 32);
	memcpy(m.session, p->session, 16);
	SEND(r->vault, seal, &m);
	us_buf_free(&s.bytes);
	free(act);
}
