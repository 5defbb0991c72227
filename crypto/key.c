#include "crypto/key.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

/*
 * The arena is a row of pages; a granule of 16 pages is unlocked (PROT_NONE) until first used and
 * locked from then on. A page belongs to one size class (slots of 32 << class bytes, a bit each in
 * `used`) or to a run of whole pages. All bookkeeping stands outside the arena, so that a forked
 * child, which finds the arena full of zeros, can still free what it inherited.
 */
#define PAGE ((size_t)4096)
#define ARENA_PAGES ((size_t)16384)
#define GRANULE_PAGES ((size_t)16)
#define GRANULES (ARENA_PAGES / GRANULE_PAGES)
#define SLOT_MIN ((size_t)32)
#define CLASSES 7 /* 32 .. 2048 bytes */
#define SECRET_MAX ((size_t)16 << 20)
#define SECURE_HEAP_SIZE ((size_t)256 * 1024)

enum us_crypto_page_state { PAGE_FREE = 0, PAGE_SLOTS, PAGE_RUN, PAGE_RUN_REST };

struct us_crypto_page {
	uint8_t state;
	uint8_t class;  /* PAGE_SLOTS: slots are SLOT_MIN << class bytes */
	uint16_t count; /* PAGE_SLOTS: slots in use, >= 1 */
	uint32_t run;   /* PAGE_RUN: pages of the run */
	uint64_t used[2];
};

/* All under lock. in_use counts bytes as handed out (whole slots, whole pages). */
static struct {
	pthread_mutex_t lock;
	uint8_t *base; /* NULL until the first allocation */
	size_t in_use;
	size_t first_partial[CLASSES]; /* where to begin the search for a page with room */
	uint8_t committed[GRANULES];
	int warned;
	struct us_crypto_page page[ARENA_PAGES];
} arena = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int
reserve(void)
{
	uint8_t *p;
	size_t n = (ARENA_PAGES + 2 * GRANULE_PAGES) * PAGE;

	if (arena.base != NULL)
		return US_OK;
	p = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return US_ERR_NOMEM;
	/* a granule before and one behind are never opened: they are the guards */
	arena.base = p + GRANULE_PAGES * PAGE;
	return US_OK;
}

static void
warn_limit(int errnum)
{
	struct rlimit limit = { 0, 0 };

	if (arena.warned)
		return;
	arena.warned = 1;
	(void)getrlimit(RLIMIT_MEMLOCK, &limit);
	us_log(US_LOG_ERROR,
	    "cannot lock more memory for keys (%s; RLIMIT_MEMLOCK is %llu bytes): raise "
	    "LimitMEMLOCK= of the unit, or `ulimit -l`",
	    strerror(errnum), (unsigned long long)limit.rlim_cur);
}

/* Opens and locks the granules that pages first .. first + n - 1 touch. */
static int
commit(size_t first, size_t n)
{
	for (size_t g = first / GRANULE_PAGES; g <= (first + n - 1) / GRANULE_PAGES; g++) {
		uint8_t *p = arena.base + g * GRANULE_PAGES * PAGE;
		size_t size = GRANULE_PAGES * PAGE;

		if (arena.committed[g])
			continue;
		if (mprotect(p, size, PROT_READ | PROT_WRITE) != 0 ||
		    madvise(p, size, MADV_DONTDUMP) != 0 ||
		    madvise(p, size, MADV_WIPEONFORK) != 0 || mlock(p, size) != 0) {
			warn_limit(errno);
			(void)mprotect(p, size, PROT_NONE);
			return US_ERR_NOMEM;
		}
		arena.committed[g] = 1;
	}
	return US_OK;
}

/* The first of n free pages in a row, or ARENA_PAGES. */
static size_t
find_pages(size_t n)
{
	size_t row = 0;

	for (size_t i = 0; i < ARENA_PAGES; i++) {
		row = arena.page[i].state == PAGE_FREE ? row + 1 : 0;
		if (row == n)
			return i + 1 - n;
	}
	return ARENA_PAGES;
}

static void *
take_slot(size_t i)
{
	struct us_crypto_page *page = &arena.page[i];
	size_t slots = PAGE / (SLOT_MIN << page->class);

	for (size_t s = 0; s < slots; s++) {
		uint64_t bit = UINT64_C(1) << (s % 64);

		if (page->used[s / 64] & bit)
			continue;
		page->used[s / 64] |= bit;
		page->count++;
		arena.in_use += SLOT_MIN << page->class;
		return arena.base + i * PAGE + s * (SLOT_MIN << page->class);
	}
	return NULL;
}

static void *
alloc_slot(unsigned class)
{
	size_t slots = PAGE / (SLOT_MIN << class);
	size_t i;

	for (i = arena.first_partial[class]; i < ARENA_PAGES; i++) {
		struct us_crypto_page *page = &arena.page[i];

		if (page->state == PAGE_FREE)
			break;
		if (page->state == PAGE_SLOTS && page->class == class && page->count < slots)
			break;
	}
	if (i == ARENA_PAGES || commit(i, 1) != US_OK)
		return NULL;
	arena.first_partial[class] = i;
	if (arena.page[i].state == PAGE_FREE)
		arena.page[i] = (struct us_crypto_page){ .state = PAGE_SLOTS,
			.class = (uint8_t) class };
	return take_slot(i);
}

