/* Goal: answers made step by step arrive whole, in order and once, however slices end, windows
 * shut, clients go and sending fails; each has its turn; and what has ended is on no queue and is
 * not touched again. The test is the owner, and says when a slice is over. What ends is freed at
 * once, so that AddressSanitizer sees a touch. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "daemon/process/slice.h"
#include "daemon/vault/request/work.h"

#define WINDOW 100u
#define PIECE 30u
#define MANY 12

/* --- time: a slice is over after so many units ------------------------------------------------ */

static struct {
	unsigned steps, turn;
} lengths;

static int64_t
length_of(enum us_slice_kind kind)
{
	switch (kind) {
	case US_SLICE_STEPS:
		return lengths.steps;
	case US_SLICE_TURN:
		return lengths.turn;
	case US_SLICE_SEALING:
	case US_SLICE_TASK:
		break;
	}
	fail_msg("a slice of another");
	return 0;
}

void
us_slice_begin(struct us_slice *slice, enum us_slice_kind kind)
{
	slice->end_ns = length_of(kind);
}

int
us_slice_is_over(const struct us_slice *slice)
{
	return --((struct us_slice *)(uintptr_t)slice)->end_ns <= 0;
}

/* --- an owner --------------------------------------------------------------------------------- */

struct world {
	struct us_work_queue queue;
	unsigned soon, later;
	int full;             /* no piece can be queued: the way to the clients is blocked */
	unsigned order[4096]; /* whose steps were called, one after another */
	size_t n_order;
};

enum end { RUNS, WHOLE, BROKEN, THEN, CUT };

/* What became of an answer, and what the client has. */
struct client {
	enum end end;
	int err;
	unsigned firsts, lasts, sends, steps;
	size_t got, taken;
	uint8_t bytes[8192];
};

struct answer {
	struct us_work work;
	struct world *world;
	struct client *client;
	unsigned id;
	size_t units, at;    /* that it has, and has done */
	size_t unit;         /* bytes that each adds */
	size_t fails_at;     /* the unit that fails; SIZE_MAX: none */
	unsigned send_fails; /* the call of send() that fails, from 1; 0: none */
};

static uint8_t
byte_at(unsigned id, size_t i)
{
	return (uint8_t)(id * 31 + i * 7 + i / 251);
}

static void
gone(struct answer *a, enum end end, int err)
{
	assert_int_equal(a->client->end, RUNS);
	a->client->end = end;
	a->client->err = err;
	us_work_end(&a->work);
	us_buf_free(&a->work.out);
	memset(a, 0xdd, sizeof *a);
	free(a);
}

static int
way_has_room(void *ctx)
{
	return !((struct answer *)ctx)->world->full;
}

static int
send_to_client(void *ctx, const struct us_piece *piece)
{
	struct answer *a = ctx;
	struct client *c = a->client;

	assert_false(a->world->full);
	assert_int_equal(c->end, RUNS);
	assert_int_equal(c->lasts, 0);
	assert_true(piece->bytes.n <= PIECE);
	assert_true(piece->bytes.n > 0 || piece->is_last);
	if (++c->sends == a->send_fails)
		return US_ERR_LIMIT;
	assert_int_equal(piece->is_first, c->firsts == 0);
	c->firsts += piece->is_first;
	c->lasts += piece->is_last;
	assert_true(c->got + piece->bytes.n <= sizeof c->bytes);
	if (piece->bytes.n > 0)
		memcpy(c->bytes + c->got, piece->bytes.p, piece->bytes.n);
	c->got += piece->bytes.n;
	assert_true(c->got - c->taken <= WINDOW);
	return US_OK;
}

static void
on_whole(void *ctx)
{
	assert_int_equal(((struct answer *)ctx)->client->lasts, 1);
	gone(ctx, WHOLE, US_OK);
}

static void
on_failed(void *ctx, int err)
{
	gone(ctx, BROKEN, err);
}

static void
on_then(void *ctx)
{
	gone(ctx, THEN, US_OK);
}

