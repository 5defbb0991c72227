#include "daemon/keeper/machine_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/keeper/answer.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"
#include "daemon/keeper/unattributed.h"
#include "daemon/process/role.h"
#include "daemon/process/settings.h"

#define STARTED "started"
#define STARTED_MAX 65536u
#define ENDED "ended"
#define ENDED_MAGIC "USEND1\n"
#define ENDED_SIZE (7u + 8u + 1u)
/* Clocks that are apart by less say nothing. */
#define APART_NS (INT64_C(5) * US_NS_PER_SECOND)
#define STALL_NS (INT64_C(30) * US_NS_PER_SECOND)

/* --- settings ------------------------------------------------------------------------------ */

static int
put_line(struct us_buf *b, const char *name, const char *value)
{
	char clean[1024];

	return us_buf_putf(b, "%s=%s\n", name,
	    us_printable(clean, sizeof clean, value, strlen(value)));
}

struct us_machine_events {
	struct us_buf settings;   /* what is in effect, as it stands in "started" */
	int64_t wall_ns, mono_ns; /* of the last look at the clocks; 0: none yet */
};

int
us_machine_events_new(struct us_keeper *k, const struct us_settings *settings)
{
	const char *name, *value;
	struct us_buf *b;
	int err;

	k->machine = calloc(1, sizeof *k->machine);
	if (k->machine == NULL)
		return US_ERR_NOMEM;
	b = &k->machine->settings;
	us_buf_init(b, STARTED_MAX);
	err = put_line(b, "version", US_VERSION);
	for (size_t i = 0; err == US_OK && us_setting_at(settings, i, &name, &value); i++) {
		char clean[128];

		err = put_line(b, us_printable(clean, sizeof clean, name, strlen(name)), value);
	}
	return err;
}

/* The line of that name: its value, or NULL. */
static const char *
value_of(const char *lines, const char *name, size_t name_n, size_t *n)
{
	const char *end;

	for (const char *p = lines; *p != '\0'; p = end + 1) {
		end = strchr(p, '\n');
		if (end == NULL)
			return NULL;
		if ((size_t)(end - p) > name_n && memcmp(p, name, name_n) == 0 &&
		    p[name_n] == '=') {
			*n = (size_t)(end - p) - name_n - 1;
			return p + name_n + 1;
		}
	}
	return NULL;
}

struct us_keeper_change {
	const char *name, *old, *new;
	size_t name_n, old_n, new_n;
};

/* Calls put for each difference between two files, first those of the new one. */
static int
each_change(const char *old, const char *new,
    int (*put)(struct us_buf *b, const struct us_keeper_change *c), struct us_buf *b)
{
	int err = US_OK;

	for (int gone = 0; gone < 2; gone++) {
		const char *end, *from = gone ? old : new, *other = gone ? new : old;

		for (const char *p = from; err == US_OK && (end = strchr(p, '\n')) != NULL;
		     p = end + 1) {
			const char *equals = memchr(p, '=', (size_t)(end - p));
			struct us_keeper_change c = { .name = p };

			if (equals == NULL)
				continue;
			c.name_n = (size_t)(equals - p);
			c.new = equals + 1;
			c.new_n = (size_t)(end - c.new);
			c.old = value_of(other, p, c.name_n, &c.old_n);
			if (gone ? c.old != NULL :
				   c.old != NULL && c.old_n == c.new_n &&
				    memcmp(c.old, c.new, c.new_n) == 0)
				continue;
			if (gone) {
				c.old = c.new;
				c.old_n = c.new_n;
				c.new = NULL;
			}
			err = put(b, &c);
		}
	}
	return err;
}

static int
put_whole(struct us_buf *b, const struct us_keeper_change *c)
{
	return us_buf_putf(b, "%.*s: %.*s -> %.*s\n", (int)c->name_n, c->name,
	    c->old == NULL ? 1 : (int)c->old_n, c->old == NULL ? "-" : c->old,
	    c->new == NULL ? 1 : (int)c->new_n, c->new == NULL ? "-" : c->new);
}

static int
put_name(struct us_buf *b, const struct us_keeper_change *c)
{
	const int err = us_buf_putf(b, "%.*s\n", (int)c->name_n, c->name);

	return err == US_ERR_LIMIT ? US_OK : err;
}

/* What changed since the last start; empty: nothing. */
static int
describe_changes(struct us_keeper *k, struct us_buf *changes)
{
	uint8_t digest[32];
	char hex[65] = "";
	struct us_buf before;
	const char *old, *new = us_buf_cstr(&k->machine->settings);
	int err;

	us_buf_init(&before, STARTED_MAX + 1);
	err = us_keeper_read(STARTED, STARTED_MAX, &before);
	if (err != US_OK && err != US_ERR_NOT_FOUND)
		us_log_err(err,
		    "the file \"" STARTED "\" cannot be read: the log gets all settings");
	old = us_buf_cstr(&before);
	err = old == NULL || new == NULL ? US_ERR_NOMEM : each_change(old, new, put_whole, changes);
	if (err == US_ERR_LIMIT) {
		us_buf_reset(changes);
		err = us_sha256(k->machine->settings.data, k->machine->settings.len, digest);
		us_hex_encode(digest, sizeof digest, hex);
		if (err == US_OK)
			err = us_buf_putf(changes, "sha256 %.64s\n", hex);
		if (err == US_OK)
			err = each_change(old, new, put_name, changes);
	}
	us_buf_free(&before);
	return err;
}

