/*
 * Goal: the real sealer process, with this test as its monitor, intake, vault and keeper: what goes
 * in as records comes out as pages that the vault's readers open, duplicates and defects as they
 * should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "log/merkle.h"
#include "evidence/batch/reader.h"
#include "evidence/batch/record.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "base/time.h"
#include "daemon/intake/part.h"
#include "daemon/process/channel.h"
#include "daemon/process/ticket.h"
#include "daemon/sealer/close_act.h"
#include "daemon/sealer/sealer.h"
#include "evidence/index/segment.h"

#define NOW (INT64_C(1760000000) * US_NS_PER_SECOND)
#define COLLECTION 4u
#define SLOTS 16

struct pages {
	struct us_bytes *page;
	uint32_t n;
};

struct slot {
	struct us_msg_batch_keys keys;
	struct pages kinds[US_BATCH_KINDS];
	int sealed, stored, is_void;
	struct us_buf facts;
};

static struct world {
	struct event_base *base;
	struct us_channel *monitor, *intake, *vault, *keeper;
	pid_t child;
	struct us_key tree, era, duplicate;
	uint8_t vault_id[32];
	uint64_t next_record;
	struct slot slot[SLOTS];
	uint32_t slots;
	struct pages dictionary;
	uint32_t dictionary_version;
	struct us_key dictionary_key, ticket_key;
	struct us_tag *tags;
	size_t n_tags;
	/* last answers */
	int started, start_err, ended, done, answers, stopped, over;
	uint32_t stopped_tag;
	struct us_msg_load_ended end;
	struct us_msg_documents_done answer;
	uint8_t first_defect;
	uint8_t named[9 * 32]; /* the first lines that the answer named */
	size_t named_n;
} w;

static int
on_pages(struct us_bytes body)
{
	struct us_msg_pages m;
	struct us_msg_pages_credit credit;
	struct us_reader r;
	struct pages *to;

	assert_int_equal(us_msg_pages_decode(&m, body.p, body.n), US_OK);
	assert_true(m.kind > 0 && m.kind < US_BATCH_KINDS);
	assert_int_equal(m.collection, COLLECTION);
	to = m.kind == US_PAGE_DICTIONARY ? &w.dictionary : &w.slot[m.slot].kinds[m.kind];
	assert_int_equal(m.first, to->n);
	us_reader_init(&r, m.pages.p, m.pages.n);
	while (r.left > 0) {
		struct us_bytes p = us_take_str16(&r, US_PAGE_MAX);
		uint8_t *copy = malloc(p.n);

		assert_int_equal(r.err, US_OK);
		memcpy(copy, p.p, p.n);
		to->page = realloc(to->page, (to->n + 1) * sizeof(*to->page));
		to->page[to->n++] = (struct us_bytes){ copy, p.n };
	}
	credit.bytes = (uint32_t)m.pages.n;
	return us_send_pages_credit(w.vault, 0, &credit);
}

static int
on_known(uint32_t tag, struct us_bytes body)
{
	struct us_msg_known_request m;
	struct us_msg_known_reply reply = { 0 };
	uint8_t *known;
	size_t n;
	int err;

	assert_int_equal(us_msg_known_request_decode(&m, body.p, body.n), US_OK);
	n = m.tags.n / sizeof(struct us_tag);
	known = calloc(1, n);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < w.n_tags; k++) {
			if (memcmp(w.tags[k].id, m.tags.p + 24 * i, 16) == 0)
				known[i] = memcmp(w.tags[k].content, m.tags.p + 24 * i + 16, 8) ==
					0 ?
				    1 :
				    2;
		}
	}
	reply.known = (struct us_bytes){ known, n };
	err = us_send_known_reply(w.vault, tag, &reply);
	free(known);
	return err;
}

static void
remember_tags(const struct slot *s)
{
	const struct pages *p = &s->kinds[US_PAGE_TAGS];

	for (uint32_t i = 0; i < p->n; i++) {
		size_t n;

		assert_int_equal(us_tags_page_check(p->page[i], &n), US_OK);
		w.tags = realloc(w.tags, (w.n_tags + n) * sizeof(*w.tags));
		memcpy(w.tags + w.n_tags, p->page[i].p + 2, n * sizeof(*w.tags));
		w.n_tags += n;
	}
}

static int
on_batch_end(struct us_bytes body)
{
	struct us_msg_batch_end m;
	struct us_msg_batch_stored reply = { 0 };

	assert_int_equal(us_msg_batch_end_decode(&m, body.p, body.n), US_OK);
	assert_true(w.slot[m.slot].sealed);
	w.slot[m.slot].stored = 1;
	remember_tags(&w.slot[m.slot]);
	reply.load = m.load;
	reply.slot = m.slot;
	return us_send_batch_stored(w.vault, 0, &reply);
}

static int
vault_message(uint16_t type, uint32_t tag, struct us_bytes body)
{
	struct us_msg_load_started started;

	switch (type) {
	case US_MSG_load_started:
		assert_int_equal(us_msg_load_started_decode(&started, body.p, body.n), US_OK);
		w.started = 1;
		w.start_err = started.err;
		return US_OK;
	case US_MSG_load_ended:
		assert_int_equal(us_msg_load_ended_decode(&w.end, body.p, body.n), US_OK);
		w.ended = 1;
		return US_OK;
	case US_MSG_known_request:
		return on_known(tag, body);
	case US_MSG_pages:
		return on_pages(body);
	case US_MSG_batch_end:
		return on_batch_end(body);
	default:
		fail_msg("vault got type %04x", type);
		return US_ERR_FORMAT;
	}
}

