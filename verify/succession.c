#include "verify/succession.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

#define RULE "handover"

static unsigned long long
at(const struct us_verify_succession *h, size_t i)
{
	return (unsigned long long)h->chain->item[i].succession.size;
}

static int
open_chain(struct us_verify_succession *h, struct us_note_key *key,
    struct us_verify_finding *finding)
{
	size_t place;
	int err = us_handovers_open(h->chain, (struct us_bytes){ h->text.data, h->text.len });

	if (err != US_OK)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE, "handovers: %s",
		    us_strerror(err));
	if (us_handovers_place(&place, h->chain, key) != US_OK)
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "no hand-over leads from the key given to another, nor to it");
	*key = h->chain->item[h->chain->n - 1].succession.new_key;
	for (size_t i = 0; i < h->chain->n && err == US_OK; i++)
		err = us_sha256(h->chain->item[i].text.p, h->chain->item[i].text.n, h->digest[i]);
	return err;
}

int
us_verify_succession_open(struct us_verify_succession *h, const struct us_log_source *source,
    int foreign, struct us_note_key *key, struct us_verify_finding *finding)
{
	int err;

	us_buf_init(&h->text, US_HANDOVERS_BYTES_MAX);
	h->chain = calloc(1, sizeof *h->chain);
	if (h->chain == NULL)
		return US_ERR_NOMEM;
	err = foreign ? US_ERR_NOT_FOUND : source->get(source->arg, "handovers", &h->text);
	h->here = err != US_ERR_NOT_FOUND;
	switch (err) {
	case US_OK:
		return open_chain(h, key, finding);
	case US_ERR_NOT_FOUND:
		return US_OK;
	case US_ERR_NOMEM:
		return err;
	case US_ERR_LIMIT:
		return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
		    "handovers is larger than it can be");
	default:
		return us_verify_found(finding, US_VERDICT_UNVERIFIABLE, US_ENTRY_NONE,
		    "handovers cannot be read");
	}
}

void
us_verify_succession_free(struct us_verify_succession *h)
{
	us_buf_free(&h->text);
	free(h->chain);
	h->chain = NULL;
}

int
us_verify_succession_begin(struct us_verify_succession *h, struct us_verify_prefixes *prefixes,
    struct us_verify_report *r, struct us_verify_finding *finding)
{
	int err = US_OK;

	for (size_t i = 0; i < h->chain->n && err == US_OK; i++) {
		const struct us_handover *o = &h->chain->item[i];

		if (o->succession.size >= r->checkpoint.size)
			return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "the log was handed over at entry %llu, and has none there", at(h, i));
		r->handovers[r->n_handovers++] = (struct us_verify_handover){ o->succession.size,
			o->last_size, o->time_ns, o->reason };
		err = us_verify_prefixes_add(prefixes, o->succession.size, &h->prefix[i]);
	}
	return err == US_ERR_LIMIT ? us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
					 "too many earlier checkpoints lie beside the log") :
				     err;
}

static int
broken(struct us_verify_finding *finding, const struct us_opened *e, const char *why)
{
	finding->rule = RULE;
	return us_verify_found(finding, US_VERDICT_TAMPERED, e->view.index,
	    "entry %llu breaks the rule \"" RULE "\": %s", (unsigned long long)e->view.index, why);
}

int
us_verify_succession_next(const struct us_verify_succession *h, const struct us_opened *e,
    struct us_verify_finding *finding)
{
	const int says = e->access.event.form == US_EVENT_HANDOVER;
	uint8_t digest[32];
	size_t i = 0;
	int err;

	if (!us_opened_has(e, US_BOX_ACCESS))
		return US_OK;
	while (i < h->chain->n && h->chain->item[i].succession.size != e->view.index)
		i++;
	if (i == h->chain->n && !says)
		return US_OK;
	if (i == h->chain->n && !h->here)
		return us_verify_found(finding, US_VERDICT_INCOMPLETE, e->view.index,
		    "entry %llu says that the log was handed over, and the file handovers is "
		    "missing",
		    (unsigned long long)e->view.index);
	if (i == h->chain->n)
		return broken(finding, e,
		    "it says that the log was handed over, and it was not there");
	if (!says)
		return broken(finding, e,
		    "it is the first one under another key, and does not say so");
	err = us_sha256(e->access.event.handover.handover.p, e->access.event.handover.handover.n,
	    digest);
	if (err != US_OK)
		return err;
	return memcmp(digest, h->digest[i], sizeof digest) == 0 &&
		e->view.entry_class == US_CLASS_SYSTEM ?
	    US_OK :
	    broken(finding, e, "it names another hand-over than the one that was signed");
}

int
us_verify_succession_conclude(const struct us_verify_succession *h,
    const struct us_verify_prefixes *prefixes, struct us_verify_finding *finding)
{
	for (size_t i = 0; i < h->chain->n; i++)
		if (memcmp(prefixes->at[h->prefix[i]].root.b, h->chain->item[i].succession.root.b,
			US_HASH_LEN) != 0)
			return us_verify_found(finding, US_VERDICT_TAMPERED, US_ENTRY_NONE,
			    "the entries before entry %llu are not those that were handed over "
			    "there",
			    at(h, i));
	return US_OK;
}
