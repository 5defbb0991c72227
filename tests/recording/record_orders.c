/*
 * record_orders FILE...: compiles each order and prints "NAME BYTES SHA-256 of the compiled form",
 * or how many errors it has and the first. For tests/recording/record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "policy/yaml/yaml.h"

static struct us_bytes
read_whole(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(US_ORDER_SOURCE_MAX + 1);
	size_t n;

	if (f == NULL || p == NULL) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	n = fread(p, 1, US_ORDER_SOURCE_MAX + 1,
	    f); /* one byte too many is the compiler's to refuse */
	(void)fclose(f);
	return (struct us_bytes){ p, n };
}

static void
show(const char *path, struct us_bytes source)
{
	struct us_findings *found = calloc(1, sizeof(*found));
	const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
	struct us_buf compiled;
	uint8_t digest[32];
	char hex[65];

	us_buf_init(&compiled, US_ORDER_COMPILED_MAX);
	if (found == NULL ||
	    (us_order_compile(source, &compiled, found) != US_OK && found->errors == 0)) {
		(void)fprintf(stderr, "no memory\n");
		exit(1);
	}
	if (found->errors > 0) {
		(void)printf("%s %zu errors, line %u: %s\n", name, found->errors,
		    found->items[0].line, found->items[0].text);
	} else {
		(void)us_sha256(compiled.data, compiled.len, digest);
		us_hex_encode(digest, sizeof(digest), hex);
		(void)printf("%s %zu %s\n", name, compiled.len, hex);
	}
	us_buf_free(&compiled);
	free(found);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct us_bytes source = read_whole(argv[i]);

		show(argv[i], source);
		free((void *)(uintptr_t)source.p);
	}
	return 0;
}
