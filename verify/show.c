#include "verify/show.h"

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/log.h"
#include "base/time.h"

#define JSON_MAX 262144

/* A witness may have signed any number: "invalid" if it is none that a clock shows. */
static const char *
time_text(uint64_t seconds, char out[US_TIME_TEXT_SIZE])
{
	return us_time_format_s(seconds > INT64_MAX / US_NS_PER_SECOND ?
		INT64_MIN :
		(int64_t)seconds * US_NS_PER_SECOND,
	    out);
}

/* --- text ---------------------------------------------------------------------------------- */

static void
put_names(FILE *to, const char *what, const struct us_verify_witnessed *w,
    const struct us_tlog_policy *policy, int by)
{
	char name[4 * US_TLOG_NAME_MAX + 1];
	const char *text;
	size_t n;

	(void)us_tlog_policy_witnesses(policy, &n);
	for (size_t i = 0; i < n; i++) {
		if ((w->by[i] != 0) != by)
			continue;
		text = us_tlog_policy_witness_name(policy, i);
		fprintf(to, "%s%s", what, us_printable(name, sizeof name, text, strlen(text)));
		what = ", ";
	}
	if (strcmp(what, ", ") == 0)
		fputs("\n", to);
}

static void
put_witnessed(FILE *to, const struct us_verify_report *r, const struct us_tlog_policy *policy)
{
	const struct us_verify_witnessed *w = &r->witnessed;
	char as_of[US_TIME_TEXT_SIZE];

	if (!w->judged) {
		if (r->verdict == US_VERDICT_OK)
			fputs("  witnesses: not judged, for no policy was given\n", to);
		return;
	}
	if (w->met && w->size == 0 && r->checkpoint.size > 0)
		fputs("  witnessed: nothing yet\n", to);
	else if (w->met && w->as_of_s == 0)
		fputs("  witnesses: the policy wants none\n", to);
	else if (w->met && w->size > 0)
		fprintf(to,
		    "  witnessed as the policy wants up to entry %" PRIu64 ", on %s or later\n",
		    w->size - 1, time_text(w->as_of_s, as_of));
	if (w->met && w->size < r->checkpoint.size)
		fprintf(to, "  not witnessed yet: the %" PRIu64 " entries behind it\n",
		    r->checkpoint.size - w->size);
	put_names(to, "  cosigned by  ", w, policy, 1);
	put_names(to, "  missing      ", w, policy, 0);
}

static void
put_stamps(FILE *to, const struct us_verify_report *r)
{
	char name[256], time[US_TIME_TEXT_SIZE];

	if (!r->stamped.judged && r->n_stamps > 0 && r->verdict == US_VERDICT_OK)
		fprintf(to,
		    "  timestamps: %zu are here, and not judged, for no authority was given\n",
		    r->n_stamps);
	if (!r->stamped.judged)
		return;
	for (const struct us_verify_stamp *s = r->stamps; s < r->stamps + r->n_stamps; s++) {
		const char *who = s->authority == NULL ? "an authority that was not given" :
							 s->authority;

		fprintf(to, "  timestamp %s: %" PRIu64 " entries were there on %s, says %s%s\n",
		    s->name, s->size, us_time_format_s(s->time_s * US_NS_PER_SECOND, time),
		    us_printable(name, sizeof name, who, strlen(who)),
		    s->lost ? " (the last of them were lost when the log was handed over)" : "");
	}
	if (r->stamped.size > 0)
		fprintf(to, "  stamped by %u of the authorities up to entry %" PRIu64 "\n",
		    r->stamped.needed, r->stamped.size - 1);
	if (r->stamped.size > 0 && r->stamped.size < r->checkpoint.size)
		fprintf(to, "  not stamped yet: the %" PRIu64 " entries behind it\n",
		    r->checkpoint.size - r->stamped.size);
}

static void
put_handovers(FILE *to, const struct us_verify_report *r)
{
	char time[US_TIME_TEXT_SIZE];

	for (size_t i = 0; i < r->n_handovers; i++) {
		const struct us_verify_handover *h = &r->handovers[i];

		fprintf(to, "  handed over to another key at entry %" PRIu64 ", on %s (%s)",
		    h->entry, us_time_format_s(h->time_ns, time),
		    us_handover_reason_name(h->reason));
		if (h->last > h->entry)
			fprintf(to, ": entries %" PRIu64 " to %" PRIu64 " of before are LOST",
			    h->entry, h->last - 1);
		fputs("\n", to);
	}
}

