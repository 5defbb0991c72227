#include "client/core/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/note.h"
#include "client/core/show.h"
#include "base/base64.h"
#include "base/err.h"

#define CONF_MAX 16384

int
us_file_read(const char *path, size_t max, struct us_buf *out)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int err = US_OK;

	us_buf_reset(out);
	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	for (;;) {
		uint8_t chunk[65536];
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? US_ERR_IO : US_OK;
			us_wipe(chunk, sizeof chunk);
			break;
		}
		err = (size_t)n > max - out->len ? US_ERR_LIMIT : us_buf_put(out, chunk, (size_t)n);
		us_wipe(chunk, sizeof chunk);
		if (err != US_OK)
			break;
	}
	if (fd != STDIN_FILENO)
		(void)close(fd);
	return err;
}

int
us_profile_read(const char *directory, const char *name, size_t max, struct us_buf *out)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path)
		return US_ERR_LIMIT;
	return us_file_read(path, max, out);
}

static int
write_synced(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	const uint8_t *at = p;
	int err = US_OK;

	if (fd < 0)
		return US_ERR_IO;
	while (n > 0 && err == US_OK) {
		ssize_t k = write(fd, at, n);

		if (k > 0) {
			at += k;
			n -= (size_t)k;
		} else if (k < 0 && errno != EINTR)
			err = errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO;
	}
	if (fsync(fd) != 0 && err == US_OK)
		err = US_ERR_IO;
	if (close(fd) != 0 && err == US_OK)
		err = US_ERR_IO;
	return err;
}

int
us_profile_write(const char *directory, const char *name, const void *p, size_t n)
{
	char path[4096], temporary[4096];
	int err, fd;

	if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path ||
	    snprintf(temporary, sizeof temporary, "%s/.%s.%ld", directory, name, (long)getpid()) >=
		(int)sizeof temporary)
		return US_ERR_LIMIT;
	err = write_synced(temporary, p, n);
	if (err == US_OK && rename(temporary, path) != 0)
		err = US_ERR_IO;
	if (err != US_OK) {
		(void)unlink(temporary);
		return err;
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		if (fsync(fd) != 0)
			err = US_ERR_IO;
		(void)close(fd);
	}
	return err;
}

