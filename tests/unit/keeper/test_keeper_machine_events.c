/* Goal: what the machine itself does stands in the log: starts with other settings, times without
 * entries and how they came, processes that died, and all that was refused to nobody in particular,
 * counted exactly. And an entry shows nothing in the open but what docs/PROTOCOL.md section 6
 * lists. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/keeper/machine_events.h"
#include "daemon/process/role.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
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

/* Entries of an action from `from` on; the summary of the newest in text. */
static unsigned
count(struct rig *r, uint64_t from, enum us_action action, uint8_t summary[RIG_SAID_MAX], size_t *n)
{
	struct us_entry_access a;
	struct us_buf content;
	uint64_t size = r->tree_size;
	unsigned found = 0;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	memset(summary, 0, RIG_SAID_MAX);
	*n = 0;
	for (uint64_t i = from; i < size; i++) {
		rig_open_access(r, i, &a, &content);
		if (a.action != action)
			continue;
		found++;
		*n = rig_said(&a, summary);
		assert_int_equal(a.kind, US_KIND_EVENT);
		assert_int_equal(a.person, 0);
	}
	us_buf_free(&content);
	return found;
}

static uint64_t
restart(struct rig *r, int signal_number, const char *settings)
{
	uint64_t size;

	(void)rig_stop(r, signal_number);
	size = r->tree_size;
	rig_start(r, settings);
	rig_open(r);
	return size;
}

static void
other_settings_are_an_entry(void **state)
{
	struct rig *r = *state;
	uint8_t said[RIG_SAID_MAX];
	uint64_t from;
	size_t n;

	rig_open(r);
	/* the first start: all of them */
	assert_int_equal(count(r, 0, US_ACTION_CONFIGURE, said, &n), 1);
	assert_non_null(strstr((char *)said, "version: - -> " US_VERSION "\n"));
	assert_non_null(strstr((char *)said, "rig: - -> 1\n"));
	from = restart(r, 0, "rig=1\n");
	assert_int_equal(count(r, from, US_ACTION_CONFIGURE, said, &n), 0);
	from = restart(r, 0, "rig=1\nkeeper.reserve=9\nkeeper.reserve=8\n");
	assert_int_equal(count(r, from, US_ACTION_CONFIGURE, said, &n), 1);
	assert_string_equal((char *)said, "keeper.reserve: - -> 8\n");
	from = restart(r, SIGKILL, "rig=2\nkeeper.reserve=8\n");
	assert_int_equal(count(r, from, US_ACTION_CONFIGURE, said, &n), 1);
	assert_string_equal((char *)said, "rig: 1 -> 2\n");
	from = restart(r, 0, "keeper.reserve=8\n");
	assert_int_equal(count(r, from, US_ACTION_CONFIGURE, said, &n), 1);
	assert_string_equal((char *)said, "rig: 2 -> -\n");
}

static void
many_settings_are_a_digest(void **state)
{
	struct rig *r = *state;
	char *settings = calloc(1, 32768);
	uint8_t said[RIG_SAID_MAX];
	uint64_t from;
	size_t n = 0;

	rig_open(r);
	for (unsigned i = 0; i < 100; i++)
		n += (size_t)snprintf(settings + n, 32768 - n, "name-%u=%0100u\n", i, i);
	from = restart(r, 0, settings);
	assert_int_equal(count(r, from, US_ACTION_CONFIGURE, said, &n), 1);
	assert_true(n <= 2048 && memcmp(said, "sha256 ", 7) == 0);
	assert_non_null(strstr((char *)said, "\nname-0\nname-1\n"));
	assert_null(strstr((char *)said, "00000001"));
	free(settings);
}

