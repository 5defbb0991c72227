/*
 * Arrays: those whose length the compiler knows, and those that grow.
 *
 * A growing array is a pointer to its elements (NULL at first), how many there are (n) and for how
 * many there is room (cap, 0 at first), all in the struct of whoever owns it; free() frees it. The
 * functions below are the only ones that make room. They take the address of the pointer, whatever
 * it points to, and the size of an element:
 *
 *	err = us_grow(&ring->members, ring->n, &ring->cap, sizeof *ring->members);
 *	if (err == US_OK)
 *		ring->members[ring->n++] = member;
 *
 * They return US_OK or US_ERR_NOMEM, also where the size would not fit; pointer and cap are then
 * as they were. How many there may be at most is the caller's to say, before.
 */
#ifndef US_BASE_ARRAY_H
#define US_BASE_ARRAY_H

#include <stddef.h>

/* How many elements a has, which is an array and no pointer: a constant. a is not evaluated. */
#define US_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Room for one more element behind the n that there are; cap doubles. */
int us_grow(void *array, size_t n, size_t *cap, size_t size);

/* Room for need elements in all; cap doubles, or becomes need if that is more. */
int us_grow_to(void *array, size_t need, size_t *cap, size_t size);

/* As us_grow(), for elements that are secret: their old place is wiped. */
int us_grow_secret(void *array, size_t n, size_t *cap, size_t size);

/* Room for one more behind n in an array whose owner keeps no cap: it is the least power of two
 * that n fits in. Only for arrays that have grown by this function alone, from NULL on. */
int us_grow_bare(void *array, size_t n, size_t size);

#endif
