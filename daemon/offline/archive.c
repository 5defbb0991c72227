/* What an archive may hold, and the small texts in it: pure functions. */
#include "daemon/offline/archive.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "log/tiles.h"
#include "base/base64.h"
#include "base/err.h"
#include "log/disk/journal.h"

#define LABEL "underseal/backup/1\n"
#define COPY "underseal/keyring-copy/1\n"
#define SMALL 65536u
#define COSIGNATURES_MAX (8u * 1024u * 1024u)
#define INIT_ACT_MAX (2u * 1024u * 1024u)

/* "cosignatures.N", N of one or two digits. */
static int
is_old_cosignatures(const char *name)
{
	static const char before[] = "keeper/cosignatures.";
	const size_t n = sizeof before - 1, digits = strlen(name) > n ? strlen(name + n) : 0;

	return strncmp(name, before, n) == 0 && (digits == 1 || digits == 2) &&
	    strspn(name + n, "0123456789") == digits;
}

uint64_t
us_backup_member_max(const char *name)
{
	static const struct {
		const char *name;
		uint64_t max;
	} files[] = {
		{ US_BACKUP_LABEL, US_BACKUP_LABEL_MAX },
		{ "undersealed.conf", SMALL },
		{ "keeper/vault.conf", SMALL },
		{ "keeper/boot.keys", SMALL },
		{ "keeper/root.wrapped", SMALL },
		{ "keeper/init.act", INIT_ACT_MAX },
		{ "keeper/succession", SMALL },
		{ "keeper/checkpoint", SMALL },
		{ "keeper/handovers", 256u * 1024u },
		{ "keeper/cosignatures", COSIGNATURES_MAX },
		{ "keeper/keyring.copies", 1024u * 1024u },
		{ "vault/store.db", UINT64_C(1) << 50 },
		{ "vault/store.db-wal", UINT64_C(1) << 40 },
	};
	static const char journal[] = "keeper/journal/", keeper[] = "keeper/";
	struct us_tile tile;

	for (size_t i = 0; i < US_COUNT(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return files[i].max;
	if (is_old_cosignatures(name))
		return COSIGNATURES_MAX;
	if (strncmp(name, journal, sizeof journal - 1) == 0)
		return strlen(name) == sizeof journal - 1 + 16 &&
			strspn(name + sizeof journal - 1, "0123456789abcdef") == 16 ?
		    US_JOURNAL_SEGMENT :
		    0;
	/* the keeper publishes full tiles only */
	if (strncmp(name, keeper, sizeof keeper - 1) != 0 ||
	    us_tile_parse(&tile, name + sizeof keeper - 1, strlen(name + sizeof keeper - 1)) !=
		US_OK ||
	    tile.width != US_TILE_WIDTH)
		return 0;
	return tile.entries ? US_BUNDLE_MAX : US_TILE_WIDTH * US_HASH_LEN;
}

/* ---- labels ---- */

static int
put_lines(struct us_buf *out, const struct us_backup_label *l)
{
	int err = us_buf_putf(out, "vault=");

	if (err == US_OK)
		err = us_hex_put(out, l->vault_id, 32);
	return err != US_OK ? err :
			      us_buf_putf(out, "\nnumber=%u\nentry=%llu\nkeyring=%llu\n", l->number,
				  (unsigned long long)l->entry, (unsigned long long)l->generation);
}

int
us_backup_label_put(struct us_buf *out, const struct us_backup_label *l)
{
	int err = us_buf_putf(out, LABEL);

	return err != US_OK ? err : put_lines(out, l);
}

/* Each label has one form: what is read is written again, and compared. *used: how long it is. */
static int
parse_lines(struct us_backup_label *l, struct us_bytes text, size_t *used)
{
	char copy[US_BACKUP_LABEL_MAX], hex[65];
	unsigned long long entry, generation;
	struct us_buf again;
	const size_t n = text.n < sizeof copy - 1 ? text.n : sizeof copy - 1;
	int err;

	memcpy(copy, text.p, n);
	copy[n] = '\0';
	if (sscanf(copy, "vault=%64[0-9a-f]\nnumber=%9u\nentry=%18llu\nkeyring=%18llu\n", hex,
		&l->number, &entry, &generation) != 4 ||
	    us_hex_decode(hex, strlen(hex), l->vault_id, 32) != US_OK)
		return US_ERR_FORMAT;
	l->entry = entry;
	l->generation = generation;
	us_buf_init(&again, US_BACKUP_LABEL_MAX);
	err = put_lines(&again, l);
	if (err == US_OK && (again.len > n || memcmp(again.data, copy, again.len) != 0))
		err = US_ERR_FORMAT;
	*used = again.len;
	us_buf_free(&again);
	return err;
}

int
us_backup_label_parse(struct us_backup_label *out, struct us_bytes text)
{
	const size_t n = sizeof LABEL - 1;
	struct us_backup_label l;
	size_t used;

	if (text.n < n || memcmp(text.p, LABEL, n) != 0 ||
	    parse_lines(&l, (struct us_bytes){ text.p + n, text.n - n }, &used) != US_OK ||
	    used != text.n - n)
		return US_ERR_FORMAT;
	*out = l;
	return US_OK;
}

/* ---- the keyring's copy ---- */

int
us_keyring_generation_of(uint64_t *generation, struct us_bytes keyring)
{
	if (keyring.n < 16 || memcmp(keyring.p, "USK1", 4) != 0)
		return US_ERR_FORMAT;
	*generation = us_load_u64(keyring.p + 4);
	return US_OK;
}

int
us_keyring_copy_put(struct us_buf *out, const struct us_backup_label *label,
    struct us_bytes keyring)
{
	int err = us_buf_putf(out, COPY);

	if (err == US_OK)
		err = put_lines(out, label);
	if (err == US_OK)
		err = us_buf_put_u8(out, '\n');
	return err != US_OK ? err : us_buf_put(out, keyring.p, keyring.n);
}

int
us_keyring_copy_parse(struct us_backup_label *label, struct us_bytes *keyring, struct us_bytes file)
{
	const size_t n = sizeof COPY - 1;
	struct us_backup_label l;
	struct us_bytes rest;
	uint64_t generation;
	size_t used;

	if (file.n < n || memcmp(file.p, COPY, n) != 0 ||
	    parse_lines(&l, (struct us_bytes){ file.p + n, file.n - n }, &used) != US_OK)
		return US_ERR_FORMAT;
	rest = (struct us_bytes){ file.p + n + used, file.n - n - used };
	if (rest.n < 1 || rest.p[0] != '\n')
		return US_ERR_FORMAT;
	rest = (struct us_bytes){ rest.p + 1, rest.n - 1 };
	if (us_keyring_generation_of(&generation, rest) != US_OK || generation != l.generation)
		return US_ERR_FORMAT;
	*label = l;
	*keyring = rest;
	return US_OK;
}
