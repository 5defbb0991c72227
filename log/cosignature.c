#include "log/cosignature.h"

#include <string.h>

#include "base/err.h"

int
us_cosignature_sign(struct us_buf *line, const struct us_note_signer *witness, struct us_bytes text,
    uint64_t time_s)
{
	struct us_checkpoint c;
	int err;

	if (us_note_signer_key(witness)->type != US_NOTE_COSIGNATURE)
		return US_ERR_ARG;
	/* what is not a checkpoint could be anything, and the word of a witness is about a log */
	err = us_checkpoint_parse(&c, text.p, text.n);
	return err != US_OK ? err : us_note_sign_line(line, witness, text.p, text.n, time_s);
}

/* One signature line over the text, whatever the type of the key. */
static int
verify_line(struct us_bytes text, struct us_bytes line, const struct us_note_key *key,
    uint64_t *time_s)
{
	struct us_note opened;
	struct us_buf note;
	int err;

	us_buf_init(&note, US_NOTE_MAX);
	err = us_buf_put(&note, text.p, text.n);
	if (err == US_OK)
		err = us_buf_put_u8(&note, '\n');
	if (err == US_OK)
		err = us_buf_put(&note, line.p, line.n);
	if (err == US_OK)
		err = us_note_open(&opened, note.data, note.len, key, 1);
	/* an empty line inside would move the border between text and signatures */
	if (err == US_OK && opened.text.n != text.n)
		err = US_ERR_FORMAT;
	if (err == US_OK)
		*time_s = opened.sigs[0].timestamp;
	us_buf_free(&note);
	return err;
}

int
us_cosignature_verify(struct us_bytes text, struct us_bytes line, const struct us_note_key *witness,
    uint64_t *time_s)
{
	if (witness->type != US_NOTE_COSIGNATURE)
		return US_ERR_ARG;
	if (line.n == 0 || memchr(line.p, '\n', line.n) != line.p + line.n - 1)
		return US_ERR_FORMAT;
	return verify_line(text, line, witness, time_s);
}

int
us_cosignature_next(struct us_bytes *rest, struct us_bytes *line)
{
	const uint8_t *end;

	if (rest->n == 0)
		return US_ERR_NOT_FOUND;
	end = memchr(rest->p, '\n', rest->n);
	if (end == NULL)
		return US_ERR_FORMAT;
	*line = (struct us_bytes){ rest->p, (size_t)(end - rest->p) + 1 };
	rest->p += line->n;
	rest->n -= line->n;
	return US_OK;
}

/* The newest line of each witness. */
struct us_log_merge {
	const struct us_note_key *witnesses;
	size_t n_witnesses;
	struct us_bytes text;
	struct us_bytes line[US_COSIGNERS_MAX];
	struct us_cosigned who;
	size_t lines;
};

static int
take_line(struct us_log_merge *m, struct us_bytes line)
{
	uint64_t time_s;

	for (size_t i = 0; i < m->n_witnesses; i++) {
		int err = us_cosignature_verify(m->text, line, &m->witnesses[i], &time_s);

		if (err == US_ERR_NOT_FOUND)
			continue;
		if (err != US_OK)
			return err;
		if (m->who.by[i] && time_s <= m->who.time_s[i])
			return US_OK;
		m->who.n += !m->who.by[i];
		m->who.by[i] = 1;
		m->who.time_s[i] = time_s;
		m->line[i] = line;
		return US_OK;
	}
	return US_OK;
}

static int
take_lines(struct us_log_merge *m, struct us_bytes rest)
{
	struct us_bytes line;
	int err;

	while ((err = us_cosignature_next(&rest, &line)) == US_OK) {
		if (++m->lines > US_NOTE_SIGS_MAX)
			return US_ERR_LIMIT;
		err = take_line(m, line);
		if (err != US_OK)
			return err;
	}
	return err == US_ERR_NOT_FOUND ? US_OK : err;
}

/* The log's own line: the first that names its key, as us_note_open() has verified it. */
static int
log_line(struct us_bytes text, struct us_bytes sigs, const struct us_note_key *log,
    struct us_bytes *line)
{
	uint64_t time_s;
	int err;

	while ((err = us_cosignature_next(&sigs, line)) == US_OK)
		if (verify_line(text, *line, log, &time_s) == US_OK)
			return US_OK;
	return err;
}

int
us_cosigned_merge(struct us_buf *out, struct us_cosigned *who, const struct us_note_key *log,
    const struct us_note_key *witnesses, size_t n_witnesses, struct us_bytes note,
    struct us_bytes lines)
{
	struct us_log_merge m = { .witnesses = witnesses, .n_witnesses = n_witnesses };
	struct us_bytes sigs, signed_by_log;
	struct us_checkpoint c;
	size_t before = out->len;
	int err;

	if (n_witnesses > US_COSIGNERS_MAX)
		return US_ERR_LIMIT;
	err = us_checkpoint_open(&c, NULL, note.p, note.n, log, 1);
	if (err == US_OK)
		err = us_note_split(&m.text, &sigs, note.p, note.n);
	if (err == US_OK)
		err = log_line(m.text, sigs, log, &signed_by_log);
	if (err == US_OK)
		err = take_lines(&m, sigs);
	if (err == US_OK)
		err = take_lines(&m, lines);
	if (err != US_OK)
		return err;
	err = us_buf_put(out, m.text.p, m.text.n);
	if (err == US_OK)
		err = us_buf_put_u8(out, '\n');
	if (err == US_OK)
		err = us_buf_put(out, signed_by_log.p, signed_by_log.n);
	for (size_t i = 0; i < n_witnesses && err == US_OK; i++)
		if (m.who.by[i])
			err = us_buf_put(out, m.line[i].p, m.line[i].n);
	if (err != US_OK)
		out->len = before;
	else if (who != NULL)
		*who = m.who;
	return err;
}
