/*
 * Shares: who has how much of what people share, in a table of a fixed size. A *holder* is a
 * credential whose certificate was verified or, before that, where a connection comes from: an
 * address of IPv4; of IPv6 a network of 64 bits, or of 48 where there are more than NETWORKS_MAX of
 * those in it. The two kinds have a table each, so that no number of addresses takes the place of a
 * credential. A holder that has something is never forgotten; when no place is left those that come
 * are one holder, "the others".
 *
 * Whoever is alone may have what there is; a limit bites when others want some. How, says the sort:
 *
 *   YIELDS  all of it may be taken. When nothing is left the largest holder gives back first
 *           (us_share_largest()): what is taken can be taken away again
 *   HELD    what cannot be taken away: one holder may have HELD_TIMES as much as is left, so that
 *           something always is
 *   SPENT   what stays (entries, acts): each holder has an amount of its own, given back slowly
 *   TURNS   a rate of all together: who has had least has the next turn
 *
 * Each role counts for itself what is its own; what there is, and whose, stands in shares.def.
 * One thread.
 */
#ifndef US_DAEMON_PROCESS_SHARE_H
#define US_DAEMON_PROCESS_SHARE_H

#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct us_settings;

enum us_share {
#define SHARE(name, sort, limit, refill, owner, text) US_SHARE_##name,
#include "daemon/process/shares.def"
#undef SHARE
	US_SHARE_COUNT
};

enum us_share_sort { US_SHARE_YIELDS, US_SHARE_HELD, US_SHARE_SPENT, US_SHARE_TURNS };
enum us_share_owner { US_SHARE_FRONT, US_SHARE_VAULT };

struct us_share_info {
	const char *name, *text;
	enum us_share_sort sort;
	enum us_share_owner owner;
	uint64_t limit;
	uint64_t refill; /* an hour */
};
/* A row of shares.def. */
const struct us_share_info *us_share_info(enum us_share what);

struct us_shares;
struct us_share_holder;

/* Something that can be taken away, in its holder's line: the one that has been silent for longest
 * stands first. Zeros: in no line. */
struct us_share_item {
	struct us_share_holder *holder;
	struct us_share_item *before, *next;
};

/* With the limits of shares.def. addresses, credentials: how many holders of each kind it has room
 * for. US_ERR_NOMEM. */
int us_shares_new(struct us_shares **out, size_t addresses, size_t credentials);
/* Replaces limits by settings "limit.NAME"; fatal if one is not a number. */
void us_shares_set(struct us_shares *s, const struct us_settings *settings);
/* Replaces one limit; 0: none. */
void us_shares_limit(struct us_shares *s, enum us_share what, uint64_t limit);
/* NULL is allowed. */
void us_shares_free(struct us_shares *s);

/* The holder of a connection from there; of what is neither IPv4 nor IPv6 "the others". Kept until
 * us_share_leave(). */
struct us_share_holder *us_share_at_address(struct us_shares *s, const struct sockaddr *address);
/* The same of a credential, by its fingerprint. */
struct us_share_holder *us_share_at_credential(struct us_shares *s, const uint8_t fingerprint[32]);
/* The caller does not need it any more. It may have something still, or come again. */
void us_share_leave(struct us_shares *s, struct us_share_holder *h);

/* Takes n of a YIELDS or HELD. US_ERR_FULL: it may not have them now, which is counted. */
int us_share_take(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n);
/* Gives back n that were taken. */
void us_share_give(struct us_shares *s, struct us_share_holder *h, enum us_share what, uint64_t n);
/* The holder that has (almost) most of a YIELDS, of those that are not verified if they have half
 * of it, else of the credentials. NULL: nobody has any. */
struct us_share_holder *us_share_largest(struct us_shares *s, enum us_share what);
/* What h has, of a SPENT or TURNS as of now. */
uint64_t us_share_has(struct us_share_holder *h, enum us_share what, int64_t now_ms);

/* Spends n of a SPENT. 0, or in how many seconds there would be enough: it was not spent, and
 * counted. now_ms: of a clock that is not set back. */
uint32_t us_share_spend(struct us_shares *s, struct us_share_holder *h, enum us_share what,
    uint64_t n, int64_t now_ms);
/* The same without spending: for what is known to be due only when it is too late to refuse. */
uint32_t us_share_wait(struct us_shares *s, struct us_share_holder *h, enum us_share what,
    uint64_t n, int64_t now_ms);
/* Spends n whether there is enough or not. */
void us_share_owe(struct us_share_holder *h, enum us_share what, uint64_t n, int64_t now_ms);
/* Takes a turn for h, if there is one now: 1 then. */
int
us_share_turn(struct us_shares *s, struct us_share_holder *h, enum us_share what, int64_t now_ms);
/* Counts something of that kind that was refused by other means. */
void us_share_refused(struct us_shares *s, enum us_share what);

/* To the end of its holder's line, from wherever it stood. */
void us_share_line_up(struct us_share_holder *h, struct us_share_item *item);
/* Out of its line, if it is in one. */
void us_share_line_leave(struct us_share_item *item);
/* The first of a holder's line; NULL: it is empty. */
struct us_share_item *us_share_oldest(const struct us_share_holder *h);

/* What is said of a kind of share. */
struct us_share_figures {
	uint64_t limit, held, largest, refused;
	uint32_t holders; /* that have some */
};
#define US_SHARE_FIGURES_BYTES 37u
/* Of a SPENT or TURNS held is what those that are known owe together. */
void us_share_figures(struct us_shares *s, enum us_share what, int64_t now_ms,
    struct us_share_figures *out);
/* Packs those of an owner, as the message "shares" has them; returns how many bytes. */
size_t us_shares_pack(struct us_shares *s, enum us_share_owner owner, int64_t now_ms,
    uint8_t out[US_SHARE_COUNT * US_SHARE_FIGURES_BYTES]);
/* Takes them apart, into the places of their kinds. US_ERR_MALFORMED. */
int us_shares_unpack(const uint8_t *p, size_t n, struct us_share_figures out[US_SHARE_COUNT]);

#endif
