/*
 * find_runs NEEDLES FILE...: does any run of 12 bytes of NEEDLES occur in a FILE, at any place?
 * NEEDLES is text after text, each preceded by its length as a big-endian u32; runs are within one
 * text. Prints the first run found in each file. Runs of fewer than five different bytes (blanks,
 * zeros) say nothing and are left out. Exit status 0: none; 1: some; 2: cannot tell.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN 12

static uint8_t *
read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL, *grown;
	size_t cap = 0, got;

	*n = 0;
	if (f == NULL)
		return NULL;
	do {
		if (cap - *n < 65536) {
			cap = cap * 2 + 131072;
			grown = realloc(p, cap);
			if (grown == NULL)
				exit(2);
			p = grown;
		}
		got = fread(p + *n, 1, cap - *n, f);
		*n += got;
	} while (got > 0);
	if (ferror(f))
		exit(2);
	(void)fclose(f);
	return p;
}

static uint64_t
hash(const uint8_t *p)
{
	uint64_t a;
	uint32_t b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 4);
	a = (a ^ (uint64_t)b << 17) * 0x9e3779b97f4a7c15u;
	return a ^ a >> 29;
}

static int
is_plain(const uint8_t *p)
{
	int different = 0;

	for (int i = 0; i < RUN; i++) {
		int seen = 0;

		for (int j = 0; j < i; j++)
			seen |= p[i] == p[j];
		different += !seen;
	}
	return different < 5;
}

int
main(int argc, char **argv)
{
	size_t n, m, mask = ((size_t)1 << 26) - 1;
	const uint8_t **table;
	uint64_t runs = 0, bytes = 0;
	uint8_t *needles;
	int found = 0;

	if (argc < 3 || (needles = read_all(argv[1], &n)) == NULL)
		return 2;
	while (mask + 1 > n * 4 && mask > 65535)
		mask >>= 1;
	table = calloc(mask + 1, sizeof *table);
	if (table == NULL || n * 2 > mask * 3)
		return 2;
	for (size_t at = 0; at + 4 <= n;) {
		size_t len = (size_t)needles[at] << 24 | (size_t)needles[at + 1] << 16 |
		    (size_t)needles[at + 2] << 8 | needles[at + 3];

		at += 4;
		for (size_t i = 0; len <= n - at && i + RUN <= len; i++) {
			const uint8_t *p = needles + at + i;
			size_t slot = hash(p) & mask;

			if (is_plain(p))
				continue;
			while (table[slot] != NULL && memcmp(table[slot], p, RUN) != 0)
				slot = (slot + 1) & mask;
			runs += table[slot] == NULL;
			table[slot] = p;
		}
		at += len;
	}
	for (int a = 2; a < argc; a++) {
		uint8_t *p = read_all(argv[a], &m);

		if (p == NULL) {
			fprintf(stderr, "cannot read %s\n", argv[a]);
			return 2;
		}
		bytes += m;
		for (size_t i = 0; i + RUN <= m; i++) {
			size_t slot = hash(p + i) & mask;

			while (table[slot] != NULL && memcmp(table[slot], p + i, RUN) != 0)
				slot = (slot + 1) & mask;
			if (table[slot] == NULL)
				continue;
			printf("%s, byte %zu: %.12s\n", argv[a], i, (const char *)(p + i));
			found = 1;
			break;
		}
		free(p);
	}
	printf("%llu runs looked for in %llu bytes\n", (unsigned long long)runs,
	    (unsigned long long)bytes);
	free(needles);
	free(table);
	return found;
}
