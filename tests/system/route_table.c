/*
 * route_table: what a test of every route must enumerate, as one JSON document: routes with their
 * messages and what they need, kinds of requests, lists, questions, types of acts, capacities,
 * reasons, and the states that people and credentials can be in. All of it is read from the tables
 * that the daemon is made of, so that a new row cannot be forgotten.
 *
 * And two things that such a test cannot make by itself, on stdout:
 *   route_table compile FILE           the compiled form of an order
 *   route_table share VAULT KEY FILE   the share whose words are in FILE, sealed to KEY for VAULT
 *                                      (both in hex)
 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/json_out.h"
#include "daemon/front/route.h"
#include "case/capacity.h"
#include "policy/yaml/yaml.h"
#include "registry/act.h"
#include "registry/registry.h"

#define STATES 64 /* more than any set of states has */

static void
put_acts(struct us_json *j, const struct us_route_info *r)
{
	us_json_key(j, "acts");
	us_json_array(j);
	for (unsigned type = 1; r->kind == US_REQUEST_act_request && type < 128; type++)
		if (us_route_takes(r, (enum us_act_type)type))
			us_json_cstr(j, us_act_name(type));
	us_json_close(j);
}

static void
put_routes(struct us_json *j)
{
	static const char *const methods
	    [] = { [US_HTTP_GET] = "GET", [US_HTTP_POST] = "POST", [US_HTTP_DELETE] = "DELETE" };
	size_t n;
	const struct us_route_info *table = us_route_table(&n);
	const struct us_request_info *info;

	us_json_key(j, "routes");
	us_json_array(j);
	for (size_t i = 0; i < n; i++) {
		const struct us_route_info *r = &table[i];

		us_json_object(j);
		us_json_kv_cstr(j, "method", methods[r->method]);
		us_json_kv_cstr(j, "pattern", r->pattern);
		info = &us_request_table()[r->kind];
		us_json_kv_cstr(j, "message", info->name);
		us_json_kv_cstr(j, "needs", us_needs_name(info->needs));
		us_json_kv_uint(j, "detail", r->detail);
		put_acts(j, r);
		us_json_close(j);
	}
	us_json_close(j);
}

static void
put_requests(struct us_json *j)
{
	const struct us_request_info *table = us_request_table();

	us_json_key(j, "requests");
	us_json_array(j);
	for (size_t i = 0; i < US_REQUEST_COUNT; i++) {
		us_json_object(j);
		us_json_kv_cstr(j, "message", table[i].name);
		us_json_kv_cstr(j, "to", us_role_name(table[i].to));
		us_json_kv_bool(j, "sealed", table[i].sealed == US_SEALED_ANSWERED);
		us_json_kv_cstr(j, "needs", us_needs_name(table[i].needs));
		us_json_close(j);
	}
	us_json_close(j);
}

static void
put_numbered(struct us_json *j)
{
	us_json_key(j, "lists");
	us_json_object(j);
#define X(name, number) us_json_kv_uint(j, #name, number);
	US_LISTS(X)
#undef X
	us_json_close(j);
	us_json_key(j, "questions");
	us_json_object(j);
#define X(name, number) us_json_kv_uint(j, #name, number);
	US_QUESTIONS(X)
#undef X
	us_json_close(j);
	us_json_key(j, "acts");
	us_json_object(j);
#define X(name, number, text, ...) us_json_kv_uint(j, text, number);
	US_ACTS(X)
#undef X
	us_json_close(j);
}

/* Names by number, until no number has one any more: what has none is "unknown", or NULL. */
static void
put_states(struct us_json *j, const char *key, const char *(*name)(unsigned i))
{
	us_json_key(j, key);
	us_json_array(j);
	for (unsigned i = 0; i < STATES; i++)
		if (name(i) != NULL && !us_bytes_is(us_bytes_of(name(i)), "unknown"))
			us_json_cstr(j, name(i));
	us_json_close(j);
}

/* One of them is called "unknown". */
static void
put_reasons(struct us_json *j)
{
	us_json_key(j, "reasons");
	us_json_array(j);
	for (unsigned i = 0; i < 256; i++)
		if (us_reason_name(i) != NULL)
			us_json_cstr(j, us_reason_name(i));
	us_json_close(j);
}

static const char *
person_state(unsigned i)
{
	return us_person_status_name((enum us_person_status)i);
}

static const char *
credential_state(unsigned i)
{
	return us_credential_status_name((enum us_credential_status)i);
}

static const char *
needs(unsigned i)
{
	return us_needs_name((enum us_needs)i);
}

static int
put_tables(struct us_buf *out)
{
	struct us_json j;

	us_json_begin(&j, out);
	us_json_object(&j);
	put_routes(&j);
	put_requests(&j);
	put_numbered(&j);
	put_states(&j, "person_states", person_state);
	put_states(&j, "credential_states", credential_state);
	put_states(&j, "capacities", us_capacity_name);
	put_reasons(&j);
	put_states(&j, "needs", needs);
	us_json_close(&j);
	return us_json_end(&j);
}

static int
read_file(const char *path, struct us_buf *out)
{
	static uint8_t bytes[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n = f == NULL ? 0 : fread(bytes, 1, sizeof bytes, f);

	if (f == NULL)
		return US_ERR_IO;
	(void)fclose(f);
	return us_buf_put(out, bytes, n);
}

static int
compile(const char *path, struct us_buf *out)
{
	static struct us_findings findings;
	struct us_buf source;
	int err;

	us_buf_init(&source, 1u << 20);
	err = read_file(path, &source);
	if (err == US_OK)
		err = us_order_compile((struct us_bytes){ source.data, source.len }, out,
		    &findings);
	us_buf_free(&source);
	return err;
}

static int
seal_share(const char *vault, const char *key, const char *path, struct us_buf *out)
{
	static const char label[] = "underseal/share-in-transit/1";
	uint8_t context[sizeof label - 1 + 32], recipient[US_X25519_SIZE];
	struct us_buf words;
	int err;

	us_buf_init(&words, 65536);
	memcpy(context, label, sizeof label - 1);
	err = us_hex_decode(vault, strlen(vault), context + sizeof label - 1, 32);
	if (err == US_OK)
		err = us_hex_decode(key, strlen(key), recipient, sizeof recipient);
	if (err == US_OK)
		err = read_file(path, &words);
	if (err == US_OK)
		err = us_seal_to_public(recipient, (struct us_bytes){ context, sizeof context },
		    (struct us_bytes){ words.data, words.len }, out);
	us_buf_free(&words);
	return err;
}

int
main(int argc, char **argv)
{
	struct us_buf b;
	int err = US_ERR_FORMAT;

	us_buf_init(&b, 4u << 20);
	if (argc == 1)
		err = put_tables(&b);
	else if (argc == 3 && strcmp(argv[1], "compile") == 0)
		err = compile(argv[2], &b);
	else if (argc == 5 && strcmp(argv[1], "share") == 0 && us_crypto_init() == US_OK)
		err = seal_share(argv[2], argv[3], argv[4], &b);
	if (err == US_OK && (fwrite(b.data, 1, b.len, stdout) != b.len || fflush(stdout) != 0))
		err = US_ERR_IO;
	us_buf_free(&b);
	if (err != US_OK)
		fprintf(stderr, "route_table: %s\n", us_strerror(err));
	return err == US_OK ? 0 : 1;
}
