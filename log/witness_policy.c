#include "log/witness_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/number.h"

#define NODES_MAX (US_COSIGNERS_MAX + US_TLOG_GROUPS_MAX)
/* "group", its name, its threshold, and every name there can be */
#define WORDS_MAX (NODES_MAX + 3)
#define NO_NODE SIZE_MAX

/* A witness or a group. Each stands behind its members, and is a member of one group at most: so
 * the quorum is a tree. */
struct us_log_node {
	char name[US_TLOG_NAME_MAX + 1];
	size_t witness;   /* NO_NODE: a group */
	size_t parent;    /* the group it is in, or NO_NODE */
	size_t threshold; /* of a group */
};

struct us_tlog_policy {
	struct us_note_key log[US_TLOG_LOGS_MAX], witness[US_COSIGNERS_MAX];
	char *witness_url[US_COSIGNERS_MAX];
	size_t witness_node[US_COSIGNERS_MAX];
	size_t n_logs, n_witnesses, n_groups;
	struct us_log_node node[NODES_MAX];
	size_t n_nodes;
	int has_quorum;
	size_t quorum; /* NO_NODE: none */
};

/* One line while it is read. */
struct us_log_witness_policy_line {
	struct us_bytes word[WORDS_MAX];
	size_t n;
	const char *what; /* what is wrong with it */
};

static int
wrong(struct us_log_witness_policy_line *l, int err, const char *what)
{
	l->what = what;
	return err;
}

static int
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static int
split(struct us_log_witness_policy_line *l, struct us_bytes text)
{
	size_t at = 0, start;

	l->n = 0;
	for (size_t i = 0; i < text.n; i++)
		if ((text.p[i] < 0x20 && text.p[i] != '\t') || text.p[i] == 0x7f)
			return wrong(l, US_ERR_FORMAT, "a control character");
	for (;;) {
		while (at < text.n && is_blank(text.p[at]))
			at++;
		if (at == text.n || (l->n == 0 && text.p[at] == '#'))
			return US_OK;
		for (start = at; at < text.n && !is_blank(text.p[at]);)
			at++;
		if (l->n == WORDS_MAX)
			return wrong(l, US_ERR_LIMIT, "too many words");
		l->word[l->n++] = (struct us_bytes){ text.p + start, at - start };
	}
}

static size_t
find(const struct us_tlog_policy *p, struct us_bytes name)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		if (strlen(p->node[i].name) == name.n &&
		    memcmp(p->node[i].name, name.p, name.n) == 0)
			return i;
	return NO_NODE;
}

static int
has_key(const struct us_note_key *keys, size_t n, const struct us_note_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(keys[i].pub, key->pub, sizeof key->pub) == 0)
			return 1;
	return 0;
}

static int
take_key(struct us_tlog_policy *p, struct us_log_witness_policy_line *l, size_t at,
    enum us_note_type type, struct us_note_key *key)
{
	int err = us_note_key_parse(key, (const char *)l->word[at].p, l->word[at].n);

	if (err != US_OK)
		return wrong(l, err, "not a verifier key of a type known here");
	if (key->type != type)
		return wrong(l, US_ERR_FORMAT,
		    type == US_NOTE_ED25519 ? "not a log's key" : "not a witness's key");
	if (has_key(p->log, p->n_logs, key) || has_key(p->witness, p->n_witnesses, key))
		return wrong(l, US_ERR_EXISTS, "this key stands above already");
	return US_OK;
}

static int
take_url(struct us_log_witness_policy_line *l, size_t at, char **out)
{
	*out = NULL;
	if (l->n > at + 1)
		return wrong(l, US_ERR_FORMAT, "more words than belong here");
	if (l->n == at)
		return US_OK;
	if (l->word[at].n > US_TLOG_URL_MAX)
		return wrong(l, US_ERR_LIMIT, "the URL is too long");
	*out = strndup((const char *)l->word[at].p, l->word[at].n);
	return *out == NULL ? wrong(l, US_ERR_NOMEM, "out of memory") : US_OK;
}

static int
add_node(struct us_tlog_policy *p, struct us_log_witness_policy_line *l, size_t witness)
{
	const struct us_bytes name = l->word[1];
	struct us_log_node *node = &p->node[p->n_nodes];

	if (name.n > US_TLOG_NAME_MAX)
		return wrong(l, US_ERR_LIMIT, "the name is too long");
	if (us_bytes_is(name, "none") || find(p, name) != NO_NODE)
		return wrong(l, US_ERR_EXISTS, "this name is taken");
	memcpy(node->name, name.p, name.n);
	node->name[name.n] = '\0';
	node->witness = witness;
	node->parent = NO_NODE;
	p->n_nodes++;
	return US_OK;
}