static void
want_turn(void *ctx, enum us_turn when)
{
	struct world *w = ctx;

	w->soon += when == US_TURN_SOON;
	w->later += when == US_TURN_LATER;
}

static const struct us_work_owner owner = { WINDOW, PIECE, way_has_room, send_to_client, on_whole,
	on_failed, want_turn };

static void
put_byte(struct answer *a, size_t i)
{
	assert_int_equal(us_buf_put_u8(&a->work.out, byte_at(a->id, i)), US_OK);
}

static enum us_step
step(void *ctx)
{
	struct answer *a = ctx;
	struct world *w = a->world;

	/* a step is called only if there is room for what it adds */
	assert_true(a->client->got - a->client->taken + us_work_unsent(&a->work).n < WINDOW);
	a->client->steps++;
	if (w->n_order < sizeof w->order / sizeof w->order[0])
		w->order[w->n_order++] = a->id;
	if (a->at == a->fails_at)
		return US_STEP_FAILED;
	if (a->at == a->units)
		return US_STEP_DONE;
	for (size_t i = 0; i < a->unit; i++)
		put_byte(a, a->at * a->unit + i);
	a->at++;
	return US_STEP_AGAIN;
}

static struct answer *
answer_new(struct world *w, struct client *c, unsigned id, size_t units, size_t unit)
{
	struct answer *a = calloc(1, sizeof *a);

	assert_non_null(a);
	memset(c, 0, sizeof *c);
	a->world = w;
	a->client = c;
	a->id = id;
	a->units = units;
	a->unit = unit;
	a->fails_at = SIZE_MAX;
	us_buf_init(&a->work.out, 65536);
	us_work_init(&a->work, &w->queue, a);
	return a;
}

static void
check_bytes(const struct client *c, unsigned id, size_t n)
{
	assert_int_equal(c->got, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c->bytes[i], byte_at(id, i));
}

/* Who waits is on the queue, and nobody else is. */
static void
check_queue(const struct us_work_queue *q)
{
	const struct us_work *before;
	size_t n = 0;

	for (const struct us_work_flow *f = q->active; f != NULL; f = f->next) {
		assert_non_null(f->first);
		assert_true(f->next == NULL || f->next->before == f);
		before = NULL;
		for (const struct us_work *k = f->first; k != NULL; before = k, k = k->next) {
			assert_int_equal(k->state, US_WORK_WAITING);
			assert_ptr_equal(k->before, before);
			assert_ptr_equal(f, &q->flow[k->whose]);
			assert_non_null(k->step);
			n++;
		}
		assert_ptr_equal(f->last, before);
	}
	assert_int_equal(q->n, n);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	us_work_queue_init(&w->queue, &owner, w);
	lengths.steps = 3;
	lengths.turn = 1000;
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	check_queue(&((struct world *)*state)->queue);
	free(*state);
	return 0;
}

static void
turns(struct world *w, unsigned n)
{
	for (; n > 0; n--) {
		us_work_turn(&w->queue);
		check_queue(&w->queue);
	}
}

/* --- one answer ------------------------------------------------------------------------------- */

static void
whole_and_once(void **state)
{
	struct world *w = *state;
	struct client c;

	for (size_t units = 0; units < 12; units++)
		for (lengths.steps = 0; lengths.steps < 8; lengths.steps++) {
			struct answer *a = answer_new(w, &c, 1, units, 7);

			us_work_begin(&a->work, step, NULL);
			turns(w, 20);
			assert_int_equal(c.end, WHOLE);
			assert_int_equal(c.lasts, 1);
			assert_int_equal(c.steps, units + 1);
			check_bytes(&c, 1, units * 7);
		}
}

static void
goes_on_elsewhere(void **state)
{
	struct world *w = *state;
	struct client c;
	struct answer *a = answer_new(w, &c, 1, 5, 0);

	us_work_begin(&a->work, step, on_then);
	turns(w, 1);
	assert_int_equal(c.end, RUNS);
	turns(w, 1);
	assert_int_equal(c.end, THEN);
	assert_int_equal(c.sends, 0);
}

