/*
 * The receipt of a load: which source record became which Bates number. The vault tells batches and
 * the lines it did not take; ids and digests are known here alone, so the map is made here.
 *
 * Records get their numbers in the order of parts and, in a part, of lines (the sealer takes parts
 * by their number, whichever came first); batches follow each other in the order of the vault's
 * answer.
 */
#ifndef US_CLIENT_EVIDENCE_RECEIPT_H
#define US_CLIENT_EVIDENCE_RECEIPT_H

#include "client/core/client.h"
#include "client/evidence/sent_parts.h"

/* What is kept of one part: its lines until the answer has come, then those accepted. */
struct us_receipt_part;

struct us_receipt {
	struct us_receipt_part **parts;
	size_t n, cap;
	int incomplete; /* a part's answer does not say which lines were accepted */
};

/* Reads a part's lines as the intake does: without line ends and the byte order mark of a file's
 * first line, blank ones left out. US_ERR_NOMEM. The caller frees *out or gives it to
 * us_receipt_add. */
int us_receipt_part_new(struct us_receipt_part **out, uint32_t number, uint32_t file,
    uint64_t first_line, struct us_bytes raw);
/* NULL is allowed. */
void us_receipt_part_free(struct us_receipt_part *part);
/* Takes the part and the vault's answer to it; not in two threads at once. */
void us_receipt_add(struct us_receipt *receipt, struct us_receipt_part *part, const cJSON *answer);
/* Writes the vault's answer with "files", "records": [{"id", "bates", "sha256", "file", "line"}…]
 * (null if which they are cannot be said) and "refused_records": [{"file", "line", "code"}…]. id is
 * null if it could not be read. US_ERR_INCOMPLETE: written, but records is null; US_ERR_IO,
 * US_ERR_NOMEM. */
int us_receipt_write(struct us_receipt *receipt, const cJSON *answer, char **files, size_t n_files,
    FILE *to);
/* Frees it with the parts it has taken; NULL is allowed. */
void us_receipt_free(struct us_receipt *receipt);
/* That the log holds every batch of the answer, with the manifest root named there, and that the
 * batches were made of the parts that were sent and hold no more than `accepted` records. Returns
 * enum us_exit; what is wrong has been printed. */
int us_receipt_verify(struct us_client *client, const char *collection, const cJSON *answer,
    const struct us_sent_parts *sent, uint64_t accepted);

#endif
