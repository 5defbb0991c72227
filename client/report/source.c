/* The log that reports are made from: as the vault serves it, or an export. */
#include "client/report/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "log/tiles.h"
#include "client/log/acts.h"
#include "client/log/log_index.h"
#include "client/report/index.h"
#include "client/report/reach.h"
#include "base/err.h"

#define VKEY_MAX_BYTES 4000

struct us_report_source {
	struct us_client *client;
	const struct us_report_from *from;
	struct us_buf vkey_text;
	const char *vkey; /* of an export; NULL: its own */
	int has_remote;
	struct us_log_remote remote;
	cJSON *people, *collections; /* the vault's lists, or NULL */
	struct us_buf acts;
	int indexed;
	uint64_t withheld; /* if indexed */
};

/* One pass. */
struct us_client_gathering {
	struct us_report *report;
	struct us_trail *trail;
	int wants_places; /* for an index: */
	struct us_report_place *places;
	size_t places_cap;
	size_t bundle_at; /* where the next entry begins in its bundle */
};

/* ---- entries ---- */

/* How long an entry is, and its length before it in a bundle. */
static size_t
bytes_of(const struct us_entry_view *v)
{
	size_t n = 2 + v->prefix.n;

	for (unsigned i = 0; i < US_BOXES; i++)
		n += 32 + 2 + v->boxes[i].ciphertext.n;
	return n;
}

/* Of the entry that was added last. */
static int
note_place(struct us_client_gathering *g, const struct us_verified_entry *e)
{
	if (us_grow_to(&g->places, g->trail->n, &g->places_cap, sizeof *g->places) != US_OK)
		return US_ERR_NOMEM;
	if (e->opened->view.index % US_TILE_WIDTH == 0)
		g->bundle_at = 0;
	g->places[g->trail->n - 1] = (struct us_report_place){ .line = e->keys != NULL ?
		    e->keys_at :
		    UINT64_MAX,
		.bundle = (uint32_t)g->bundle_at };
	g->bundle_at += bytes_of(&e->opened->view);
	return US_OK;
}

static int
take_entry(void *arg, const struct us_verified_entry *verified)
{
	struct us_client_gathering *g = arg;
	const struct us_trail_entry *e = NULL;
	int err;

	if (g->wants_places) {
		err = us_trail_add(g->trail, verified->opened);
		if (err == US_OK)
			err = note_place(g, verified);
		if (err == US_OK)
			e = &g->trail->entries[g->trail->n - 1];
	} else {
		err = us_trail_next(g->trail, verified->opened, &e);
	}
	if (err == US_OK)
		us_report_entry(g->report, e);
	return err;
}

/* What the verifier returned; the verdict itself is looked at later. */
static int
verified(int err)
{
	if (err == US_OK)
		return US_EXIT_DONE;
	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_say("an entry of the log does not open as it must: %s", us_strerror(err));
	return US_EXIT_UNVERIFIED;
}

/* Behind the last entry: whether the acts were those of the log. Returns an exit status. */
static int
end_acts(const struct us_trail *t)
{
	const int err = t->verified.verdict == US_VERDICT_OK ? us_trail_end_acts(t) : US_OK;

	if (err != US_OK)
		us_say("VERIFICATION FAILED: the acts beside the log are not those that it commits "
		       "to: %s",
		    us_strerror(err));
	return err == US_OK ? US_EXIT_DONE : US_EXIT_UNVERIFIED;
}

/* ---- an export ---- */

