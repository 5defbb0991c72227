/*
 * Goal: whoever has been revoked is known as such to fronts, on a sealed vault and after a restart
 * too; a damaged list stops the start; and one credential's sessions take no-one else's place.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "daemon/keeper/session.h"
#include "registry/act.h"
#include "rig.h"

#define SEND(fd, name, m) \
	rig_send(fd, US_MSG_##name, (us_encode_fn)(void (*)(void))us_msg_##name##_encode, m)

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	rig_create(r);
	rig_start(r, "");
	rig_open(r);
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
standing(struct rig *r, int who)
{
	struct us_msg_standing m;
	struct us_msg_standing_reply reply;

	memcpy(m.credential, r->people[who].credential, 32);
	SEND(r->front, standing, &m);
	assert_true(rig_read(r, r->front, US_MSG_standing_reply));
	assert_int_equal(us_msg_standing_reply_decode(&reply, r->body.data, r->body.len), US_OK);
	return reply.reason;
}

static void
revoked_for_good(void **state)
{
	struct us_act *act = calloc(1, sizeof *act);
	struct rig *r = *state;
	char path[128];
	int fd;

	for (int who = 0; who < RIG_PEOPLE; who++)
		assert_int_equal(standing(r, who), US_REASON_NONE);
	act->type = US_ACT_CREDENTIAL_REVOKE;
	memcpy(act->u.revoke.fingerprint, r->people[RIG_ATTORNEY].credential, 32);
	act->u.revoke.reason = us_bytes_of("stolen");
	assert_int_equal(rig_act(r, RIG_ADMIN, act), US_OK);
	free(act);
	assert_int_equal(standing(r, RIG_ATTORNEY), US_REASON_REVOKED);
	assert_int_equal(standing(r, RIG_AUDITOR), US_REASON_NONE);
	(void)rig_stop(r, SIGKILL);
	rig_start(r, ""); /* sealed */
	assert_int_equal(standing(r, RIG_ATTORNEY), US_REASON_REVOKED);
	assert_int_equal(standing(r, RIG_AUDITOR), US_REASON_NONE);
	(void)rig_stop(r, SIGKILL);
	(void)snprintf(path, sizeof path, "%s/barred", r->dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 20), 1);
	(void)close(fd);
	rig_start(r, "");
	assert_true(rig_stop(r, 0) != 0);
	r->pid = 0;
}

/* The newest of each credential stand, and others' too. */
static void
sessions_of_one(void **state)
{
	struct rig *r = *state;
	struct us_msg_session_opened opened;
	struct us_msg_logged logged;
	struct us_msg_log m;
	uint8_t first[16], second[16];

	memcpy(first, r->people[RIG_ATTORNEY].session, sizeof first);
	for (unsigned i = 0; i < US_KEEPER_SESSIONS_OWN; i++) {
		assert_int_equal(rig_session(r, RIG_ATTORNEY, 600, &opened), US_OK);
		if (i == 0)
			memcpy(second, opened.session, sizeof second);
	}
	rig_log_init(r, &m, RIG_ATTORNEY);
	m.action = US_ACTION_PERSON_LIST;
	assert_true(rig_log(r, &m, &logged));
	assert_int_equal(logged.err, US_OK);
	memcpy(m.session, second, sizeof second);
	assert_true(rig_log(r, &m, &logged));
	assert_int_equal(logged.err, US_OK);
	memcpy(m.session, first, sizeof first);
	assert_true(rig_log(r, &m, &logged));
	assert_int_equal(logged.reason, US_REASON_NO_SESSION);
	rig_log_init(r, &m, RIG_AUDITOR);
	m.action = US_ACTION_PERSON_LIST;
	assert_true(rig_log(r, &m, &logged));
	assert_int_equal(logged.err, US_OK);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(revoked_for_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sessions_of_one, set_up, tear_down),
	};

	rig_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
