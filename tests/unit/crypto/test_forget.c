/*
 * After keys were used, wiped and scrubbed, none of their bytes is left anywhere in this process:
 * every readable and writable mapping is searched. Needles are kept XORed with a mask, so that the
 * search does not find itself.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>

#include <cmocka.h>

#include "crypto/cobblestone.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "crypto/keytree.h"
#include "crypto/record_seal.h"
#include "crypto/slip39.h"

#define MASK 0xa7
#define PIECE 16

static struct {
	const char *name;
	uint8_t masked[PIECE];
} needles[16];
static size_t needle_n;

static void
remember(const char *name, const uint8_t *p)
{
	needles[needle_n].name = name;
	for (size_t i = 0; i < PIECE; i++)
		needles[needle_n].masked[i] = p[i] ^ MASK;
	needle_n++;
}

static int
matches(const uint8_t *p, const uint8_t *masked)
{
	for (size_t i = 0; i < PIECE; i++) {
		if ((p[i] ^ MASK) != masked[i])
			return 0;
	}
	return 1;
}

/* Needles found in [from, to). Reads through the file, page by page, into one buffer, which is
 * itself searched too. */
static int
search_mapping(int mem, unsigned long from, unsigned long to)
{
	static uint8_t page[4096 + PIECE];
	int found = 0;

	for (; from < to; from += 4096) {
		ssize_t n;

		/* what the last page left here is no finding of its own */
		memset(page, 0, sizeof page);
		if (from <= (uintptr_t)page && (uintptr_t)page < from + 4096)
			continue;
		n = pread(mem, page, sizeof page, (off_t)from);
		for (ssize_t i = 0; i + PIECE <= n && i < 4096; i++) {
			for (size_t k = 0; k < needle_n; k++) {
				if (matches(page + i, needles[k].masked)) {
					print_message("%s at %#lx\n", needles[k].name,
					    from + (unsigned long)i);
					found++;
				}
			}
		}
	}
	memset(page, 0, sizeof page);
	return found;
}

static int
search_process(void)
{
	char line[512], rights[8];
	unsigned long from, to;
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_true(mem >= 0);
	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && rights[0] == 'r' &&
		    rights[1] == 'w')
			found += search_mapping(mem, from, to);
	}
	(void)fclose(maps);
	(void)close(mem);
	return found;
}

static __attribute__((noinline)) void
use_keys(void)
{
	static const uint8_t vault[32];
	const struct us_record_place place = { vault, 1, 2, 3 };
	uint8_t out[256], back[256], pub[32], mac[32];
	struct us_bytes text = us_bytes_of("some text"), none = { NULL, 0 };
	struct us_key *root, *leaf, *key, *shared;

	assert_int_equal(us_key_new(&root), US_OK);
	assert_int_equal(us_key_new(&leaf), US_OK);
	assert_int_equal(us_key_new(&key), US_OK);
	assert_int_equal(us_key_new(&shared), US_OK);
	assert_int_equal(us_key_random(root), US_OK);
	remember("root", root->b);
	assert_int_equal(us_state_key(root, leaf), US_OK);
	remember("derived", leaf->b);
	assert_int_equal(us_cobblestone_seal(leaf, none, text, out), US_OK);
	assert_int_equal(us_keytree_leaf(root, US_LEAF_RECORD, 1, 2, leaf), US_OK);
	remember("leaf", leaf->b);
	assert_int_equal(us_record_key(leaf, root->b, key), US_OK);
	remember("record key", key->b);
	assert_int_equal(us_record_seal(key, &place, text, out), US_OK);
	assert_int_equal(us_record_open(key, &place, (struct us_bytes){ out, 9 + 48 }, back),
	    US_OK);
	assert_int_equal(us_hmac_sha256((struct us_bytes){ key->b, 32 }, &text, 1, mac), US_OK);
	remember("mac", mac);
	assert_int_equal(us_ctr_xor(key, out, text, back), US_OK);
	assert_int_equal(us_ed25519_public(key, pub), US_OK);
	assert_int_equal(us_ed25519_sign(key, text, out), US_OK);
	assert_int_equal(us_x25519_public(leaf, pub), US_OK);
	assert_int_equal(us_x25519(key, pub, shared), US_OK);
	remember("shared", shared->b);
	us_wipe(mac, sizeof mac);
	us_key_free(root);
	us_key_free(leaf);
	us_key_free(key);
	us_key_free(shared);
}

static __attribute__((noinline)) void
use_shares(void)
{
	const struct us_slip39_plan plan = { .threshold = 2, .shares = 3, .extendable = 1 };
	char(*text)[US_SLIP39_TEXT_MAX] = us_secret_alloc(3 * sizeof *text);
	uint8_t *secret = us_secret_alloc(US_SLIP39_SECRET_MAX);
	const char *given[2];
	size_t n;

	assert_non_null(text);
	assert_non_null(secret);
	assert_int_equal(us_random(secret, 32), US_OK);
	remember("shared secret, left", secret);
	remember("shared secret, right", secret + 16);
	assert_int_equal(us_slip39_split(&plan, (struct us_bytes){ secret, 32 }, text), US_OK);
	remember("share 0", (const uint8_t *)text[0] + 60);
	given[0] = text[0];
	given[1] = text[2];
	assert_int_equal(us_slip39_combine(given, 2, NULL, secret, &n), US_OK);
	us_secret_free(text);
	us_secret_free(secret);
}

static void
nothing_is_left(void **state)
{
	struct us_key *kept;

	(void)state;
#ifdef US_SANITIZED
	skip(); /* sanitizers keep freed memory and terabytes of shadow */
#endif
	assert_int_equal(us_process_protect(0), US_OK);
	/* so that an ordinary user may read his own memory; the locked heap is what matters here */
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	use_keys();
	use_shares();
	us_crypto_scrub();
	assert_int_equal(search_process(), 0);

	/* and the search can find: a key that is still there */
	assert_int_equal(us_key_new(&kept), US_OK);
	assert_int_equal(us_key_random(kept), US_OK);
	needle_n = 0;
	remember("a key in use", kept->b);
	assert_true(search_process() >= 1);
	us_key_free(kept);
	assert_int_equal(search_process(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
