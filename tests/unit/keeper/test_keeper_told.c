/* Goal: whatever a vault asks to have logged, the log stays one that both verifiers call right; of
 * people it says what their sessions bear out, or that the vault told so. The keeper is a real
 * process; the log is read by the programs of auditors. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "log/export.h"
#include "log/tiles.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, 100);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	rig_destroy(*state);
	free(*state);
	return 0;
}

/* --- the log, as an auditor has it ------------------------------------------------------------ */

static void
put_keys(struct us_buf *out, uint64_t from, struct us_bytes boxes)
{
	while (boxes.n > 0) {
		struct us_key keys[US_BOXES];

		assert_true(boxes.n >= 97 && boxes.p[0] == 7);
		for (unsigned box = 0; box < US_BOXES; box++)
			memcpy(keys[box].b, boxes.p + 1 + 32 * box, 32);
		assert_int_equal(us_export_keys_line(out, from++, &keys[0], &keys[1], &keys[2]),
		    US_OK);
		boxes = (struct us_bytes){ boxes.p + 97, boxes.n - 97 };
	}
}

/* A command on the folder that the log's files are put to. */
static void
run(const struct rig *r, const char *before, const char *behind)
{
	char command[1024];

	(void)snprintf(command, sizeof command, "%s %s/seen%s", before, r->dir, behind);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void
write_file(const struct rig *r, const char *name, struct us_bytes bytes)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "/%s", name);
	*strrchr(path, '/') = '\0';
	run(r, "mkdir -p", path);
	(void)snprintf(path, sizeof path, "%s/seen/%s", r->dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static void
fetch(struct rig *r, const char *path)
{
	const struct us_msg_log_read m = { .path = us_bytes_of(path) };
	struct us_msg_log_data d;

	SEND(r->vault, log_read, &m);
	assert_true(rig_read(r, r->vault, US_MSG_log_data));
	assert_int_equal(us_msg_log_data_decode(&d, r->body.data, r->body.len), US_OK);
	assert_int_equal(d.err, US_OK);
	write_file(r, path, d.data);
}

/* All tiles of a level, or bundles, for so many entries or hashes. */
static void
fetch_tiles(struct rig *r, struct us_tile tile, uint64_t size)
{
	char path[64];

	for (; tile.n * 256 < size; tile.n++) {
		tile.width = size - tile.n * 256 < 256 ? (unsigned)(size - tile.n * 256) : 256;
		assert_int_equal(us_tile_path(&tile, path, sizeof path), US_OK);
		fetch(r, path);
	}
}

static void
fetch_log(struct rig *r)
{
	uint64_t size;

	run(r, "rm -rf", "");
	fetch(r, "checkpoint");
	size = r->tree_size;
	write_file(r, "log.vkey", us_bytes_of(r->made.vkey));
	fetch_tiles(r, (struct us_tile){ .entries = 1 }, size);
	fetch_tiles(r, (struct us_tile){ .level = 0 }, size);
	fetch_tiles(r, (struct us_tile){ .level = 1 }, size / 256);
}

/* Both verifiers, with the key of every box. */
static void
verify(struct rig *r)
{
	struct us_msg_log_keys ask = { .to = r->tree_size, .peer = us_bytes_of("192.0.2.1") };
	struct us_msg_log_keys_reply keys;
	struct us_buf out;

	us_buf_init(&out, 64u << 20);
	memcpy(ask.credential, r->people[RIG_AUDITOR].credential, 32);
	memcpy(ask.session, r->people[RIG_AUDITOR].session, 16);
	while (ask.from < ask.to) {
		SEND(r->vault, log_keys, &ask);
		assert_true(rig_read(r, r->vault, US_MSG_log_keys_reply));
		assert_int_equal(us_msg_log_keys_reply_decode(&keys, r->body.data, r->body.len),
		    US_OK);
		assert_int_equal(keys.err, US_OK);
		assert_true(keys.next > ask.from);
		put_keys(&out, ask.from, keys.boxes);
		ask.from = keys.next;
	}
	fetch_log(r);
	write_file(r, "keys.jsonl", (struct us_bytes){ out.data, out.len });
	us_buf_free(&out);
	run(r, US_VERIFY_PROGRAM, " >/dev/null 2>&1");
	run(r, "python3 " US_SOURCE_DIR "/tests/independent/verify_log.py", " >/dev/null 2>&1");
}

/* --- what it asks ----------------------------------------------------------------------------- */

/* What comes of it: 1 if it was written. */
static int
ask(struct rig *r, const struct us_msg_log *m)
{
	struct us_msg_logged l;

	assert_true(rig_log(r, m, &l));
	return l.index != US_ENTRY_NONE;
}

enum { OWN, NONE, FORGED, OTHERS, SESSIONS };

static void
set_session(struct rig *r, struct us_msg_log *m, int session)
{
	rig_log_init(r, m, RIG_ATTORNEY);
	m->collection = 1;
	if (session == NONE)
		memset(m->session, 0, sizeof m->session);
	else if (session == FORGED)
		m->session[3] ^= 1;
	else if (session == OTHERS)
		memcpy(m->session, r->people[RIG_ADMIN].session, sizeof m->session);
}

/* Every kind, action and decision; how many were written. */
static unsigned
ask_everything(struct rig *r, int session)
{
	static const uint8_t reasons[] = { US_REASON_NONE, US_REASON_NOT_VISIBLE };
	unsigned written = 0;
	struct us_msg_log m;

	for (unsigned kind = 0; kind < 6; kind++)
		for (unsigned action = 0; action < US_ACTIONS_MAX; action++)
			for (unsigned decision = 0; decision < 5; decision++)
				for (size_t i = 0; i < US_COUNT(reasons); i++) {
					set_session(r, &m, session);
					m.kind = (uint8_t)kind;
					m.action = (uint8_t)action;
					m.decision = (uint8_t)decision;
					m.reason = reasons[i];
					written += (unsigned)ask(r, &m);
				}
	return written;
}

static void
every_kind_and_action(void **state)
{
	struct rig *r = *state;
	unsigned refusals = 0, own;

	for (unsigned a = 0; a < US_ACTIONS_MAX; a++)
		refusals += us_action_row(a)->class != US_ACTIONS_INTERNAL &&
		    us_action_row(a)->done == US_ACTION_IS_PERFORMED;
	own = ask_everything(r, OWN);
	/* what may be allowed, and is by this order or not: 24 rows */
	assert_int_equal(own, refusals + 24);
	for (int session = NONE; session < SESSIONS; session++)
		assert_int_equal(ask_everything(r, session), own);
	verify(r);
}

/* A sealed vault says of nobody that they were let do anything. */
static void
every_kind_and_action_sealed(void **state)
{
	struct rig *r = *state;

	assert_int_equal(rig_stop(r, 0), 0);
	rig_start(r, "");
	for (int session = OWN; session < SESSIONS; session++)
		(void)ask_everything(r, session);
	rig_open(r);
	verify(r);
}

/* --- its fields ------------------------------------------------------------------------------- */

static void
no_field_breaks_the_log(void **state)
{
	static uint8_t many[8 * 5000], words[3 + 65535];
	struct rig *r = *state;
	struct us_msg_log m;

	for (unsigned deny = 0; deny < 2; deny++) {
		for (unsigned field = 0; field < 9; field++) {
			set_session(r, &m, OWN);
			m.kind = deny ? US_KIND_INTENT : US_KIND_DISCLOSURE;
			m.action = US_ACTION_READ;
			m.decision = deny ? US_DECISION_DENY : US_DECISION_ALLOW;
			m.reason = deny ? US_REASON_NOT_VISIBLE : US_REASON_NONE;
			for (size_t i = 0; i < sizeof many / 8; i++)
				us_store_u64(many + 8 * i, i % 100);
			m.records = (struct us_bytes){ many, 8 };
			switch (field) {
			case 0: /* an entry that is not there yet */
				m.related = r->tree_size;
				break;
			case 1: /* a record that cannot be, behind parts that can */
				us_store_u64(many + 8 * 4500, UINT64_MAX);
				m.records.n = sizeof many;
				break;
			case 2: /* a word that no entry holds, behind one that an entry does */
				us_store_u16(words, 1);
				us_store_u16(words + 3, 65000);
				m.kind = US_KIND_INTENT;
				m.action = US_ACTION_SEARCH;
				m.records.n = 0;
				m.terms = (struct us_bytes){ words, 5 + 65000 };
				break;
			case 3: /* a copy of nothing */
				m.flags = 1;
				m.note = (struct us_bytes){ words, 8 };
				break;
			case 4:
				m.load = 77;
				break;
			case 5:
				m.flags = 0x80;
				break;
			case 6:
				m.reason = 250;
				break;
			case 7:
				m.records.n = 7;
				break;
			default: /* an outcome of what gave nothing */
				m.kind = US_KIND_OUTCOME;
				m.related = 0;
				break;
			}
			assert_false(ask(r, &m));
		}
	}
	/* what cites a paragraph of its own, and names what there is not, is put right */
	set_session(r, &m, NONE);
	m.action = US_ACTION_READ;
	m.decision = US_DECISION_DENY;
	m.reason = US_REASON_PROHIBITED;
	m.rule = 4000;
	m.paragraph = us_bytes_of("§ of the vault's own");
	m.collection = 99;
	m.total = UINT64_MAX;
	m.snapshot = UINT64_MAX;
	assert_true(ask(r, &m));
	verify(r);
}

static void
what_the_vault_told_says_so(void **state)
{
	static const uint8_t none[16];
	struct rig *r = *state;
	struct us_pkey *own = r->people[RIG_PRODUCER].key;
	struct us_msg_session_opened opened;
	struct us_entry_access access;
	struct us_buf content;
	struct us_msg_logged l;
	struct us_msg_log m;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	for (int session = OWN; session < SESSIONS; session++) {
		set_session(r, &m, session);
		m.action = US_ACTION_READ;
		m.decision = US_DECISION_DENY;
		m.reason = US_REASON_NOT_VISIBLE;
		m.paragraph = us_bytes_of("§ of the vault's own");
		assert_true(rig_log(r, &m, &l));
		rig_open_access(r, l.index, &access, &content);
		assert_int_equal(access.told, session != OWN);
		assert_int_equal(memcmp(access.session, none, 16) == 0, session != OWN);
		assert_int_equal(access.person, 2);
		assert_int_equal(access.paragraph.n, 0);
	}
	/* nor is a session that nobody signed theirs */
	r->people[RIG_PRODUCER].key = r->people[RIG_ATTORNEY].key;
	assert_int_equal(rig_session(r, RIG_PRODUCER, 600, &opened), US_ERR_DENIED);
	rig_open_access(r, opened.entry, &access, &content);
	assert_int_equal(access.told, 1);
	assert_int_equal(access.reason, US_REASON_BAD_SIGNATURE);
	r->people[RIG_PRODUCER].key = own;
	us_buf_free(&content);
	verify(r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(every_kind_and_action),
		T(every_kind_and_action_sealed),
		T(no_field_breaks_the_log),
		T(what_the_vault_told_says_so),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
