/* What the files of the shares have in common: their tables. */
#ifndef US_DAEMON_PROCESS_SHARE_INTERNAL_H
#define US_DAEMON_PROCESS_SHARE_INTERNAL_H

#include "daemon/process/share.h"

#define US_SHARE_KEY 32u

enum us_share_class { US_SHARE_ADDRESSES, US_SHARE_CREDENTIALS, US_SHARE_CLASSES };

/* refs: of callers, of items and of networks in it. Idle holders (refs 0, nothing held) hang in
 * their class's list, least recently left first; next_hash chains those of one place. */
struct us_share_holder {
	uint8_t key[US_SHARE_KEY];
	uint8_t key_n;
	uint8_t class;
	uint8_t used;
	uint32_t refs;
	uint32_t networks;               /* of 48 bits: how many of 64 in it are holders */
	struct us_share_holder *network; /* of 64 bits: the one of 48 that it is in */
	struct us_share_holder *next_hash;
	struct us_share_holder *idle_before, *idle_next;
	struct us_share_item *first, *last;
	uint64_t held[US_SHARE_COUNT];
	int64_t at_ms[US_SHARE_COUNT]; /* SPENT, TURNS: when held was right */
};

struct us_share_table {
	struct us_share_holder *at, *idle_first, *idle_last;
	struct us_share_holder **place;
	size_t n, mask;
	struct us_share_holder others;
	struct us_share_holder *largest[US_SHARE_COUNT];
	uint64_t largest_had[US_SHARE_COUNT]; /* when it was looked for */
	uint64_t total[US_SHARE_COUNT];
};

struct us_shares {
	struct us_share_table table[US_SHARE_CLASSES];
	struct us_share_holder all; /* of TURNS */
	uint64_t limit[US_SHARE_COUNT], refused[US_SHARE_COUNT];
	uint64_t seed[2];
};

/* One more needs h. */
struct us_share_holder *us_share_come(struct us_share_table *t, struct us_share_holder *h);

#endif
