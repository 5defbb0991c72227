#include "evidence/batch/intake_record.h"

#include "base/err.h"

int
us_intake_record_encode(struct us_buf *out, const struct us_intake_record *r)
{
	size_t had = out->len;
	int err;

	if (r->id.n == 0 || r->id.n > US_SOURCE_ID_MAX)
		return US_ERR_ARG;
	err = us_buf_put_str16(out, r->id.p, r->id.n);
	if (err == US_OK)
		err = us_buf_put_u64(out, r->line);
	if (err == US_OK)
		err = us_buf_put_str32(out, r->container.p, r->container.n);
	if (err == US_OK)
		err = us_buf_put_str32(out, r->document.p, r->document.n);
	if (err != US_OK)
		out->len = had;
	return err;
}

int
us_intake_record_take(struct us_reader *r, struct us_intake_record *out)
{
	struct us_intake_record t;

	t.id = us_take_str16(r, US_SOURCE_ID_MAX);
	t.line = us_take_u64(r);
	t.container = us_take_str32(r, US_CONTAINER_MAX);
	t.document = us_take_str32(r, US_INTAKE_DOCUMENT_MAX);
	if (r->err == US_OK && t.id.n == 0)
		us_reader_fail(r, US_ERR_FORMAT);
	if (r->err)
		return r->err;
	*out = t;
	return US_OK;
}
