/*
 * A new vault's keeper directory: root, shares, keys, CA, first people, the log's first entries.
 * Used by `undersealed init`, in a process of its own that holds the root for as long as the call
 * takes.
 */
#ifndef US_DAEMON_KEEPER_CREATE_H
#define US_DAEMON_KEEPER_CREATE_H

#include "log/note.h"
#include "base/buf.h"
#include "crypto/cert.h"
#include "crypto/slip39.h"
#include "registry/act.h"

/* A person of the first hour. csr empty: no certificate (a keyholder without access). */
struct us_create_person {
	struct us_bytes name;
	enum us_capacity capacity;
	size_t n_parties;
	struct us_bytes parties[US_PERSON_PARTIES]; /* strictly ascending */
	struct us_bytes csr;                        /* DER */
};

struct us_create_options {
	const char *dir; /* exists, empty; the keeper's */
	size_t n_hosts;
	const char *const *hosts; /* the first one names the log */
	/* both empty: the order that permits nothing */
	struct us_bytes order_source, order_compiled;
	size_t n_people; /* 1 .. US_INIT_PEOPLE; at least one administrator */
	const struct us_create_person *people;
	unsigned shares, threshold; /* n and k of SLIP-39 */
	uint16_t days;              /* validity of the certificates; 0: 365 */
};

/* What init has to give away. Free with us_created_free(), which wipes. */
struct us_created {
	uint8_t vault_id[32];
	char origin[US_NOTE_NAME_MAX + 1];
	char vkey[US_NOTE_VKEY_MAX];
	char (*mnemonics)[US_SLIP39_TEXT_MAX]; /* secret memory; `shares` of them */
	unsigned shares;
	struct us_buf ca;                           /* DER */
	struct us_buf certificates[US_INIT_PEOPLE]; /* DER; empty where no CSR was */
};

/* Makes everything; the process's working directory is left as it was. US_ERR_EXISTS if dir holds
 * anything; US_ERR_ARG, US_ERR_SIGNATURE (a CSR), errors of registry/act.h (names, order),
 * US_ERR_IO. detail (256 bytes, may be NULL) gets a sentence. After an error dir may hold files. */
int us_keeper_create(struct us_created *out, const struct us_create_options *options, char *detail);
/* Wipes and gives back what was made, of zeros nothing. */
void us_created_free(struct us_created *created);

#endif
