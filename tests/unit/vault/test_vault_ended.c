/* Goal: a request ends once, whatever fails on its way, and nobody touches it afterwards. Every
 * request that there is (from the table of messages), asked by everybody, with answers of the
 * keeper that are good, refusing, lacking keys and malformed; with every message that cannot be
 * sent; and with every allocation that fails. Without a sanitizer it sees less: requests that have
 * ended are kept for later then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/unit/vault/stage.h"

static int in_child; /* which may end anywhere, and leaves its memory to the system */
static unsigned good_answers;

#ifdef US_SANITIZED
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "exitcode=99"; /* not that of us_fatal() */
}
#endif

/* asked by a leak checker, if there is one */
int __lsan_is_turned_off(void);
int
__lsan_is_turned_off(void)
{
	return in_child;
}

static const uint16_t types[] = {
#define X(message, to, action, sealed, needs) US_MSG_##message,
	US_VAULT_REQUESTS(X)
#undef X
};

/* Everybody, every request. one() returns 0 if there is no such variant. How many there were. */
static unsigned
for_all(struct scene *s, int (*one)(struct scene *s, const struct asking *a))
{
	const struct world *w = s->world;
	const struct asking people[] = { { &w->attorney, 1, 0, 0 }, { &w->producer, 1, 0, 0 },
		{ &w->auditor, 1, 0, 0 }, { &w->admin, 1, 0, 0 }, { &w->attorney, 0, 0, 0 } };
	unsigned n = 0;

	for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
		for (size_t p = 0; p < sizeof people / sizeof people[0]; p++) {
			struct asking a = people[p];

			a.type = types[t];
			while (one(s, &a))
				a.variant++;
			if (a.variant == 0)
				fail_msg("no request of type %x is tried", types[t]);
			n += (unsigned)a.variant;
		}
	}
	return n;
}

/* --- answers ---------------------------------------------------------------------------------- */

static int
with_any_answer(struct scene *s, const struct asking *a)
{
	for (enum mode mode = GOOD; mode < MODES; mode++) {
		plan_reset(0, 0);
		if (!ask(s, a, mode))
			return 0;
		if (plan.lasts[0] != 1)
			fail_msg("request %zu of type %x is not answered", a->variant, a->type);
		good_answers += plan.status / 100 == 2;
	}
	return 1;
}

static void
any_answer_of_the_keeper(void **state)
{
	const unsigned n = for_all(*state, with_any_answer);

	print_message("%u requests, %u answers, %u of them good\n", n, n * MODES, good_answers);
	assert_true(good_answers > n / 3);
}

/* --- what may not be seen --------------------------------------------------------------------- */

/* Asked by somebody in a session, answered well. */
static void
asks(struct scene *s, const struct actor *who, uint16_t type, size_t variant)
{
	const struct asking a = { who, 1, type, variant };

	plan_reset(0, 0);
	assert_int_equal(ask(s, &a, GOOD), 1);
}

/* Nothing of it is disclosed, and the log says that it was asked for. */
static void
is_refused(uint16_t status)
{
	assert_int_equal(plan.status, status);
	assert_int_equal(plan.denials, 1);
	assert_int_equal(plan.disclosures, 0);
	assert_int_equal(plan.acts, 0);
}

static void
what_may_not_be_seen(void **state)
{
	struct scene *s = *state;
	const struct world *w = s->world;

	asks(s, &w->attorney, US_MSG_read_request, 0); /* the store has no pages of it */
	assert_true(plan.denials == 0 && plan.disclosures == 1);
	asks(s, &w->attorney, US_MSG_read_request, 1); /* a record that is not there */
	is_refused(404);
	asks(s, &w->attorney, US_MSG_read_request, 2); /* no number of a record */
	is_refused(404);
	asks(s, &w->attorney, US_MSG_read_request, 5); /* no such collection */
	is_refused(404);
	asks(s, &w->producer, US_MSG_read_request, 0); /* not by this person */
	is_refused(403);
	asks(s, &w->admin, US_MSG_search_request, 4);
	is_refused(403);
	asks(s, &w->attorney, US_MSG_act_request, 0); /* a copy */
	assert_true(plan.denials == 0 && plan.acts == 1);
	asks(s, &w->attorney, US_MSG_act_request, 1); /* of a record that is not there */
	is_refused(404);
}

/* Of who may ask nothing at all: what a kind's first step says of it, which is not made. */
static void
what_a_refusal_names(void **state)
{
	struct scene *s = *state;
	struct actor nobody = s->world->attorney;

	nobody.fingerprint[0] ^= 1;
	asks(s, &nobody, US_MSG_read_request, 0);
	is_refused(403);
	assert_int_equal(plan.action, US_ACTION_READ);
	assert_int_equal(plan.named, 2);
	asks(s, &nobody, US_MSG_list_request, 0);
	is_refused(403);
	assert_int_equal(plan.action, US_ACTION_PERSON_LIST);
	asks(s, &nobody, US_MSG_search_request, 4); /* says nothing: the kind's column */
	is_refused(403);
	assert_int_equal(plan.action, US_ACTION_SEARCH);
}

/* --- what is overtaken ------------------------------------------------------------------------ */

/* A search, and who is stopped before each turn of its work, so many times. */
struct overtaking {
	struct scene *scene;
	uint32_t person;
	unsigned times;
};

static void
stop_somebody(void *ctx)
{
	struct overtaking *o = ctx;
	struct world *w = o->scene->world;

	if (o->times == 0)
		return;
	o->times--;
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_PERSON, NULL, o->person), US_OK);
	assert_int_equal(us_vault_note_entry(o->scene->rooms->vault.state,
			     us_registry_sequence(w->reg), 900),
	    US_OK);
	o->person++; /* a person is frozen once */
}