static int
take_log(struct us_tlog_policy *p, struct us_log_witness_policy_line *l)
{
	char *url = NULL;
	int err;

	if (l->n < 2)
		return wrong(l, US_ERR_FORMAT, "a log has a verifier key");
	if (p->n_logs == US_TLOG_LOGS_MAX)
		return wrong(l, US_ERR_LIMIT, "too many logs");
	err = take_key(p, l, 1, US_NOTE_ED25519, &p->log[p->n_logs]);
	if (err == US_OK)
		err = take_url(l, 2, &url); /* checked, and nobody asks it */
	free(url);
	p->n_logs += err == US_OK;
	return err;
}

static int
take_witness(struct us_tlog_policy *p, struct us_log_witness_policy_line *l)
{
	int err;

	if (l->n < 3)
		return wrong(l, US_ERR_FORMAT, "a witness has a name and a verifier key");
	if (p->n_witnesses == US_COSIGNERS_MAX)
		return wrong(l, US_ERR_LIMIT, "too many witnesses");
	err = take_key(p, l, 2, US_NOTE_COSIGNATURE, &p->witness[p->n_witnesses]);
	if (err == US_OK)
		err = add_node(p, l, p->n_witnesses);
	if (err == US_OK)
		err = take_url(l, 3, &p->witness_url[p->n_witnesses]);
	if (err != US_OK)
		return err;
	p->witness_node[p->n_witnesses++] = p->n_nodes - 1;
	return US_OK;
}

/* all, any, or a number of members without leading zeros, from 1 to all. */
static int
threshold(struct us_log_witness_policy_line *l, size_t members, size_t *k)
{
	const struct us_bytes word = l->word[2];
	uint64_t v = 0;

	if (us_bytes_is(word, "all"))
		v = members;
	else if (us_bytes_is(word, "any"))
		v = 1;
	else
		(void)us_number_parse(word.p, word.n, members, &v);
	*k = (size_t)v;
	return v != 0 ?
	    US_OK :
	    wrong(l, US_ERR_FORMAT, "a group needs all, any, or a number of its members");
}

static int
take_group(struct us_tlog_policy *p, struct us_log_witness_policy_line *l)
{
	const size_t group = p->n_nodes;
	size_t k, member;
	int err;

	if (l->n < 4)
		return wrong(l, US_ERR_FORMAT, "a group has a name, a threshold and members");
	if (p->n_groups == US_TLOG_GROUPS_MAX)
		return wrong(l, US_ERR_LIMIT, "too many groups");
	err = threshold(l, l->n - 3, &k);
	for (size_t i = 3; err == US_OK && i < l->n; i++) {
		member = find(p, l->word[i]);
		if (member == NO_NODE)
			return wrong(l, US_ERR_NOT_FOUND, "a member that is not defined above");
		if (p->node[member].parent != NO_NODE)
			return wrong(l, US_ERR_EXISTS, "a member that is in a group already");
		p->node[member].parent = group;
	}
	if (err == US_OK)
		err = add_node(p, l, NO_NODE);
	if (err != US_OK)
		return err;
	p->node[group].threshold = k;
	p->n_groups++;
	return US_OK;
}

static int
take_quorum(struct us_tlog_policy *p, struct us_log_witness_policy_line *l)
{
	if (l->n != 2)
		return wrong(l, US_ERR_FORMAT, "a quorum is one name");
	if (p->has_quorum)
		return wrong(l, US_ERR_EXISTS, "there is a quorum already");
	p->has_quorum = 1;
	p->quorum = NO_NODE;
	if (us_bytes_is(l->word[1], "none"))
		return US_OK;
	p->quorum = find(p, l->word[1]);
	return p->quorum == NO_NODE ?
	    wrong(l, US_ERR_NOT_FOUND, "a name that is not defined above") :
	    US_OK;
}

static int
take_line(struct us_tlog_policy *p, struct us_log_witness_policy_line *l, struct us_bytes text)
{
	int err = split(l, text);

	if (err != US_OK || l->n == 0)
		return err;
	if (us_bytes_is(l->word[0], "log"))
		return take_log(p, l);
	if (us_bytes_is(l->word[0], "witness"))
		return take_witness(p, l);
	if (us_bytes_is(l->word[0], "group"))
		return take_group(p, l);
	if (us_bytes_is(l->word[0], "quorum"))
		return take_quorum(p, l);
	return wrong(l, US_ERR_FORMAT, "a line begins with log, witness, group or quorum");
}

static int
take_lines(struct us_tlog_policy *p, struct us_bytes rest, struct us_tlog_policy_error *error)
{
	struct us_bytes text;
	struct us_log_witness_policy_line l;
	int err;

	for (error->line = 1; (err = us_cosignature_next(&rest, &text)) == US_OK; error->line++) {
		l.what = NULL;
		err = take_line(p, &l, (struct us_bytes){ text.p, text.n - 1 });
		if (err != US_OK) {
			error->what = l.what;
			return err;
		}
	}
	if (err != US_ERR_NOT_FOUND) {
		error->what = "the last line has no end";
		return err;
	}
	error->line = 0;
	error->what = p->has_quorum ? NULL : "there is no quorum line";
	return p->has_quorum ? US_OK : US_ERR_FORMAT;
}

