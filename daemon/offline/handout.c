/* What a new vault gives away: profiles, shares, the log's key. */
#include "daemon/offline/handout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/cms.h"
#include "base/err.h"
#include "base/log.h"

#define PASSPHRASE_MAX 1024

void
us_handout_directory(const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		us_fatal("cannot make %s: %s", path, strerror(errno));
	if (chmod(path, mode) != 0)
		us_fatal("cannot set the mode of %s: %s", path, strerror(errno));
}

void
us_handout_write(const char *path, mode_t mode, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || fsync(fd) != 0 || close(fd) != 0)
		us_fatal("cannot write %s: %s", path, strerror(errno));
}

static void
write_pem(const char *directory, const char *name, const struct us_buf *der)
{
	struct us_buf pem;
	char path[4096 + 32];

	us_buf_init(&pem, 65536);
	if (us_pem_encode((struct us_bytes){ der->data, der->len }, "CERTIFICATE", &pem) != US_OK)
		us_fatal("out of memory");
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	us_handout_write(path, 0600, pem.data, pem.len);
	us_buf_free(&pem);
}

/* HOST:PORT for profiles: the address listened on, unless that is every address. */
static void
server_name(const struct us_handout *h, char *out, size_t size)
{
	if (strncmp(h->listen, "0.0.0.0:", 8) == 0 || strncmp(h->listen, "[::]:", 5) == 0)
		(void)snprintf(out, size, "%s%s", h->host, strrchr(h->listen, ':'));
	else
		(void)snprintf(out, size, "%s", h->listen);
}

/* All of a profile but the key. */
static void
write_profile(const struct us_handout *h, size_t i, const char *directory)
{
	char path[4096 + 16], text[2048], hex[65], server[256];
	int n;

	us_handout_directory(directory, 0700);
	write_pem(directory, "certificate.pem", &h->made->certificates[i]);
	write_pem(directory, "ca.pem", &h->made->ca);
	server_name(h, server, sizeof server);
	us_hex_encode(h->made->vault_id, 32, hex);
	hex[64] = '\0';
	n = snprintf(text, sizeof text, "server=%s\nvault=%s\nvkey=%s\nperson=%.*s\n", server, hex,
	    h->made->vkey, (int)h->person[i].name.n, (const char *)h->person[i].name.p);
	(void)snprintf(path, sizeof path, "%s/profile.conf", directory);
	us_handout_write(path, 0600, text, (size_t)n);
}

/* From the file that UNDERSEAL_PASSPHRASE_FILE names, or the terminal without echo. */
static void
ask_passphrase(char *out, size_t size)
{
	const char *file = getenv("UNDERSEAL_PASSPHRASE_FILE");
	FILE *f = fopen(file != NULL ? file : "/dev/tty", file != NULL ? "re" : "r+e");
	struct termios before, quiet;

	if (f == NULL)
		us_fatal("the administrator's key needs a passphrase, and there is no terminal to "
			 "ask for it: "
			 "set UNDERSEAL_PASSPHRASE_FILE");
	if (file == NULL && tcgetattr(fileno(f), &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(fileno(f), TCSAFLUSH, &quiet);
		fputs("Passphrase for the administrator's key: ", f);
		(void)fflush(f);
	}
	if (fgets(out, (int)size, f) == NULL)
		out[0] = '\0';
	if (file == NULL) {
		(void)tcsetattr(fileno(f), TCSAFLUSH, &before);
		fputc('\n', f);
	}
	(void)fclose(f);
	out[strcspn(out, "\r\n")] = '\0';
	if (strlen(out) < 8)
		us_fatal("a passphrase has at least eight characters: nothing but the vault itself "
			 "was made, "
			 "remove it and start again");
}

static void
write_admin_key(const struct us_handout *h, const char *directory)
{
	char passphrase[PASSPHRASE_MAX] = "", path[4096 + 16];
	struct us_buf pem;

	us_buf_init(&pem, 65536);
	if (!h->demo)
		ask_passphrase(passphrase, sizeof passphrase);
	if (us_pkey_to_pem(h->admin_key, h->demo ? NULL : passphrase, &pem) != US_OK)
		us_fatal("cannot write the administrator's key");
	us_wipe(passphrase, sizeof passphrase);
	(void)snprintf(path, sizeof path, "%s/key.pem", directory);
	us_handout_write(path, 0600, pem.data, pem.len);
	us_buf_free(&pem);
}

/* A file name from a person's name. */
static void
safe_name(const struct us_create_person *p, char *out, size_t size)
{
	size_t n = p->name.n < size - 1 ? p->name.n : size - 1;

	memcpy(out, p->name.p, n);
	out[n] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if (*c == '/' || (c == out && *c == '.'))
			*c = '_';
}

static void
write_share(const struct us_handout *h, unsigned share, const struct us_buf *certificate)
{
	const char *words = h->made->mnemonics[share];
	struct us_buf out;
	char path[4096];

	us_buf_init(&out, US_CMS_MAX);
	(void)snprintf(path, sizeof path, "%s/share-%u.%s", h->out, share + 1,
	    certificate == NULL ? "txt" : "p7m");
	if (certificate != NULL) {
		if (us_cms_encrypt((struct us_bytes){ certificate->data, certificate->len },
			us_bytes_of(words), &out) != US_OK)
			us_fatal("cannot encrypt share %u", share + 1);
	} else if (us_buf_putf(&out, "%s\n", words) != US_OK)
		us_fatal("out of memory");
	us_handout_write(path, 0600, out.data, out.len);
	us_buf_free(&out);
}

void
us_hand_out(const struct us_handout *h)
{
	char path[4096], name[128], vkey[1024];
	unsigned share = 0;

	us_handout_directory(h->out, 0700);
	for (size_t i = 0; i < h->people; i++) {
		const char *group = i == 0                         ? "admin" :
		    h->person[i].capacity == US_CAPACITY_KEYHOLDER ? "keyholders" :
								     "signers";

		(void)snprintf(path, sizeof path, "%s/%s", h->out, group);
		us_handout_directory(path, 0700);
		if (i > 0) {
			safe_name(&h->person[i], name, sizeof name);
			(void)snprintf(path, sizeof path, "%s/%s/%s", h->out, group, name);
		}
		write_profile(h, i, path);
		if (i == 0)
			write_admin_key(h, path);
		if (h->person[i].capacity == US_CAPACITY_KEYHOLDER && share < h->made->shares)
			write_share(h, share++, &h->made->certificates[i]);
	}
	while (share < h->made->shares)
		write_share(h, share++, NULL);
	(void)snprintf(path, sizeof path, "%s/log.vkey", h->out);
	(void)snprintf(vkey, sizeof vkey, "%s\n", h->made->vkey);
	us_handout_write(path, 0644, vkey, strlen(vkey));
	write_pem(h->out, "ca.pem", &h->made->ca);
	us_log(US_LOG_NOTICE,
	    "the vault is made; what people need lies in %s. Publish log.vkey: it is how "
	    "everybody checks the log",
	    h->out);
}
