/* undersealed backup: the evidence with the log in one file, the keyring in another. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "log/tiles.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/time.h"
#include "daemon/offline/archive.h"
#include "daemon/offline/backup.h"
#include "daemon/offline/archive_internal.h"
#include "daemon/keeper/files.h"
#include "daemon/process/owner.h"
#include "daemon/vault/store/store.h"

#define COPIES "keyring.copies"
#define COPIES_MAX (1024u * 1024u)
#define PAGE 4096u

static const char help[] =
    "usage: undersealed backup --data DIR --to FILE --keyring-to FILE2 [--json]\n"
    "       undersealed backup --data DIR --list [--json]\n\n"
    "Backs up a vault whose daemon has ended. Evidence and log go to FILE, the keys of the "
    "collections, wrapped, to FILE2: keep the two in different\n"
    "places. Neither holds the log's key: FILE holds the key of a successor, under which "
    "'undersealed restore' goes on.\n\n"
    "  --data DIR          the vault's directory\n"
    "  --to FILE           the archive; it is not replaced\n"
    "  --keyring-to FILE2  the keyring's copy, numbered; it is not replaced\n"
    "  --list              which copies of the keyring have been made\n"
    "  --json              one JSON document on stdout\n\n"
    "example: undersealed backup --data /var/lib/underseal --to /backup/vault.tar --keyring-to "
    "/safe/keyring.copy\n";

struct us_offline_command {
	const char *data, *to, *keyring_to;
	int list, json;
	int keeper, vault, top; /* directories */
	struct us_backup_label label;
	struct us_bequest bequest;
	struct us_buf keyring, copies;
	struct us_new_file archive_file, keyring_file;
	struct us_archive *archive;
	struct us_offline_progress progress;
};

static int
parse(struct us_offline_command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "to", required_argument, NULL, 't' },
		{ "keyring-to", required_argument, NULL, 'k' },
		{ "list", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'd':
			c->data = optarg;
			break;
		case 't':
			c->to = optarg;
			break;
		case 'k':
			c->keyring_to = optarg;
			break;
		case 'l':
			c->list = 1;
			break;
		case 'j':
			c->json = 1;
			break;
		default:
			return 0;
		}
	return optind == argc && c->data != NULL &&
	    (c->list ? c->to == NULL && c->keyring_to == NULL :
		       c->to != NULL && c->keyring_to != NULL);
}

/* ---- the list of copies ---- */

static const char *
next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end == NULL ? NULL : end + 1;
}

/* Lines "NUMBER TIME GENERATION", the oldest first. The number of the last. */
static uint32_t
last_number(struct us_buf *copies)
{
	unsigned number, last = 0;

	for (const char *line = us_buf_cstr(copies);
	     line != NULL && sscanf(line, "%9u ", &number) == 1; line = next_line(line))
		last = number;
	return last;
}

/* On the list before it is made: a copy that is listed and was never made does no harm. */
static int
enter_copy(struct us_offline_command *c)
{
	char time_text[US_TIME_TEXT_SIZE];
	int err;

	c->label.number = last_number(&c->copies) + 1;
	err = us_buf_putf(&c->copies, "%u %s %llu\n", c->label.number,
	    us_time_format_s(us_time_now_ns(), time_text), (unsigned long long)c->label.generation);
	return err != US_OK ?
	    err :
	    us_keeper_write(COPIES, (struct us_bytes){ c->copies.data, c->copies.len });
}

