/*
 * Memory for key material: one arena a process, reserved between guard pages; what is in use is
 * locked (mlock), left out of core dumps (MADV_DONTDUMP), and reads as zeros in a forked child
 * (MADV_WIPEONFORK). Freed memory is wiped at once. Nothing else in the address space may hold a
 * key longer than a call; short-lived copies on the stack are us_wipe()d.
 *
 * Thread safe (one lock). A child after fork() finds zeros and must not use keys made before.
 * The arena is 64 MiB at most; locking counts against RLIMIT_MEMLOCK. Allocation fails with
 * US_ERR_NOMEM, and says once in the operator's log which limit is too small; it never falls back
 * to memory that is not locked.
 */
#ifndef US_CRYPTO_KEY_H
#define US_CRYPTO_KEY_H

#include <stddef.h>
#include <stdint.h>

#define US_KEY_SIZE 32

/* A 256-bit secret. May also stand on the stack for the length of one function that wipes it. */
struct us_key {
	uint8_t b[US_KEY_SIZE];
};

/* A zeroed key; the caller owns it. US_ERR_NOMEM. */
int us_key_new(struct us_key **out);
/* Wipes and frees; NULL is allowed. */
void us_key_free(struct us_key *key);
/* n >= 1 keys in a row, zeroed; freed as a whole. US_ERR_NOMEM, US_ERR_ARG. */
int us_keys_new(size_t n, struct us_key **out);
/* Wipes and frees what us_keys_new() made; NULL is allowed. */
void us_keys_free(struct us_key *keys);
/* size bytes (1 .. 16 MiB) of the same memory for secrets of other shapes, zeroed, aligned to 32.
 * NULL if there is none. */
void *us_secret_alloc(size_t size);
/* Wipes and frees what us_secret_alloc() or us_key*_new() gave; NULL is allowed. */
void us_secret_free(void *p);
/* Bytes of the arena handed out at present: 0 when every key has been freed (for tests, and for
 * the proof that sealing forgot everything). */
size_t us_secret_in_use(void);

/* mlockall(), present and future pages: for the small key process */
#define US_PROTECT_LOCK_ALL 1u

/*
 * Makes the process undumpable (PR_SET_DUMPABLE 0: no ptrace, no core, /proc/self owned by root),
 * sets RLIMIT_CORE to 0, and gives OpenSSL a locked heap for its private keys. Called once, after
 * the process has its final user (a change of user or exec undoes it) and before threads start.
 * flags: US_PROTECT_*. US_ERR_DENIED if the kernel refuses. In sanitizer builds the process stays
 * dumpable and nothing is locked whole, since leak checking needs the one and has no room for the
 * other.
 */
int us_process_protect(unsigned flags);

#endif
