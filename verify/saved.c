#include "verify/saved.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct us_verify_saved_head {
	char version[32];
	uint32_t sizes[4];
	uint64_t bundles;
	uint64_t entries, withheld, opened[US_BOXES];
	int64_t first_ns, last_ns;
};

static struct us_verify_saved_head
head_of_build(void)
{
	struct us_verify_saved_head h;

	memset(&h, 0, sizeof h);
	(void)snprintf(h.version, sizeof h.version, "%s", US_VERSION);
	h.sizes[0] = sizeof h;
	h.sizes[1] = sizeof(struct us_merkle_stream);
	h.sizes[2] = sizeof(struct us_verify_level);
	h.sizes[3] = 1; /* counts changes of what the rules remember */
	return h;
}

int
us_verify_standing_save(const struct us_verify_standing *s, struct us_buf *out)
{
	struct us_verify_saved_head h = head_of_build();
	int err;

	h.bundles = s->bundles;
	h.entries = s->report->entries;
	h.withheld = s->report->withheld;
	memcpy(h.opened, s->report->opened, sizeof h.opened);
	h.first_ns = s->report->first_ns;
	h.last_ns = s->report->last_ns;
	err = us_buf_put(out, &h, sizeof h);
	if (err == US_OK)
		err = us_buf_put(out, s->stream, sizeof *s->stream);
	if (err == US_OK)
		err = us_buf_put(out, s->level, US_VERIFY_LEVELS * sizeof *s->level);
	return err == US_OK ? us_verify_rules_save(s->rules, out) : err;
}

static int
load_head(struct us_reader *r, struct us_verify_saved_head *h)
{
	const struct us_verify_saved_head own = head_of_build();

	us_take_into(r, h, sizeof *h);
	if (r->err == US_OK &&
	    (memcmp(h->version, own.version, sizeof own.version) != 0 ||
		memcmp(h->sizes, own.sizes, sizeof own.sizes) != 0))
		return US_ERR_FORMAT;
	return r->err;
}

uint64_t
us_verify_standing_bundles(struct us_bytes bytes)
{
	struct us_verify_saved_head h;
	struct us_reader r;

	us_reader_init(&r, bytes.p, bytes.n);
	return load_head(&r, &h) == US_OK ? h.bundles : 0;
}

int
us_verify_standing_load(struct us_verify_standing *s, struct us_bytes bytes)
{
	struct us_verify_report *report = s->report;
	struct us_verify_saved_head h;
	struct us_reader r;
	int err;

	us_reader_init(&r, bytes.p, bytes.n);
	err = load_head(&r, &h);
	us_take_into(&r, s->stream, sizeof *s->stream);
	us_take_into(&r, s->level, US_VERIFY_LEVELS * sizeof *s->level);
	if (err == US_OK)
		err = us_verify_rules_load(s->rules, &r);
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err != US_OK)
		return err;
	s->bundles = h.bundles;
	report->entries = h.entries;
	report->withheld = h.withheld;
	memcpy(report->opened, h.opened, sizeof h.opened);
	report->first_ns = h.first_ns;
	report->last_ns = h.last_ns;
	return US_OK;
}