static int
read_copies(struct us_offline_command *c)
{
	int err = us_keeper_read(COPIES, COPIES_MAX, &c->copies);

	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

static int
show_copies(struct us_offline_command *c)
{
	const char *line = us_buf_cstr(&c->copies);
	unsigned long long generation;
	unsigned number;
	char time_text[40];
	struct us_json j;
	struct us_buf b;

	if (!c->json) {
		fputs(c->copies.len == 0 ? "no copy of the keyring has been made\n" : line, stdout);
		return 0;
	}
	us_buf_init(&b, 4u * COPIES_MAX);
	us_json_begin(&j, &b);
	us_json_array(&j);
	for (;
	     line != NULL && sscanf(line, "%9u %39s %18llu", &number, time_text, &generation) == 3;
	     line = next_line(line)) {
		us_json_object(&j);
		us_json_kv_uint(&j, "number", number);
		us_json_kv_cstr(&j, "time", time_text);
		us_json_kv_uint(&j, "generation", generation);
		us_json_close(&j);
	}
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		printf("%s\n", us_buf_cstr(&b));
	us_buf_free(&b);
	return 0;
}

/* ---- the keeper's step ---- */

static int
keeper_step(struct us_offline_command *c, char *detail)
{
	struct us_vault_conf conf;
	int err = us_vault_conf_read(&conf);

	if (err == US_OK) {
		memcpy(c->label.vault_id, conf.vault_id, 32);
		us_vault_conf_free(&conf);
		err = us_keeper_read("keyring", US_KEYRING_COPY_MAX - 4096, &c->keyring);
	}
	if (err == US_OK)
		err = us_keyring_generation_of(&c->label.generation,
		    (struct us_bytes){ c->keyring.data, c->keyring.len });
	if (err == US_OK)
		err = read_copies(c);
	if (err == US_OK)
		err = enter_copy(c);
	if (err == US_OK)
		err = us_keeper_bequeath(&c->bequest, c->label.number, c->label.generation, detail);
	if (err == US_OK)
		c->label.entry = c->bequest.says.size;
	return err;
}

/* Opened and closed once, so that the engine's log is folded into the store's file. */
static void
fold_store(const char *data)
{
	const struct us_store_options options = { .path = "store.db" };
	struct us_store *store = NULL;
	int home = us_offline_enter(data, "vault"), err = us_store_open(&store, &options);

	us_store_close(store);
	us_offline_leave(home);
	if (err == US_ERR_NOT_FOUND)
		us_fatal("there is no %s/vault/store.db: start the daemon once, then back up",
		    data);
	if (err != US_OK)
		us_fatal("the store cannot be opened: %s", us_strerror(err));
}

/* ---- the archive ---- */

/* A segment of the journal is filled with zeros behind its last group, whose digest may itself end
 * in zeros. */
static uint64_t
used_length(int directory, const char *path)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t used = 0, at = 0;
	uint8_t page[PAGE];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, page, sizeof page)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (page[i] != 0)
				used = at + (uint64_t)i + 1;
		at += (uint64_t)n;
	}
	if (fd >= 0)
		(void)close(fd);
	return (used + 32 + PAGE - 1) / PAGE * PAGE;
}

static int
put_if_there(struct us_offline_command *c, const char *name)
{
	const char *file = strchr(name, '/') + 1;
	struct stat st;

	return fstatat(c->keeper, file, &st, AT_SYMLINK_NOFOLLOW) != 0 ?
	    US_OK :
	    us_archive_put_file(c->archive, name, c->keeper, file, 0);
}

/* Everything below a directory of the keeper that a backup takes; other files (the journal's next
 * segment) are none of it. */
