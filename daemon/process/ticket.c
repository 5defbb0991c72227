#include "daemon/process/ticket.h"

#include <string.h>

#include "crypto/crypto.h"
#include "base/err.h"

#define VERSION 1
#define LOAD_AT 1u
#define PERSON_AT 9u
#define CREDENTIAL_AT 13u
#define EXPIRES_AT 45u
#define MAC_AT 53u
#define MAC_SIZE 32u

_Static_assert(MAC_AT + MAC_SIZE == US_TICKET_SIZE, "the MAC stands behind everything it covers");

static int
mac(const struct us_key *key, const uint8_t *ticket, uint8_t out[MAC_SIZE])
{
	const struct us_bytes parts[] = { us_bytes_of("underseal/load-ticket/1"),
		{ ticket, MAC_AT } };

	return us_hmac_sha256((struct us_bytes){ key->b, US_KEY_SIZE }, parts, 2, out);
}

int
us_ticket_key(const struct us_key *secret, uint64_t load, struct us_key *out)
{
	uint8_t number[8];
	const struct us_bytes parts[] = { us_bytes_of("underseal/load-ticket-key/1"),
		{ number, sizeof number } };
	int err;

	us_store_u64(number, load);
	err = us_hmac_sha256((struct us_bytes){ secret->b, US_KEY_SIZE }, parts, 2, out->b);
	if (err != US_OK)
		us_wipe(out, sizeof *out);
	return err;
}

int
us_ticket_make(const struct us_key *key, const struct us_ticket *t, uint8_t out[US_TICKET_SIZE])
{
	int err;

	out[0] = VERSION;
	us_store_u64(out + LOAD_AT, t->load);
	us_store_u32(out + PERSON_AT, t->person);
	memcpy(out + CREDENTIAL_AT, t->credential, sizeof t->credential);
	us_store_u64(out + EXPIRES_AT, (uint64_t)t->expires_ns);
	err = mac(key, out, out + MAC_AT);
	if (err != US_OK)
		us_wipe(out, US_TICKET_SIZE);
	return err;
}

int
us_ticket_check(const struct us_key *key, struct us_bytes ticket, uint64_t load,
    const uint8_t credential[32], int64_t now_ns)
{
	uint8_t want[MAC_SIZE];
	int err;

	if (ticket.n != US_TICKET_SIZE)
		return US_ERR_SIGNATURE;
	err = mac(key, ticket.p, want);
	if (err != US_OK)
		return err;
	if (!us_equal_secret(want, ticket.p + MAC_AT, MAC_SIZE))
		return US_ERR_SIGNATURE;
	if (ticket.p[0] != VERSION || us_load_u64(ticket.p + LOAD_AT) != load ||
	    memcmp(ticket.p + CREDENTIAL_AT, credential, 32) != 0)
		return US_ERR_SIGNATURE;
	return us_ticket_expires(ticket) > now_ns ? US_OK : US_ERR_EXPIRED;
}

int64_t
us_ticket_expires(struct us_bytes ticket)
{
	return ticket.n == US_TICKET_SIZE ? (int64_t)us_load_u64(ticket.p + EXPIRES_AT) : 0;
}
