/* The log that reports are made from: as the vault serves it, or an export. */
#include "client/report_source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/tiles.h"
#include "client/log_acts.h"
#include "client/report_index.h"
#include "base/err.h"

#define NAMES_MAX_BYTES ((size_t)64 << 20)
#define VKEY_MAX_BYTES 4000

struct us_client_gathering {
	struct us_trail *trail;
	int wants_places; /* for an index: */
	struct us_report_place *places;
	size_t places_cap;
	size_t bundle_at; /* where the next entry begins in its bundle */
};

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
	if (g->places_cap < g->trail->cap) {
		struct us_report_place *more = realloc(g->places, g->trail->cap * sizeof *more);

		if (more == NULL)
			return US_ERR_NOMEM;
		g->places = more;
		g->places_cap = g->trail->cap;
	}
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
take_entry(void *arg, const struct us_verified_entry *e)
{
	struct us_client_gathering *g = arg;
	int err = us_trail_add(g->trail, e->opened);

	if (err == US_OK && g->wants_places)
		err = note_place(g, e);
	return err;
}

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

/* A list that the export has beside the log; NULL if it has none. */
static cJSON *
read_list(const char *dir, const char *name)
{
	FILE *f = open_in(dir, name);
	struct us_buf text;
	cJSON *list = NULL;
	uint8_t part[16384];
	size_t n;
	int err = US_OK;

	if (f == NULL)
		return NULL;
	us_buf_init(&text, NAMES_MAX_BYTES);
	while (err == US_OK && (n = fread(part, 1, sizeof part, f)) > 0)
		err = us_buf_put(&text, part, n);
	if (err == US_OK && text.len > 0)
		list = cJSON_ParseWithLength((const char *)text.data, text.len);
	(void)fclose(f);
	us_buf_free(&text);
	return list;
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

/* Checks the acts and takes them. Returns an exit status. */
static int
take_acts(struct us_trail *t, struct us_buf *acts)
{
	const int err = t->verified.verdict == US_VERDICT_OK ? us_trail_take_acts(t, acts) : US_OK;

	us_buf_free(acts);
	if (err == US_ERR_NOMEM)
		us_give_up(US_EXIT_OTHER, "out of memory");
	if (err != US_OK)
		us_say("VERIFICATION FAILED: the acts beside the log are not those that it commits "
		       "to: %s",
		    us_strerror(err));
	return err == US_OK ? US_EXIT_DONE : US_EXIT_UNVERIFIED;
}

/* The acts that the export has beside the log, if it has any. */
static int
read_acts(const char *dir, struct us_trail *t)
{
	struct us_buf acts;
	int err = US_OK;
	FILE *f = open_in(dir, "acts");

	if (f == NULL)
		return US_EXIT_DONE;
	us_buf_init(&acts, US_LOG_ACTS_MAX);
	for (uint8_t part[16384]; err == US_OK;) {
		const size_t n = fread(part, 1, sizeof part, f);

		if (n == 0)
			break;
		err = us_buf_put(&acts, part, n);
	}
	if (err != US_OK || ferror(f))
		us_give_up(US_EXIT_OTHER, "the acts in %s cannot be read", dir);
	(void)fclose(f);
	return take_acts(t, &acts);
}

static void
name_all(const char *dir, struct us_trail *t)
{
	cJSON *people = read_list(dir, "people.json"),
	      *collections = read_list(dir, "collections.json");

	if (us_trail_names(t, people, collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	cJSON_Delete(people);
	cJSON_Delete(collections);
}

static int
gather_export(const struct us_report_from *from, const char *vkey, struct us_client_gathering *g)
{
	const struct us_verify_options options = { .on_entry = take_entry,
		.arg = g,
		.vkey = vkey,
		.threads = us_verify_processors() };
	int err, status;

	g->trail->offline = 1;
	err = us_export_verify(&g->trail->verified, from->dir, &options);
	if (err != US_OK)
		return verified(err);
	status = read_acts(from->dir, g->trail);
	name_all(from->dir, g->trail);
	return status;
}

/* The answer's entries by way of the index. US_ERR_NOT_FOUND: there is none for this checkpoint. */
static int
look_up(const struct us_report_from *from, const char *vkey, struct us_trail *t, uint64_t *withheld)
{
	const struct us_report report = { .trail = t };
	struct us_report_records records;
	struct us_report_index *x;
	int err = us_report_index_open(&x, from->index, from->dir, vkey, t);

	if (err != US_OK)
		return err;
	*withheld = us_report_index_withheld(x);
	err = us_report_index_load(x, NULL, t);
	if (err == US_OK) {
		name_all(from->dir, t);
		us_report_records(&report, from->record, strlen(from->record), &records);
		err = us_report_index_load(x, &records, t);
	}
	us_report_index_close(x);
	return err;
}

static int
gather_indexed(const struct us_report_from *from, const char *vkey, struct us_client_gathering *g,
    int *indexed, uint64_t *withheld)
{
	int err = look_up(from, vkey, g->trail, withheld), status;

	if (err == US_OK) {
		*indexed = 1;
		return US_EXIT_DONE;
	}
	if (err != US_ERR_NOT_FOUND) {
		us_say("the index %s, or the log, is not what it was: %s. Remove the index to look "
		       "at the log as a whole",
		    from->index, us_strerror(err));
		return US_EXIT_UNVERIFIED;
	}
	memset(&g->trail->verified, 0, sizeof g->trail->verified);
	g->wants_places = 1;
	status = gather_export(from, vkey, g);
	if (status == US_EXIT_DONE && g->trail->verified.verdict == US_VERDICT_OK &&
	    us_report_index_make(from->index, g->trail, g->places) != US_OK)
		us_say("the index %s cannot be written", from->index);
	free(g->places);
	return status;
}

/* What was done since the log was fetched is no act of it yet. */
static int
fetch_acts(struct us_client *client, struct us_trail *t)
{
	struct us_buf acts;
	int status;

	us_buf_init(&acts, US_LOG_ACTS_MAX);
	status = us_log_acts_fetch(client, &acts);
	if (status == US_EXIT_DONE && us_log_acts_cut(&acts, t->n_acts) != US_OK)
		us_give_up(US_EXIT_OTHER, "the vault's acts are malformed");
	if (status == US_EXIT_DONE)
		return take_acts(t, &acts);
	us_buf_free(&acts);
	return status;
}

static int
gather_online(struct us_client *client, struct us_client_gathering *g)
{
	struct us_verify_options options = { .on_entry = take_entry, .arg = g };
	cJSON *people = NULL, *collections = NULL;
	struct us_log_remote remote;
	struct us_log_source source;
	int status;

	us_log_remote_open(&remote, client);
	options.vkey = client->profile.vkey;
	status = us_client_get(client, "/v1/people", &people);
	if (status == US_EXIT_DONE)
		status = us_client_get(client, "/v1/collections", &collections);
	if (status == US_EXIT_DONE)
		status = us_log_remote_keys(&remote);
	if (status == US_EXIT_DONE) {
		source = us_log_remote_source(&remote);
		status = verified(us_log_verify(&g->trail->verified, &source, &options));
		if (status == US_EXIT_DONE && g->trail->verified.verdict != US_VERDICT_OK)
			status = remote.status; /* a refusal, which has been explained */
	}
	if (status == US_EXIT_DONE && g->trail->verified.verdict == US_VERDICT_OK &&
	    us_log_acts_are_open(&remote))
		status = fetch_acts(client, g->trail);
	if (status == US_EXIT_DONE && us_trail_names(g->trail, people, collections) != US_OK)
		us_give_up(US_EXIT_OTHER, "out of memory");
	cJSON_Delete(people);
	cJSON_Delete(collections);
	us_log_remote_close(&remote);
	return status;
}

int
us_report_gather(struct us_client *client, const struct us_report_from *from, struct us_trail *t,
    int *indexed, uint64_t *withheld)
{
	struct us_client_gathering g = { .trail = t };
	const char *vkey;
	struct us_buf text;
	int status;

	*indexed = 0;
	if (from->dir == NULL)
		return gather_online(client, &g);
	us_buf_init(&text, VKEY_MAX_BYTES + 1);
	vkey = key_of(client, from, &text);
	if (from->index != NULL && vkey == NULL)
		us_usage_error("with --index the log's key must come from another source: --vkey "
			       "FILE or --profile DIR");
	status = from->index != NULL ? gather_indexed(from, vkey, &g, indexed, withheld) :
				       gather_export(from, vkey, &g);
	us_buf_free(&text);
	return status;
}
