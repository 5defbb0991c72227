/* undersealed restore: a backup becomes a vault, whose log goes on under the successor's key. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/offline/archive.h"
#include "daemon/offline/backup.h"
#include "daemon/offline/archive_internal.h"
#include "daemon/offline/place.h"
#include "daemon/keeper/files.h"

#define OLD_SETTINGS_MAX 65536

static const char help[] =
    "usage: undersealed restore --from FILE --keyring-from FILE2 --data DIR [options]\n\n"
    "Makes a vault of a backup. Its log goes on under a new key and origin, and its first entry "
    "there says so. What was logged after the backup is lost.\n\n"
    "  --from FILE              the archive that 'undersealed backup' made\n"
    "  --keyring-from FILE2     a copy of the keyring: the one made with FILE, or a later one\n"
    "  --data DIR               where the vault goes; it does not exist, or is empty\n"
    "  --last-checkpoint FILE   a signed checkpoint of the old log that somebody has kept: the "
    "file \"checkpoint\" of a profile,\n"
    "                           \"witness.checkpoint\" of a witness, what was quoted in a filing "
    "(repeat). Ask everybody: who has seen more\n"
    "                           than the hand-over admits to be lost will refuse the restored log\n"
    "  --listen ADDR:PORT       where it listens (127.0.0.1:8443). Of the backup's settings none "
    "is "
    "taken: they stand as\n"
    "                           comments in undersealed.conf, for you to choose from\n"
    "  --user NAME              as root: one user for all roles, in place of the five\n"
    "  --json                   one JSON document on stdout\n\n"
    "example: undersealed restore --from vault.tar --keyring-from keyring.copy --data "
    "/var/lib/underseal --last-checkpoint checkpoint\n";

struct us_offline_restore_command {
	const char *from, *keyring_from, *data;
	struct us_place place;
	char work[4096 + 16]; /* where it is made, until it is whole */
	struct us_hand_over_options options;
	struct us_last_checkpoints last;
	struct us_backup_label label, copy;
	struct us_buf keyring_file;
	struct us_bytes keyring;
	int json;
};

static int
parse(struct us_offline_restore_command *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "keyring-from", required_argument, NULL, 'k' },
		{ "data", required_argument, NULL, 'd' },
		{ "last-checkpoint", required_argument, NULL, 'l' },
		{ "listen", required_argument, NULL, 'a' },
		{ "user", required_argument, NULL, 'u' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	optind = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'f':
			c->from = optarg;
			break;
		case 'k':
			c->keyring_from = optarg;
			break;
		case 'd':
			c->data = optarg;
			break;
		case 'l':
			us_last_add(&c->last, optarg);
			break;
		case 'a':
			c->place.listen = optarg;
			break;
		case 'u':
			c->place.user = optarg;
			break;
		case 'j':
			c->json = 1;
			break;
		default:
			return 0;
		}
	return optind == argc && c->from != NULL && c->keyring_from != NULL && c->data != NULL;
}

/* ---- directories ---- */

static void
refuse_if_used(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (dir == NULL && errno == ENOENT)
		return;
	if (dir == NULL)
		us_fatal("cannot look into %s: %s", path, strerror(errno));
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			us_fatal("%s is not empty (it has %s): a backup is restored to an empty "
				 "directory",
			    path, e->d_name);
	(void)closedir(dir);
}

