/* Goal: what a vault knows of its acts and how it holds its keys; who hears what of the keeper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "daemon/vault/evidence/words.h"
#include "daemon/vault/state/keeper.h"
#include "daemon/vault/state/rooms.h"
#include "daemon/vault/state/state.h"

static const uint8_t id[32] = { 1 }, key[US_KEY_SIZE] = { 2 }, other[US_KEY_SIZE] = { 3 };

static struct us_vault_state *
state_new(void)
{
	struct us_vault_state *s;

	assert_int_equal(us_vault_state_new(&s, 0), US_OK);
	assert_int_equal(us_vault_state_take_keys(s, id, key, other), US_OK);
	return s;
}

static void
phases(void **unused)
{
	struct us_vault_state *s;

	(void)unused;
	assert_int_equal(us_vault_state_new(&s, 1), US_OK);
	assert_true(us_vault_is_frozen(s));
	assert_int_equal(us_vault_phase(s), US_VAULT_SEALED);
	assert_null(us_vault_cursor_key(s));
	assert_null(us_vault_registry(s));
	us_vault_state_enter(s, US_VAULT_OPEN);
	assert_true(us_vault_is_open(s));
	us_vault_state_refuse(s, "why");
	assert_false(us_vault_is_open(s));
	assert_string_equal(us_vault_why_refusing(s), "why");
	us_vault_state_free(s);
}

/* Nothing that an open vault knew opens anything afterwards. */
static void
the_end_wipes_keys(void **unused)
{
	struct us_vault_state *s = state_new();

	(void)unused;
	us_vault_state_enter(s, US_VAULT_OPEN);
	assert_non_null(us_vault_cursor_key(s));
	assert_false(us_vault_is_leaving(s));
	us_vault_state_leave(s);
	assert_true(us_vault_is_leaving(s));
	assert_null(us_vault_cursor_key(s));
	assert_false(us_vault_is_open(s));
	us_vault_state_free(s);
}

static void
entries_of_acts(void **unused)
{
	struct us_vault_state *s = state_new();

	(void)unused;
	assert_int_equal(us_vault_entry_of(s, 0), NO_ENTRY);
	assert_int_equal(us_vault_entry_of(s, UINT64_MAX), NO_ENTRY);
	assert_int_equal(us_vault_newest(s), 0);
	for (uint64_t i = 1; i < 5000; i++)
		assert_int_equal(us_vault_note_entry(s, i, i * 3), US_OK);
	for (uint64_t i = 1; i < 5000; i++)
		assert_int_equal(us_vault_entry_of(s, i), i * 3);
	assert_int_equal(us_vault_entry_of(s, 5000), NO_ENTRY);
	assert_int_equal(us_vault_newest(s), 4999 * 3);
	assert_int_equal(us_vault_note_entry(s, 7, 21), US_OK); /* an older one */
	assert_int_equal(us_vault_note_entry(s, 5001, NO_ENTRY), US_OK);
	assert_int_equal(us_vault_newest(s), 4999 * 3);
	assert_int_equal(us_vault_entry_of(s, 5001), NO_ENTRY);
	us_vault_state_free(s);
}

static void
note_change(struct us_vault_state *s, uint64_t sequence, uint64_t entry, enum us_act_type type,
    uint32_t slot)
{
	uint8_t payload[8];
	struct us_signed_act act = { .type = type, .payload = { payload, sizeof payload } };
	struct us_committed_act committed = { .sequence = sequence,
		.actor = 1,
		.signature = us_bytes_of("signature") };
	struct us_buf a, c;

	us_store_u32(payload, 1);
	us_store_u32(payload + 4, slot);
	us_buf_init(&a, 4096);
	us_buf_init(&c, 8192);
	assert_int_equal(us_signed_act_encode(&a, &act), US_OK);
	committed.signed_act = (struct us_bytes){ a.data, a.len };
	assert_int_equal(us_committed_act_encode(&c, &committed), US_OK);
	assert_int_equal(us_vault_note_act(s, sequence, entry, (struct us_bytes){ c.data, c.len }),
	    US_OK);
	us_buf_free(&a);
	us_buf_free(&c);
}

static void
releases_and_withdrawals(void **unused)
{
	struct us_vault_state *s = state_new();

	(void)unused;
	note_change(s, 1, 10, US_ACT_BATCH_RELEASE, 4);
	note_change(s, 2, 11, US_ACT_BATCH_WITHDRAW, 4);
	note_change(s, 3, 12, US_ACT_BATCH_RELEASE, 5);
	assert_int_equal(us_vault_entry_of_change(s, 1, 4, US_ACT_BATCH_RELEASE), 10);
	assert_int_equal(us_vault_entry_of_change(s, 1, 4, US_ACT_BATCH_WITHDRAW), 11);
	assert_int_equal(us_vault_entry_of_change(s, 1, 5, US_ACT_BATCH_RELEASE), 12);
	assert_int_equal(us_vault_entry_of_change(s, 1, 5, US_ACT_BATCH_WITHDRAW), NO_ENTRY);
	assert_int_equal(us_vault_entry_of_change(s, 2, 4, US_ACT_BATCH_RELEASE), NO_ENTRY);
	assert_int_equal(us_vault_newest(s), 12);
	us_vault_state_free(s);
}

