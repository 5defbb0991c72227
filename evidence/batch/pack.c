/* The packed form: zstd with a dictionary, padded (evidence/batch/record.h). */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "evidence/batch/record.h"
#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"

#define LEVEL 3
/* A container is at most 9 MiB: a frame that wants a larger window is none of ours. */
#define WINDOW_LOG_MAX 24

struct us_packer {
	ZSTD_CCtx *ctx;
	ZSTD_CDict *dictionary;
	uint32_t version;
};

int
us_packer_new(struct us_packer **out, uint32_t version, struct us_bytes dictionary)
{
	struct us_packer *p;

	*out = NULL;
	if ((version == 0) != (dictionary.n == 0) || dictionary.n > US_DICTIONARY_MAX)
		return US_ERR_ARG;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return US_ERR_NOMEM;
	p->version = version;
	p->ctx = ZSTD_createCCtx();
	if (p->ctx == NULL)
		goto fail;
	if (version != 0) {
		p->dictionary = ZSTD_createCDict(dictionary.p, dictionary.n, LEVEL);
		if (p->dictionary == NULL)
			goto fail;
	}
	*out = p;
	return US_OK;
fail:
	us_packer_free(p);
	return US_ERR_NOMEM;
}

void
us_packer_free(struct us_packer *p)
{
	if (p == NULL)
		return;
	ZSTD_freeCDict(p->dictionary);
	ZSTD_freeCCtx(p->ctx);
	free(p);
}

uint32_t
us_packer_version(const struct us_packer *p)
{
	return p->version;
}

int
us_packer_pack(struct us_packer *p, struct us_bytes container, struct us_buf *out)
{
	size_t had = out->len, room, n, padded;
	uint8_t *to;
	int err;

	if (container.n > US_CONTAINER_MAX)
		return US_ERR_LIMIT;
	room = US_PACKED_HEADER + ZSTD_compressBound(container.n);
	err = us_buf_extend(out, us_padme(room), &to);
	if (err != US_OK)
		return err;
	if (p->dictionary != NULL)
		n = ZSTD_compress_usingCDict(p->ctx, to + US_PACKED_HEADER, room - US_PACKED_HEADER,
		    container.p, container.n, p->dictionary);
	else
		n = ZSTD_compressCCtx(p->ctx, to + US_PACKED_HEADER, room - US_PACKED_HEADER,
		    container.p, container.n, LEVEL);
	if (ZSTD_isError(n)) {
		out->len = had;
		return US_ERR_NOMEM; /* there is room: nothing else can go wrong */
	}
	to[0] = 1;
	us_store_u32(to + 1, p->version);
	us_store_u32(to + 5, (uint32_t)container.n);
	us_store_u32(to + 9, (uint32_t)n);
	padded = us_padme(US_PACKED_HEADER + n);
	memset(to + US_PACKED_HEADER + n, 0, padded - US_PACKED_HEADER - n);
	out->len = had + padded;
	return US_OK;
}

struct us_batch_known {
	uint32_t version;
	ZSTD_DDict *dictionary;
};

struct us_unpacker {
	ZSTD_DCtx *ctx;
	struct us_batch_known *known;
	size_t n;
};

int
us_unpacker_new(struct us_unpacker **out)
{
	struct us_unpacker *u;

	*out = NULL;
	u = calloc(1, sizeof *u);
	if (u == NULL)
		return US_ERR_NOMEM;
	u->ctx = ZSTD_createDCtx();
	if (u->ctx == NULL) {
		free(u);
		return US_ERR_NOMEM;
	}
	ZSTD_DCtx_setParameter(u->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	*out = u;
	return US_OK;
}

void
us_unpacker_free(struct us_unpacker *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->n; i++)
		ZSTD_freeDDict(u->known[i].dictionary);
	free(u->known);
	ZSTD_freeDCtx(u->ctx);
	free(u);
}

static const struct us_batch_known *
find(const struct us_unpacker *u, uint32_t version)
{
	for (size_t i = 0; i < u->n; i++) {
		if (u->known[i].version == version)
			return &u->known[i];
	}
	return NULL;
}

int
us_unpacker_has(const struct us_unpacker *u, uint32_t version)
{
	return version == 0 || find(u, version) != NULL;
}

int
us_unpacker_add(struct us_unpacker *u, uint32_t version, struct us_bytes dictionary)
{
	ZSTD_DDict *d;

	if (version == 0 || dictionary.n == 0 || dictionary.n > US_DICTIONARY_MAX)
		return US_ERR_ARG;
	if (find(u, version) != NULL)
		return US_OK;
	if (us_grow_bare(&u->known, u->n, sizeof *u->known) != US_OK)
		return US_ERR_NOMEM;
	d = ZSTD_createDDict(dictionary.p, dictionary.n);
	if (d == NULL)
		return US_ERR_NOMEM;
	u->known[u->n++] = (struct us_batch_known){ version, d };
	return US_OK;
}

int
us_packed_version(struct us_bytes packed, uint32_t *version)
{
	if (packed.n < US_PACKED_HEADER)
		return US_ERR_TRUNCATED;
	if (packed.p[0] != 1)
		return US_ERR_FORMAT;
	*version = us_load_u32(packed.p + 1);
	return US_OK;
}

int
us_unpacker_unpack(struct us_unpacker *u, struct us_bytes packed, struct us_buf *out)
{
	size_t had = out->len, length, compressed, n;
	const struct us_batch_known *known = NULL;
	uint32_t version;
	uint8_t *to;
	int err;

	err = us_packed_version(packed, &version);
	if (err != US_OK)
		return err;
	length = us_load_u32(packed.p + 5);
	compressed = us_load_u32(packed.p + 9);
	if (length > US_CONTAINER_MAX)
		return US_ERR_LIMIT;
	if (compressed > packed.n - US_PACKED_HEADER)
		return US_ERR_TRUNCATED;
	if (packed.n != us_padme(US_PACKED_HEADER + compressed))
		return US_ERR_FORMAT;
	for (size_t i = US_PACKED_HEADER + compressed; i < packed.n; i++) {
		if (packed.p[i] != 0)
			return US_ERR_FORMAT;
	}
	if (version != 0) {
		known = find(u, version);
		if (known == NULL)
			return US_ERR_NOT_FOUND;
	}
	err = us_buf_extend(out, length, &to);
	if (err != US_OK)
		return err;
	if (known != NULL)
		n = ZSTD_decompress_usingDDict(u->ctx, to, length, packed.p + US_PACKED_HEADER,
		    compressed, known->dictionary);
	else
		n = ZSTD_decompressDCtx(u->ctx, to, length, packed.p + US_PACKED_HEADER,
		    compressed);
	if (ZSTD_isError(n) || n != length) {
		us_wipe(to, length);
		out->len = had;
		return US_ERR_FORMAT;
	}
	return US_OK;
}