static void
fails_at_any_step(void **state)
{
	struct world *w = *state;
	struct client c;

	for (size_t at = 0; at <= 6; at++) {
		struct answer *a = answer_new(w, &c, 1, 6, 10);

		a->fails_at = at;
		us_work_begin(&a->work, step, at % 2 == 0 ? NULL : on_then);
		turns(w, 10);
		assert_int_equal(c.end, BROKEN);
		assert_int_equal(c.err, US_OK);
		assert_int_equal(c.lasts, 0);
	}
}

/* An answer with a hole in it must not go on: it ends, and nothing is sent behind the hole. */
static void
fails_at_any_send(void **state)
{
	struct world *w = *state;
	struct client c;

	for (unsigned at = 1; at <= 6; at++) {
		struct answer *a = answer_new(w, &c, 1, 30, 10);

		a->send_fails = at;
		us_work_begin(&a->work, step, NULL);
		for (int i = 0; i < 40 && c.end == RUNS; i++) {
			turns(w, 1);
			if (c.end == RUNS) {
				c.taken = c.got;
				us_work_credit(&a->work, WINDOW);
			}
		}
		assert_int_equal(c.end, BROKEN);
		assert_int_equal(c.err, US_ERR_LIMIT);
		assert_int_equal(c.sends, at);
		check_bytes(&c, 1, c.got);
	}
}

static void
finished_at_once(void **state)
{
	struct world *w = *state;
	struct client c;
	struct answer *a;

	for (size_t n = 0; n < 3 * WINDOW; n += 5) {
		a = answer_new(w, &c, 1, 0, 0);
		for (size_t i = 0; i < n; i++)
			put_byte(a, i);
		us_work_finish(&a->work);
		while (c.end == RUNS) {
			c.taken += 9;
			us_work_credit(&a->work, 9);
		}
		assert_int_equal(c.end, WHOLE);
		check_bytes(&c, 1, n);
	}
}

/* --- slow clients ----------------------------------------------------------------------------- */

static void
waits_for_credit(void **state)
{
	struct world *w = *state;
	struct client c;
	struct answer *a = answer_new(w, &c, 1, 50, 10);
	unsigned steps;

	us_work_begin(&a->work, step, NULL);
	turns(w, 100);
	assert_int_equal(a->work.state, US_WORK_HELD);
	assert_int_equal(c.got, WINDOW);
	steps = c.steps;
	turns(w, 3);
	assert_int_equal(c.steps, steps);
	c.taken = 40;
	us_work_credit(&a->work, 40);
	assert_int_equal(a->work.state, US_WORK_WAITING);
	turns(w, 100);
	assert_int_equal(c.got, WINDOW + 40);
	while (c.end == RUNS) {
		c.taken = c.got;
		us_work_credit(&a->work, SIZE_MAX); /* what was not sent cannot have been taken */
		turns(w, 2);
	}
	assert_int_equal(c.end, WHOLE);
	check_bytes(&c, 1, 500);
}

/* Nothing is sent while the way is blocked, not even an end without bytes; what waits goes on when
 * it is told so. */
static void
waits_for_room(void **state)
{
	struct world *w = *state;
	struct client c, d;
	struct answer *a = answer_new(w, &c, 1, 5, 3), *b = answer_new(w, &d, 2, 0, 0);
	unsigned steps;

	w->full = 1;
	us_work_begin(&a->work, step, NULL);
	turns(w, 100);
	assert_int_equal(a->work.state, US_WORK_HELD);
	assert_int_equal(c.sends, 0);
	steps = c.steps;
	us_work_credit(&a->work, 0); /* not yet */
	turns(w, 3);
	assert_int_equal(c.steps, steps);
	us_work_finish(&b->work);
	assert_int_equal(b->work.state, US_WORK_ENDING);
	assert_int_equal(d.end, RUNS);
	w->full = 0;
	us_work_credit(&b->work, 0);
	assert_int_equal(d.end, WHOLE);
	assert_int_equal(d.lasts, 1);
	us_work_credit(&a->work, 0);
	turns(w, 100);
	assert_int_equal(c.end, WHOLE);
	check_bytes(&c, 1, 15);
}