static int
on_load_keys(struct us_bytes body)
{
	struct us_msg_load_keys_request m;
	struct us_msg_load_keys r = { .collection = COLLECTION };

	assert_int_equal(us_msg_load_keys_request_decode(&m, body.p, body.n), US_OK);
	r.load = m.load;
	memcpy(r.vault_id, w.vault_id, 32);
	memcpy(r.duplicate_key, w.duplicate.b, 32);
	r.dictionary_version = w.dictionary_version;
	memcpy(r.dictionary_key, w.dictionary_key.b, 32);
	memcpy(r.ticket_key, w.ticket_key.b, 32);
	return us_send_load_keys(w.keeper, 0, &r);
}

static int
on_batch_open(struct us_bytes body)
{
	struct us_msg_batch_open m;
	struct us_msg_batch_keys *k = &w.slot[w.slots].keys;
	uint64_t left = (UINT64_C(1) << US_ERA_SHIFT) -
	    (w.next_record & ((1u << US_ERA_SHIFT) - 1));
	struct us_key key;

	assert_int_equal(us_msg_batch_open_decode(&m, body.p, body.n), US_OK);
	assert_true(w.slots < SLOTS);
	k->load = m.load;
	k->slot = w.slots++;
	k->first_record = w.next_record;
	k->count = m.count > left ? (uint32_t)left : m.count;
	w.next_record += k->count;
	memcpy(k->vault_id, w.vault_id, 32);
	us_random(k->batch_salt, 32);
	us_random(k->segment_salt, 32);
	us_keytree_subtree(&w.tree, US_LEAF_RECORD, k->slot, &key);
	memcpy(k->subtree_key, key.b, 32);
	us_keytree_leaf(&w.tree, US_LEAF_SEGMENT, k->slot, 0, &key);
	us_page_key(&key, k->segment_salt, &key);
	memcpy(k->page_key, key.b, 32);
	memcpy(k->era_term_root, w.era.b, 32);
	return us_send_batch_keys(w.keeper, 0, k);
}

static int
keeper_message(uint16_t type, uint32_t tag, struct us_bytes body)
{
	struct us_msg_batch_sealed sealed;
	struct us_msg_batch_sealed_ok ok = { 0 };
	struct us_msg_batch_void gone;
	struct us_msg_dictionary_open open;
	struct us_msg_dictionary_key key = { .version = 1 };

	switch (type) {
	case US_MSG_load_keys_request:
		return on_load_keys(body);
	case US_MSG_batch_open:
		return on_batch_open(body);
	case US_MSG_batch_sealed:
		assert_int_equal(us_msg_batch_sealed_decode(&sealed, body.p, body.n), US_OK);
		w.slot[sealed.slot].sealed = 1;
		us_buf_init(&w.slot[sealed.slot].facts, 4096);
		us_buf_put(&w.slot[sealed.slot].facts, sealed.facts.p, sealed.facts.n);
		ok.slot = sealed.slot;
		return us_send_batch_sealed_ok(w.keeper, 0, &ok);
	case US_MSG_batch_void:
		assert_int_equal(us_msg_batch_void_decode(&gone, body.p, body.n), US_OK);
		w.slot[gone.slot].is_void = 1;
		return US_OK;
	case US_MSG_dictionary_open:
		assert_int_equal(us_msg_dictionary_open_decode(&open, body.p, body.n), US_OK);
		us_key_random(&w.dictionary_key);
		key.load = open.load;
		memcpy(key.key, w.dictionary_key.b, 32);
		w.dictionary_version = 1;
		return us_send_dictionary_key(w.keeper, 0, &key);
	case US_MSG_load_stopped:
		w.stopped = 1;
		w.stopped_tag = tag;
		return US_OK;
	case US_MSG_load_over:
		w.over++;
		return US_OK;
	default:
		fail_msg("keeper got type %04x", type);
		return US_ERR_FORMAT;
	}
}

static int
on_message(void *ctx, struct us_channel *ch, uint16_t type, uint32_t tag, struct us_bytes body,
    int fd)
{
	(void)ctx;
	(void)fd;
	if (ch == w.vault)
		return vault_message(type, tag, body);
	if (ch == w.keeper)
		return keeper_message(type, tag, body);
	if (ch == w.intake) {
		assert_int_equal(type, US_MSG_documents_done);
		assert_int_equal(us_msg_documents_done_decode(&w.answer, body.p, body.n), US_OK);
		w.first_defect = w.answer.lines.n >= 9 ? w.answer.lines.p[8] : 0;
		w.named_n = w.answer.lines.n < sizeof(w.named) ? w.answer.lines.n : sizeof(w.named);
		if (w.named_n > 0)
			memcpy(w.named, w.answer.lines.p, w.named_n);
		w.done = 1;
		w.answers++;
	}
	return US_OK;
}

static void
on_close(void *ctx, struct us_channel *ch, int err)
{
	(void)ctx;
	(void)err;
	if (ch == w.intake)
		w.intake = NULL;
}

static const struct us_channel_handler handler = { .on_message = on_message, .on_close = on_close };

/* Runs the loop until *flag is set; fails after a minute. */
static void
wait_for(const int *flag)
{
	for (int i = 0; i < 6000 && !*flag; i++) {
		const struct timeval tick = { 0, 10000 };

		event_base_loopexit(w.base, &tick);
		event_base_dispatch(w.base);
	}
	assert_true(*flag);
}

static struct us_channel *
give(enum us_role role)
{
	struct us_msg_channel m = { .role = (uint8_t)role };
	struct us_channel *ch;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ch = us_channel_new(w.base, pair[0], role, US_ROLE_SEALER, 0, &handler, NULL);
	assert_non_null(ch);
	assert_int_equal(us_channel_send_fd(w.monitor, US_MSG_channel, 0,
			     (us_encode_fn)us_msg_channel_encode, &m, pair[1]),
	    US_OK);
	close(pair[1]);
	return ch;
}

