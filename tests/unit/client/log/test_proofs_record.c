/* Goal: a record is shown as evidence only if it is, byte for byte, what its batch's manifest root
 * says. Lines as a vault writes them, of a batch whose root the profile remembers; then each thing
 * in them changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/err.h"
#include "client/log/batches.h"
#include "client/log/proofs.h"
#include "evidence/batch/reader.h"
#include "log/merkle.h"

#define RECORDS 5u
#define FIRST 100u /* number of the batch's first record */
#define COLLECTION 3u
#define SLOT 4u

static char directory[] = "/tmp/us-proofs-XXXXXX";
static char vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/* Nothing is asked of a vault. */
struct us_http *__wrap_us_http_new(const struct us_profile *profile);
void __wrap_us_http_free(struct us_http *http);

struct us_http *
__wrap_us_http_new(const struct us_profile *profile)
{
	static char nobody;

	(void)profile;
	return (struct us_http *)(void *)&nobody;
}

void
__wrap_us_http_free(struct us_http *http)
{
	(void)http;
}

struct fixture {
	struct us_client client;
	struct us_proofs *proofs;
	char lines[RECORDS][4096];
};

/* With text in it that follows a record in an answer. */
static void
source_of(unsigned i, char out[128])
{
	(void)snprintf(out, 128, "{\"id\": \"%u\",\"designation\":null,  \"n\":%u}", i, i);
}

static void
write_line(char out[4096], unsigned i, const uint8_t salt[16], const struct us_digest *path,
    size_t n)
{
	char source[128], hex[33], base64[64];
	size_t at;

	source_of(i, source);
	us_hex_encode(salt, 16, hex);
	hex[32] = '\0';
	at = (size_t)snprintf(out, 4096,
	    "{\"bates\":\"DEMO%09u\",\"record\":%s,\"designation\":null,\"legend\":null,"
	    "\"manifest\":{\"collection\":%u,\"batch\":%u,\"record\":%u,\"version\":0,\"salt\":"
	    "\"%s\",\"index\":%u,\"size\":%u,\"path\":[",
	    FIRST + i + 1, source, COLLECTION, SLOT, FIRST + i, hex, i, RECORDS);
	for (size_t k = 0; k < n; k++) {
		us_base64_encode(path[k].b, 32, base64);
		at += (size_t)snprintf(out + at, 4096 - at, "%s\"%s\"", k == 0 ? "" : ",", base64);
	}
	(void)snprintf(out + at, 4096 - at, "],\"entry\":70}}");
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct us_proven_batches remembered = { .directory = directory };
	struct us_proven_batch batch = { COLLECTION, SLOT, 70, { 0 } };
	struct us_digest leaves[RECORDS], path[US_PROOF_MAX], root;
	uint8_t salts[RECORDS][16];
	char source[128];
	size_t n;

	assert_non_null(f);
	assert_non_null(mkdtemp(directory));
	for (unsigned i = 0; i < RECORDS; i++) {
		memset(salts[i], (int)i + 1, 16);
		source_of(i, source);
		assert_int_equal(us_manifest_leaf_hash(COLLECTION, FIRST + i, 0, salts[i],
				     us_bytes_of(source), leaves[i].b),
		    US_OK);
	}
	us_merkle_root(&root, leaves, RECORDS);
	memcpy(batch.root, root.b, 32);
	us_proven_batches_add(&remembered, &batch);
	us_proven_batches_free(&remembered);
	for (unsigned i = 0; i < RECORDS; i++) {
		assert_int_equal(us_merkle_prove(leaves, RECORDS, i, path, &n), US_OK);
		write_line(f->lines[i], i, salts[i], path, n);
	}
	f->client.profile.directory = directory;
	f->client.profile.vkey = vkey;
	f->client.has_profile = 1;
	f->proofs = us_proofs_of(&f->client);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char path[64];

	us_proofs_close(&f->client);
	free(f);
	(void)snprintf(path, sizeof path, "%s/batches", directory);
	(void)unlink(path);
	return rmdir(directory);
}

static int
check(struct fixture *f, const char *line)
{
	struct us_bytes record;

	struct us_asked_record asked = { .bates = "DEMO000000103", .collection = COLLECTION };

	return us_proofs_record(f->proofs, &asked, line, strlen(line), &record);
}

static void
records_as_they_were_loaded(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < RECORDS; i++) {
		struct us_bytes record;
		char source[128], bates[32];
		struct us_asked_record asked = { .bates = bates };

		source_of(i, source);
		(void)snprintf(bates, sizeof bates, "DEMO%09u", FIRST + i + 1);
		assert_int_equal(us_proofs_record(f->proofs, &asked, f->lines[i],
				     strlen(f->lines[i]), &record),
		    US_OK);
		assert_int_equal(asked.collection, COLLECTION);
		assert_true(us_bytes_is(record, source)); /* blanks too */
	}
}