static int
put_tree(struct us_offline_command *c, const char *directory)
{
	int fd = openat(c->keeper, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
	    err = US_OK;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char path[512], name[600];
	struct dirent *e;
	struct stat st;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return errno == ENOENT ? US_OK : US_ERR_IO;
	}
	while (err == US_OK && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (snprintf(path, sizeof path, "%s/%s", directory, e->d_name) >=
			(int)sizeof path ||
		    fstatat(c->keeper, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
			err = US_ERR_IO;
		else if (S_ISDIR(st.st_mode))
			err = put_tree(c, path);
		else {
			(void)snprintf(name, sizeof name, "keeper/%s", path);
			if (us_backup_member_max(name) > 0)
				err = us_archive_put_file(c->archive, name, c->keeper, path,
				    strncmp(path, "journal/", 8) == 0 ?
					used_length(c->keeper, path) :
					0);
		}
	}
	(void)closedir(dir);
	return err;
}

static int
put_keeper(struct us_offline_command *c)
{
	static const char *const files[] = { "keeper/vault.conf", "keeper/root.wrapped",
		"keeper/init.act", "keeper/checkpoint", "keeper/handovers", "keeper/cosignatures",
		"keeper/" COPIES };
	const struct us_bequest *b = &c->bequest;
	char name[64];
	int err = us_archive_put(c->archive, "keeper/boot.keys",
	    (struct us_bytes){ b->boot_keys.data, b->boot_keys.len });

	if (err == US_OK)
		err = us_archive_put(c->archive, "keeper/succession",
		    (struct us_bytes){ b->succession.data, b->succession.len });
	for (size_t i = 0; i < US_COUNT(files) && err == US_OK; i++)
		err = put_if_there(c, files[i]);
	for (unsigned n = 1; n <= US_HANDOVERS_MAX && err == US_OK; n++) {
		(void)snprintf(name, sizeof name, "keeper/cosignatures.%u", n);
		err = put_if_there(c, name);
	}
	if (err == US_OK)
		err = put_tree(c, "journal");
	return err == US_OK ? put_tree(c, "tile") : err;
}

/* The store comes last: an archive that was cut short lacks it. */
static int
put_all(struct us_offline_command *c)
{
	struct us_buf label;
	struct stat st;
	int err;

	us_buf_init(&label, US_BACKUP_LABEL_MAX);
	err = us_backup_label_put(&label, &c->label);
	if (err == US_OK)
		err = us_archive_put(c->archive, US_BACKUP_LABEL,
		    (struct us_bytes){ label.data, label.len });
	if (err == US_OK)
		err = us_archive_put_file(c->archive, "undersealed.conf", c->top,
		    "undersealed.conf", 0);
	if (err == US_OK)
		err = put_keeper(c);
	if (err == US_OK && fstatat(c->vault, "store.db-wal", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size > 0)
		err = us_archive_put_file(c->archive, "vault/store.db-wal", c->vault,
		    "store.db-wal", 0);
	if (err == US_OK)
		err = us_archive_put_file(c->archive, "vault/store.db", c->vault, "store.db", 0);
	us_buf_free(&label);
	return err == US_OK ? us_archive_end(c->archive) : err;
}

static int
open_directory(const char *data, const char *below)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", data, below);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		us_fatal("cannot open %s: %s", path, strerror(errno));
	return fd;
}

static int
write_files(struct us_offline_command *c)
{
	struct us_buf copy;
	struct stat st;
	int err;

	c->keeper = open_directory(c->data, "keeper");
	c->vault = open_directory(c->data, "vault");
	c->top = open_directory(c->data, ".");
	c->progress.what = "backup";
	c->progress.total = fstatat(c->vault, "store.db", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_size > 0 ?
	    (uint64_t)st.st_size :
	    0;
	us_buf_init(&copy, US_KEYRING_COPY_MAX);
	err = us_keyring_copy_put(&copy, &c->label,
	    (struct us_bytes){ c->keyring.data, c->keyring.len });
	if (err == US_OK && write(c->keyring_file.fd, copy.data, copy.len) != (ssize_t)copy.len)
		err = US_ERR_IO;
	us_buf_free(&copy);
	if (err == US_OK)
		err = us_archive_new(&c->archive, c->archive_file.fd, us_offline_progress,
		    &c->progress);
	if (err == US_OK)
		err = put_all(c);
	us_archive_free(c->archive);
	us_offline_progress_end(&c->progress);
	(void)close(c->keeper);
	(void)close(c->vault);
	(void)close(c->top);
	if (err == US_OK)
		err = us_new_file_done(&c->archive_file);
	return err == US_OK ? us_new_file_done(&c->keyring_file) : err;
}

/* ---- the command ---- */

static void
show(const struct us_offline_command *c)
{
	char vkey[US_NOTE_VKEY_MAX] = "";
	struct us_json j;
	struct us_buf b;

	us_log(US_LOG_NOTICE,
	    "keep %s apart from %s: together with enough shares they are everything", c->keyring_to,
	    c->to);
	if (!c->json) {
		printf("backup %u: the log up to entry %llu, the keyring's generation %llu\n",
		    c->label.number, (unsigned long long)c->label.entry - 1,
		    (unsigned long long)c->label.generation);
		return;
	}
	(void)us_note_key_format(&c->bequest.says.new_key, vkey, sizeof vkey);
	us_buf_init(&b, 16384);
	us_json_begin(&j, &b);
	us_json_object(&j);
	us_json_kv_uint(&j, "number", c->label.number);
	us_json_kv_uint(&j, "entry", c->label.entry);
	us_json_kv_uint(&j, "generation", c->label.generation);
	us_json_kv_cstr(&j, "successor", vkey);
	us_json_close(&j);
	if (us_json_end(&j) == US_OK)
		printf("%s\n", us_buf_cstr(&b));
	us_buf_free(&b);
}

static int
run(struct us_offline_command *c)
{
	char detail[US_HANDOVER_DETAIL] = "";
	int home, err;

	us_offline_lock(c->data);
	if (!c->list)
		fold_store(c->data);
	home = us_offline_enter_keeper(c->data);
	if (c->list) {
		err = read_copies(c);
		us_offline_leave(home);
		return err == US_OK ? show_copies(c) :
				      us_offline_failed("nothing can be listed", err, detail);
	}
	us_offline_leave(home);
	/* a vault that is running was refused above, before there was anything to leave behind */
	us_new_file_begin(&c->keyring_file, c->keyring_to);
	us_new_file_begin(&c->archive_file, c->to);
	home = us_offline_enter(c->data, "keeper");
	err = keeper_step(c, detail);
	us_offline_leave(home);
	if (err == US_OK)
		err = write_files(c);
	us_new_file_drop(&c->archive_file);
	us_new_file_drop(&c->keyring_file);
	if (err != US_OK)
		return us_offline_failed("no backup was made", err, detail);
	show(c);
	return 0;
}

int
us_backup_main(int argc, char **argv)
{
	struct us_offline_command c = { .archive_file = { .fd = -1 },
		.keyring_file = { .fd = -1 } };
	int status;

	us_log_init("backup", US_LOG_INFO);
	(void)umask(077);
	if (!parse(&c, argc, argv)) {
		const int asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(help, asked ? stdout : stderr);
		return asked ? 0 : US_EXIT_USAGE;
	}
	if (us_crypto_init() != US_OK)
		us_fatal("cannot start the cryptographic library");
	us_buf_init(&c.keyring, US_KEYRING_COPY_MAX);
	us_buf_init(&c.copies, COPIES_MAX);
	if (!c.list) {
		us_new_file_check(c.keyring_to);
		us_new_file_check(c.to);
	}
	status = run(&c);
	us_bequest_free(&c.bequest);
	us_buf_free(&c.keyring);
	us_buf_free(&c.copies);
	return status;
}
