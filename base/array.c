#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define FIRST 8 /* elements */

/* The pointer is copied out and in again: it may be one to any type. */
static int
resize(void *array, size_t cap, size_t size)
{
	void *old, *moved;

	if (cap > SIZE_MAX / 2 / size)
		return US_ERR_NOMEM;
	memcpy(&old, array, sizeof old);
	moved = realloc(old, cap * size);
	if (moved == NULL)
		return US_ERR_NOMEM;
	memcpy(array, &moved, sizeof moved);
	return US_OK;
}

int
us_grow(void *array, size_t n, size_t *cap, size_t size)
{
	return n == SIZE_MAX ? US_ERR_NOMEM : us_grow_to(array, n + 1, cap, size);
}

int
us_grow_to(void *array, size_t need, size_t *cap, size_t size)
{
	size_t room = *cap > SIZE_MAX / 2 ? SIZE_MAX : *cap * 2;
	int err;

	if (need <= *cap)
		return US_OK;
	if (room < FIRST)
		room = FIRST;
	if (room < need)
		room = need;
	err = resize(array, room, size);
	if (err == US_OK)
		*cap = room;
	return err;
}

int
us_grow_secret(void *array, size_t n, size_t *cap, size_t size)
{
	void *old, *moved = NULL;
	size_t room = 0;
	int err;

	if (n < *cap)
		return US_OK;
	if (n > SIZE_MAX / 2)
		return US_ERR_NOMEM;
	err = us_grow_to(&moved, 2 * n + 1, &room, size);
	if (err != US_OK)
		return err;
	memcpy(&old, array, sizeof old);
	if (n != 0)
		memcpy(moved, old, n * size);
	us_wipe(old, *cap * size);
	free(old);
	memcpy(array, &moved, sizeof moved);
	*cap = room;
	return US_OK;
}

int
us_grow_bare(void *array, size_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return US_OK;
	return resize(array, n == 0 ? 1 : n > SIZE_MAX / 2 ? SIZE_MAX : n * 2, size);
}