/* The end waits until the client has taken everything, if that was asked for. */
static void
ends_when_taken(void **state)
{
	struct world *w = *state;
	struct client c;
	struct answer *a = answer_new(w, &c, 1, 5, 3);

	a->work.ends_when_taken = 1;
	us_work_begin(&a->work, step, NULL);
	turns(w, 100);
	assert_int_equal(c.got, 15);
	assert_int_equal(c.lasts, 0);
	assert_int_equal(a->work.state, US_WORK_ENDING);
	c.taken = 14;
	us_work_credit(&a->work, 14);
	assert_int_equal(c.end, RUNS);
	c.taken = 15;
	us_work_credit(&a->work, 1);
	assert_int_equal(c.end, WHOLE);
	check_bytes(&c, 1, 15);
}

static void
ends_while_held_or_waiting(void **state)
{
	struct world *w = *state;
	struct client c, d;
	struct answer *a = answer_new(w, &c, 1, 50, 10), *b = answer_new(w, &d, 2, 50, 10);

	us_work_begin(&a->work, step, NULL);
	turns(w, 100);
	assert_int_equal(a->work.state, US_WORK_HELD);
	us_work_begin(&b->work, step, NULL);
	assert_int_equal(w->queue.n, 1);
	gone(b, CUT, US_OK);
	assert_int_equal(w->queue.n, 0);
	gone(a, CUT, US_OK);
	turns(w, 3);
	assert_int_equal(d.steps, 0);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void
each_has_its_turn(void **state)
{
	static const unsigned want[] = { 1, 1, 2, 2, 3, 3, /* next turn */ 1, 1, 2, 2, 3, 3 };
	struct world *w = *state;
	struct client c[3];
	struct answer *a[3];

	lengths.steps = 2;
	for (unsigned i = 0; i < 3; i++) {
		a[i] = answer_new(w, &c[i], i + 1, 20, 1);
		us_work_begin(&a[i]->work, step, NULL);
	}
	assert_int_equal(w->soon, 1); /* one for all */
	turns(w, 2);
	assert_int_equal(w->n_order, 12);
	assert_memory_equal(w->order, want, sizeof want);
	assert_int_equal(w->soon, 1);
	assert_int_equal(w->later, 2); /* never at once: others have to be looked at in between */
	lengths.turn = 1;
	turns(w, 4); /* there is time for one alone in each */
	assert_int_equal(w->n_order, 20);
	assert_int_equal(w->order[12], 1);
	assert_int_equal(w->order[14], 2);
	assert_int_equal(w->order[16], 3);
	assert_int_equal(w->order[18], 1);
	for (unsigned i = 0; i < 3; i++)
		gone(a[i], CUT, US_OK);
}

/* --- by chance -------------------------------------------------------------------------------- */

static unsigned
below(unsigned n)
{
	return (unsigned)rand() % n;
}

static struct answer *
any_answer(struct world *w, struct client *c, unsigned id)
{
	struct answer *a = answer_new(w, c, id, below(40), below(60));

	if (below(8) == 0)
		a->fails_at = below(40);
	if (below(8) == 0)
		a->send_fails = 1 + below(20);
	us_work_begin(&a->work, step, below(8) == 0 ? on_then : NULL);
	return a;
}

static void
check_end(const struct client *c, unsigned id, size_t units, size_t unit)
{
	switch (c->end) {
	case WHOLE:
		check_bytes(c, id, units * unit);
		break;
	case BROKEN:
	case THEN:
	case CUT:
		assert_int_equal(c->lasts, 0);
		check_bytes(c, id, c->got);
		break;
	case RUNS:
		fail_msg("an answer has no end");
		break;
	}
}

static void
as_it_comes(void **state)
{
	struct world *w = *state;
	struct client *c = calloc(MANY, sizeof *c);
	struct answer *a[MANY] = { NULL };
	size_t units[MANY] = { 0 }, unit[MANY] = { 0 }, ends[CUT + 1] = { 0 };

	assert_non_null(c);
	srand(27);
	for (int round = 0; round < 200000; round++) {
		unsigned i = below(MANY);

		lengths.steps = below(6);
		lengths.turn = below(20);
		if (a[i] == NULL) {
			a[i] = any_answer(w, &c[i], i);
			units[i] = a[i]->units;
			unit[i] = a[i]->unit;
		} else if (below(40) == 0) {
			gone(a[i], CUT, US_OK);
		} else if (below(50) == 0) {
			w->full = !w->full;
			for (unsigned k = 0; k < MANY && !w->full; k++)
				if (a[k] != NULL && c[k].end == RUNS)
					us_work_credit(&a[k]->work, 0);
		} else if (below(2) == 0) {
			size_t n = below(WINDOW);

			if (n > c[i].got - c[i].taken)
				n = c[i].got - c[i].taken;
			c[i].taken += n;
			us_work_credit(&a[i]->work, n);
		} else {
			us_work_turn(&w->queue);
		}
		check_queue(&w->queue);
		for (unsigned k = 0; k < MANY; k++) {
			if (a[k] == NULL || c[k].end == RUNS)
				continue;
			check_end(&c[k], k, units[k], unit[k]);
			ends[c[k].end]++;
			a[k] = NULL;
		}
	}
	for (unsigned e = WHOLE; e <= CUT; e++)
		assert_true(ends[e] > 100);
	for (unsigned i = 0; i < MANY; i++)
		if (a[i] != NULL)
			gone(a[i], CUT, US_OK);
	free(c);
}

/* --- what a step must not do ------------------------------------------------------------------ */

static enum us_step
answers_itself(void *ctx)
{
	us_work_finish(&((struct answer *)ctx)->work);
	return US_STEP_AGAIN;
}

static enum us_step
ends_itself(void *ctx)
{
	us_work_end(&((struct answer *)ctx)->work);
	return US_STEP_AGAIN;
}

static enum us_step
begins_itself(void *ctx)
{
	us_work_begin(&((struct answer *)ctx)->work, step, NULL);
	return US_STEP_DONE;
}

static void
a_step_that_does_more_is_a_bug(void **state)
{
	static const us_step_fn wrong[] = { answers_itself, ends_itself, begins_itself };
	struct world *w = *state;
	struct client c;
	int status;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct answer *a = answer_new(w, &c, 1, 3, 3);
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			us_work_begin(&a->work, wrong[i], NULL);
			us_work_turn(&w->queue);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		gone(a, CUT, US_OK);
	}
}

