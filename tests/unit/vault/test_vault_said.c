/* Goal: what the vault says to whom, word for word: each request that there is, asked by people of
 * every kind in a matter with a busy docket; each answer, each entry that the keeper is asked for
 * before it, each question to keeper and sealer. All of it stands in said.txt, which is read when it
 * changes: UNDERSEAL_SAID=FILE writes what is said now. Chance is left out (as_text()). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/err.h"
#include "tests/unit/vault/stage.h"

#define SAID US_SOURCE_DIR "/tests/unit/vault/said.txt"
#define SAID_MAX ((size_t)64 << 20)
#define BLOCKS 2048
#define SHORT 80

static const uint16_t types[] = { US_MSG_status_request, US_MSG_list_request,
	US_MSG_question_request, US_MSG_search_request, US_MSG_read_request, US_MSG_act_request,
	US_MSG_log_request, US_MSG_log_keys_request, US_MSG_cosign_request,
	US_MSG_challenge_request, US_MSG_session_request, US_MSG_share_request,
	US_MSG_load_open_request, US_MSG_load_end_request, US_MSG_load_ticket_request };

/* All that was said, and where in it what was said to each request begins. */
struct said {
	struct us_buf text;
	struct block {
		char name[80];
		size_t at, n;
	} blocks[BLOCKS];
	size_t n_blocks;
};

/* Who takes part beside the world's own four. */
struct others {
	struct actor expert, defence, judge;
};

/* A docket with something of every kind, in every state. */
static void
fill_docket(struct scene *s, struct others *o)
{
	static const struct edit edits[] = {
		{ "clawback_visible: [court]", "clawback_visible: [court, expert]" }, { NULL, NULL }
	};
	struct world *w = s->world;

	join(w, &o->expert, "Edgar Expert", US_CAPACITY_EXPERT, "plaintiffs", &w->attorney);
	join(w, &o->defence, "Dora Defence", US_CAPACITY_COUNSEL_STAFF, "defendant", &w->producer);
	join(w, &o->judge, "Judith Judge", US_CAPACITY_COURT, "court", &w->auditor);
	assert_int_equal(world_batch(w, 1, 2, 200, 50, 1), US_OK);
	assert_int_equal(acknowledge(w, &o->expert, 1), US_OK);
	assert_int_equal(clearance(w, &w->attorney, "expert", &o->expert), US_OK);
	assert_int_equal(serve(w, &w->attorney, "clearance-1", "defendant", w->now), US_OK);
	assert_int_equal(object(w, &w->producer, "clearance-1"), US_OK);
	assert_int_equal(resolve(w, &w->auditor, "clearance-1", US_OUTCOME_GRANTED), US_OK);
	assert_int_equal(clearance(w, &w->attorney, "tool", &o->expert), US_OK);
	assert_int_equal(withdraw(w, &w->attorney, "clearance-2"), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_CLAWBACK, 10, 10, NULL), US_OK);
	assert_int_equal(about_records(w, &w->attorney, US_ACT_CHALLENGE, 30, 5, NULL), US_OK);
	assert_int_equal(about_records(w, &w->producer, US_ACT_RELABEL, 40, 2, "RESTRICTED"),
	    US_OK);
	assert_int_equal(freeze(w, &w->auditor, US_FREEZE_RECORDS, NULL, 0), US_OK);
	assert_int_equal(freeze(w, &w->attorney, US_FREEZE_PARTY, "defendant", 0), US_OK);
	assert_int_equal(unfreeze(w, &w->auditor, 1), US_OK);
	assert_int_equal(request_copy(w, &w->attorney, 50, 2, NULL), US_OK);
	assert_int_equal(sign(w, &w->auditor, "approval-1"), US_OK);
	assert_int_equal(propose(w, &w->attorney, 3, edits, w->now + 30 * DAY_NS), US_OK);
	assert_int_equal(sign(w, &w->auditor, "order-3"), US_OK);
	scene_hour(s);
}

