/* Runs a fuzz target over every file of a corpus directory, and over cut and bit-flipped variants
 * of each, where libFuzzer is not to be had: so a corpus is a regression test in every build. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (1024u * 1024u)
#define VARIANTS 64u

static void
run_variants(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1);
	uint32_t state = 2463534242u;

	if (copy == NULL)
		abort();
	(void)LLVMFuzzerTestOneInput(data, n);
	for (unsigned i = 0; i < VARIANTS && n > 0; i++) {
		size_t cut;

		memcpy(copy, data, n);
		state ^= state << 13, state ^= state >> 17, state ^= state << 5;
		copy[state % n] ^= (uint8_t)(1u << (state >> 29));
		(void)LLVMFuzzerTestOneInput(copy, n);
		cut = state % n;
		/* an allocation of exactly this size: sanitizers see the first byte beyond */
		uint8_t *exact = malloc(cut == 0 ? 1 : cut);
		if (exact == NULL)
			abort();
		memcpy(exact, data, cut);
		(void)LLVMFuzzerTestOneInput(exact, cut);
		free(exact);
	}
	free(copy);
}

int
main(int argc, char **argv)
{
	uint8_t *data = malloc(FILE_MAX);
	unsigned files = 0;
	struct dirent *entry;
	char path[4096];
	DIR *dir;

	if (argc != 2 || data == NULL) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 2;
	}
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	dir = opendir(argv[1]);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		FILE *f;
		size_t n;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		f = fopen(path, "rb");
		if (f == NULL)
			continue;
		n = fread(data, 1, FILE_MAX, f);
		(void)fclose(f);
		run_variants(data, n);
		files++;
	}
	if (dir != NULL)
		(void)closedir(dir);
	printf("%u files of %s\n", files, argv[1]);
	free(data);
	return 0;
}