static int
set_up(void **state)
{
	struct us_msg_config config = { .settings = { (const uint8_t *)"x=1\n", 4 } };
	struct us_msg_start start = { 0 };
	int pair[2];

	(void)state;
	memset(&w, 0, sizeof(w));
	us_random(w.vault_id, 32);
	us_key_random(&w.tree);
	us_key_random(&w.era);
	us_key_random(&w.duplicate);
	us_key_random(&w.ticket_key);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return -1;
	w.child = fork();
	if (w.child == 0) {
		close(pair[0]);
		if (pair[1] != 3) {
			dup2(pair[1], 3);
			close(pair[1]);
		}
		exit(us_sealer_main());
	}
	close(pair[1]);
	w.base = event_base_new();
	w.monitor = us_channel_new(w.base, pair[0], US_ROLE_MONITOR, US_ROLE_SEALER, 0, &handler,
	    NULL);
	us_send_config(w.monitor, 0, &config);
	w.vault = give(US_ROLE_VAULT);
	w.keeper = give(US_ROLE_KEEPER);
	w.intake = give(US_ROLE_INTAKE);
	us_send_start(w.monitor, 0, &start);
	return 0;
}

static void
pages_free(struct pages *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->page[i].p);
	free(p->page);
}

static int
tear_down(void **state)
{
	int status;

	(void)state;
	us_channel_free(w.monitor);
	us_channel_free(w.vault);
	us_channel_free(w.keeper);
	if (w.intake != NULL)
		us_channel_free(w.intake);
	waitpid(w.child, &status, 0);
	event_base_free(w.base);
	for (int i = 0; i < SLOTS; i++) {
		for (int k = 0; k < US_BATCH_KINDS; k++)
			pages_free(&w.slot[i].kinds[k]);
		us_buf_free(&w.slot[i].facts);
	}
	pages_free(&w.dictionary);
	free(w.tags);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

static uint8_t flags_sent; /* with each part; start_load() sets them as they should be */

/* --- what a load does ------------------------------------------------------------------ */

/* Its answer. list: ended by NULL. */
static int
start_load_with(uint64_t id, uint8_t flags, const char *designation, const char *const *list)
{
	struct us_msg_load_start m = { .load = id,
		.collection = COLLECTION,
		.flags = flags,
		.designation = us_bytes_of(designation),
		.dictionary_version = w.dictionary_version };
	struct us_buf d, names;

	us_buf_init(&names, 2112);
	for (; *list != NULL; list++)
		assert_int_equal(us_buf_put_str16(&names, *list, strlen(*list)), US_OK);
	m.designations = (struct us_bytes){ names.data, names.len };

	us_buf_init(&d, 245760);
	for (uint32_t i = 0; w.dictionary_version != 0 && i < w.dictionary.n; i++)
		us_buf_put(&d, w.dictionary.page[i].p, w.dictionary.page[i].n);
	m.dictionary = (struct us_bytes){ d.data, d.len };
	w.started = 0;
	flags_sent = flags & US_LOAD_SKIP_DEFECTS;
	assert_int_equal(us_send_load_start(w.vault, 9, &m), US_OK);
	us_buf_free(&d);
	us_buf_free(&names);
	wait_for(&w.started);
	return w.start_err;
}

static const char *const LIST[] = { "ATTORNEYS' EYES ONLY", "CONFIDENTIAL", NULL };
static const char *const NO_LIST[] = { NULL };

static void
start_load(uint64_t id, uint8_t flags)
{
	assert_int_equal(start_load_with(id, flags, "CONFIDENTIAL", LIST), US_OK);
}

static void
end_load(uint64_t id, uint8_t how)
{
	struct us_msg_load_end m = { .load = id, .how = how };

	w.ended = 0;
	assert_int_equal(us_send_load_end(w.vault, 10, &m), US_OK);
	wait_for(&w.ended);
	assert_int_equal(w.end.load, id);
}

static size_t
line_of(char *out, unsigned i, const char *twist)
{
	return (size_t)sprintf(out,
	    "{\"id\":\"rec-%u\",\"messages\":[{\"role\":\"user\",\"content\":\"Question number %u "
	    "about "
	    "sealed evidence%s\"},{\"role\":\"assistant\",\"content\":\"As a language model I "
	    "answer %u: the clause numbered %u of the exhibits and "
	    "the same boilerplate paragraph that stands in each and every one of these "
	    "answers.\"}]}\n",
	    i, i, twist, i, i % 300);
}

static const uint8_t credential[32] = { 7, 7, 7 };

/* How a part is sent that the sealer may not take; all zero: as it should be. */
struct wrong {
	int no_ticket, flipped_bit, other_load, other_person, expired;
};

static void
make_ticket(uint64_t load, const struct wrong *wrong, uint8_t out[US_TICKET_SIZE])
{
	struct us_ticket t = { .load = load + (uint64_t)wrong->other_load,
		.person = 3,
		.expires_ns = us_time_now_ns() + (wrong->expired ? -1 : 60 * US_NS_PER_SECOND) };

	memcpy(t.credential, credential, 32);
	t.credential[0] ^= (uint8_t)wrong->other_person;
	assert_int_equal(us_ticket_make(&w.ticket_key, &t, out), US_OK);
	if (wrong->flipped_bit != 0)
		out[wrong->flipped_bit / 8] ^= (uint8_t)(1u << wrong->flipped_bit % 8);
}

static void
send_wrong_text(uint64_t load, uint32_t number, const char *text, size_t n,
    const struct wrong *wrong)
{
	uint8_t ticket[US_TICKET_SIZE];
	struct us_part_worker *worker;
	struct us_part_result *r;
	struct us_msg_documents m;
	uint8_t digest[32];

	us_sha256(text, n, digest);
	struct us_part part = { number, 1, US_PART_PLAIN, digest, { (const uint8_t *)text, n } };
	assert_int_equal(us_part_worker_new(&worker), US_OK);
	assert_int_equal(us_part_process(worker, &part, NOW, &r), US_OK);
	m = (struct us_msg_documents){ .load = load,
		.part = number,
		.count = r->count,
		.defects = r->n_defects,
		.documents = { r->documents.data, r->documents.len } };
	make_ticket(load, wrong, ticket);
	m.flags = flags_sent;
	m.ticket = (struct us_bytes){ ticket, wrong->no_ticket ? 0 : sizeof ticket };
	memcpy(m.credential, credential, 32);
	memcpy(m.digest, digest, 32);
	w.done = 0;
	assert_int_equal(us_send_documents(w.intake, 77, &m), US_OK);
	us_part_worker_free(worker);
}

static void
send_text(uint64_t load, uint32_t number, const char *text, size_t n)
{
	static const struct wrong nothing;

	send_wrong_text(load, number, text, n, &nothing);
}

/* Records [from, to) as one part; bad adds a broken line. */
static void
send_wrong_part(uint64_t load, uint32_t number, unsigned from, unsigned to, const char *twist,
    int bad, const struct wrong *wrong)
{
	char *text = malloc((to - from) * 400ul + 100);
	size_t n = 0;

	for (unsigned i = from; i < to; i++)
		n += line_of(text + n, i, twist);
	if (bad)
		n += (size_t)sprintf(text + n, "{\"id\":\n");
	send_wrong_text(load, number, text, n, wrong);
	free(text);
}

static void
send_part(uint64_t load, uint32_t number, unsigned from, unsigned to, const char *twist, int bad)
{
	static const struct wrong nothing;

	send_wrong_part(load, number, from, to, twist, bad, &nothing);
}

static void
load_part(uint64_t load, uint32_t number, unsigned from, unsigned to)
{
	send_part(load, number, from, to, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_OK);
}

/* --- reading back, as the vault does --------------------------------------------------- */

static int
get_page(void *ctx, enum us_page_kind kind, uint32_t number, struct us_bytes *page)
{
	struct slot *s = ctx;

	if (number >= s->kinds[kind].n)
		return US_ERR_NOT_FOUND;
	*page = s->kinds[kind].page[number];
	return US_OK;
}

static int
segment_page(void *ctx, uint32_t number, const uint8_t **page)
{
	static uint8_t plain[US_PAGE_MAX];
	struct slot *s = ctx;
	struct us_batch_place place = { w.vault_id, COLLECTION, s->keys.slot };
	struct us_key key;
	struct us_bytes stored;
	int err = get_page(s, US_PAGE_SEGMENT, number, &stored);

	memcpy(key.b, s->keys.page_key, 32);
	if (!err)
		err = us_page_open(&key, &place, US_PAGE_SEGMENT, number, stored, plain);
	*page = plain;
	return err;
}

static struct us_unpacker *
unpacker(void)
{
	struct us_unpacker *u;
	struct us_buf sealed, plain;

	assert_int_equal(us_unpacker_new(&u), US_OK);
	if (w.dictionary_version == 0)
		return u;
	us_buf_init(&sealed, 1 << 20);
	us_buf_init(&plain, 1 << 20);
	for (uint32_t i = 0; i < w.dictionary.n; i++)
		us_buf_put(&sealed, w.dictionary.page[i].p, w.dictionary.page[i].n);
	assert_int_equal(us_dictionary_open(&w.dictionary_key, w.vault_id, COLLECTION, 1,
			     (struct us_bytes){ sealed.data, sealed.len }, &plain),
	    US_OK);
	assert_int_equal(us_unpacker_add(u, 1, (struct us_bytes){ plain.data, plain.len }), US_OK);
	us_buf_free(&sealed);
	us_buf_free(&plain);
	return u;
}

/* Every record of the slot is "rec-<from + i>", its proof verifies against the facts' root. */
static void
check_slot(struct slot *s, unsigned from)
{
	struct us_key page_key, subtree, leaf, key;
	struct us_batch_source source = { { w.vault_id, COLLECTION, s->keys.slot }, &page_key,
		get_page, s };
	struct us_batch_directory *d;
	struct us_manifest_reader *m;
	struct us_unpacker *u = unpacker();
	struct us_segment_source ss = { s->kinds[US_PAGE_SEGMENT].n, segment_page, s };
	struct us_segment *segment;
	struct us_buf sealed, plain, box;
	const uint8_t *root = s->facts.data + 4 + 4 + 8 + 4 + 8 + 4 + 4 + 32 + 4 + 32;
	uint32_t df;

	assert_true(s->sealed && s->stored && !s->is_void);
	memcpy(page_key.b, s->keys.page_key, 32);
	memcpy(subtree.b, s->keys.subtree_key, 32);
	us_buf_init(&sealed, US_SEALED_RECORD_MAX);
	us_buf_init(&plain, US_SEALED_RECORD_MAX);
	us_buf_init(&box, US_CONTAINER_MAX);
	assert_int_equal(us_batch_directory_open(&d, &source, s->keys.count,
			     s->kinds[US_PAGE_RECORDS].n),
	    US_OK);
	assert_int_equal(us_manifest_open(&m, &source, s->keys.count), US_OK);
	for (uint32_t i = 0; i < s->keys.count; i++) {
		struct us_record_place place = { w.vault_id, COLLECTION, s->keys.first_record + i,
			0 };
		struct us_batch_proof proof;
		struct us_container c;
		char want[1000];
		uint8_t salt[16], hash[32], *to;
		size_t n = line_of(want, from + i, "") - 1;

		us_buf_reset(&sealed);
		us_buf_reset(&plain);
		us_buf_reset(&box);
		assert_int_equal(us_batch_record(d, &source, i, &sealed), US_OK);
		us_keytree_leaf_from_subtree(&subtree, (uint16_t)i, &leaf);
		us_record_key(&leaf, s->keys.batch_salt, &key);
		us_record_salt(&leaf, s->keys.batch_salt, salt);
		us_buf_extend(&plain, sealed.len - US_RECORD_SEAL_OVERHEAD, &to);
		assert_int_equal(us_record_open(&key, &place,
				     (struct us_bytes){ sealed.data, sealed.len }, to),
		    US_OK);
		assert_int_equal(us_unpacker_unpack(u, (struct us_bytes){ plain.data, plain.len },
				     &box),
		    0);
		assert_int_equal(us_container_decode(&c, (struct us_bytes){ box.data, box.len }),
		    US_OK);
		assert_int_equal(c.source.n, n);
		assert_memory_equal(c.source.p, want, n);
		us_manifest_leaf_hash(COLLECTION, place.record, 0, salt, c.source, hash);
		assert_int_equal(us_manifest_proof(m, i, &proof), US_OK);
		assert_int_equal(us_merkle_verify_inclusion((struct us_digest *)(void *)hash, i,
				     s->keys.count, (struct us_digest *)(void *)proof.hash, proof.n,
				     (const struct us_digest *)(const void *)root),
		    US_OK);
	}
	assert_int_equal(us_segment_open(&ss, &segment), US_OK);
	assert_int_equal(us_segment_docs(segment), s->keys.count);
	assert_int_equal(us_segment_df(segment, us_bytes_of("boilerplate"), &df), US_OK);
	assert_int_equal(df, s->keys.count);
	assert_int_equal(us_segment_df_meta(segment, US_FIELD_DESIGNATION,
			     us_bytes_of("confidential"), &df),
	    US_OK);
	assert_int_equal(df, s->keys.count);
	us_segment_close(segment);
	us_manifest_close(m);
	us_batch_directory_free(d);
	us_unpacker_free(u);
	us_buf_free(&sealed);
	us_buf_free(&plain);
	us_buf_free(&box);
}

/* --- tests ----------------------------------------------------------------------------- */

static void
test_small_load(void **state)
{
	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 100);
	assert_int_equal(w.answer.accepted, 100);
	load_part(1, 1, 50, 150); /* half of it is there already, in the open batch */
	assert_int_equal(w.answer.accepted, 50);
	assert_int_equal(w.answer.duplicates, 50);
	assert_int_equal(w.answer.lines.n, 50 * 9); /* each is named, as no defect */
	assert_int_equal(w.first_defect, US_DEFECT_NONE);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.received, 200);
	assert_int_equal(w.end.admitted, 150);
	assert_int_equal(w.end.duplicates, 50);
	assert_int_equal(w.slots, 1);
	check_slot(&w.slot[0], 0);

	/* the same again: nothing is admitted twice, and no slot is used */
	start_load(2, 0);
	load_part(2, 0, 0, 150);
	assert_int_equal(w.answer.duplicates, 150);
	end_load(2, 0);
	assert_int_equal(w.end.admitted, 0);
	assert_int_equal(w.slots, 1);
}