static void
make_work(struct us_offline_restore_command *c)
{
	size_t n = strlen(c->data);

	while (n > 1 && c->data[n - 1] == '/')
		n--;
	if (snprintf(c->work, sizeof c->work, "%.*s.restoring", (int)n, c->data) >=
	    (int)sizeof c->work)
		us_fatal("the path %s is too long", c->data);
	if (mkdir(c->work, 0700) != 0)
		us_fatal("cannot make %s: %s%s", c->work, strerror(errno),
		    errno == EEXIST ?
			". An interrupted restore left it: remove it, and begin again" :
			"");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

/* Of what this process has made itself. */
static void
drop_work(const struct us_offline_restore_command *c)
{
	(void)nftw(c->work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- steps ---- */

static int
read_keyring_copy(struct us_offline_restore_command *c, char *detail)
{
	FILE *f = fopen(c->keyring_from, "re");
	uint8_t chunk[4096];
	size_t n;
	int err = US_OK;

	if (f == NULL) {
		(void)snprintf(detail, US_HANDOVER_DETAIL, "cannot read the keyring's copy: %s",
		    strerror(errno));
		return US_ERR_IO;
	}
	while (err == US_OK && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
		err = us_buf_put(&c->keyring_file, chunk, n);
	if (ferror(f))
		err = US_ERR_IO;
	(void)fclose(f);
	if (err == US_OK)
		err = us_keyring_copy_parse(&c->copy, &c->keyring,
		    (struct us_bytes){ c->keyring_file.data, c->keyring_file.len });
	if (err != US_OK)
		(void)snprintf(detail, US_HANDOVER_DETAIL,
		    "the file given as --keyring-from is not a keyring's copy");
	return err;
}

static int
unpack(struct us_offline_restore_command *c, char *detail)
{
	struct us_offline_progress progress = { .what = "restore" };
	int fd = open(c->from, O_RDONLY | O_CLOEXEC),
	    directory = open(c->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct stat st;

	if (fd < 0 || directory < 0 || fstat(fd, &st) != 0) {
		(void)snprintf(detail, US_HANDOVER_DETAIL, "cannot read the archive: %s",
		    strerror(errno));
		err = US_ERR_IO;
	} else {
		progress.total = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		err = us_archive_unpack(fd, directory, &c->label, us_offline_progress, &progress,
		    detail);
		us_offline_progress_end(&progress);
	}
	if (fd >= 0)
		(void)close(fd);
	if (directory >= 0)
		(void)close(directory);
	return err;
}

static int
check_copy(const struct us_offline_restore_command *c, char *detail)
{
	if (memcmp(c->copy.vault_id, c->label.vault_id, 32) != 0) {
		(void)snprintf(detail, US_HANDOVER_DETAIL,
		    "the keyring's copy is of another vault");
		return US_ERR_VERIFY;
	}
	if (c->copy.generation < c->label.generation) {
		(void)snprintf(detail, US_HANDOVER_DETAIL,
		    "the keyring's copy %u (generation %llu) is older than backup %u, which needs "
		    "generation %llu",
		    c->copy.number, (unsigned long long)c->copy.generation, c->label.number,
		    (unsigned long long)c->label.generation);
		return US_ERR_INCOMPLETE;
	}
	return US_OK;
}

/* The backup's go, whatever they say: whoever made the archive would choose who listens where, and
 * as whom the roles run. */
static void
new_settings(const struct us_offline_restore_command *c)
{
	char path[4096 + 64];
	struct us_buf old;
	uint8_t *room;
	FILE *f;
	size_t n;

	us_buf_init(&old, OLD_SETTINGS_MAX);
	(void)snprintf(path, sizeof path, "%s/undersealed.conf", c->work);
	f = fopen(path, "re");
	if (f == NULL || us_buf_reserve(&old, OLD_SETTINGS_MAX, &room) != US_OK)
		us_fatal("cannot read %s: %s", path, strerror(errno));
	n = fread(room, 1, OLD_SETTINGS_MAX, f);
	(void)fclose(f);
	(void)unlink(path);
	us_place_settings(c->work, &c->place, (struct us_bytes){ room, n });
	us_buf_free(&old);
}

/* In the keeper's directory: the keyring comes back, and the log changes its key. */
static int
keeper_step(struct us_offline_restore_command *c, struct us_hand_over_result *result, char *detail)
{
	struct us_vault_conf conf;
	int err = us_vault_conf_read(&conf);

	if (err == US_OK) {
		if (memcmp(conf.vault_id, c->label.vault_id, 32) != 0) {
			(void)snprintf(detail, US_HANDOVER_DETAIL,
			    "the backup's label and its vault.conf name two vaults");
			err = US_ERR_VERIFY;
		}
		us_vault_conf_free(&conf);
	}
	if (err == US_OK)
		err = us_keeper_write("keyring", c->keyring);
	return err == US_OK ? us_keeper_take_over(result, &c->options, detail) : err;
}

/* Modes and owners as init leaves them; then the whole gets its name at once. */
static int
settle(const struct us_offline_restore_command *c)
{
	char path[4096 + 64];
	int fd;

	us_place_give(c->work, &c->place);
	(void)snprintf(path, sizeof path, "%s/undersealed.conf", c->work);
	fd = open(c->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || chmod(path, 0644) != 0 || chmod(c->work, 0755) != 0 || syncfs(fd) != 0 ||
	    rename(c->work, c->data) != 0 || syncfs(fd) != 0) {
		us_log(US_LOG_ERROR, "the restored vault cannot be put in its place: %s",
		    strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return US_ERR_IO;
	}
	(void)close(fd);
	return US_OK;
}

static int
restore(struct us_offline_restore_command *c, struct us_hand_over_result *result, char *detail)
{
	int home, err = read_keyring_copy(c, detail);

	if (err == US_OK)
		err = unpack(c, detail);
	if (err == US_OK)
		err = check_copy(c, detail);
	if (err != US_OK)
		return err;
	new_settings(c);
	home = us_offline_enter_keeper(c->work);
	err = keeper_step(c, result, detail);
	us_offline_leave(home);
	return err == US_OK ? settle(c) : err;
}

int
us_restore_main(int argc, char **argv)
{
	struct us_hand_over_result result;
	struct us_offline_restore_command c = { .place = { .listen = "127.0.0.1:8443" },
		.options = { .reason = US_HANDOVER_RESTORE } };
	char detail[US_HANDOVER_DETAIL] = "";
	int err;

	us_log_init("restore", US_LOG_INFO);
	(void)umask(077);
	if (!parse(&c, argc, argv)) {
		const int asked = argc == 2 && strcmp(argv[1], "--help") == 0;

		fputs(help, asked ? stdout : stderr);
		return asked ? 0 : US_EXIT_USAGE;
	}
	if (us_crypto_init() != US_OK)
		us_fatal("cannot start the cryptographic library");
	us_buf_init(&c.keyring_file, US_KEYRING_COPY_MAX);
	us_last_read(&c.last, &c.options);
	refuse_if_used(c.data);
	us_place_check(&c.place, "--listen");
	make_work(&c);
	err = restore(&c, &result, detail);
	us_buf_free(&c.keyring_file);
	us_last_free(&c.last);
	if (err != US_OK) {
		drop_work(&c);
		return us_offline_failed("nothing was restored", err, detail);
	}
	us_handover_show(&result, c.json);
	return 0;
}
