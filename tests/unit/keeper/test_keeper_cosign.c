/* Goal: the keeper keeps cosignatures of its own checkpoints by its own witnesses, and of nothing
 * and nobody else. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/cosignature.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "rig.h"

#define SEND(fd, name, m) rig_send(fd, US_MSG_##name, (us_encode_fn)us_msg_##name##_encode, m)

struct scene {
	struct rig rig;
	struct us_note_signer *w[2], *stranger;
	struct us_note_key keys[3]; /* of the log and the two witnesses */
	char settings[2 * US_NOTE_VKEY_MAX + 64];
	uint64_t now;
};

static struct us_note_signer *
signer(const char *name, enum us_note_type type, uint8_t byte)
{
	struct us_note_signer *s;
	struct us_key seed;

	memset(&seed, byte, sizeof seed);
	assert_int_equal(us_note_signer_new(&s, name, type, &seed), US_OK);
	return s;
}

/* A file of the log: err of the answer. */
static int
fetch(struct rig *r, const char *path, struct us_buf *out)
{
	struct us_msg_log_read m = { .path = us_bytes_of(path) };
	struct us_msg_log_data reply;

	us_buf_reset(out);
	SEND(r->vault, log_read, &m);
	assert_true(rig_read(r, r->vault, US_MSG_log_data));
	assert_int_equal(us_msg_log_data_decode(&reply, r->body.data, r->body.len), US_OK);
	assert_int_equal(us_buf_put(out, reply.data.p, reply.data.n), US_OK);
	return reply.err;
}

static void
begin(struct scene *s)
{
	char vkey[2][US_NOTE_VKEY_MAX];
	struct us_buf log;

	s->w[0] = signer("witness.example/w1", US_NOTE_COSIGNATURE, 7);
	s->w[1] = signer("witness.example/w2", US_NOTE_COSIGNATURE, 8);
	s->stranger = signer("witness.example/w3", US_NOTE_COSIGNATURE, 9);
	for (int i = 0; i < 2; i++) {
		s->keys[i + 1] = *us_note_signer_key(s->w[i]);
		assert_int_equal(us_note_key_format(&s->keys[i + 1], vkey[i], sizeof vkey[i]),
		    US_OK);
	}
	(void)snprintf(s->settings, sizeof s->settings, "witnesses=%s %s\n", vkey[0], vkey[1]);
	s->now = (uint64_t)(us_time_now_ns() / US_NS_PER_SECOND);
	rig_create(&s->rig);
	rig_start(&s->rig, s->settings);
	us_buf_init(&log, 4096);
	assert_int_equal(fetch(&s->rig, "vkey", &log), US_OK);
	assert_int_equal(us_note_key_parse(&s->keys[0], (const char *)log.data, log.len - 1),
	    US_OK);
	us_buf_free(&log);
}

static void
end(struct scene *s)
{
	assert_int_equal(rig_stop(&s->rig, SIGTERM), 0);
	rig_destroy(&s->rig);
	us_note_signer_free(s->w[0]);
	us_note_signer_free(s->w[1]);
	us_note_signer_free(s->stranger);
}

/* The newest checkpoint. */
static struct us_checkpoint
newest(struct scene *s, struct us_buf *note)
{
	struct us_checkpoint c;

	assert_int_equal(fetch(&s->rig, "checkpoint", note), US_OK);
	assert_int_equal(us_checkpoint_open(&c, NULL, note->data, note->len, s->keys, 1), US_OK);
	return c;
}

static void
add(struct us_buf *note, const struct us_note_signer *w, uint64_t time_s)
{
	struct us_bytes text, sigs;
	struct us_buf line;

	us_buf_init(&line, 4096);
	assert_int_equal(us_note_split(&text, &sigs, note->data, note->len), US_OK);
	assert_int_equal(us_cosignature_sign(&line, w, text, time_s), US_OK);
	assert_int_equal(us_buf_put(note, line.data, line.len), US_OK);
	us_buf_free(&line);
}

static struct us_msg_cosigned
give(struct scene *s, const struct us_buf *note)
{
	struct us_msg_cosign_request m = { .peer = us_bytes_of("127.0.0.1"),
		.note = { note->data, note->len } };
	struct us_msg_cosigned reply;

	SEND(s->rig.vault, cosign_request, &m);
	assert_true(rig_read(&s->rig, s->rig.vault, US_MSG_cosigned));
	assert_int_equal(us_msg_cosigned_decode(&reply, s->rig.body.data, s->rig.body.len), US_OK);
	return reply;
}

