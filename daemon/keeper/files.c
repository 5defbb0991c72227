#include "daemon/keeper/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/cobblestone.h"
#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "daemon/process/role.h"
#include "daemon/process/settings.h"
#include "registry/act.h"

#define LOCK_TRIES 20 /* one second */
#define CONF_MAX 65536
#define CA_CONTEXT "underseal/ca/1"
#define INIT_CONTEXT "underseal/init/1"
#define INIT_SEALED_MAX (US_ACT_COMMITTED_MAX + 65536u)

int
us_keeper_read(const char *name, size_t max, struct us_buf *out)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	uint8_t *to;
	size_t got = 0;
	int err = US_OK;

	if (fd < 0)
		return errno == ENOENT ? US_ERR_NOT_FOUND : US_ERR_IO;
	if (fstat(fd, &st) != 0 || st.st_size < 0)
		err = US_ERR_IO;
	else if ((uint64_t)st.st_size > max)
		err = US_ERR_LIMIT;
	else
		err = us_buf_reserve(out, (size_t)st.st_size, &to);
	while (err == US_OK && got < (size_t)st.st_size) {
		ssize_t n = read(fd, to + got, (size_t)st.st_size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			err = US_ERR_IO;
		else
			got += (size_t)n;
	}
	(void)close(fd);
	if (err == US_OK)
		out->len += got;
	return err;
}

static int
sync_directory(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok ? US_OK : US_ERR_IO;
}

