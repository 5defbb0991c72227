#include "tests/unit/base/countdown.h"

#include <stddef.h>

static int left = -1;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void
countdown(int allocations)
{
	left = allocations;
}

static int
is_out(void)
{
	if (left > 0)
		left--;
	else if (left == 0)
		return 1;
	return 0;
}

void *
__wrap_malloc(size_t n)
{
	return is_out() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return is_out() ? NULL : __real_realloc(p, n);
}