int
us_verdict_text(FILE *to, const struct us_verify_report *r, const struct us_tlog_policy *policy)
{
	char origin[4 * US_NOTE_NAME_MAX + 1], root[US_BASE64_SIZE(US_HASH_LEN) + 1];
	char detail[2 * sizeof r->detail];
	char first[US_TIME_TEXT_SIZE], last[US_TIME_TEXT_SIZE];

	fprintf(to, "%s", us_verdict_name(r->verdict));
	if (r->verdict != US_VERDICT_OK && r->index != US_ENTRY_NONE)
		fprintf(to, " at index %" PRIu64, r->index);
	fprintf(to, "\n  %s\n", us_printable(detail, sizeof detail, r->detail, strlen(r->detail)));
	if (r->checkpoint.origin[0] != '\0') {
		us_base64_encode(r->checkpoint.root.b, US_HASH_LEN, root);
		fprintf(to, "  log     %s\n",
		    us_printable(origin, sizeof origin, r->checkpoint.origin,
			strlen(r->checkpoint.origin)));
		fprintf(to, "  size    %" PRIu64 "\n  root    %s\n", r->checkpoint.size, root);
	}
	if (r->own_vkey)
		fputs("  key     the log's own: this shows that the log agrees with itself, not "
		      "whose log it is\n",
		    to);
	if (r->receipt)
		fprintf(to, "  entry   %" PRIu64 "\n", r->receipt_index);
	if (r->receipt && r->last_ns > 0)
		fprintf(to, "  time    %s\n", us_time_format(r->first_ns, first));
	else if (r->entries > 0 && r->last_ns > 0)
		fprintf(to, "  from    %s\n  to      %s\n", us_time_format(r->first_ns, first),
		    us_time_format(r->last_ns, last));
	if (r->acts > 0)
		fprintf(to, "  acts    %" PRIu64 ", each the one that its entry commits to\n",
		    r->acts);
	if (r->opened[0] + r->opened[1] + r->opened[2] > 0)
		fprintf(to,
		    "  opened  %" PRIu64 " access, %" PRIu64 " disclosure, %" PRIu64 " query\n",
		    r->opened[US_BOX_ACCESS], r->opened[US_BOX_DISCLOSURE],
		    r->opened[US_BOX_QUERY]);
	if (r->withheld > 0)
		fprintf(to,
		    "  withheld: the access boxes of %" PRIu64
		    " entries. Rules between entries were not\n"
		    "  applied to those, nor where those could bear on others.\n",
		    r->withheld);
	put_handovers(to, r);
	put_witnessed(to, r, policy);
	put_stamps(to, r);
	return fflush(to) == 0 ? US_OK : US_ERR_IO;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void
add_names(struct us_json *j, const char *key, const struct us_verify_witnessed *w,
    const struct us_tlog_policy *policy, int by)
{
	char name[4 * US_TLOG_NAME_MAX + 1];
	const char *text;
	size_t n;

	(void)us_tlog_policy_witnesses(policy, &n);
	us_json_key(j, key);
	us_json_array(j);
	for (size_t i = 0; i < n; i++) {
		text = us_tlog_policy_witness_name(policy, i);
		if ((w->by[i] != 0) == by)
			us_json_cstr(j, us_printable(name, sizeof name, text, strlen(text)));
	}
	us_json_close(j);
}

static void
add_witnessed(struct us_json *j, const struct us_verify_witnessed *w,
    const struct us_tlog_policy *policy)
{
	char as_of[US_TIME_TEXT_SIZE];

	us_json_key(j, "witnessed");
	if (!w->judged) {
		us_json_null(j);
		return;
	}
	us_json_object(j);
	us_json_kv_bool(j, "met", w->met);
	us_json_kv_uint(j, "size", w->size);
	us_json_kv_cstr(j, "as_of", w->as_of_s == 0 ? NULL : time_text(w->as_of_s, as_of));
	add_names(j, "by", w, policy, 1);
	add_names(j, "missing", w, policy, 0);
	us_json_close(j);
}

static void
add_stamps(struct us_json *j, const struct us_verify_report *r)
{
	char name[256];

	us_json_key(j, "stamped");
	if (!r->stamped.judged) {
		us_json_null(j);
		return;
	}
	us_json_object(j);
	us_json_kv_uint(j, "needed", r->stamped.needed);
	us_json_kv_uint(j, "size", r->stamped.size);
	us_json_key(j, "timestamps");
	us_json_array(j);
	for (const struct us_verify_stamp *s = r->stamps; s < r->stamps + r->n_stamps; s++) {
		us_json_object(j);
		us_json_kv_cstr(j, "name", s->name);
		us_json_kv_uint(j, "size", s->size);
		us_json_kv_time(j, "time", s->time_s * US_NS_PER_SECOND);
		us_json_kv_bool(j, "lost", s->lost);
		us_json_kv_cstr(j, "authority",
		    s->authority == NULL ?
			NULL :
			us_printable(name, sizeof name, s->authority, strlen(s->authority)));
		us_json_close(j);
	}
	us_json_close(j);
	us_json_close(j);
}

static void
add_handovers(struct us_json *j, const struct us_verify_report *r)
{
	us_json_key(j, "handovers");
	us_json_array(j);
	for (size_t i = 0; i < r->n_handovers; i++) {
		us_json_object(j);
		us_json_kv_uint(j, "entry", r->handovers[i].entry);
		us_json_kv_cstr(j, "reason", us_handover_reason_name(r->handovers[i].reason));
		us_json_kv_time(j, "time", r->handovers[i].time_ns);
		us_json_kv_uint(j, "lost", r->handovers[i].last - r->handovers[i].entry);
		us_json_close(j);
	}
	us_json_close(j);
}

static void
add_report(struct us_json *j, const struct us_verify_report *r, const struct us_tlog_policy *policy)
{
	us_json_object(j);
	us_json_kv_cstr(j, "verdict", us_verdict_name(r->verdict));
	us_json_key(j, "index");
	if (r->index == US_ENTRY_NONE)
		us_json_null(j);
	else
		us_json_uint(j, r->index);
	us_json_kv_cstr(j, "rule", r->rule);
	us_json_kv_cstr(j, "detail", r->detail);
	us_json_kv_cstr(j, "key", r->own_vkey ? "own" : "given");
	us_json_kv_bool(j, "own_vkey", r->own_vkey);
	us_json_kv_cstr(j, "origin", r->checkpoint.origin);
	if (r->checkpoint.origin[0] != '\0') {
		us_json_kv_uint(j, "size", r->checkpoint.size);
		us_json_key(j, "root");
		us_json_base64(j, r->checkpoint.root.b, US_HASH_LEN);
	}
	us_json_kv_uint(j, "entries", r->entries);
	us_json_kv_uint(j, "withheld", r->withheld);
	us_json_key(j, "opened");
	us_json_object(j);
	us_json_kv_uint(j, "access", r->opened[US_BOX_ACCESS]);
	us_json_kv_uint(j, "disclosure", r->opened[US_BOX_DISCLOSURE]);
	us_json_kv_uint(j, "query", r->opened[US_BOX_QUERY]);
	us_json_close(j);
	us_json_kv_uint(j, "acts", r->acts);
	add_handovers(j, r);
	if (r->entries > 0 && r->last_ns > 0) {
		us_json_kv_time(j, "first", r->first_ns);
		us_json_kv_time(j, "last", r->last_ns);
	}
	if (r->receipt)
		us_json_kv_uint(j, "entry", r->receipt_index);
	add_witnessed(j, &r->witnessed, policy);
	add_stamps(j, r);
	us_json_close(j);
}

int
us_verdict_json(FILE *to, const struct us_verify_report *r, const struct us_tlog_policy *policy)
{
	struct us_buf out;
	struct us_json j;
	int err;

	us_buf_init(&out, JSON_MAX);
	us_json_begin(&j, &out);
	add_report(&j, r, policy);
	err = us_json_end(&j);
	if (err == US_OK &&
	    (fwrite(out.data, 1, out.len, to) != out.len || fputc('\n', to) == EOF ||
		fflush(to) != 0))
		err = US_ERR_IO;
	us_buf_free(&out);
	return err;
}