static void
silence_is_an_entry(void **state)
{
	static const struct {
		int signal_number, seals;
		enum us_gap cause;
	} ends[] = { { 0, 0, US_GAP_STOPPED }, { SIGKILL, 0, US_GAP_CRASHED },
		{ 0, 1, US_GAP_SEALED }, { SIGKILL, 0, US_GAP_CRASHED } };
	struct rig *r = *state;
	struct us_entry_access a;
	struct us_entry_view v;
	struct us_buf content, entry;
	uint8_t said[RIG_SAID_MAX];

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	us_buf_init(&entry, US_ENTRY_MAX);
	rig_open(r);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		int64_t last, next;
		uint64_t size;

		if (ends[i].seals) {
			rig_send_seal(r);
			assert_true(rig_read(r, r->vault, US_MSG_logged));
			assert_int_equal(rig_wait(r), US_EXIT_SEALED);
		} else {
			(void)rig_stop(r, ends[i].signal_number);
		}
		rig_start(r, "");
		rig_open(r);
		size = r->tree_size;
		/* the newest start, the gap behind it, and the entry before it */
		do {
			rig_open_access(r, --size, &a, &content);
		} while (a.action != US_ACTION_START);
		rig_entry(r, size - 1, &entry);
		assert_int_equal(us_entry_decode(&v, entry.data, entry.len), US_OK);
		last = v.time_ns;
		rig_entry(r, size, &entry);
		assert_int_equal(us_entry_decode(&v, entry.data, entry.len), US_OK);
		next = v.time_ns;
		/* how answers ended may stand between */
		for (uint64_t at = size + 1; at < size + 3; at++) {
			rig_open_access(r, at, &a, &content);
			if (a.action == US_ACTION_GAP)
				break;
		}
		assert_int_equal(a.action, US_ACTION_GAP);
		assert_int_equal(rig_said(&a, said), 17);
		assert_int_equal(said[16], ends[i].cause);
		assert_int_equal(us_load_u64(said), last);
		assert_int_equal(us_load_u64(said + 8), next);
	}
	us_buf_free(&content);
	us_buf_free(&entry);
}

static void
dead_processes_are_entries(void **state)
{
	const struct us_msg_died died = { .role = US_ROLE_FRONT,
		.index = 3,
		.by_signal = 1,
		.status = SIGSEGV };
	const struct us_msg_keeper_status ask = { 0 };
	struct rig *r = *state;
	uint8_t said[RIG_SAID_MAX];
	size_t n;

	rig_open(r);
	SEND(r->control, died, &died);
	while (count(r, 0, US_ACTION_ROLE_RESTART, said, &n) == 0) {
		SEND(r->vault, keeper_status, &ask);
		assert_true(rig_read(r, r->vault, US_MSG_keeper_status_reply));
	}
	assert_int_equal(n, 4);
	assert_memory_equal(said, ((const uint8_t[]){ US_ROLE_FRONT, 3, 1, SIGSEGV }), 4);
}

/* What stands in the entries "handshakes" behind from, of one reason. */
static uint64_t
refused(struct rig *r, uint64_t from, enum us_reason reason, unsigned *entries)
{
	struct us_entry_access a;
	struct us_buf content;
	uint8_t said[RIG_SAID_MAX];
	uint64_t sum = 0, size = r->tree_size;
	size_t n;

	us_buf_init(&content, US_ENTRY_CONTENT_MAX);
	*entries = 0;
	for (uint64_t i = from; i < size; i++) {
		rig_open_access(r, i, &a, &content);
		if (a.action != US_ACTION_HANDSHAKES)
			continue;
		++*entries;
		n = rig_said(&a, said);
		for (size_t at = 0; at < n; at += 5)
			sum += said[at] == reason ? us_load_u32(said + at + 1) : 0;
	}
	us_buf_free(&content);
	return sum;
}

/* A thousand messages of the vault, more of a front that has ended, and then a stop at once, or a
 * seal: nothing is lost, and few entries say it. */
static void
noise_is_counted_to_the_last(void **state)
{
	const uint8_t one[10] = { US_REASON_NO_SESSION, 0, 0, 0, 1, US_REASON_FOREIGN_CA, 0, 0, 1,
		0 };
	const struct us_msg_noise m = { .counts = { one, sizeof one } };
	const struct us_msg_carried carried = { .counts = { one, sizeof one } };
	struct rig *r = *state;
	unsigned entries;

	for (int seals = 0; seals < 2; seals++) {
		uint64_t from = r->tree_size;

		if (seals)
			rig_open(r);
		SEND(r->control, carried, &carried);
		for (unsigned i = 0; i < 1000; i++)
			SEND(r->vault, noise, &m);
		if (seals) {
			rig_send_seal(r);
			assert_true(rig_read(r, r->vault, US_MSG_logged));
			assert_int_equal(rig_wait(r), US_EXIT_SEALED);
		} else {
			assert_int_equal(rig_stop(r, 0), 0);
		}
		rig_start(r, "");
		rig_open(r);
		assert_int_equal(refused(r, from, US_REASON_NO_SESSION, &entries), 1001);
		assert_int_equal(refused(r, from, US_REASON_FOREIGN_CA, &entries), 1001 * 256);
		assert_true(entries >= 1 && entries < 10);
		assert_int_equal(rig_stop(r, 0), 0);
		rig_start(r, "");
	}
}

