/*
 * Goal: a load lasts while what opened it stands. The keeper gives tickets to its person alone,
 * tells the sealer that it has ended before it answers whoever ended it, and admits no batch of it
 * any more; without a sealer's answer it does without the sealer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/ticket.h"
#include "registry/act.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

static struct rig *
rig_of(void **state)
{
	return *state;
}

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
	rig_load(r, 10); /* load 77, the producer's */
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	if (r->pid > 0)
		(void)rig_stop(r, 0);
	rig_destroy(r);
	free(r);
	return 0;
}

static int
open_load(struct rig *r, int who, uint64_t load, struct us_msg_logged *out)
{
	struct us_msg_log m;

	rig_log_init(r, &m, who);
	m.action = US_ACTION_LOAD;
	m.collection = 1;
	m.load = load;
	assert_true(rig_log(r, &m, out));
	return out->err;
}

static struct us_msg_load_keys
keys_of(struct rig *r, uint64_t load)
{
	const struct us_msg_load_keys_request ask = { .load = load };
	struct us_msg_load_keys keys;

	SEND(r->sealer, load_keys_request, &ask);
	assert_true(rig_read(r, r->sealer, US_MSG_load_keys));
	assert_int_equal(us_msg_load_keys_decode(&keys, r->body.data, r->body.len), US_OK);
	return keys;
}

/* Sends an act up to its commit, whose answer is still to come. */
static void
begin_suspension(struct rig *r, uint32_t person)
{
	struct us_act *act = calloc(1, sizeof *act);

	act->type = US_ACT_PERSON_SUSPEND;
	act->u.change.person = person;
	act->u.change.reason = us_bytes_of("left");
	rig_begin_act(r, RIG_ADMIN, act);
	free(act);
}

static void
tickets(void **state)
{
	struct rig *r = rig_of(state);
	const int64_t now = us_time_now_ns();
	uint8_t ticket[US_TICKET_SIZE];
	struct us_msg_load_keys keys;
	struct us_msg_logged l;
	struct us_key key;

	assert_int_equal(open_load(r, RIG_PRODUCER, 78, &l), US_OK);
	assert_int_equal(l.ticket.n, US_TICKET_SIZE);
	memcpy(ticket, l.ticket.p, sizeof ticket);
	keys = keys_of(r, 78);
	assert_int_equal(keys.err, US_OK);
	memcpy(key.b, keys.ticket_key, 32);
	assert_int_equal(us_ticket_check(&key, (struct us_bytes){ ticket, sizeof ticket }, 78,
			     r->people[RIG_PRODUCER].credential, now),
	    US_OK);
	assert_true(us_ticket_expires((struct us_bytes){ ticket, sizeof ticket }) <=
	    now + 3700 * US_NS_PER_SECOND);
	/* another load has another key */
	keys = keys_of(r, 77);
	memcpy(key.b, keys.ticket_key, 32);
	assert_int_equal(us_ticket_check(&key, (struct us_bytes){ ticket, sizeof ticket }, 78,
			     r->people[RIG_PRODUCER].credential, now),
	    US_ERR_SIGNATURE);
	/* once more: it goes on; another person: not theirs, and the order permits them no load
	 * either */
	assert_int_equal(open_load(r, RIG_PRODUCER, 78, &l), US_OK);
	assert_int_equal(l.ticket.n, US_TICKET_SIZE);
	assert_int_equal(open_load(r, RIG_ATTORNEY, 78, &l), US_ERR_DENIED);
	assert_int_equal(l.ticket.n, 0);
}

static void
stopped_before_answered(void **state)
{
	struct rig *r = rig_of(state);
	const struct us_msg_batch_open batch = { .load = 77, .count = 10 };
	struct us_msg_load_stopped stopped;
	struct us_msg_batch_keys keys;
	struct us_msg_load_stop stop;
	struct us_msg_logged l;

	/* of a load whose keys the sealer has */
	assert_int_equal(keys_of(r, 77).err, US_OK);
	begin_suspension(r, 3);
	assert_true(rig_read(r, r->sealer, US_MSG_load_stop));
	assert_int_equal(us_msg_load_stop_decode(&stop, r->body.data, r->body.len), US_OK);
	assert_true(stop.load == 77);
	assert_int_equal(stop.reason, US_REASON_SUSPENDED);
	assert_false(rig_has(r, r->vault, 300)); /* nobody is told yet */
	stopped.load = 77;
	rig_send_tagged(r->sealer, US_MSG_load_stopped, r->tag,
	    (us_encode_fn)(void (*)(void))us_msg_load_stopped_encode, &stopped);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	assert_int_equal(l.err, US_OK);
	SEND(r->sealer, batch_open, &batch);
	assert_true(rig_read(r, r->sealer, US_MSG_batch_keys));
	assert_int_equal(us_msg_batch_keys_decode(&keys, r->body.data, r->body.len), US_OK);
	assert_int_equal(keys.err, US_ERR_DENIED);
	assert_int_equal(keys_of(r, 77).err, US_ERR_DENIED);
}

static void
a_deaf_sealer(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_logged l;

	begin_suspension(r, 3);
	assert_true(rig_read(r, r->vault, US_MSG_logged)); /* after some seconds */
	assert_int_equal(us_msg_logged_decode(&l, r->body.data, r->body.len), US_OK);
	assert_int_equal(l.err, US_OK);
	assert_true(rig_read(r, r->sealer, US_MSG_load_stop));
	assert_false(rig_read(r, r->sealer, US_MSG_load_keys)); /* its channel has ended */
}

static void
an_answer_to_nothing(void **state)
{
	struct rig *r = rig_of(state);
	const struct us_msg_load_stopped m = { .load = 77 };

	SEND(r->sealer, load_stopped, &m);
	assert_false(rig_read(r, r->sealer, US_MSG_load_keys));
}

static void
others_are_not_concerned(void **state)
{
	struct rig *r = rig_of(state);

	begin_suspension(r, 2); /* the attorney */
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_false(rig_has(r, r->sealer, 100));
	assert_int_equal(keys_of(r, 77).err, US_OK);
}

static void
over_and_forgotten(void **state)
{
	struct rig *r = rig_of(state);
	const struct us_msg_load_over over = { .load = 77 };

	SEND(r->sealer, load_over, &over);
	assert_int_equal(keys_of(r, 77).err, US_ERR_NOT_FOUND);
	begin_suspension(r, 3);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	assert_false(rig_has(r, r->sealer, 100));
}

static void
sealed(void **state)
{
	struct rig *r = rig_of(state);
	struct us_msg_load_stopped stopped = { .load = 77 };
	struct us_msg_load_stop stop;

	rig_send_seal(r);
	assert_true(rig_read(r, r->sealer, US_MSG_load_stop));
	assert_int_equal(us_msg_load_stop_decode(&stop, r->body.data, r->body.len), US_OK);
	assert_int_equal(stop.reason, US_REASON_SEALED);
	assert_false(rig_has(r, r->vault, 100));
	rig_send_tagged(r->sealer, US_MSG_load_stopped, r->tag,
	    (us_encode_fn)(void (*)(void))us_msg_load_stopped_encode, &stopped);
	assert_true(rig_read(r, r->vault, US_MSG_logged));
	(void)rig_wait(r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tickets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stopped_before_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deaf_sealer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_to_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_are_not_concerned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(over_and_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sealed, set_up, tear_down),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
