/*
 * Tickets of loads: what a part of a load must carry. The keeper makes one when it has logged that
 * a load is opened (or goes on) and the order allows it; the sealer, which takes the parts, checks
 * it. Front, intake and vault pass it on and cannot make one.
 *
 *   u8 1 ‖ u64 load ‖ u32 person ‖ credential(32) ‖ i64 expires (ns) ‖ MAC(32)
 *
 * MAC = HMAC-SHA-256(ticket key, "underseal/load-ticket/1" ‖ the 53 bytes before it)          (RFC
 *     2104, FIPS 198-1)
 * ticket key of a load = HMAC-SHA-256(the keeper's key of this start, "underseal/load-ticket-key/1"
 * ‖ u64 load)
 *
 * A client holds it as base64 and need not look into it. That a ticket verifies says who was
 * allowed what, until when; that the load still stands the sealer knows from the keeper, which ends
 * it before it answers whoever revoked, froze or sealed (load_stop).
 *
 * Pure, any thread.
 */
#ifndef US_DAEMON_PROCESS_TICKET_H
#define US_DAEMON_PROCESS_TICKET_H

#include "base/buf.h"
#include "crypto/key.h"

#define US_TICKET_SIZE 85u
#define US_TICKET_TEXT 116u /* characters of its base64 */
#define US_TICKET_SECONDS 3600

struct us_ticket {
	uint64_t load;
	uint32_t person;
	uint8_t credential[32]; /* SHA-256 of the certificate that opened the load */
	int64_t expires_ns;     /* since the epoch; good before it */
};

/* The ticket key of a load; secret: the keeper's, drawn at its start. out is wiped on failure.
 * US_ERR_CRYPTO. */
int us_ticket_key(const struct us_key *secret, uint64_t load, struct us_key *out);
/* Writes a ticket under the load's ticket key. US_ERR_CRYPTO. */
int
us_ticket_make(const struct us_key *key, const struct us_ticket *t, uint8_t out[US_TICKET_SIZE]);
/* What a part shows, against what the sealer knows. US_ERR_SIGNATURE: none, forged, or of another
 * load or credential; US_ERR_EXPIRED: it was good until before now_ns; US_ERR_CRYPTO. The MAC is
 * compared in constant time, and first. */
int us_ticket_check(const struct us_key *key, struct us_bytes ticket, uint64_t load,
    const uint8_t credential[32], int64_t now_ns);
/* When a ticket ends, as it says itself: for whoever shows it to its holder. 0 if it is not of a
 * ticket's size. */
int64_t us_ticket_expires(struct us_bytes ticket);

#endif
