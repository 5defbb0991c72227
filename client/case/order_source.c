#include "client/case/order_source.h"

#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "crypto/crypto.h"

int
us_order_has_digest(const struct us_buf *bytes, const char *hex)
{
	uint8_t wanted[32], found[32];

	return strlen(hex) == 64 && us_hex_decode(hex, 64, wanted, 32) == US_OK &&
	    us_sha256(bytes->data, bytes->len, found) == US_OK && memcmp(wanted, found, 32) == 0;
}

int
us_order_fetch(struct us_client *client, uint32_t version, cJSON **out, struct us_buf *source)
{
	char path[64] = "/v1/order";
	const char *text;
	int status;

	us_buf_init(source, US_ORDER_SOURCE_MAX);
	if (version != 0)
		(void)snprintf(path, sizeof path, "/v1/orders/%u", version);
	status = us_client_get_one(client, path, "version of the order", out);
	if (status != US_EXIT_DONE)
		return status;
	text = us_json_text(*out, "source");
	if (us_buf_put(source, text, strlen(text)) == US_OK &&
	    us_order_has_digest(source, us_json_text(*out, "source_digest")))
		return US_EXIT_DONE;
	us_say("VERIFICATION FAILED: the source that the vault shows for version %.0f has another "
	       "digest than it says",
	    us_json_number(*out, "version", version));
	cJSON_Delete(*out);
	*out = NULL;
	return US_EXIT_UNVERIFIED;
}

void
us_order_say_findings(const char *source, const struct us_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		us_say("%s:%u:%u: %s: %s", source, findings->items[i].line,
		    findings->items[i].column,
		    findings->items[i].severity == US_FINDING_ERROR ? "error" : "warning",
		    findings->items[i].text);
}