/* An act in the store is bound to this vault, its key and its place. */
static void
acts_at_rest(void **unused)
{
	struct us_vault_state *s = state_new(), *stranger;
	struct us_buf sealed, plain;

	(void)unused;
	us_buf_init(&sealed, 4096);
	us_buf_init(&plain, 4096);
	assert_int_equal(us_vault_act_seal(s, 5, us_bytes_of("an act"), &sealed), US_OK);
	assert_int_equal(us_vault_act_open(s, 5, (struct us_bytes){ sealed.data, sealed.len },
			     &plain),
	    US_OK);
	assert_true(us_bytes_is((struct us_bytes){ plain.data, plain.len }, "an act"));
	assert_int_not_equal(us_vault_act_open(s, 6, (struct us_bytes){ sealed.data, sealed.len },
				 &plain),
	    US_OK);
	assert_int_equal(us_vault_state_new(&stranger, 0), US_OK);
	assert_int_equal(us_vault_state_take_keys(stranger, id, other, key), US_OK);
	assert_int_not_equal(us_vault_act_open(stranger, 5,
				 (struct us_bytes){ sealed.data, sealed.len }, &plain),
	    US_OK);
	us_vault_state_free(stranger);
	us_buf_free(&sealed);
	us_buf_free(&plain);
	us_vault_state_free(s);
}

/* --- questions -------------------------------------------------------------------------------- */

static void
count(void *ctx, uint16_t type, struct us_bytes body)
{
	(void)body;
	assert_int_equal(type, 9);
	++*(unsigned *)ctx;
}

static void
answers_find_who_asked(void **unused)
{
	const struct us_bytes none = { NULL, 0 };
	struct us_vault_keeper *k;
	unsigned heard[3] = { 0 };
	uint32_t tag[3], reused;

	(void)unused;
	assert_int_equal(us_vault_keeper_new(&k, NULL), US_OK);
	assert_int_equal(us_vault_keeper_answer(k, 9, 0, none), US_ERR_MALFORMED);
	for (size_t i = 0; i < 3; i++)
		tag[i] = us_vault_keeper_call(k, count, &heard[i]);
	assert_true(tag[0] != 0 && tag[0] != tag[1]);
	us_vault_keeper_call_forget(k, tag[1]);
	us_vault_keeper_call_forget(k, 0);
	us_vault_keeper_call_hand_over(k, tag[2], count, &heard[1]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(us_vault_keeper_answer(k, 9, tag[i], none), US_OK);
	assert_true(heard[0] == 1 && heard[1] == 1 && heard[2] == 0);
	/* once only: a late answer, or one made up, finds nobody, although its place is taken */
	reused = us_vault_keeper_call(k, count, &heard[2]);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(us_vault_keeper_answer(k, 9, tag[i], none), US_ERR_MALFORMED);
	assert_int_equal(us_vault_keeper_answer(k, 9, reused, none), US_OK);
	assert_int_equal(heard[2], 1);
	us_vault_keeper_free(k);
}

static void
questions_that_did_not_leave(void **unused)
{
	struct us_vault_keeper *k;
	unsigned heard = 0;
	uint32_t tag, n = 0;

	(void)unused;
	assert_int_equal(us_vault_keeper_new(&k, NULL), US_OK);
	tag = us_vault_keeper_call(k, count, &heard);
	assert_int_equal(us_vault_keeper_call_sent(k, &tag, US_OK), US_OK);
	assert_true(tag != 0);
	assert_int_equal(us_vault_keeper_call_sent(k, &tag, US_ERR_FULL), US_ERR_FULL);
	assert_int_equal(tag, 0);
	assert_int_equal(us_vault_keeper_call_sent(k, &tag, US_OK), US_ERR_BUSY);
	/* there is an end to them, and what was given back is among them */
	while (us_vault_keeper_call(k, count, &heard) != 0)
		n++;
	assert_int_equal(n, 65535);
	us_vault_keeper_free(k);
}

/* --- words ------------------------------------------------------------------------------------ */

static void
words(void **unused)
{
	struct us_bytes in[] = { us_bytes_of("b"), us_bytes_of("a"), us_bytes_of("ab"),
		us_bytes_of("b"), us_bytes_of("a") };
	struct us_bytes *out;
	struct us_buf b;
	size_t n;

	(void)unused;
	us_buf_init(&b, 64);
	assert_int_equal(us_vault_words_split(&b, &out, &n), US_OK);
	assert_true(out == NULL && n == 0);
	assert_int_equal(us_vault_words_pack(in, 5, &b, &n), US_OK);
	assert_int_equal(n, 3);
	assert_int_equal(us_vault_words_split(&b, &out, &n), US_OK);
	assert_int_equal(n, 3);
	assert_true(
	    us_bytes_is(out[0], "a") && us_bytes_is(out[1], "ab") && us_bytes_is(out[2], "b"));
	free(out);
	assert_int_equal(us_buf_put_u8(&b, 0), US_OK); /* half a word */
	assert_int_not_equal(us_vault_words_split(&b, &out, &n), US_OK);
	assert_null(out);
	us_buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phases),
		cmocka_unit_test(the_end_wipes_keys),
		cmocka_unit_test(entries_of_acts),
		cmocka_unit_test(releases_and_withdrawals),
		cmocka_unit_test(acts_at_rest),
		cmocka_unit_test(answers_find_who_asked),
		cmocka_unit_test(questions_that_did_not_leave),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