static void
anything_else(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *from, *to;
		int err;
	} changes[] = {
		{ "  \"n\"", " \"n\"", US_ERR_VERIFY }, /* the same to a reader of JSON */
		{ "{\"id\": \"2\"", "{\"id\": \"3\"", US_ERR_VERIFY },
		{ "\"salt\":\"03", "\"salt\":\"04", US_ERR_VERIFY },
		{ "\"salt\":\"03", "\"salt\":\"", US_ERR_FORMAT },
		{ "\"salt\":\"03", "\"salt\":\"zz", US_ERR_FORMAT },
		{ "\"index\":2", "\"index\":3", US_ERR_VERIFY },
		{ "\"index\":2", "\"index\":7", US_ERR_RANGE },
		{ "\"size\":5", "\"size\":3", US_ERR_VERIFY },
		{ "\"record\":102", "\"record\":103", US_ERR_VERIFY },
		{ "\"version\":0", "\"version\":1", US_ERR_VERIFY },
		{ "DEMO000000103", "DEMO000000104", US_ERR_VERIFY }, /* another one's number */
		{ "DEMO000000103", "DEMO", US_ERR_VERIFY },
		{ "\"path\":[", "\"path\":[1,", US_ERR_FORMAT },
		{ "\"path\":[\"", "\"path\":[\"AAAA", US_ERR_FORMAT },
		{ "\"path\":[", "\"path\":[\"AAAA\",", US_ERR_FORMAT },
		{ "\"path\":[", "\"path\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",",
		    US_ERR_VERIFY },
		{ "\"manifest\":{", "\"manifesto\":{", US_ERR_FORMAT },
		{ "\"record\":{", "\"recor\":{", US_ERR_FORMAT },
		/* what is in the record ends it then */
		{ ",\"designation\":null,\"legend\"", ",\"legend\"", US_ERR_VERIFY },
	};

	for (size_t i = 0; i < US_COUNT(changes); i++) {
		const char *at = strstr(f->lines[2], changes[i].from);
		char line[8192];
		int err;

		assert_non_null(at);
		(void)snprintf(line, sizeof line, "%.*s%s%s", (int)(at - f->lines[2]), f->lines[2],
		    changes[i].to, at + strlen(changes[i].from));
		err = check(f, line);
		if (err != changes[i].err)
			fail_msg("%s for %s: %s", changes[i].to, changes[i].from, us_strerror(err));
	}
}

/* A record that is whole and proven, and not the one that was asked for; or whose page says what
 * its designation does not. */
static void
another_than_was_asked_for(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "DEMO000000103", "EXHIBIT-A000000103" },
		{ "DEMO000000103", "DEMO000000103 " },
		{ "\"designation\":null,\"legend\":null",
		    "\"designation\":\"confidential\",\"legend\":\"PUBLIC\"" },
		{ "\"designation\":null,\"legend\":null",
		    "\"designation\":null,\"legend\":\"PUBLIC\"" },
		{ "\"designation\":null,\"legend\":null",
		    "\"designation\":\"confidential\",\"legend\":null" },
	};
	struct us_asked_record asked = { .bates = "DEMO000000103", .collection = COLLECTION + 1 };
	struct us_bytes record;
	char line[8192];

	assert_int_equal(us_proofs_record(f->proofs, &asked, f->lines[2], strlen(f->lines[2]),
			     &record),
	    US_ERR_VERIFY);
	assert_int_equal(check(f, f->lines[1]), US_ERR_VERIFY); /* in another one's place */
	assert_int_equal(check(f, f->lines[2]), US_OK);
	for (size_t i = 0; i < US_COUNT(changes); i++) {
		const char *at = strstr(f->lines[2], changes[i].from);

		assert_non_null(at);
		(void)snprintf(line, sizeof line, "%.*s%s%s", (int)(at - f->lines[2]), f->lines[2],
		    changes[i].to, at + strlen(changes[i].from));
		assert_int_equal(check(f, line), US_ERR_VERIFY);
	}
	(void)snprintf(line, sizeof line,
	    "{\"bates\":\"DEMO000000104\",\"record\":{},\"designation\":null,\"legend\":null,"
	    "\"masked\":true,\"manifest\":null}");
	assert_int_equal(check(f, line), US_ERR_VERIFY); /* masked, but another one */
}

/* More hashes than any batch has. */
static void
a_path_without_end(void **state)
{
	struct fixture *f = *state;
	struct us_digest path[US_BATCH_PROOF_MAX + 1] = { { { 0 } } };
	const uint8_t salt[16] = { 0 };
	char line[4096];

	write_line(line, 2, salt, path, US_BATCH_PROOF_MAX + 1);
	assert_int_equal(check(f, line), US_ERR_FORMAT);
	write_line(line, 2, salt, path, US_BATCH_PROOF_MAX);
	assert_int_equal(check(f, line), US_ERR_VERIFY);
}

/* What is masked is not what was loaded: it has no proof, and must say that it is masked. */
static void
what_is_masked(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f,
			     "{\"bates\":\"DEMO000000103\",\"record\":{},\"designation\":null,"
			     "\"masked\":true,\"manifest\":null}"),
	    US_OK);
	assert_int_equal(check(f,
			     "{\"bates\":\"DEMO000000103\",\"record\":{},\"designation\":null,"
			     "\"manifest\":null}"),
	    US_ERR_FORMAT);
	assert_int_equal(check(f,
			     "{\"bates\":\"DEMO000000103\",\"record\":{},\"designation\":null,"
			     "\"masked\":true}"),
	    US_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_as_they_were_loaded),
		cmocka_unit_test(another_than_was_asked_for),
		cmocka_unit_test(anything_else),
		cmocka_unit_test(a_path_without_end),
		cmocka_unit_test(what_is_masked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
