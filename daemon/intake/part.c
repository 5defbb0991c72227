#include "daemon/intake/part.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "evidence/batch/intake_record.h"
#include "crypto/crypto.h"
#include "base/array.h"
#include "base/err.h"
#include "case/limits.h"
#include "daemon/intake/native.h"
#include "evidence/index/doc.h"

/* Part sizes bound the window: what needs more is not ours. */
#define WINDOW_LOG_MAX 24

struct us_part_worker {
	struct us_native *native;
	struct us_doc_builder *doc;
	ZSTD_DCtx *zstd;
	struct us_buf raw;
	struct us_buf container;
	struct us_buf document;
	size_t cap; /* of result.defects */
	struct us_part_result result;
};

int
us_part_worker_new(struct us_part_worker **out)
{
	struct us_part_worker *w = calloc(1, sizeof *w);
	int err;

	*out = NULL;
	if (w == NULL)
		return US_ERR_NOMEM;
	us_buf_init(&w->raw, US_PART_RAW_MAX);
	us_buf_init(&w->container, US_CONTAINER_MAX);
	us_buf_init(&w->document, US_INTAKE_DOCUMENT_MAX);
	us_buf_init(&w->result.documents, US_INTAKE_DOCUMENTS_MAX);
	err = us_native_new(&w->native);
	if (err == US_OK)
		err = us_doc_builder_new(&w->doc);
	w->zstd = ZSTD_createDCtx();
	if (w->zstd == NULL)
		err = US_ERR_NOMEM;
	else
		ZSTD_DCtx_setParameter(w->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	if (err != US_OK) {
		us_part_worker_free(w);
		return err;
	}
	*out = w;
	return US_OK;
}

void
us_part_worker_free(struct us_part_worker *w)
{
	if (w == NULL)
		return;
	us_native_free(w->native);
	us_doc_builder_free(w->doc);
	ZSTD_freeDCtx(w->zstd);
	us_buf_free(&w->raw);
	us_buf_free(&w->container);
	us_buf_free(&w->document);
	us_buf_free(&w->result.documents);
	free(w->result.defects);
	free(w);
}

void
us_part_worker_clear(struct us_part_worker *w)
{
	us_buf_free(&w->raw);
	us_buf_free(&w->container);
	us_buf_free(&w->document);
	us_buf_free(&w->result.documents);
}

static int
bad(struct us_part_worker *w, int err, enum us_defect code, const char *why)
{
	w->result.code = code;
	w->result.why = why;
	return err;
}

static int
inflate(struct us_part_worker *w, struct us_bytes data)
{
	ZSTD_inBuffer in = { data.p, data.n, 0 };
	size_t left = 1;

	ZSTD_DCtx_reset(w->zstd, ZSTD_reset_session_only);
	while (in.pos < in.size || left != 0) {
		size_t want = 1024 * 1024, before = in.pos;
		ZSTD_outBuffer out = { NULL, 0, 0 };
		uint8_t *to;
		int err;

		if (want > w->raw.max - w->raw.len)
			want = w->raw.max - w->raw.len;
		if (want == 0) {
			/* full: only the end of the last frame may still stand there */
			static uint8_t over;

			out = (ZSTD_outBuffer){ &over, 1, 0 };
		} else {
			err = us_buf_reserve(&w->raw, want, &to);
			if (err != US_OK)
				return err;
			out = (ZSTD_outBuffer){ to, want, 0 };
		}
		left = ZSTD_decompressStream(w->zstd, &out, &in);
		if (ZSTD_isError(left))
			return bad(w, US_ERR_FORMAT, US_DEFECT_NONE,
			    "the part is not zstd, or damaged");
		if (want == 0 && out.pos > 0)
			return bad(w, US_ERR_LIMIT, US_DEFECT_NONE,
			    "the part is larger than 16 MiB when decompressed: send smaller ones");
		if (want > 0)
			w->raw.len += out.pos;
		if (out.pos == 0 && in.pos == before)
			return bad(w, US_ERR_TRUNCATED, US_DEFECT_NONE,
			    "the part's zstd frame is cut off");
	}
	return US_OK;
}

/* The raw bytes: a view of what was sent, or of what w->raw holds. */
static int
raw_bytes(struct us_part_worker *w, const struct us_part *part, struct us_bytes *raw)
{
	uint8_t digest[US_DIGEST_SIZE];
	int err;

	switch (part->encoding) {
	case US_PART_PLAIN:
		*raw = part->data;
		break;
	case US_PART_ZSTD:
		err = inflate(w, part->data);
		if (err != US_OK)
			return err == US_ERR_TRUNCATED ? US_ERR_FORMAT : err;
		*raw = (struct us_bytes){ w->raw.data, w->raw.len };
		break;
	default:
		return bad(w, US_ERR_FORMAT, US_DEFECT_NONE, "unknown encoding of a part");
	}
	if (raw->n > US_PART_RAW_MAX)
		return bad(w, US_ERR_LIMIT, US_DEFECT_NONE, "the part is larger than 16 MiB");
	err = us_sha256(raw->p, raw->n, digest);
	if (err != US_OK)
		return err;
	if (memcmp(digest, part->digest, sizeof digest) != 0)
		return bad(w, US_ERR_VERIFY, US_DEFECT_NONE,
		    "the part's digest is not that of its bytes: damaged on the way");
	return US_OK;
}

static int
add_defect(struct us_part_worker *w, uint64_t line, enum us_defect code)
{
	struct us_part_result *r = &w->result;

	if (us_grow(&r->defects, r->n_defects, &w->cap, sizeof *r->defects) != US_OK)
		return US_ERR_NOMEM;
	r->defects[r->n_defects++] = (struct us_part_defect){ line, (uint8_t)code };
	return US_OK;
}

static int
tokenise(struct us_part_worker *w, const struct us_native_record *n)
{
	struct us_doc_meta meta = { n->created_ns, n->model, n->language, n->designation };
	int err;

	us_buf_reset(&w->document);
	err = us_doc_begin(w->doc, &meta);
	for (size_t i = 0; i < n->messages && err == US_OK; i++)
		err = us_doc_message(w->doc, n->spans[i].role, n->texts[i].p, n->texts[i].n);
	if (err == US_OK)
		err = us_doc_end(w->doc, &w->document);
	return err;
}

/* One line that is not blank. */
static int
add_record(struct us_part_worker *w, struct us_bytes line, uint64_t number, int64_t now_ns)
{
	struct us_native_record n;
	struct us_intake_record r;
	enum us_defect defect;
	int err;

	w->result.records++;
	err = us_native_parse(w->native, line, now_ns, &defect, &n);
	if (err != US_OK)
		return err;
	if (defect != US_DEFECT_NONE)
		return add_defect(w, number, defect);
	us_buf_reset(&w->container);
	err = us_container_encode(&w->container, n.spans, n.messages, line);
	if (err != US_OK)
		return err;
	err = tokenise(w, &n);
	if (err == US_ERR_LIMIT)
		return add_defect(w, number, US_DEFECT_TOO_LARGE);
	if (err != US_OK)
		return err;
	r = (struct us_intake_record){ n.id, number, { w->container.data, w->container.len },
		{ w->document.data, w->document.len } };
	err = us_intake_record_encode(&w->result.documents, &r);
	if (err == US_ERR_LIMIT)
		return bad(w, err, US_DEFECT_NONE,
		    "the part has too many words: send smaller ones");
	if (err == US_OK)
		w->result.count++;
	return err;
}

static int
is_blank(struct us_bytes line)
{
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
			return 0;
	}
	return 1;
}