/* One frame; 0: the other takes no more. */
static int
put(int fd, uint16_t type, const struct us_buf *body)
{
	uint8_t frame[64] = { 0 };
	const size_t n = US_FRAME_HEADER + body->len;

	assert_true(n <= sizeof frame);
	us_store_u32(frame, (uint32_t)body->len);
	us_store_u16(frame + 4, type);
	memcpy(frame + US_FRAME_HEADER, body->data, body->len);
	return send(fd, frame, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* The monitor goes on giving counts to a keeper that has logged its seal: those that it takes it
 * gives back when it ends, and of the others the monitor knows. */
static void
noise_behind_a_seal_is_given_back(void **state)
{
	const uint8_t one[5] = { US_REASON_NO_SESSION, 0, 0, 0, 1 };
	const struct us_msg_carried carried = { .counts = { one, sizeof one } };
	const struct timespec pause = { 0, 200 * 1000 };
	struct us_msg_uncounted back;
	struct rig *r = *state;
	struct us_buf body;
	uint32_t given = 0;

	us_buf_init(&body, 64);
	assert_int_equal(us_msg_carried_encode(&body, &carried), US_OK);
	rig_open(r);
	rig_send_seal(r);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	while (put(r->control, US_MSG_carried, &body)) {
		given++;
		(void)nanosleep(&pause, NULL);
	}
	assert_true(given > 0);
	assert_true(rig_read(r, r->control, US_MSG_uncounted));
	assert_int_equal(us_msg_uncounted_decode(&back, r->body.data, r->body.len), US_OK);
	assert_int_equal(back.counts.n, sizeof one);
	assert_int_equal(back.counts.p[0], US_REASON_NO_SESSION);
	assert_int_equal(us_load_u32(back.counts.p + 1), given);
	assert_int_equal(rig_wait(r), US_EXIT_SEALED);
	us_buf_free(&body);
	rig_start(r, "");
}

static void
malformed_noise_is_refused(void **state)
{
	static const uint8_t bad[][6] = { { 200, 0, 0, 0, 1 }, { 0 } };
	struct rig *r = *state;

	/* a reason that is none: the vault is dropped */
	SEND(r->vault, noise, &((struct us_msg_noise){ .counts = { bad[0], 5 } }));
	assert_false(rig_read(r, r->vault, US_MSG_logged));
}

/* Byte by byte, without our decoder. */
static void
open_part_is_what_is_documented(void **state)
{
	struct rig *r = *state;
	struct us_buf entry;
	uint64_t size;

	us_buf_init(&entry, US_ENTRY_MAX);
	rig_open(r);
	rig_load(r, 10);
	(void)restart(r, 0, "rig=3\n");
	size = r->tree_size;
	assert_true(size > 20);
	for (uint64_t i = 0; i < size; i++) {
		const uint8_t *p;
		size_t at = 28;

		rig_entry(r, i, &entry);
		p = entry.data;
		assert_memory_equal(p, "USE1", 4);
		assert_in_range(p[4], 1, 4);
		assert_true(p[5] == 0 || p[5] == 1);
		assert_int_equal(us_load_u16(p + 6), 0);
		assert_true(us_load_u32(p + 8) <= 1); /* the order's version */
		assert_int_equal(us_load_u64(p + 12), i);
		at += p[4] == US_CLASS_STATE ? 32 : 0;
		at += 24;
		if (p[5] == 1) { /* 32 bytes under Cobblestone-256, whatever the entry is about */
			assert_int_equal(us_load_u16(p + at), 32 + 24 + 32 + 32 + 16);
			at += 2 + us_load_u16(p + at);
		}
		for (unsigned box = 0; box < 3; box++) {
			size_t n = us_load_u16(p + at + 32) - 16u;

			assert_true(n == 128 || n == 256 || n == 512 || n == 1024 || n == 2048 ||
			    n >= 4096);
			at += 32 + 2 + n + 16;
		}
		assert_int_equal(at, entry.len);
	}
	us_buf_free(&entry);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(other_settings_are_an_entry),
		T(many_settings_are_a_digest),
		T(silence_is_an_entry),
		T(dead_processes_are_entries),
		T(noise_is_counted_to_the_last),
		T(noise_behind_a_seal_is_given_back),
		T(malformed_noise_is_refused),
		T(open_part_is_what_is_documented),
#undef T
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