/* What is served under that path: the size, or 0 for nothing; and that so many signed it. */
static uint64_t
witnessed(struct scene *s, const char *path, size_t n)
{
	struct us_checkpoint c = { .size = 0 };
	struct us_note opened;
	struct us_buf note;
	int err;

	us_buf_init(&note, 65536);
	err = fetch(&s->rig, path, &note);
	if (err == US_OK) {
		assert_int_equal(us_checkpoint_open(&c, &opened, note.data, note.len, s->keys, 3),
		    US_OK);
		assert_int_equal(opened.n_sigs, n + 1);
		assert_int_equal(opened.n_unknown, 0);
	} else {
		assert_int_equal(err, US_ERR_NOT_FOUND);
	}
	us_buf_free(&note);
	return c.size;
}

static void
test_kept(void **state)
{
	struct us_checkpoint first, second;
	struct us_msg_cosigned reply;
	struct us_buf a, b, both;
	struct scene s = { .now = 0 };

	(void)state;
	begin(&s);
	us_buf_init(&a, 65536);
	us_buf_init(&b, 65536);
	us_buf_init(&both, 65536);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 0), 0);
	first = newest(&s, &a);
	assert_int_equal(us_buf_put(&both, a.data, a.len), US_OK);
	add(&a, s.w[0], s.now);
	reply = give(&s, &a);
	assert_int_equal(reply.err, US_OK);
	assert_int_equal(reply.size, first.size);
	assert_int_equal(reply.count, 1);
	assert_int_equal(reply.entry, first.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), first.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 0), 0);

	/* the other one has seen a larger tree: the first stays for who wants two */
	second = newest(&s, &b);
	assert_true(second.size > first.size);
	add(&b, s.w[1], s.now);
	assert_int_equal(give(&s, &b).err, US_OK);
	add(&both, s.w[1], s.now + 1);
	reply = give(&s, &both);
	assert_int_equal(reply.count, 2);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), second.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/1", 1), second.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 2), first.size);
	assert_int_equal(give(&s, &both).err, US_OK); /* again */

	/* killed and started anew, and then both have cosigned the larger one */
	assert_int_equal(rig_stop(&s.rig, SIGKILL), -1);
	rig_start(&s.rig, s.settings);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), second.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 2), first.size);
	add(&b, s.w[0], s.now);
	assert_int_equal(give(&s, &b).count, 2);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 2), second.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 2), second.size);
	reply = give(&s, &a); /* what is of no use any more is no error */
	assert_int_equal(reply.err, US_OK);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 2), second.size);

	/* a witness that is not configured any more */
	assert_int_equal(rig_stop(&s.rig, SIGTERM), 0);
	strrchr(s.settings, ' ')[0] = '\0';
	strcat(s.settings, "\n");
	rig_start(&s.rig, s.settings);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), second.size);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 0), 0);
	us_buf_free(&a);
	us_buf_free(&b);
	us_buf_free(&both);
	end(&s);
}

/* More checkpoints than are kept: one that has two stays, whatever one witness alone cosigns after
 * it. */
static void
test_many(void **state)
{
	struct scene s = { .now = 0 };
	struct us_buf note;
	uint64_t first, last = 0;

	(void)state;
	begin(&s);
	us_buf_init(&note, 65536);
	for (int i = 0; i < 3; i++) { /* and older ones go first */
		(void)newest(&s, &note);
		add(&note, s.w[0], s.now);
		assert_int_equal(give(&s, &note).err, US_OK);
	}
	first = newest(&s, &note).size;
	add(&note, s.w[0], s.now);
	add(&note, s.w[1], s.now);
	assert_int_equal(give(&s, &note).count, 2);
	for (int i = 0; i < US_COSIGNERS_MAX + 40; i++) {
		last = newest(&s, &note).size;
		add(&note, s.w[i % 2], s.now);
		assert_int_equal(give(&s, &note).count, 1);
	}
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), last);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 2), first);
	assert_int_equal(rig_stop(&s.rig, SIGKILL), -1);
	rig_start(&s.rig, s.settings);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed", 1), last);
	assert_int_equal(witnessed(&s, "checkpoint.witnessed/2", 2), first);
	us_buf_free(&note);
	end(&s);
}