static int
split(struct us_part_worker *w, const struct us_part *part, struct us_bytes raw, int64_t now_ns)
{
	uint64_t number = part->first_line == 0 ? 1 : part->first_line;
	int err = US_OK;

	if (number == 1 && raw.n >= 2 &&
	    (memcmp(raw.p, "\xff\xfe", 2) == 0 || memcmp(raw.p, "\xfe\xff", 2) == 0))
		return bad(w, US_ERR_ENCODING, US_DEFECT_NOT_UTF8, "the file is UTF-16, not UTF-8");
	if (number == 1 && raw.n >= 3 && memcmp(raw.p, "\xef\xbb\xbf", 3) == 0) {
		raw.p += 3;
		raw.n -= 3;
	}
	if (number == 1 && raw.n == 0)
		return bad(w, US_ERR_FORMAT, US_DEFECT_EMPTY_FILE, "the file is empty");
	while (raw.n > 0 && err == US_OK) {
		const uint8_t *end = memchr(raw.p, '\n', raw.n);
		struct us_bytes line = { raw.p, end == NULL ? raw.n : (size_t)(end - raw.p) };
		size_t step = end == NULL ? raw.n : line.n + 1;

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (!is_blank(line))
			err = add_record(w, line, number, now_ns);
		number++;
		raw.p += step;
		raw.n -= step;
	}
	return err;
}

int
us_part_process(struct us_part_worker *w, const struct us_part *part, int64_t now_ns,
    struct us_part_result **result)
{
	struct us_part_result *r = &w->result;
	struct us_bytes raw;
	int err;

	us_buf_reset(&w->raw);
	us_buf_reset(&r->documents);
	r->records = r->count = r->n_defects = 0;
	r->why = NULL;
	r->code = US_DEFECT_NONE;
	*result = r;
	err = raw_bytes(w, part, &raw);
	if (err != US_OK)
		return err;
	return split(w, part, raw, now_ns);
}