int
us_keeper_write(const char *name, struct us_bytes data)
{
	char temporary[64];
	size_t at = 0;
	int ok, fd;

	(void)snprintf(temporary, sizeof temporary, "%s.new", name);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ok = fd >= 0;
	while (ok && at < data.n) {
		ssize_t n = write(fd, data.p + at, data.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		ok = n > 0;
		at += ok ? (size_t)n : 0;
	}
	ok = ok && fsync(fd) == 0;
	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	ok = ok && rename(temporary, name) == 0;
	if (!ok) {
		int err = errno == ENOSPC ? US_ERR_NOSPACE : US_ERR_IO;

		us_log(US_LOG_ERROR, "%s cannot be written: %s", name, strerror(errno));
		(void)unlink(temporary);
		return err;
	}
	return sync_directory();
}

int
us_keeper_rename(const char *from, const char *to)
{
	if (rename(from, to) != 0) {
		us_log(US_LOG_ERROR, "%s cannot be renamed: %s", from, strerror(errno));
		return US_ERR_IO;
	}
	return sync_directory();
}

/* --- vault.conf --------------------------------------------------------------------------- */

static void
put_hex(struct us_buf *b, const char *name, const uint8_t *p, size_t n)
{
	(void)us_buf_putf(b, "%s=", name);
	(void)us_hex_put(b, p, n);
	(void)us_buf_put_u8(b, '\n');
}

int
us_vault_conf_write(const struct us_vault_conf *c)
{
	struct us_buf b;
	int err;

	us_buf_init(&b, CONF_MAX);
	put_hex(&b, "vault", c->vault_id, 32);
	(void)us_buf_putf(&b, "origin=%s\nvkey=%s\nshares=%u\nthreshold=%u\n", c->origin, c->vkey,
	    c->shares, c->threshold);
	for (unsigned i = 0; i < c->shares; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "share.%u", i + 1);
		put_hex(&b, name, c->share_digests[i], 32);
	}
	put_hex(&b, "root_check", c->root_check, 32);
	put_hex(&b, "box_public", c->box_public, 32);
	(void)us_buf_putf(&b, "ca=");
	(void)us_base64_put(&b, c->ca.data, c->ca.len);
	err = us_buf_put_u8(&b, '\n'); /* the last put fails if one before did for lack of room */
	if (err == US_OK)
		err = us_keeper_write("vault.conf", (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return err;
}

static int
get_hex(const struct us_settings *s, const char *name, uint8_t out[32])
{
	const char *v = us_setting(s, name, "");

	return us_hex_decode(v, strlen(v), out, 32);
}

/* 0 if it is no number of shares. */
static unsigned
get_number(const struct us_settings *s, const char *name)
{
	int64_t v;

	return us_number_text(us_setting(s, name, ""), 1, US_SHARES_MAX, &v) == US_OK ?
	    (unsigned)v :
	    0;
}

static int
parse_conf(struct us_vault_conf *c, const struct us_settings *s)
{
	const char *ca = us_setting(s, "ca", "");
	int err = get_hex(s, "vault", c->vault_id);

	if (err == US_OK)
		err = get_hex(s, "root_check", c->root_check);
	if (err == US_OK)
		err = get_hex(s, "box_public", c->box_public);
	c->shares = get_number(s, "shares");
	c->threshold = get_number(s, "threshold");
	if (c->shares == 0 || c->threshold == 0 || c->threshold > c->shares)
		return US_ERR_FORMAT;
	for (unsigned i = 0; err == US_OK && i < c->shares; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "share.%u", i + 1);
		err = get_hex(s, name, c->share_digests[i]);
	}
	(void)snprintf(c->origin, sizeof c->origin, "%s", us_setting(s, "origin", ""));
	(void)snprintf(c->vkey, sizeof c->vkey, "%s", us_setting(s, "vkey", ""));
	if (c->origin[0] == '\0' || c->vkey[0] == '\0' || ca[0] == '\0')
		return US_ERR_FORMAT;
	return err != US_OK ? err : us_base64_take(&c->ca, ca, strlen(ca));
}

int
us_vault_conf_read(struct us_vault_conf *c)
{
	struct us_settings *s = NULL;
	struct us_buf b;
	int err;

	memset(c, 0, sizeof *c);
	us_buf_init(&c->ca, US_CERT_MAX);
	us_buf_init(&b, CONF_MAX);
	err = us_keeper_read("vault.conf", CONF_MAX, &b);
	if (err == US_OK) {
		s = us_settings_parse((const char *)b.data, b.len);
		err = s == NULL ? US_ERR_FORMAT : parse_conf(c, s);
	}
	us_settings_free(s);
	us_buf_free(&b);
	if (err != US_OK)
		us_vault_conf_free(c);
	return err;
}

void
us_vault_conf_free(struct us_vault_conf *c)
{
	us_buf_free(&c->ca);
}

/* --- boot.keys ---------------------------------------------------------------------------- */

int
us_boot_keys_encode(const struct us_boot_keys *k, struct us_buf *out)
{
	struct us_buf der;
	int err;

	us_buf_init(&der, CONF_MAX);
	err = us_pkey_to_der(k->tls_key, &der);
	if (err == US_OK)
		err = us_buf_put(out, "USB1", 4);
	if (err == US_OK)
		err = us_buf_put(out, k->log_seed->b, US_KEY_SIZE);
	if (err == US_OK)
		err = us_buf_put_str16(out, der.data, der.len);
	if (err == US_OK)
		err = us_buf_put_str16(out, k->tls_certificate.data, k->tls_certificate.len);
	us_buf_free(&der);
	return err;
}

int
us_boot_keys_write(const struct us_boot_keys *k)
{
	struct us_buf b;
	int err;

	us_buf_init(&b, CONF_MAX);
	err = us_boot_keys_encode(k, &b);
	if (err == US_OK)
		err = us_keeper_write("boot.keys", (struct us_bytes){ b.data, b.len });
	us_buf_free(&b);
	return err;
}

int
us_boot_keys_read(struct us_boot_keys *k)
{
	struct us_bytes key, cert;
	struct us_reader r;
	struct us_buf b;
	int err;

	memset(k, 0, sizeof *k);
	us_buf_init(&k->tls_certificate, US_CERT_MAX);
	us_buf_init(&b, CONF_MAX);
	err = us_keeper_read("boot.keys", CONF_MAX, &b);
	if (err == US_OK)
		err = us_key_new(&k->log_seed);
	if (err != US_OK)
		goto out;
	us_reader_init(&r, b.data, b.len);
	if (!us_bytes_is(us_take(&r, 4), "USB1"))
		us_reader_fail(&r, US_ERR_FORMAT);
	us_take_into(&r, k->log_seed->b, US_KEY_SIZE);
	key = us_take_str16(&r, CONF_MAX);
	cert = us_take_str16(&r, US_CERT_MAX);
	err = us_reader_end(&r);
	if (err == US_OK)
		err = us_pkey_from_der(key, &k->tls_key);
	if (err == US_OK)
		err = us_buf_put(&k->tls_certificate, cert.p, cert.n);
out:
	us_buf_free(&b);
	if (err != US_OK)
		us_boot_keys_free(k);
	return err;
}

void
us_boot_keys_free(struct us_boot_keys *k)
{
	us_key_free(k->log_seed);
	us_pkey_free(k->tls_key);
	us_buf_free(&k->tls_certificate);
	k->log_seed = NULL;
	k->tls_key = NULL;
}

/* --- root.wrapped ------------------------------------------------------------------------- */

static struct us_bytes
ca_context(uint8_t context[sizeof CA_CONTEXT - 1 + 32], const uint8_t vault_id[32])
{
	memcpy(context, CA_CONTEXT, sizeof CA_CONTEXT - 1);
	memcpy(context + sizeof CA_CONTEXT - 1, vault_id, 32);
	return (struct us_bytes){ context, sizeof CA_CONTEXT - 1 + 32 };
}

static struct us_bytes
init_context(uint8_t out[sizeof INIT_CONTEXT - 1 + 32], const uint8_t vault_id[32])
{
	memcpy(out, INIT_CONTEXT, sizeof INIT_CONTEXT - 1);
	memcpy(out + sizeof INIT_CONTEXT - 1, vault_id, 32);
	return (struct us_bytes){ out, sizeof INIT_CONTEXT - 1 + 32 };
}

int
us_init_act_write(struct us_bytes committed, const struct us_key *state, const uint8_t vault_id[32])
{
	uint8_t context[sizeof INIT_CONTEXT - 1 + 32];
	struct us_buf sealed;
	int err;

	us_buf_init(&sealed, INIT_SEALED_MAX);
	err = us_cobblestone_seal_to(state, init_context(context, vault_id), committed, &sealed);
	if (err == US_OK)
		err = us_keeper_write("init.act", (struct us_bytes){ sealed.data, sealed.len });
	us_buf_free(&sealed);
	return err;
}

int
us_init_act_read(struct us_buf *out, const struct us_key *state, const uint8_t vault_id[32])
{
	uint8_t context[sizeof INIT_CONTEXT - 1 + 32];
	struct us_buf sealed;
	int err;

	us_buf_init(&sealed, INIT_SEALED_MAX);
	err = us_keeper_read("init.act", INIT_SEALED_MAX, &sealed);
	if (err == US_OK)
		err = us_cobblestone_open_to(state, init_context(context, vault_id),
		    (struct us_bytes){ sealed.data, sealed.len }, out);
	us_buf_free(&sealed);
	return err;
}

int
us_ca_key_write(const struct us_pkey *ca, const struct us_key *wrap, const uint8_t vault_id[32])
{
	uint8_t context[sizeof CA_CONTEXT - 1 + 32];
	struct us_buf der, sealed;
	int err;

	us_buf_init(&der, CONF_MAX);
	us_buf_init(&sealed, CONF_MAX);
	err = us_pkey_to_der(ca, &der);
	if (err == US_OK)
		err = us_cobblestone_seal_to(wrap, ca_context(context, vault_id),
		    (struct us_bytes){ der.data, der.len }, &sealed);
	if (err == US_OK)
		err = us_keeper_write("root.wrapped", (struct us_bytes){ sealed.data, sealed.len });
	us_buf_free(&der);
	us_buf_free(&sealed);
	return err;
}

int
us_ca_key_read(struct us_pkey **out, const struct us_key *wrap, const uint8_t vault_id[32])
{
	uint8_t context[sizeof CA_CONTEXT - 1 + 32];
	struct us_buf der, sealed;
	int err;

	*out = NULL;
	us_buf_init(&der, CONF_MAX);
	us_buf_init(&sealed, CONF_MAX);
	err = us_keeper_read("root.wrapped", CONF_MAX, &sealed);
	if (err == US_OK)
		err = us_cobblestone_open_to(wrap, ca_context(context, vault_id),
		    (struct us_bytes){ sealed.data, sealed.len }, &der);
	if (err == US_OK)
		err = us_pkey_from_der((struct us_bytes){ der.data, der.len }, out);
	us_buf_free(&der);
	us_buf_free(&sealed);
	return err;
}

int
us_keeper_lock(int *fd)
{
	const struct timespec pause = { 0, 50 * 1000 * 1000 };

	*fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return US_ERR_IO;
	/* a keeper whose monitor was killed ends a moment after it */
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
			return US_OK;
		(void)nanosleep(&pause, NULL);
	}
	(void)close(*fd);
	*fd = -1;
	return US_ERR_BUSY;
}