static void
wants(struct scene *s, const struct us_buf *note, int err, enum us_reason reason)
{
	struct us_msg_cosigned reply = give(s, note);

	assert_int_equal(reply.err, err);
	assert_int_equal(reply.reason, reason);
	assert_int_equal(witnessed(s, "checkpoint.witnessed", 0), 0);
}

/* The last line says that it was signed a second later. */
static void
change_time(struct us_buf *note)
{
	const char *whole = us_buf_cstr(note);
	char *text = (char *)note->data + (strrchr(whole, ' ') + 1 - whole);
	uint8_t raw[4 + 8 + 64];
	size_t n;

	assert_int_equal(us_base64_decode(text, strlen(text) - 1, raw, sizeof raw, &n), US_OK);
	assert_int_equal(n, sizeof raw);
	us_store_u64(raw + 4, us_load_u64(raw + 4) + 1);
	us_base64_encode(raw, sizeof raw, text);
	text[US_BASE64_SIZE(sizeof raw)] = '\n';
}

static void
test_refused(void **state)
{
	static const char *const paths[] = { "checkpoint.witnesses", "checkpoint.witnessed/",
		"checkpoint.witnessed/x", "checkpoint.witnessed/123", "checkpoint.witnessed2" };
	struct us_note_signer *namesake;
	struct us_checkpoint c;
	struct us_buf note, other, forged;
	const char *line;
	size_t good;
	struct scene s = { .now = 0 };

	(void)state;
	begin(&s);
	us_buf_init(&note, 65536);
	us_buf_init(&other, 65536);
	us_buf_init(&forged, 65536);
	assert_int_equal(us_buf_put(&forged, "rubbish", 7), US_OK);
	wants(&s, &forged, US_ERR_FORMAT, US_REASON_MALFORMED);
	(void)newest(&s, &note);
	wants(&s, &note, US_ERR_DENIED, US_REASON_UNKNOWN_CREDENTIAL); /* nobody cosigned */
	add(&note, s.stranger, s.now);
	wants(&s, &note, US_ERR_DENIED, US_REASON_UNKNOWN_CREDENTIAL);
	namesake = signer("witness.example/w1", US_NOTE_COSIGNATURE, 10);
	add(&note, namesake, s.now);
	wants(&s, &note, US_ERR_DENIED, US_REASON_UNKNOWN_CREDENTIAL);
	(void)newest(&s, &note);
	add(&note, s.w[0], s.now + 2 * 3600);
	wants(&s, &note, US_ERR_NOT_YET, US_REASON_CLOCK);

	/* the line of another checkpoint, beside one that is good; and one whose time was
	 * changed */
	(void)newest(&s, &other);
	add(&other, s.w[1], s.now);
	(void)give(&s, &forged); /* the log grows */
	c = newest(&s, &note);
	add(&note, s.w[0], s.now);
	good = note.len;
	line = strstr(us_buf_cstr(&other), "\xe2\x80\x94 witness");
	assert_int_equal(us_buf_put(&note, line, strlen(line)), US_OK);
	wants(&s, &note, US_ERR_SIGNATURE, US_REASON_BAD_SIGNATURE);
	note.len = good;
	change_time(&note);
	wants(&s, &note, US_ERR_SIGNATURE, US_REASON_BAD_SIGNATURE);
	(void)newest(&s, &note);
	add(&note, s.w[0], s.now);
	c.root.b[0] ^= 1;

	/* what this log never signed, by its name or by its key */
	us_buf_reset(&forged);
	assert_int_equal(us_checkpoint_sign(&forged, &c, s.stranger), US_OK);
	add(&forged, s.w[0], s.now);
	wants(&s, &forged, US_ERR_SIGNATURE, US_REASON_BAD_SIGNATURE);
	us_note_signer_free(namesake);
	namesake = signer(s.keys[0].name, US_NOTE_ED25519, 11);
	us_buf_reset(&forged);
	assert_int_equal(us_checkpoint_sign(&forged, &c, namesake), US_OK);
	add(&forged, s.w[0], s.now);
	wants(&s, &forged, US_ERR_SIGNATURE, US_REASON_BAD_SIGNATURE);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		assert_int_equal(fetch(&s.rig, paths[i], &forged), US_ERR_FORMAT);
	assert_int_equal(give(&s, &note).err, US_OK);
	us_note_signer_free(namesake);
	us_buf_free(&note);
	us_buf_free(&other);
	us_buf_free(&forged);
	end(&s);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_refused),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