/* What was asked, what was said; of what was said in the same words before, only when. */
static void
put_block(struct said *s, struct block *new)
{
	struct us_buf said;

	us_buf_init(&said, SAID_MAX);
	assert_int_equal(us_buf_put(&said, s->text.data + new->at, new->n), US_OK);
	s->text.len = new->at;
	assert_int_equal(us_buf_putf(&s->text, "\n\n%s", new->name), US_OK);
	new->at = s->text.len;
	for (size_t i = 0; i<s->n_blocks &&new->n> SHORT; i++) {
		const struct block *b = &s->blocks[i];

		if (b->n == new->n && memcmp(s->text.data + b->at, said.data, b->n) == 0) {
			assert_int_equal(us_buf_putf(&s->text, "\n  as %s", b->name), US_OK);
			us_buf_free(&said);
			return;
		}
	}
	assert_int_equal(us_buf_put(&s->text, said.data, said.len), US_OK);
	us_buf_free(&said);
	assert_true(s->n_blocks < BLOCKS);
	s->blocks[s->n_blocks++] = *new;
}

static void
ask_everything(struct scene *s, const struct actor *who, enum mode mode, struct said *said)
{
	static const char *const modes[] = { "", " (refused)", " (failed)", " (empty)",
		" (malformed)" };
	struct asking a = { who, 1, 0, 0 };

	for (size_t i = 0; i < US_COUNT(types); i++) {
		a.type = types[i];
		for (a.variant = 0;; a.variant++) {
			struct block new;

			plan_reset(0, 0);
			plan.said = &said->text;
			(void)snprintf(new.name, sizeof new.name, "%s: %s %zu%s", who->name,
			    us_msg_name(a.type), a.variant, modes[mode]);
			new.at = said->text.len;
			if (!ask(s, &a, mode))
				break;
			as_text(&said->text, new.at);
			new.n = said->text.len - new.at;
			put_block(said, &new);
		}
	}
	plan.said = NULL;
}

static void
same_as(struct us_buf *said, FILE *f)
{
	const char *at = us_buf_cstr(said), *end = at + said->len;
	char *want = NULL;
	size_t cap = 0, line = 0;

	for (ssize_t n; (n = getline(&want, &cap, f)) > 0; at += n) {
		line++;
		if (end - at < n || memcmp(at, want, (size_t)n) != 0)
			fail_msg("line %zu: said\n%.*s\nis to be\n%s", line, (int)strcspn(at, "\n"),
			    at, want);
	}
	free(want);
	assert_int_equal(end - at, 0);
}

static void
everything_to_everybody(void **state)
{
	struct scene *s = *state;
	struct others o;
	const struct actor *const people[] = { &s->world->attorney, &s->world->producer,
		&s->world->auditor, &s->world->admin, &o.expert, &o.defence, &o.judge };
	const char *write_to = getenv("UNDERSEAL_SAID");
	struct said *said = calloc(1, sizeof *said);
	struct us_buf *text = &said->text;
	FILE *f;

	us_buf_init(text, SAID_MAX);
	fill_docket(s, &o);
	for (size_t i = 0; i < US_COUNT(people); i++)
		ask_everything(s, people[i], GOOD, said);
	for (enum mode mode = REFUSES; mode < MODES; mode++)
		ask_everything(s, &s->world->attorney, mode, said);
	assert_int_equal(us_buf_put_u8(text, '\n'), US_OK);
	f = fopen(write_to != NULL ? write_to : SAID, write_to != NULL ? "w" : "r");
	assert_non_null(f);
	if (write_to != NULL)
		assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
	else
		same_as(text, f);
	(void)fclose(f);
	us_buf_free(text);
	free(said);
	actor_free(&o.expert);
	actor_free(&o.defence);
	actor_free(&o.judge);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everything_to_everybody) };

	return cmocka_run_group_tests(tests, scene_open, scene_close);
}
