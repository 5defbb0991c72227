/*
 * known_keys DATA SHARE...: every key that follows from the shares and the keeper's files, one a
 * line: name and hex. For tests that look for keys where there must be none.
 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "crypto/slip39.h"

#define SHARES 16

static void
print_key(const char *name, const struct us_key *key)
{
	printf("%s ", name);
	for (size_t i = 0; i < sizeof key->b; i++)
		printf("%02x", key->b[i]);
	putchar('\n');
}

static size_t
read_file(const char *path, uint8_t *out, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n = f == NULL ? 0 : fread(out, 1, max, f);

	if (f != NULL)
		(void)fclose(f);
	return n;
}

static int
read_vault_id(const char *data, uint8_t id[32])
{
	char path[4096], line[2048];
	int err = US_ERR_FORMAT;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/keeper/vault.conf", data);
	f = fopen(path, "r");
	if (f == NULL)
		return US_ERR_IO;
	while (fgets(line, sizeof line, f) != NULL) {
		const char *value = strchr(line, '=');

		if (value == NULL || strncmp(line, "vault", 5) != 0 ||
		    strcspn(value + 1, "\n") != 64)
			continue;
		if (us_hex_decode(value + 1, 64, id, 32) == US_OK)
			err = US_OK;
	}
	(void)fclose(f);
	return err;
}

static int
combine(char **paths, size_t n, struct us_key *root)
{
	static char text[SHARES][US_SLIP39_TEXT_MAX];
	const char *mnemonics[SHARES];
	uint8_t raw[4096], secret[US_SLIP39_SECRET_MAX];
	size_t size = 0;
	int err = US_OK;

	for (size_t i = 0; i < n && err == US_OK; i++) {
		size_t len = read_file(paths[i], raw, sizeof raw);

		err = us_slip39_normalise((struct us_bytes){ raw, len }, text[i]);
		mnemonics[i] = text[i];
	}
	if (err == US_OK)
		err = us_slip39_combine(mnemonics, n, NULL, secret, &size);
	if (err == US_OK && size != sizeof root->b)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		memcpy(root->b, secret, sizeof root->b);
	return err;
}

/* The keyring as daemon/keeper/keyring.h has it. */
static int
print_collections(const char *data, const uint8_t vault_id[32], const struct us_key *kek)
{
	static const char label[] = "underseal/keyring/1";
	static uint8_t file[1 << 20];
	uint8_t context[sizeof label - 1 + 32 + 4];
	struct us_key c, derived;
	char path[4096], name[64];
	size_t n, at = 16;
	uint32_t count;
	int err;

	(void)snprintf(path, sizeof path, "%s/keeper/keyring", data);
	n = read_file(path, file, sizeof file);
	if (n < 16 || memcmp(file, "USK1", 4) != 0)
		return US_ERR_FORMAT;
	count = (uint32_t)file[12] << 24 | (uint32_t)file[13] << 16 | (uint32_t)file[14] << 8 |
	    file[15];
	memcpy(context, label, sizeof label - 1);
	memcpy(context + sizeof label - 1, vault_id, 32);
	for (uint32_t i = 0; i < count; i++, at += 4 + 104) {
		unsigned number = file[at + 3];

		if (at + 4 + 104 > n)
			return US_ERR_TRUNCATED;
		memcpy(context + sizeof label - 1 + 32, file + at, 4);
		err = us_cobblestone_open(kek, (struct us_bytes){ context, sizeof context },
		    (struct us_bytes){ file + at + 4, 104 }, c.b);
		if (err != US_OK)
			return err;
		(void)snprintf(name, sizeof name, "collection-%u", number);
		print_key(name, &c);
		if (us_tree_root(&c, &derived) == US_OK)
			print_key("tree-root", &derived);
		if (us_keytree_subtree(&derived, US_LEAF_RECORD, 0, &derived) == US_OK)
			print_key("subtree-of-batch-0", &derived);
		if (us_term_root(&c, &derived) == US_OK)
			print_key("term-root", &derived);
		if (us_era_term_root(&derived, 0, &derived) == US_OK)
			print_key("era-term-root", &derived);
		if (us_term_key(&derived, us_bytes_of("harbour"), &derived) == US_OK)
			print_key("term-harbour", &derived);
		if (us_duplicate_key(&c, &derived) == US_OK)
			print_key("duplicate-key", &derived);
	}
	return US_OK;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*derive)(const struct us_key *root, struct us_key *out);
	} keys[] = {
		{ "keyring-kek", us_keyring_kek },
		{ "log-box", us_log_box_key },
		{ "log-box-private", us_log_box_private },
		{ "ca-wrap", us_ca_wrap_key },
		{ "state", us_state_key },
		{ "cursor", us_cursor_key },
	};
	struct us_key root, key, kek;
	uint8_t vault_id[32];
	int err;

	if (argc < 3 || argc > 2 + SHARES || us_crypto_init() != US_OK)
		return 2;
	err = combine(argv + 2, (size_t)argc - 2, &root);
	if (err == US_OK)
		err = read_vault_id(argv[1], vault_id);
	if (err == US_OK)
		print_key("root", &root);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && err == US_OK; i++) {
		err = keys[i].derive(&root, &key);
		if (err == US_OK)
			print_key(keys[i].name, &key);
	}
	if (err == US_OK)
		err = us_keyring_kek(&root, &kek);
	if (err == US_OK)
		err = print_collections(argv[1], vault_id, &kek);
	if (err != US_OK)
		fprintf(stderr, "known_keys: %s\n", us_strerror(err));
	return err == US_OK ? 0 : 1;
}
