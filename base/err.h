/*
 * The one error enum. Functions return 0 (US_OK) or one of these; what a function returns is said
 * at its prototype. us_strerror() gives the text that a log line or a person gets appended.
 */
#ifndef US_BASE_ERR_H
#define US_BASE_ERR_H

enum us_err {
	US_OK = 0,
	US_ERR_NOMEM,      /* an allocation failed */
	US_ERR_ARG,        /* the caller broke the contract of a function */
	US_ERR_TRUNCATED,  /* bytes end before the value does */
	US_ERR_TRAILING,   /* bytes are left over behind the value */
	US_ERR_FORMAT,     /* bytes are not of the form the reader expects */
	US_ERR_LIMIT,      /* larger than the limit that stands for it */
	US_ERR_RANGE,      /* a number outside the values it may have */
	US_ERR_CRYPTO,     /* the cryptographic library failed */
	US_ERR_AUTH,       /* a seal does not open: wrong key, or changed bytes */
	US_ERR_COMMITMENT, /* the key is not the one a ciphertext commits to */
	US_ERR_SIGNATURE,  /* a signature does not verify */
	US_ERR_VERIFY,     /* a proof or digest does not match: something was changed */
	US_ERR_INCOMPLETE, /* something is missing, so that nothing can be said */
	US_ERR_NOT_FOUND,
	US_ERR_EXISTS,
	US_ERR_DENIED, /* refused by the order or by a rule of administration */
	US_ERR_SEALED, /* the vault is sealed */
	US_ERR_EXPIRED,
	US_ERR_NOT_YET, /* not yet valid */
	US_ERR_REVOKED,
	US_ERR_SUSPENDED,
	US_ERR_STATE,   /* not possible in the present state */
	US_ERR_PENDING, /* accepted, waiting for others' signatures */
	US_ERR_BUSY,    /* a queue is full; try again */
	US_ERR_CLOSED,  /* the other side is gone */
	US_ERR_IO,
	US_ERR_NOSPACE,  /* no room on the disk */
	US_ERR_SHARE,    /* a key share is wrong */
	US_ERR_ENCODING, /* not valid UTF-8 */
	US_ERR_INTERNAL, /* our bug */
	/* a channel has no room for this until its other side has taken what waits */
	US_ERR_FULL,
	US_ERR_MALFORMED, /* another process sent what it may not send */
	US_ERR__COUNT
};

/* Whose doing it is that a message of another process could not be handled. */
enum us_blame {
	US_BLAME_PEER,    /* who sent it: US_ERR_MALFORMED, and nothing else */
	US_BLAME_MEMORY,  /* nobody's: there is none left */
	US_BLAME_SENDING, /* an answer or question to somebody had no room in its channel */
	US_BLAME_OURS,    /* anything else */
};
enum us_blame us_err_blame(int err);

/* Static text for err ("seal does not open"), never NULL, also for values outside the enum. */
const char *us_strerror(int err);

#endif