int
us_tlog_policy_parse(struct us_tlog_policy **out, const void *text, size_t n,
    struct us_tlog_policy_error *error)
{
	struct us_tlog_policy_error where = { 0, "the file is too large" };
	struct us_tlog_policy *p = NULL;
	int err = US_ERR_LIMIT;

	*out = NULL;
	if (n <= US_TLOG_POLICY_MAX) {
		p = calloc(1, sizeof *p);
		where.what = "out of memory";
		err = p == NULL ? US_ERR_NOMEM :
				  take_lines(p, (struct us_bytes){ text, n }, &where);
	}
	if (error != NULL)
		*error = where;
	if (err != US_OK) {
		us_tlog_policy_free(p);
		return err;
	}
	*out = p;
	return US_OK;
}

void
us_tlog_policy_free(struct us_tlog_policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < US_COSIGNERS_MAX; i++)
		free(p->witness_url[i]);
	free(p);
}

const struct us_note_key *
us_tlog_policy_logs(const struct us_tlog_policy *p, size_t *n)
{
	*n = p->n_logs;
	return p->log;
}

const struct us_note_key *
us_tlog_policy_witnesses(const struct us_tlog_policy *p, size_t *n)
{
	*n = p->n_witnesses;
	return p->witness;
}

const char *
us_tlog_policy_witness_url(const struct us_tlog_policy *p, size_t i)
{
	return p->witness_url[i];
}

const char *
us_tlog_policy_witness_name(const struct us_tlog_policy *p, size_t i)
{
	return p->node[p->witness_node[i]].name;
}

/* --- evaluation ---------------------------------------------------------------------------- */

int
us_tlog_policy_met(const struct us_tlog_policy *p, const uint8_t by[US_COSIGNERS_MAX])
{
	size_t members[NODES_MAX] = { 0 };

	if (p->quorum == NO_NODE)
		return 1;
	/* members stand before their groups */
	for (size_t i = 0; i <= p->quorum; i++) {
		const struct us_log_node *node = &p->node[i];
		int met = node->witness != NO_NODE ? by[node->witness] != 0 :
						     members[i] >= node->threshold;

		if (i == p->quorum)
			return met;
		if (met && node->parent != NO_NODE)
			members[node->parent]++;
	}
	return 0;
}

/* The latest time at or after which a quorum cosigned. */
static uint64_t
as_of(const struct us_tlog_policy *p, const struct us_cosigned *who)
{
	uint64_t latest = 0;

	for (size_t i = 0; p->quorum != NO_NODE && i < p->n_witnesses; i++) {
		uint8_t since[US_COSIGNERS_MAX] = { 0 };

		if (!who->by[i] || who->time_s[i] <= latest)
			continue;
		for (size_t j = 0; j < p->n_witnesses; j++)
			since[j] = who->by[j] && who->time_s[j] >= who->time_s[i];
		if (us_tlog_policy_met(p, since))
			latest = who->time_s[i];
	}
	return latest;
}

/* With one log. */
static int
check_log(const struct us_tlog_policy *p, const struct us_note_key *log, struct us_bytes note,
    struct us_tlog_verdict *out)
{
	struct us_note_key keys[1 + US_COSIGNERS_MAX];
	struct us_tlog_verdict v;
	struct us_note opened;
	int err;

	keys[0] = *log;
	memcpy(keys + 1, p->witness, p->n_witnesses * sizeof keys[0]);
	memset(&v, 0, sizeof v);
	err = us_checkpoint_open(&v.checkpoint, &opened, note.p, note.n, keys, 1 + p->n_witnesses);
	if (err != US_OK)
		return err;
	for (size_t i = 0; i < opened.n_sigs; i++) {
		if (opened.sigs[i].key == 0)
			continue;
		v.who.by[opened.sigs[i].key - 1] = 1;
		v.who.time_s[opened.sigs[i].key - 1] = opened.sigs[i].timestamp;
		v.who.n++;
	}
	v.as_of_s = as_of(p, &v.who);
	*out = v;
	return us_tlog_policy_met(p, v.who.by) ? US_OK : US_ERR_INCOMPLETE;
}

/* Not this log's: another one may have signed. */
static int
is_anothers(int err)
{
	return err == US_ERR_NOT_FOUND || err == US_ERR_VERIFY;
}

int
us_tlog_policy_check(const struct us_tlog_policy *p, const struct us_note_key *log,
    struct us_bytes note, struct us_tlog_verdict *out)
{
	int err = US_ERR_NOT_FOUND;

	if (p->n_logs == 0)
		return log == NULL ? US_ERR_ARG : check_log(p, log, note, out);
	for (size_t i = 0; i < p->n_logs && is_anothers(err); i++) {
		if (log != NULL &&
		    (memcmp(log->pub, p->log[i].pub, sizeof log->pub) != 0 ||
			strcmp(log->name, p->log[i].name) != 0))
			continue;
		err = check_log(p, &p->log[i], note, out);
	}
	return is_anothers(err) ? US_ERR_NOT_FOUND : err;
}
