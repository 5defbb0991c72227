#include "client/log/batches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "client/core/profile.h"
#include "client/core/show.h"
#include "base/base64.h"
#include "base/err.h"

#define REMEMBERED_MAX (64u * 1024u * 1024u)

static int
parse_line(const char *line, struct us_proven_batch *b)
{
	unsigned long long entry;
	char hex[65];

	if (sscanf(line, "%u %u %llu %64s", &b->collection, &b->slot, &entry, hex) != 4 ||
	    us_hex_decode(hex, strlen(hex), b->root, 32) != US_OK)
		return US_ERR_FORMAT;
	b->entry = entry;
	return US_OK;
}

static int
keep(struct us_proven_batches *all, const struct us_proven_batch *b)
{
	int err = us_grow_bare(&all->of, all->n, sizeof *all->of);

	if (err == US_OK)
		all->of[all->n++] = *b;
	return err;
}

int
us_proven_batches_read(struct us_proven_batches *all, const char *directory)
{
	struct us_proven_batch b;
	struct us_buf text;
	char *line, *save = NULL;
	int err;

	*all = (struct us_proven_batches){ .directory = directory };
	us_buf_init(&text, REMEMBERED_MAX);
	err = us_profile_read(directory, "batches", REMEMBERED_MAX - 1, &text);
	if (err == US_OK && us_buf_cstr(&text) == NULL)
		err = US_ERR_NOMEM;
	if (err == US_OK)
		for (line = strtok_r((char *)text.data, "\n", &save); err == US_OK && line != NULL;
		     line = strtok_r(NULL, "\n", &save))
			if (parse_line(line, &b) == US_OK)
				err = keep(all, &b);
	us_buf_free(&text);
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

void
us_proven_batches_free(struct us_proven_batches *all)
{
	free(all->of);
	all->of = NULL;
	all->n = 0;
}

const struct us_proven_batch *
us_proven_batches_find(const struct us_proven_batches *all, uint32_t collection, uint32_t slot)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->of[i].collection == collection && all->of[i].slot == slot)
			return &all->of[i];
	return NULL;
}

/* Those closed before entry `until`. */
static int
write_all(const struct us_proven_batches *all, uint64_t until)
{
	struct us_buf text;
	char hex[65] = "";
	int err = US_OK;

	us_buf_init(&text, REMEMBERED_MAX);
	for (size_t i = 0; i < all->n && err == US_OK; i++) {
		const struct us_proven_batch *b = &all->of[i];

		if (b->entry >= until)
			continue;
		us_hex_encode(b->root, 32, hex);
		err = us_buf_putf(&text, "%u %u %llu %s\n", b->collection, b->slot,
		    (unsigned long long)b->entry, hex);
	}
	if (err == US_OK)
		err = us_profile_write(all->directory, "batches", text.data, text.len);
	us_buf_free(&text);
	return err;
}

void
us_proven_batches_add(struct us_proven_batches *all, const struct us_proven_batch *batch)
{
	if (keep(all, batch) == US_OK && write_all(all, UINT64_MAX) != US_OK)
		us_say("cannot write to the profile: batches will be verified again next time");
}

int
us_proven_batches_forget(const char *directory, uint64_t from)
{
	struct us_proven_batches all;
	int err = us_proven_batches_read(&all, directory);

	if (err == US_OK && all.n > 0)
		err = write_all(&all, from);
	us_proven_batches_free(&all);
	return err;
}