static void *
alloc_run(size_t size)
{
	size_t n = (size + PAGE - 1) / PAGE;
	size_t first = find_pages(n);

	if (first == ARENA_PAGES || commit(first, n) != US_OK)
		return NULL;
	for (size_t i = 0; i < n; i++)
		arena.page[first + i].state = PAGE_RUN_REST;
	arena.page[first] = (struct us_crypto_page){ .state = PAGE_RUN, .run = (uint32_t)n };
	arena.in_use += n * PAGE;
	return arena.base + first * PAGE;
}

void *
us_secret_alloc(size_t size)
{
	unsigned class = 0;
	void *p = NULL;

	if (size == 0 || size > SECRET_MAX)
		return NULL;
	while (class < CLASSES && (SLOT_MIN << class) < size)
		class ++;
	(void)pthread_mutex_lock(&arena.lock);
	if (reserve() == US_OK)
		p = class < CLASSES ? alloc_slot(class) : alloc_run(size);
	(void)pthread_mutex_unlock(&arena.lock);
	return p; /* zeros: fresh pages are, and freeing wipes */
}

static void
free_slot(size_t i, size_t offset)
{
	struct us_crypto_page *page = &arena.page[i];
	size_t size = SLOT_MIN << page->class;
	size_t s = offset / size;
	uint64_t bit = UINT64_C(1) << (s % 64);

	if (offset % size != 0 || (page->used[s / 64] & bit) == 0)
		us_panic("free of key memory that is not in use");
	us_wipe(arena.base + i * PAGE + offset, size);
	page->used[s / 64] &= ~bit;
	page->count--;
	arena.in_use -= size;
	if (i < arena.first_partial[page->class])
		arena.first_partial[page->class] = i;
	if (page->count == 0)
		page->state = PAGE_FREE;
}

static void
free_run(size_t i, size_t offset)
{
	size_t n = arena.page[i].run;

	if (offset != 0)
		us_panic("free inside of key memory");
	us_wipe(arena.base + i * PAGE, n * PAGE);
	for (size_t k = 0; k < n; k++)
		arena.page[i + k] = (struct us_crypto_page){ .state = PAGE_FREE };
	arena.in_use -= n * PAGE;
}

/* Pages that became free may lie before where a class begins its search: they serve any class. */
static void
lower_search(size_t i)
{
	if (arena.page[i].state != PAGE_FREE)
		return;
	for (unsigned c = 0; c < CLASSES; c++) {
		if (i < arena.first_partial[c])
			arena.first_partial[c] = i;
	}
}

void
us_secret_free(void *p)
{
	size_t at, i;

	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&arena.lock);
	at = (size_t)((uintptr_t)p - (uintptr_t)arena.base);
	i = at / PAGE;
	if (arena.base == NULL || i >= ARENA_PAGES)
		us_panic("free of memory that is not key memory");
	switch ((enum us_crypto_page_state)arena.page[i].state) {
	case PAGE_SLOTS:
		free_slot(i, at % PAGE);
		break;
	case PAGE_RUN:
		free_run(i, at % PAGE);
		break;
	case PAGE_FREE:
	case PAGE_RUN_REST:
		us_panic("free of key memory that is not in use");
	}
	lower_search(i);
	(void)pthread_mutex_unlock(&arena.lock);
}

size_t
us_secret_in_use(void)
{
	size_t n;

	(void)pthread_mutex_lock(&arena.lock);
	n = arena.in_use;
	(void)pthread_mutex_unlock(&arena.lock);
	return n;
}

int
us_key_new(struct us_key **out)
{
	return us_keys_new(1, out);
}

void
us_key_free(struct us_key *key)
{
	us_secret_free(key);
}

int
us_keys_new(size_t n, struct us_key **out)
{
	*out = NULL;
	if (n == 0 || n > SECRET_MAX / sizeof **out)
		return US_ERR_ARG;
	*out = us_secret_alloc(n * sizeof **out);
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_keys_free(struct us_key *keys)
{
	us_secret_free(keys);
}

int
us_process_protect(unsigned flags)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return US_ERR_DENIED;
#ifdef US_SANITIZED
	(void)flags;
	return US_OK;
#else
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return US_ERR_DENIED;
	/* OpenSSL keeps Ed25519 and X25519 private keys in this heap once it exists; result 1 means
	 * locked, 2 that locking failed */
	if (!CRYPTO_secure_malloc_initialized() &&
	    CRYPTO_secure_malloc_init(SECURE_HEAP_SIZE, 32) != 1) {
		warn_limit(errno);
		return US_ERR_DENIED;
	}
	if ((flags & US_PROTECT_LOCK_ALL) != 0 && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		warn_limit(errno);
		return US_ERR_DENIED;
	}
	return US_OK;
#endif
}