static void
test_order_of_parts(void **state)
{
	(void)state;
	start_load(1, 0);
	send_part(1, 2, 200, 300, "", 0);
	send_part(1, 1, 100, 200, "", 0);
	load_part(1, 0, 0, 100);
	for (int i = 0; i < 1000 && w.answers < 3; i++)
		event_base_loop(w.base, EVLOOP_ONCE);
	end_load(1, 0);
	assert_int_equal(w.end.admitted, 300);
	check_slot(&w.slot[0], 0);
}

static void
test_stop_and_skip(void **state)
{
	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 10);
	send_part(1, 1, 10, 20, "", 1); /* a broken line */
	wait_for(&w.done);
	assert_int_equal(w.answer.accepted, 0);
	send_part(1, 2, 20, 30, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_STATE);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_ERR_FORMAT);
	assert_int_equal(w.end.admitted, 0);
	assert_int_equal(w.end.received, 21);
	assert_int_equal(w.end.refused, 21);
	assert_int_equal(w.slots, 0);

	start_load(2, US_LOAD_SKIP_DEFECTS);
	send_part(2, 0, 0, 10, "", 1);
	wait_for(&w.done);
	assert_int_equal(w.answer.accepted, 10);
	send_part(2, 1, 5, 8, "!", 0); /* same ids, other bytes */
	wait_for(&w.done);
	assert_int_equal(w.answer.refused, 3);
	assert_int_equal(w.first_defect, US_DEFECT_DUPLICATE_ID);
	end_load(2, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 10);
	assert_int_equal(w.end.refused, 4);
	check_slot(&w.slot[0], 0);

	/* stored ids with other bytes stop a load as well */
	start_load(3, 0);
	send_part(3, 0, 5, 8, "!", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.refused, 3);
	end_load(3, 0);
	assert_int_equal(w.end.err, US_ERR_FORMAT);
	assert_int_equal(w.slots, 1);
}