/* Somebody who has hundreds of answers made keeps nobody waiting who has one. */
static void
many_of_one_beside_one_of_another(void **state)
{
	struct world *w = *state;
	struct client many[200], one;
	struct answer *a;

	lengths.turn = 1;
	for (unsigned i = 0; i < 200; i++) {
		a = answer_new(w, &many[i], i + 2, 12, 7);
		us_work_belongs(&a->work, 7);
		us_work_begin(&a->work, step, NULL);
	}
	turns(w, 100);
	a = answer_new(w, &one, 1, 5, 7);
	us_work_belongs(&a->work, 8);
	us_work_begin(&a->work, step, NULL);
	turns(w, 100); /* fewer than it would be behind all of the others, once */
	assert_int_equal(one.end, WHOLE);
	turns(w, 200 * 13);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(many[i].end, WHOLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(many_of_one_beside_one_of_another),
		T(whole_and_once),
		T(goes_on_elsewhere),
		T(fails_at_any_step),
		T(fails_at_any_send),
		T(finished_at_once),
		T(waits_for_credit),
		T(waits_for_room),
		T(ends_when_taken),
		T(ends_while_held_or_waiting),
		T(each_has_its_turn),
		T(as_it_comes),
		T(a_step_that_does_more_is_a_bug),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