/* --- start and end ------------------------------------------------------------------------- */

enum us_gap
us_run_end(uint64_t size)
{
	enum us_gap how = US_GAP_CRASHED;
	struct us_buf b;

	us_buf_init(&b, ENDED_SIZE);
	if (us_keeper_read(ENDED, ENDED_SIZE, &b) == US_OK && b.len == ENDED_SIZE &&
	    memcmp(b.data, ENDED_MAGIC, 7) == 0 && us_load_u64(b.data + 7) == size &&
	    (b.data[15] == US_GAP_STOPPED || b.data[15] == US_GAP_SEALED))
		how = (enum us_gap)b.data[15];
	us_buf_free(&b);
	return how;
}

static int
log_gap(struct us_keeper *k, int64_t from_ns, int64_t to_ns, enum us_gap cause)
{
	const struct us_event e = { .form = US_EVENT_GAP,
		.gap = { .from = from_ns, .to = to_ns, .cause = (uint8_t)cause } };

	return us_keeper_event(k, US_ACTION_GAP, US_DECISION_NONE, US_REASON_NONE, &e, NULL);
}

int
us_machine_events_begin(struct us_keeper *k, int64_t last_ns, int64_t start_ns, uint64_t from_size)
{
	struct us_event e = { .form = US_EVENT_CONFIGURE };
	struct us_buf changes;
	int err = log_gap(k, last_ns, start_ns, us_run_end(from_size));

	us_buf_init(&changes, US_EVENT_CONFIGURE_MAX);
	if (err == US_OK)
		err = describe_changes(k, &changes);
	e.configure.changes = (struct us_bytes){ changes.data, changes.len };
	if (err == US_OK && changes.len > 0)
		err = us_keeper_event(k, US_ACTION_CONFIGURE, US_DECISION_NONE, US_REASON_NONE, &e,
		    NULL);
	us_buf_free(&changes);
	return err;
}

void
us_machine_events_begun(struct us_keeper *k)
{
	struct us_buf same;
	int err;

	us_buf_init(&same, STARTED_MAX);
	err = us_keeper_read(STARTED, STARTED_MAX, &same);
	if (err != US_OK || same.len != k->machine->settings.len ||
	    memcmp(same.data, k->machine->settings.data, same.len) != 0) {
		err = us_keeper_write(STARTED,
		    (struct us_bytes){ k->machine->settings.data, k->machine->settings.len });
		if (err != US_OK)
			us_log_err(err,
			    "the file \"" STARTED
			    "\" cannot be written: the next start repeats what it logged");
	}
	us_buf_free(&same);
}

void
us_run_ended(uint64_t size, enum us_gap how)
{
	uint8_t ended[ENDED_SIZE] = ENDED_MAGIC;
	int err;

	us_store_u64(ended + 7, size);
	ended[15] = (uint8_t)how;
	err = us_keeper_write(ENDED, (struct us_bytes){ ended, sizeof ended });
	if (err != US_OK)
		us_log_err(err,
		    "the file \"" ENDED "\" cannot be written: the next start will say that this "
		    "run did not end in order");
}

/* --- while it runs ------------------------------------------------------------------------- */

void
us_machine_events_clocks(struct us_keeper *k)
{
	struct us_machine_events *s = k->machine;
	const int64_t wall = us_time_now_ns(), mono = us_time_mono_ns();
	const int64_t apart = (wall - s->wall_ns) - (mono - s->mono_ns);

	if (s->wall_ns != 0 && apart > APART_NS)
		(void)log_gap(k, s->wall_ns, wall, US_GAP_CLOCK);
	else if (s->wall_ns != 0 && mono - s->mono_ns > STALL_NS)
		(void)log_gap(k, s->wall_ns, wall, US_GAP_STALLED);
	s->wall_ns = wall;
	s->mono_ns = mono;
}

int
us_machine_events_told(struct us_keeper *k, uint16_t type, struct us_bytes body)
{
	struct us_msg_carried carried;
	struct us_msg_died died;
	struct us_event e;
	int err;

	switch (type) {
	case US_MSG_carried:
		err = us_msg_carried_decode(&carried, body.p, body.n);
		/* the monitor passes on what fronts said, and does not look into it */
		if (err == US_OK && us_keeper_unattributed_take(k, carried.counts) != US_OK)
			us_log(US_LOG_WARNING,
			    "what a front has counted makes no sense: part of it is lost");
		return err;
	case US_MSG_died:
		err = us_msg_died_decode(&died, body.p, body.n);
		if (err != US_OK || us_keeper_is_sealing(k)) /* nothing comes behind a seal */
			return err;
		e = (struct us_event){ .form = US_EVENT_ROLE_RESTART,
			.role_restart = { .role = died.role,
			    .index = died.index,
			    .signal = died.by_signal,
			    .status = died.status } };
		err = us_keeper_event(k, US_ACTION_ROLE_RESTART, US_DECISION_NONE, US_REASON_NONE,
		    &e, NULL);
		if (err == US_OK)
			us_keeper_settle(k);
		return err;
	default:
		return US_ERR_MALFORMED;
	}
}

void
us_machine_events_free(struct us_keeper *k)
{
	if (k->machine != NULL)
		us_buf_free(&k->machine->settings);
	free(k->machine);
	k->machine = NULL;
}