/* ---- designations ---- */

#define CURLY "\xe2\x80\x99" /* U+2019, as a word processor writes an apostrophe */

/* Records "a", "b" ... of these designations (NULL: none) as one part. */
static void
send_designated(uint64_t load, uint32_t number, const char *const *designations, unsigned n)
{
	char text[8192];
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		at += (size_t)sprintf(text + at, "{\"id\":\"%c\",", (int)('a' + i));
		if (designations[i] != NULL)
			at += (size_t)sprintf(text + at, "\"designation\":\"%s\",",
			    designations[i]);
		at += (size_t)sprintf(text + at,
		    "\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}\n");
	}
	send_text(load, number, text, at);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_OK);
}

/* The lines that the answer named with that code, as digits. */
static const char *
named(enum us_defect code)
{
	static char lines[64];
	size_t n = 0;

	for (size_t i = 0; i + 9 <= w.named_n; i += 9)
		if (w.named[i + 8] == code)
			lines[n++] = (char)('0' + us_load_u64(w.named + i));
	lines[n] = '\0';
	return lines;
}

static uint32_t
designated(struct slot *s, const char *folded)
{
	struct us_segment_source ss = { s->kinds[US_PAGE_SEGMENT].n, segment_page, s };
	struct us_segment *segment;
	uint32_t df = 0;
	int err;

	assert_int_equal(us_segment_open(&ss, &segment), US_OK);
	err = us_segment_df_meta(segment, US_FIELD_DESIGNATION, us_bytes_of(folded), &df);
	assert_true(err == US_OK || err == US_ERR_NOT_FOUND);
	us_segment_close(segment);
	return df;
}