static void
search_overtaken(struct scene *s, uint32_t person, unsigned times, uint16_t status)
{
	struct overtaking o = { s, person, times };
	const struct asking a = { &s->world->attorney, 1, US_MSG_search_request, 0 };

	plan_reset(0, 0);
	plan.meanwhile = stop_somebody;
	plan.ctx = &o;
	assert_int_equal(ask(s, &a, GOOD), 1);
	assert_int_equal(plan.status, status);
	assert_int_equal(o.times, 0);
}

/* Others are stopped while it runs: it is run again. Who searches is stopped: that is told. */
static void
a_search_that_is_overtaken(void **state)
{
	struct scene *s = *state;

	search_overtaken(s, s->world->attorney.person + 1, 2, 200);
	search_overtaken(s, s->world->attorney.person, 1, 403);
}

/* --- messages --------------------------------------------------------------------------------- */

static int
with_any_send(struct scene *s, const struct asking *a)
{
	unsigned n = 0;

	do {
		plan_reset(++n, 0);
		if (!ask(s, a, GOOD))
			return 0;
	} while (plan.sends >= n);
	return 1;
}

static void
any_message_that_cannot_be_sent(void **state)
{
	(void)for_all(*state, with_any_send);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Of what was said only the answer's pieces are left, without numbers of entries: with less memory
 * it may take more of them. */
static void
answer_alone(struct us_buf *said)
{
	static const char *const names[] = { "entry=", "\"entry\":", "\"intent\":" };
	struct us_buf out;

	us_buf_init(&out, 1 << 24);
	for (char *line = strtok((char *)us_buf_cstr(said), "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		if (strncmp(line, "  reply", 7) != 0)
			continue;
		for (const char *p = line; *p != '\0';) {
			size_t n = 0;

			for (size_t i = 0; i < sizeof names / sizeof names[0] && n == 0; i++)
				n = strncmp(p, names[i], strlen(names[i])) == 0 ? strlen(names[i]) :
										  0;
			assert_int_equal(us_buf_put(&out, p, n > 0 ? n : 1), US_OK);
			p += n > 0 ? n + strspn(p + n, "-0123456789") : 1;
		}
		assert_int_equal(us_buf_put_u8(&out, '\n'), US_OK);
	}
	us_buf_free(said);
	*said = out;
	(void)us_buf_cstr(said);
}

/* Asks; what is answered to it, to be freed. */
static struct us_buf
hear(struct scene *s, const struct asking *a, unsigned allocation_fails)
{
	struct us_buf said;

	us_buf_init(&said, 1 << 24);
	plan_reset(0, allocation_fails);
	plan.said = &said;
	(void)ask(s, a, GOOD);
	plan.said = NULL;
	as_text(&said, 0);
	answer_alone(&said);
	return said;
}

/* Each piece is the good one, or says that it failed, or is the same refusal with less to read. */
static int
is_honest(const char *said, const char *good)
{
	static const char failed[] = "  reply status=5", same[] = "  reply status=404";
	int has_failed = 0;

	while (*said != '\0' && *good != '\0') {
		const size_t n = strcspn(said, "\n"), want = strcspn(good, "\n");
		const int fails = strncmp(said, failed, sizeof failed - 1) == 0;
		const int is_refusal = n >= sizeof same && said[sizeof failed - 2] == '4';

		if (!fails && !(is_refusal && memcmp(said, good, sizeof same - 1) == 0) &&
		    (n != want || memcmp(said, good, n) != 0))
			return 0;
		has_failed |= fails;
		said += n + 1;
		good += want + 1;
	}
	return *said == '\0' && (*good == '\0' || has_failed);
}

/* Whoever is told that it went well is told all that there is to tell. */
static void
in_a_child(struct scene *s, const struct asking *a, unsigned *at)
{
	struct us_buf good;

	in_child = 1;
	(void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure here is not the end of a test */
	good = hear(s, a, 0);
	do {
		struct us_buf said = hear(s, a, ++*at);

		if (plan.allocations >= *at && !is_honest(us_buf_cstr(&said), us_buf_cstr(&good))) {
			print_message("%s\nis to be\n%s\n", us_buf_cstr(&said), us_buf_cstr(&good));
			_exit(2);
		}
		us_buf_free(&said);
	} while (plan.allocations >= *at);
	_exit(0);
}

/* In processes of its own: where nothing else can be done, the vault ends itself, and the next one
 * goes on. */
static int
with_any_allocation(struct scene *s, const struct asking *a)
{
	const struct world *w = s->world;
	unsigned *at; /* which allocation; shared */
	struct us_buf b;
	int there, status;

	us_buf_init(&b, 65536);
	there = put_request(&b, s, a);
	us_buf_free(&b);
	if (!there || !a->in_session ||
	    a->who != (a->type == US_MSG_load_open_request ? &w->producer : &w->attorney))
		return there;
	at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(at != MAP_FAILED);
	do {
		const pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			in_a_child(s, a, at);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
			fail_msg("request %zu of type %x: allocation %u: status %x", a->variant,
			    a->type, *at, (unsigned)status);
	} while (WEXITSTATUS(status) == 1);
	(void)munmap(at, sizeof *at);
	return 1;
}

static void
any_allocation_that_fails(void **state)
{
	(void)for_all(*state, with_any_allocation);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_answer_of_the_keeper), cmocka_unit_test(what_may_not_be_seen),
		cmocka_unit_test(what_a_refusal_names),
		cmocka_unit_test(any_message_that_cannot_be_sent),
		cmocka_unit_test(any_allocation_that_fails),
		cmocka_unit_test(a_search_that_is_overtaken), /* people are stopped in it */
	};

	return cmocka_run_group_tests(tests, scene_open, scene_close);
}