static FILE *
open_in(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* The acts that the export has beside the log, if it has any. */
static void
read_acts(const char *dir, struct us_buf *acts)
{
	FILE *f = open_in(dir, "acts");
	int err = US_OK;

	if (f == NULL)
		return;
	for (uint8_t part[16384]; err == US_OK;) {
		const size_t n = fread(part, 1, sizeof part, f);

		if (n == 0)
			break;
		err = us_buf_put(acts, part, n);
	}
	if (err != US_OK || ferror(f))
		us_give_up(US_EXIT_OTHER, "the acts in %s cannot be read", dir);
	(void)fclose(f);
}

/* The log's key: from the file, the profile, or NULL, which leaves the export's own. */
static const char *
key_of(struct us_client *client, const struct us_report_from *from, struct us_buf *text)
{
	if (from->vkey != NULL) {
		if (us_file_read(from->vkey, VKEY_MAX_BYTES, text) != US_OK)
			us_give_up(US_EXIT_OTHER, "cannot read the log key %s", from->vkey);
		while (text->len > 0 &&
		    (text->data[text->len - 1] == '\n' || text->data[text->len - 1] == ' '))
			text->len--;
		return us_buf_cstr(text);
	}
	if (client->profile_directory == NULL)
		return NULL;
	us_profile_open_public(&client->profile, client->profile_directory);
	return client->profile.vkey;
}

static void
open_export(struct us_report_source *s)
{
	s->vkey = key_of(s->client, s->from, &s->vkey_text);
	if (s->from->index != NULL && s->vkey == NULL)
		us_usage_error("with --index the log's key must come from another source: --vkey "
			       "FILE or --profile DIR");
	read_acts(s->from->dir, &s->acts);
}

static int
read_export(const struct us_report_source *s, struct us_client_gathering *g)
{
	const struct us_verify_options options = { .on_entry = take_entry,
		.arg = g,
		.vkey = s->vkey,
		.threads = us_verify_processors() };
	const int err = us_export_verify(&g->trail->verified, s->from->dir, &options);

	return err != US_OK ? verified(err) : end_acts(g->trail);
}

/* ---- a pass ---- */

static void
begin_pass(const struct us_report_source *s, struct us_client_gathering *g)
{
	us_trail_init(g->trail);
	g->trail->offline = !s->has_remote;
	if (us_names_lists(&g->trail->names, s->people, s->collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_trail_set_acts(g->trail, (struct us_bytes){ s->acts.data, s->acts.len });
	if (!s->has_remote && us_trail_names_ahead(g->trail) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	us_report_pass(g->report, g->trail);
}

/* ---- by way of an index ---- */

/* The answer's entries. US_ERR_NOT_FOUND: there is no index for this checkpoint. */
static int
look_up(struct us_report_source *s, struct us_client_gathering *g)
{
	struct us_report_records records;
	struct us_report_index *x;
	int err = us_report_index_open(&x, s->from->index, s->from->dir, s->vkey, g->trail);

	if (err != US_OK)
		return err;
	s->withheld = us_report_index_withheld(x);
	err = us_report_index_load(x, NULL, g->trail);
	if (err == US_OK) {
		us_report_records(g->trail, s->from->record, strlen(s->from->record), &records);
		err = us_report_index_load(x, &records, g->trail);
	}
	for (size_t i = 0; err == US_OK && i < g->trail->n; i++)
		us_report_entry(g->report, &g->trail->entries[i]);
	us_report_index_close(x);
	return err;
}

static int
read_indexed(struct us_report_source *s, struct us_client_gathering *g)
{
	int err, status;

	us_trail_set_acts(g->trail, (struct us_bytes){ NULL, 0 }); /* the index has its own */
	err = look_up(s, g);
	if (err == US_OK) {
		s->indexed = 1;
		return US_EXIT_DONE;
	}
	if (err != US_ERR_NOT_FOUND) {
		us_say("the index %s, or the log, is not what it was: %s. Remove the index to look "
		       "at the log as a whole",
		    s->from->index, us_strerror(err));
		return US_EXIT_UNVERIFIED;
	}
	us_trail_free(g->trail);
	begin_pass(s, g);
	g->wants_places = 1;
	status = read_export(s, g);
	if (status == US_EXIT_DONE && g->trail->verified.verdict == US_VERDICT_OK &&
	    us_report_index_make(s->from->index, g->trail, g->places) != US_OK)
		us_say("the index %s cannot be written", s->from->index);
	free(g->places);
	return status;
}

/* ---- the vault ---- */

static int
open_remote(struct us_report_source *s)
{
	int status;

	us_log_remote_open(&s->remote, s->client);
	s->has_remote = 1;
	if (!s->from->no_mirror)
		us_log_remote_mirror(&s->remote);
	status = us_client_get(s->client, "/v1/people", &s->people);
	if (status == US_EXIT_DONE)
		status = us_client_get(s->client, "/v1/collections", &s->collections);
	if (status == US_EXIT_DONE)
		status = us_log_index_keys(&s->remote);
	if (status == US_EXIT_DONE && us_log_acts_are_open(&s->remote))
		status = us_log_acts_fetch(s->client, &s->acts);
	return status;
}

static int
take_opened(void *arg, const struct us_opened *o)
{
	struct us_client_gathering *g = arg;
	const struct us_trail_entry *e;
	const int err = us_trail_next(g->trail, o, &e);

	if (err == US_OK && g->report != NULL)
		us_report_entry(g->report, e);
	return err;
}

/* Which entries to look at: by the names that lists and acts give. */
static int
find_looks(struct us_report_source *s, const struct us_client_gathering *g,
    struct us_log_index *index, struct us_report_reach_looks *looks)
{
	static const struct us_log_look_for context = { .look = US_LOOK_CONTEXT };
	const struct us_log_range range = { &context, 1, 0, UINT64_MAX };
	struct us_trail names;
	struct us_client_gathering acts = { .trail = &names };
	int err, found = 0;

	us_trail_init(&names);
	err = us_names_lists(&names.names, s->people, s->collections);
	us_trail_set_acts(&names, (struct us_bytes){ s->acts.data, s->acts.len });
	if (err == US_OK)
		err = us_log_index_each(index, &range, take_opened, &acts);
	if (err == US_OK)
		found = us_report_reach(g->report->kind, g->report->ask, &names, looks);
	us_trail_free(&names);
	return found ? US_OK : US_ERR_NOT_FOUND;
}

/* The entries that the report is about, as the index finds them. */
static int
go_by_index(struct us_report_source *s, struct us_client_gathering *g, struct us_log_index *index)
{
	struct us_report_reach_looks looks;
	struct us_log_range range = { looks.look, 0, 0, UINT64_MAX };
	int err = find_looks(s, g, index, &looks);
	const char *party;

	range.n = looks.n;
	for (size_t i = 0; err == US_OK && (party = us_log_index_party(index, i)) != NULL; i++) {
		const struct us_bytes name = us_bytes_of(party);

		err = us_names_add_parties(&g->trail->names, &name, 1);
	}
	if (err == US_OK)
		err = us_log_index_each(index, &range, take_opened, g);
	g->trail->passed = s->remote.size;
	return err;
}

/* US_ERR_NOT_FOUND: the index cannot answer. *status: an exit status. */
static int
read_by_index(struct us_report_source *s, struct us_client_gathering *g, int *status)
{
	struct us_log_index *index;
	int err = us_log_index_open(&index, &s->remote, &g->trail->verified);

	if (err == US_OK && index == NULL)
		return US_ERR_NOT_FOUND;
	if (err == US_OK)
		err = go_by_index(s, g, index);
	us_log_index_close(index);
	if (err == US_ERR_NOT_FOUND)
		return err;
	us_log_remote_said(&s->remote);
	*status = err == US_OK ? end_acts(g->trail) : verified(err);
	return US_OK;
}

static int
read_remote(struct us_report_source *s, struct us_client_gathering *g)
{
	const struct us_verify_options options = { .on_entry = take_entry,
		.arg = g,
		.threads = us_verify_processors(),
		.vkey = s->client->profile.vkey };
	struct us_log_source source;
	int status;

	if (g->report->kind->reach != US_REACH_ALL && read_by_index(s, g, &status) == US_OK)
		return status;
	us_trail_free(g->trail);
	begin_pass(s, g);
	source = us_log_remote_source(&s->remote);
	status = verified(us_log_verify(&g->trail->verified, &source, &options));
	us_log_remote_said(&s->remote);
	if (status == US_EXIT_DONE && g->trail->verified.verdict != US_VERDICT_OK)
		return s->remote.log.status; /* a refusal, which has been explained */
	return status == US_EXIT_DONE ? end_acts(g->trail) : status;
}

/* ---- both ---- */

int
us_report_source_open(struct us_report_source **out, struct us_client *client,
    const struct us_report_from *from)
{
	struct us_report_source *s = calloc(1, sizeof *s);

	if (s == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	*out = s;
	s->client = client;
	s->from = from;
	us_buf_init(&s->vkey_text, VKEY_MAX_BYTES + 1);
	us_buf_init(&s->acts, US_LOG_ACTS_MAX);
	if (from->dir == NULL)
		return open_remote(s);
	open_export(s);
	return US_EXIT_DONE;
}

int
us_report_source_read(struct us_report_source *s, struct us_report *r, struct us_trail *trail)
{
	struct us_client_gathering g = { .report = r, .trail = trail };

	begin_pass(s, &g);
	if (s->from->index != NULL)
		return read_indexed(s, &g);
	return s->has_remote ? read_remote(s, &g) : read_export(s, &g);
}

int
us_report_source_indexed(const struct us_report_source *s, uint64_t *withheld)
{
	if (s->indexed)
		*withheld = s->withheld;
	return s->indexed;
}

void
us_report_source_close(struct us_report_source *s)
{
	if (s == NULL)
		return;
	if (s->has_remote)
		us_log_remote_close(&s->remote);
	cJSON_Delete(s->people);
	cJSON_Delete(s->collections);
	us_buf_free(&s->acts);
	us_buf_free(&s->vkey_text);
	free(s);
}