static const char *const MIXED[] = { "Confidential", "ATTORNEYS" CURLY " EYES ONLY", NULL,
	"attorneys' eyes only", "SECRET",
	"con\xef\xac\x81"
	"dential" };

/* A record whose own designation is not in the order's list is refused, as other defects are; one
 * without takes the load's. */
static void
test_designations(void **state)
{
	static const char *const list2[] = { "CONFIDENTIAL", "SECRET", NULL };

	(void)state;
	/* stop: nothing of the part, and all that are wrong are named */
	assert_int_equal(start_load_with(1, 0, "ATTORNEYS' EYES ONLY", LIST), US_OK);
	send_designated(1, 0, MIXED, 6);
	assert_int_equal(w.answer.accepted, 0);
	assert_string_equal(named(US_DEFECT_UNLISTED_DESIGNATION), "25");
	end_load(1, 0);
	assert_int_equal(w.end.err, US_ERR_FORMAT);
	assert_int_equal(w.end.admitted, 0);
	assert_int_equal(w.end.refused, 6);
	assert_int_equal(w.slots, 0);

	/* a dry run says the same and admits nothing */
	assert_int_equal(start_load_with(2, US_LOAD_SKIP_DEFECTS | US_LOAD_DRY_RUN,
			     "ATTORNEYS' EYES ONLY", LIST),
	    US_OK);
	send_designated(2, 0, MIXED, 6);
	assert_string_equal(named(US_DEFECT_UNLISTED_DESIGNATION), "25");
	end_load(2, 0);
	assert_int_equal(w.end.admitted, 4);
	assert_int_equal(w.slots, 0);

	/* skip: the others */
	assert_int_equal(start_load_with(3, US_LOAD_SKIP_DEFECTS, "ATTORNEYS' EYES ONLY", LIST),
	    US_OK);
	send_designated(3, 0, MIXED, 6);
	assert_int_equal(w.answer.accepted, 4);
	assert_int_equal(w.answer.refused, 2);
	assert_string_equal(named(US_DEFECT_UNLISTED_DESIGNATION), "25");
	end_load(3, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 4);
	assert_int_equal(designated(&w.slot[0], "confidential"), 2);
	assert_int_equal(designated(&w.slot[0], "attorneys' eyes only"), 2);
	assert_int_equal(designated(&w.slot[0], "attorneys" CURLY " eyes only"), 0);
	assert_int_equal(designated(&w.slot[0], "secret"), 0);

	/* what is there is not judged again by a list that has changed; what is new is */
	assert_int_equal(start_load_with(4, US_LOAD_SKIP_DEFECTS, "", list2), US_OK);
	send_designated(4, 0, MIXED, 6);
	assert_string_equal(named(US_DEFECT_NONE), "1346");
	assert_string_equal(named(US_DEFECT_UNLISTED_DESIGNATION), "2");
	end_load(4, 0);
	assert_int_equal(w.end.admitted, 1);
	assert_int_equal(designated(&w.slot[1], "secret"), 1);
}

/* An order without a list takes what comes; one with a list takes no load whose own designation is
 * not in it. */
static void
test_designation_lists(void **state)
{
	static const char *const broken[] = { "", "A", NULL };
	struct us_msg_load_start m = { .load = 9,
		.collection = COLLECTION,
		.designations = { (const uint8_t *)"\0\5A", 3 } };

	(void)state;
	assert_int_equal(start_load_with(1, 0, "", NO_LIST), US_OK);
	send_designated(1, 0, MIXED, 6);
	assert_int_equal(w.answer.accepted, 6);
	end_load(1, 0);
	assert_int_equal(designated(&w.slot[0], "confidential"), 2);
	assert_int_equal(designated(&w.slot[0], "attorneys" CURLY " eyes only"), 1);
	assert_int_equal(start_load_with(2, 0, "Anything", NO_LIST), US_OK);
	load_part(2, 0, 0, 10);
	end_load(2, 0);
	assert_int_equal(designated(&w.slot[1], "anything"), 10);

	assert_int_equal(start_load_with(3, 0, "ATTORNEYS" CURLY " EYES ONLY", LIST),
	    US_ERR_NOT_FOUND);
	/* an entry that is nothing equals nothing */
	assert_int_equal(start_load_with(4, 0, "", broken), US_OK);
	send_designated(4, 0, MIXED, 1);
	assert_int_equal(w.answer.refused, 0); /* there already */
	end_load(4, 0);
	w.started = 0;
	assert_int_equal(us_send_load_start(w.vault, 9, &m), US_OK);
	wait_for(&w.started);
	assert_int_equal(w.start_err, US_ERR_TRUNCATED);
}

