#include "client/core/out.h"
#include "client/case/order_version.h"

#include "client/case/order_terms.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/time.h"
#include "crypto/crypto.h"

/* ---- what a signer must know ---- */

/* The compiled form is what the vault executes; the source is what people read. */
static int
compiles_to(struct us_client *client, const cJSON *order, uint32_t version,
    const struct us_buf *source, uint8_t item[32])
{
	static struct us_findings findings;
	const char *text = us_json_text(order, "compiled"),
		   *digest = us_json_text(order, "compiled_digest");
	const char *instrument = us_json_text(order, "instrument"),
		   *effective = us_json_text(order, "effective");
	struct us_act_order_propose shown_as = { .authority = us_bytes_of(
						     us_json_text(order, "authority")) };
	struct us_buf shown, own;
	char name[32];
	int same;

	us_buf_init(&shown, US_ORDER_COMPILED_MAX);
	us_buf_init(&own, US_ORDER_COMPILED_MAX);
	same = us_order_compile((struct us_bytes){ source->data, source->len }, &own, &findings) ==
	    US_OK;
	(void)snprintf(name, sizeof name, "version %u", version);
	if (!same) /* another release may have taken what this one does not */
		us_order_say_findings(name, &findings);
	same = same && us_order_has_digest(&own, digest) &&
	    us_base64_take(&shown, text, strlen(text)) == US_OK && shown.len == own.len &&
	    memcmp(shown.data, own.data, own.len) == 0;
	shown_as.source = (struct us_bytes){ source->data, source->len };
	shown_as.compiled = (struct us_bytes){ own.data, own.len };
	same = same &&
	    (*instrument == '\0' ||
		(strlen(instrument) == 64 &&
		    us_hex_decode(instrument, 64, shown_as.instrument, 32) == US_OK)) &&
	    (*effective == '\0' ||
		us_time_parse(effective, strlen(effective), &shown_as.effective_ns) == US_OK) &&
	    us_order_item_digest(us_client_profile(client)->vault_id, version, &shown_as, item) ==
		US_OK;
	us_buf_free(&shown);
	us_buf_free(&own);
	return same;
}

const struct us_option us_order_sign_options[US_ORDER_SIGN_OPTIONS] = {
	{ "without-diff", NULL, "sign an order without being shown what it changes" },
};

void
us_order_show_source(const struct us_buf *source)
{
	us_print_lines(stdout, source->data, source->len);
	if (source->len > 0 && source->data[source->len - 1] != '\n')
		us_print("\n");
}

int
us_order_check_version(struct us_client *client, uint32_t version, uint8_t digest[32], cJSON **diff)
{
	cJSON *order = NULL, *in_force = NULL;
	struct us_buf source;
	int status = us_order_fetch(client, version, &order, &source);

	if (diff != NULL)
		*diff = NULL;
	if (status == US_EXIT_DONE && !compiles_to(client, order, version, &source, digest)) {
		us_say("VERIFICATION FAILED: version %u, compiled here, is not what the vault "
		       "would execute; it was not signed. "
		       "Another release of this client can compile differently: 'underseal "
		       "--version'",
		    version);
		status = US_EXIT_UNVERIFIED;
	}
	if (status == US_EXIT_DONE && us_client_asks(client))
		us_order_show_source(&source);
	us_buf_free(&source);
	cJSON_Delete(order);
	if (status != US_EXIT_DONE || diff == NULL)
		return status;
	status = us_client_get_one(client, "/v1/order", "order", &in_force);
	if (status != US_EXIT_DONE)
		return status;
	status = us_order_diff(client, (uint32_t)us_json_number(in_force, "version", 0), version,
	    diff);
	cJSON_Delete(in_force);
	if (status != US_EXIT_DONE)
		us_say("what version %u changes cannot be shown, so it was not signed; "
		       "--without-diff signs all the same",
		    version);
	return status;
}

static void
show_samples(const cJSON *samples)
{
	const cJSON *sample;
	int n = 0;

	cJSON_ArrayForEach(sample, samples)
		if (cJSON_IsString(sample))
			us_print("%s%s", n++ == 0 ? "; such as " : ", ", sample->valuestring);
}

static void
show_change(const cJSON *change)
{
	const char *loses = us_json_text(change, "loses_paragraph");

	us_print("  +%-8.0f -%-8.0f ", us_json_number(change, "gains", 0),
	    us_json_number(change, "loses", 0));
	us_print("%s", us_json_text(change, "name"));
	us_print(" (%s, %s): %s in %s, paragraph ", us_json_text(change, "party"),
	    us_json_text(change, "capacity"), us_json_text(change, "action"),
	    us_json_text(change, "collection"));
	us_print("%s", us_json_text(change, "paragraph"));
	show_samples(cJSON_GetObjectItemCaseSensitive(change, "samples"));
	if (*loses != '\0') { /* who both gains and loses does so by two rules */
		us_print("; lost by paragraph ");
		us_print("%s", loses);
		show_samples(cJSON_GetObjectItemCaseSensitive(change, "loses_samples"));
	}
	us_print("\n");
}

void
us_order_show_diff(const cJSON *diff, int verbose)
{
	const cJSON *people = cJSON_GetObjectItemCaseSensitive(diff, "people"), *change;

	if (people == NULL) { /* of files: nobody has counted */
		us_order_show_terms(diff, verbose);
		return;
	}
	us_print("from version %.0f to %.0f: %.0f records gained, %.0f lost, counted for each "
		 "person "
		 "and action\n",
	    us_json_number(diff, "from", 0), us_json_number(diff, "to", 0),
	    us_json_number(diff, "total_gains", 0), us_json_number(diff, "total_loses", 0));
	if (cJSON_GetArraySize(people) == 0)
		us_print("  nobody's view of a record changes\n");
	cJSON_ArrayForEach(change, people)
		show_change(change);
	us_order_show_terms(diff, verbose);
}