/* A key that others can read is not a secret any more: refuse to go on with it. */
static void
refuse_if_open(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		us_give_up(US_EXIT_OTHER, "cannot open %s: %s", path, strerror(errno));
	if ((st.st_mode & 077) != 0)
		us_give_up(US_EXIT_OTHER,
		    "others can read %s: 'chmod go= %s', and if they may have "
		    "read it, have the credential revoked",
		    path, path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		us_give_up(US_EXIT_OTHER, "%s belongs to somebody else", path);
}

static void
take_setting(struct us_profile *profile, const char *name, const char *value)
{
	char **to = strcmp(name, "server") == 0 ? &profile->server :
	    strcmp(name, "person") == 0         ? &profile->person :
	    strcmp(name, "purpose") == 0        ? &profile->purpose :
	    strcmp(name, "vkey") == 0           ? &profile->vkey :
						  NULL;

	if (strcmp(name, "vault") == 0 &&
	    (strlen(value) != 64 ||
		us_hex_decode(value, 64, profile->vault_id, sizeof profile->vault_id) != US_OK))
		us_give_up(US_EXIT_OTHER, "%s/profile.conf: vault is not 64 hex digits",
		    profile->directory);
	if (to == NULL)
		return;
	free(*to);
	*to = strdup(value);
}

static void
read_conf(struct us_profile *profile)
{
	struct us_buf text;
	char *line, *save = NULL;

	us_buf_init(&text, CONF_MAX);
	if (us_profile_read(profile->directory, "profile.conf", CONF_MAX - 1, &text) != US_OK)
		us_give_up(US_EXIT_OTHER,
		    "%s is not a profile: it has no profile.conf (a credential "
		    "that waits to be issued? see 'underseal credential issue --help')",
		    profile->directory);
	if (us_buf_cstr(&text) == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	for (line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');

		if (*line == '#' || equals == NULL)
			continue;
		*equals = '\0';
		take_setting(profile, line, equals + 1);
	}
	us_buf_free(&text);
	if (profile->server == NULL || profile->vkey == NULL)
		us_give_up(US_EXIT_OTHER, "%s/profile.conf lacks server or vkey",
		    profile->directory);
}

int
us_profile_set_vkey(struct us_profile *profile, const char *vkey)
{
	char *copy = strdup(vkey);
	struct us_buf text, changed;
	const char *at;
	int found = 0, err;

	us_buf_init(&text, CONF_MAX);
	us_buf_init(&changed, CONF_MAX + US_NOTE_VKEY_MAX);
	err = copy == NULL ?
	    US_ERR_NOMEM :
	    us_profile_read(profile->directory, "profile.conf", CONF_MAX - 1, &text);
	at = err == US_OK ? us_buf_cstr(&text) : NULL;
	if (err == US_OK && at == NULL)
		err = US_ERR_NOMEM;
	while (err == US_OK && *at != '\0') {
		const size_t n = strcspn(at, "\n"), whole = n + (at[n] == '\n');

		if (n >= 5 && memcmp(at, "vkey=", 5) == 0) {
			err = us_buf_putf(&changed, "vkey=%s\n", vkey);
			found = 1;
		} else {
			err = us_buf_put(&changed, at, whole);
		}
		at += whole;
	}
	if (err == US_OK && !found)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		err = us_profile_write(profile->directory, "profile.conf", changed.data,
		    changed.len);
	if (err == US_OK) {
		free(profile->vkey);
		profile->vkey = copy; /* transferred */
		copy = NULL;
	}
	free(copy);
	us_buf_free(&text);
	us_buf_free(&changed);
	return err;
}

static void
read_certificate(const struct us_profile *profile, const char *name, struct us_buf *der)
{
	struct us_buf pem;

	us_buf_init(&pem, 65536);
	us_buf_init(der, US_CERT_MAX);
	if (us_profile_read(profile->directory, name, 65536, &pem) != US_OK ||
	    us_pem_decode((struct us_bytes){ pem.data, pem.len }, "CERTIFICATE", der) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read the certificate %s/%s", profile->directory,
		    name);
	us_buf_free(&pem);
}

static int
read_passphrase(const struct us_profile *profile, struct us_buf *passphrase)
{
	const char *file = getenv("UNDERSEAL_PASSPHRASE_FILE");
	char prompt[256];
	int err;

	if (file == NULL) {
		(void)snprintf(prompt, sizeof prompt,
		    "Passphrase of %s/key.pem: ", profile->directory);
		return us_ask_secret(prompt, passphrase);
	}
	err = us_file_read(file, 1024, passphrase);
	while (err == US_OK && passphrase->len > 0 &&
	    (passphrase->data[passphrase->len - 1] == '\n' ||
		passphrase->data[passphrase->len - 1] == '\r'))
		passphrase->len--;
	return err;
}

static void
read_key(struct us_profile *profile)
{
	struct us_buf pem, passphrase;
	struct us_bytes bytes;
	int err;

	us_buf_init(&pem, 65536);
	us_buf_init(&passphrase, 2048);
	if (us_profile_read(profile->directory, "key.pem", 65536, &pem) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot read %s/key.pem", profile->directory);
	bytes = (struct us_bytes){ pem.data, pem.len };
	err = us_pkey_from_pem(bytes, NULL, &profile->key);
	if (err == US_ERR_STATE) {
		if (read_passphrase(profile, &passphrase) != US_OK)
			us_give_up(US_EXIT_OTHER,
			    "the key has a passphrase, and there is no terminal to "
			    "ask for it: set UNDERSEAL_PASSPHRASE_FILE");
		err = us_pkey_from_pem(bytes, us_buf_cstr(&passphrase), &profile->key);
	}
	us_buf_free(&passphrase);
	us_buf_free(&pem);
	if (err == US_ERR_AUTH)
		us_give_up(US_EXIT_OTHER, "wrong passphrase");
	if (err != US_OK)
		us_give_up(US_EXIT_OTHER, "%s/key.pem %s", profile->directory, us_strerror(err));
}

void
us_profile_open_public(struct us_profile *profile, const char *directory)
{
	char path[4096];

	memset(profile, 0, sizeof *profile);
	profile->directory = strdup(directory);
	if (profile->directory == NULL)
		us_give_up(US_EXIT_OTHER, "out of memory");
	refuse_if_open(directory);
	(void)snprintf(path, sizeof path, "%s/key.pem", directory);
	refuse_if_open(path);
	read_conf(profile);
	read_certificate(profile, "certificate.pem", &profile->certificate);
	read_certificate(profile, "ca.pem", &profile->ca);
	if (us_cert_fingerprint((struct us_bytes){ profile->certificate.data,
				    profile->certificate.len },
		profile->credential) != US_OK)
		us_give_up(US_EXIT_OTHER, "cannot digest the certificate");
}

void
us_profile_open(struct us_profile *profile, const char *directory)
{
	us_profile_open_public(profile, directory);
	read_key(profile);
}

void
us_profile_close(struct us_profile *profile)
{
	free(profile->directory);
	free(profile->server);
	free(profile->person);
	free(profile->purpose);
	free(profile->vkey);
	us_buf_free(&profile->certificate);
	us_buf_free(&profile->ca);
	us_pkey_free(profile->key);
	memset(profile, 0, sizeof *profile);
}