static void
test_dry_run_and_abort(void **state)
{
	(void)state;
	start_load(1, US_LOAD_DRY_RUN);
	load_part(1, 0, 0, 50);
	load_part(1, 1, 40, 60);
	assert_int_equal(w.answer.duplicates, 10);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 60);
	assert_int_equal(w.slots, 0);

	start_load(2, 0);
	load_part(2, 0, 0, 50);
	end_load(2, 1);
	assert_int_equal(w.end.admitted, 0);
	assert_int_equal(w.slots, 0);

	/* a part is missing */
	start_load(3, 0);
	load_part(3, 0, 0, 50);
	send_part(3, 2, 50, 60, "", 0);
	end_load(3, 0);
	assert_int_equal(w.end.err, US_ERR_INCOMPLETE);
	assert_int_equal(w.end.missing, 1);
	assert_int_equal(w.end.admitted, 50);

	/* and nobody minds, of what is given up */
	start_load(4, 0);
	load_part(4, 0, 100, 150);
	send_part(4, 2, 150, 160, "", 0);
	end_load(4, 1);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 0);
}

/* Whoever asked first has gone, and the end is asked for again before it has come. */
static void
test_end_twice(void **state)
{
	const struct us_msg_load_end m = { .load = 1 };

	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 500);
	assert_int_equal(us_send_load_end(w.vault, 9, &m), US_OK);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 500);
	start_load(2, 0); /* the sealer is still there */
	end_load(2, 1);
}

/* Every bit of a ticket counts, and so do load, credential and time. */
static void
test_tickets(void **state)
{
	const struct wrong wrong[] = { { .no_ticket = 1 }, { .other_load = 1 },
		{ .other_person = 1 } };
	const struct wrong late = { .expired = 1 };

	(void)state;
	start_load(1, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		send_wrong_part(1, 0, 0, 5, "", 0, &wrong[i]);
		wait_for(&w.done);
		assert_int_equal(w.answer.err, US_ERR_SIGNATURE);
	}
	for (int bit = 1; bit < (int)US_TICKET_SIZE * 8; bit += 3) {
		send_wrong_part(1, 0, 0, 1, "", 0, &(struct wrong){ .flipped_bit = bit });
		wait_for(&w.done);
		assert_int_equal(w.answer.err, US_ERR_SIGNATURE);
	}
	send_wrong_part(1, 0, 0, 5, "", 0, &late);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_EXPIRED);
	/* of a load that is not there no more is said than of one that is */
	send_part(99, 0, 0, 5, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_SIGNATURE);
	load_part(1, 0, 0, 5);
	end_load(1, 0);
	assert_int_equal(w.end.admitted, 5);
	assert_int_equal(w.end.received, 5);
}

static void
test_same_part_again(void **state)
{
	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 20);
	load_part(1, 0, 0, 20); /* the first answer */
	assert_int_equal(w.answer.accepted, 20);
	send_part(1, 0, 0, 20, "!", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_EXISTS);
	send_part(1, 0, 20, 30, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_EXISTS);
	/* one that waits for those before it */
	send_part(1, 2, 40, 50, "", 0);
	send_part(1, 2, 50, 60, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_EXISTS);
	load_part(1, 1, 20, 40);
	for (int i = 0; i < 1000 && w.answers < 7; i++)
		event_base_loop(w.base, EVLOOP_ONCE);
	end_load(1, 0);
	assert_int_equal(w.end.admitted, 50);
	check_slot(&w.slot[0], 0);
}

/* The last bytes of what closes a batch: u32 first part, u32 how many, the digest of theirs. */
static void
check_parts(const struct slot *s, uint64_t load, uint32_t first, const unsigned (*range)[2],
    uint32_t n)
{
	const uint8_t *tail = s->facts.data + s->facts.len - 40;
	uint8_t bytes[22 + 16 + 32 * 8], want[32];
	char *text = malloc(400000);

	memcpy(bytes, "underseal/load-parts/1", 22);
	us_store_u64(bytes + 22, load);
	us_store_u32(bytes + 30, first);
	us_store_u32(bytes + 34, n);
	for (uint32_t i = 0; i < n; i++) {
		size_t len = 0;

		for (unsigned k = range[i][0]; k < range[i][1]; k++)
			len += line_of(text + len, k, "");
		us_sha256(text, len, bytes + 38 + 32 * i);
	}
	free(text);
	us_sha256(bytes, 38 + 32 * n, want);
	assert_int_equal(us_load_u32(tail), first);
	assert_int_equal(us_load_u32(tail + 4), n);
	assert_memory_equal(tail + 8, want, 32);
}

static void
test_parts_are_bound(void **state)
{
	static const unsigned two[][2] = { { 0, 30 }, { 30, 60 } }, third[][2] = { { 60, 90 } };

	(void)state;
	start_load(5, 0);
	load_part(5, 0, 0, 30);
	load_part(5, 1, 30, 60);
	wait_for(&w.slot[0].stored); /* idle */
	load_part(5, 2, 60, 90);
	end_load(5, 0);
	assert_int_equal(w.slots, 2);
	check_parts(&w.slot[0], 5, 0, two, 2);
	check_parts(&w.slot[1], 5, 2, third, 1);
}

static void
test_stop_by_keeper(void **state)
{
	const struct us_msg_load_stop m = { .load = 1, .reason = 5 };
	const struct us_msg_load_stop none = { .load = 12, .reason = 5 };

	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 20);
	send_part(1, 2, 40, 50, "", 0); /* waits for number 1 */
	assert_int_equal(us_send_load_stop(w.keeper, 41, &m), US_OK);
	wait_for(&w.stopped);
	assert_int_equal(w.stopped_tag, 41);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_DENIED);
	send_part(1, 1, 20, 40, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_DENIED);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_ERR_DENIED);
	assert_int_equal(w.end.admitted, 0);
	assert_int_equal(w.slots, 0);
	/* of a load that is gone: answered all the same */
	w.stopped = 0;
	assert_int_equal(us_send_load_stop(w.keeper, 42, &none), US_OK);
	wait_for(&w.stopped);
	assert_int_equal(w.stopped_tag, 42);
	assert_int_equal(w.over, 1);
}

/* The keeper gives fewer numbers than asked, as an era ends: they stay void, the batch is in the
 * next one. */
static void
test_era_end(void **state)
{
	const uint64_t era = UINT64_C(1) << US_ERA_SHIFT;

	(void)state;
	w.next_record = era - 40;
	start_load(1, 0);
	load_part(1, 0, 0, 100);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, 100);
	assert_int_equal(w.slots, 2);
	assert_true(w.slot[0].is_void);
	assert_int_equal(w.slot[1].keys.first_record, era);
	check_slot(&w.slot[1], 0);

	/* now the sealer knows where the next era begins, and ends a batch there by itself */
	w.next_record = 2 * era - 30;
	start_load(2, 0);
	load_part(2, 0, 100, 110);
	end_load(2, 0);
	start_load(3, 0);
	load_part(3, 0, 110, 210);
	end_load(3, 0);
	assert_int_equal(w.end.admitted, 100);
	assert_int_equal(w.slots, 5);
	assert_int_equal(w.slot[3].keys.count, 20);
	check_slot(&w.slot[3], 110);
	assert_int_equal(w.slot[4].keys.first_record, 2 * era);
	check_slot(&w.slot[4], 130);
}

static void
test_two_loads_one_collection(void **state)
{
	(void)state;
	start_load(1, 0);
	start_load(2, 0);
	load_part(1, 0, 0, 50);
	send_part(2, 0, 25, 75, "", 0); /* waits for the first's batch */
	end_load(1, 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.duplicates, 25);
	end_load(2, 0);
	assert_int_equal(w.end.admitted, 25);
	check_slot(&w.slot[0], 0);
	check_slot(&w.slot[1], 50);
}

/* One that waits for its own missing part is no reason for others to wait: whichever stands before
 * or behind it is woken when the collection is free. */
static void
test_gap_wakes_others(void **state)
{
	/* holder 1, gap 2, waiter 3 */
	static const unsigned orders[3][3] = { { 1, 2, 3 }, { 2, 3, 1 }, { 3, 1, 2 } };

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		const unsigned base = 10 * (k + 1);

		for (unsigned i = 0; i < 3; i++)
			start_load(base + orders[k][i], 0);
		send_part(base + 2, 5, 900 + k * 10, 905 + k * 10, "", 0); /* 0 to 4 never come */
		load_part(base + 1, 0, 100 * k, 100 * k + 10);
		send_part(base + 3, 0, 100 * k + 50, 100 * k + 60, "", 0);
		end_load(base + 1, 0);
		wait_for(&w.done);
		assert_int_equal(w.answer.err, US_OK);
		assert_int_equal(w.answer.accepted, 10);
		end_load(base + 3, 0);
		assert_int_equal(w.end.admitted, 10);
		end_load(base + 2, 1);
	}
}

/* A part says no other than its load was opened with. */
static void
test_flags_are_the_loads(void **state)
{
	(void)state;
	start_load(1, US_LOAD_SKIP_DEFECTS);
	flags_sent = 0;
	send_part(1, 0, 0, 5, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_ARG);
	flags_sent = US_LOAD_SKIP_DEFECTS | US_LOAD_DRY_RUN;
	send_part(1, 0, 0, 5, "", 0);
	wait_for(&w.done);
	assert_int_equal(w.answer.err, US_ERR_ARG);
	flags_sent = US_LOAD_SKIP_DEFECTS;
	load_part(1, 0, 0, 5);
	end_load(1, 0);
	assert_int_equal(w.end.admitted, 5);
}

static void
test_idle_close(void **state)
{
	(void)state;
	start_load(1, 0);
	load_part(1, 0, 0, 20);
	wait_for(&w.slot[0].stored);
	check_slot(&w.slot[0], 0);
	load_part(1, 1, 20, 30);
	end_load(1, 0);
	assert_int_equal(w.end.admitted, 30);
	check_slot(&w.slot[1], 20);
}

static void
test_big_load(void **state)
{
	const unsigned n = 14000, step = 2000;

	(void)state;
	start_load(1, 0);
	for (unsigned i = 0; i < n; i += step)
		load_part(1, i / step, i, i + step);
	end_load(1, 0);
	assert_int_equal(w.end.err, US_OK);
	assert_int_equal(w.end.admitted, n);
	assert_int_equal(w.dictionary_version, 1);
	assert_true(w.dictionary.n > 0);
	check_slot(&w.slot[0], 0);

	/* the next load gets the dictionary from the vault */
	start_load(2, 0);
	load_part(2, 0, n, n + 100);
	end_load(2, 0);
	assert_int_equal(w.end.admitted, 100);
	check_slot(&w.slot[1], n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_small_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order_of_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_and_skip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_designations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_designation_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_dry_run_and_abort, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tickets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_part_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_parts_are_bound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop_by_keeper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_era_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_loads_one_collection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gap_wakes_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flags_are_the_loads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_idle_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_big_load, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
