/*
 * underseal-verify: checks an exported log, offline and alone. It trusts nothing but the key that
 * its user names; without one it can only say that the log agrees with itself.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "verify/program/input.h"
#include "verify/receipt.h"
#include "verify/show.h"
#include "verify/verify.h"

#define EXIT_OTHER 1
#define EXIT_USAGE 2
#define VKEY_FILE_MAX 1024
#define TSA_MAX 16

static const char usage[] =
    "usage: underseal-verify DIR [--vkey FILE] [--policy FILE] [--tsa FILE]...\n"
    "           [--tsa-needed K] [--threads N] [--foreign] [--json]\n"
    "       underseal-verify --receipt FILE --vkey FILE [--policy FILE] [--entry FILE] [--json]\n"
    "       underseal-verify --help | --version\n";

static const char help[] =
    "\n"
    "Verifies an exported audit log offline: the checkpoint's signature, every entry against\n"
    "the Merkle tree, the tree against the checkpoint, the order of indexes and times, the\n"
    "keys in keys.jsonl against the entries they open, and, as far as boxes are open, the\n"
    "rules between entries: nothing disclosed without a session or by a sealed vault, acts\n"
    "numbered without a gap, no version of the order that was not announced, no part of a\n"
    "request missing, no approval used twice.\n"
    "\n"
    "  --vkey FILE  the log's public key, from a source that you trust; \"-\" is standard\n"
    "               input. Without it DIR/log.vkey is taken, which proves only that the log\n"
    "               agrees with itself.\n"
    "  --policy FILE  which witnesses are enough (C2SP tlog-policy). The checkpoint, or an\n"
    "               earlier one that lies beside it as checkpoint.witnessed, must have their\n"
    "               cosignatures; the policy must be one for this log.\n"
    "  --tsa FILE   certificates of an authority whose timestamps (RFC 3161, in the folder\n"
    "               timestamps of the export) count; once for each authority\n"
    "  --tsa-needed K  how many of them must have stamped a part of the log; default: 1\n"
    "  --receipt FILE  verify a receipt (C2SP tlog-proof) instead of an export: that one entry\n"
    "               is in the log. The entry is in the receipt, as this software writes them,\n"
    "               or in the file that --entry names.\n"
    "  --threads N  how many at once; default: as many as there are processors\n"
    "  --foreign    entries are another program's: only hashes and the tree are checked\n"
    "  --json       print one JSON document\n"
    "\n"
    "Verdicts and exit status:\n"
    "  OK 0            everything agrees\n"
    "  TAMPERED 5      something was changed; the first bad index is named where there is one\n"
    "  INCOMPLETE 6    files are missing or cut short\n"
    "  UNVERIFIABLE 6  nothing can be said: no checkpoint, no key, not witnesses\n"
    "                  enough, or the disk failed\n"
    "  2 usage, 1 anything else\n"
    "\n"
    "Examples: underseal-verify export --vkey log.vkey --policy witnesses.policy\n"
    "          underseal-verify --receipt read.receipt --vkey log.vkey\n";

struct us_program_options {
	const char *dir;
	const char *vkey_file;
	const char *policy_file;
	const char *tsa_file[TSA_MAX];
	size_t n_tsa;
	unsigned tsa_needed;
	const char *receipt_file;
	const char *entry_file;
	unsigned threads;
	int foreign;
	int json;
};

static void
progress(void *arg, uint64_t done, uint64_t size)
{
	uint64_t *shown = arg;

	if (done - *shown < 100000 && done != size)
		return;
	if (*shown != 0 || done != size)
		fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " entries%s", done, size,
		    done == size ? "\n" : "");
	*shown = done;
}

/* 0 if it is no such number. */
static unsigned
parse_count(const char *text, unsigned max)
{
	uint64_t n = 0;

	(void)us_number_digits(text, strlen(text), max, &n);
	return (unsigned)n;
}

/* Whether the options and how many operands there are make sense; else it has been said. */
static int
go_together(const struct us_program_options *o, int operands)
{
	if (operands != (o->receipt_file == NULL) ||
	    (o->entry_file != NULL && o->receipt_file == NULL)) {
		fputs(usage, stderr);
		return 0;
	}
	if (o->tsa_needed > o->n_tsa) {
		fputs("--tsa-needed is more than there are --tsa\n", stderr);
		return 0;
	}
	if (o->receipt_file != NULL && o->vkey_file == NULL && o->policy_file == NULL) {
		fputs("a receipt is verified with the log's key: --vkey FILE, or a policy that "
		      "names it\n",
		    stderr);
		return 0;
	}
	return 1;
}

/* 0 to go on, else the exit status plus one. */
static int
parse_options(struct us_program_options *o, int argc, char **argv)
{
	static const struct option longs[] = { { "vkey", required_argument, NULL, 'k' },
		{ "policy", required_argument, NULL, 'p' }, { "tsa", required_argument, NULL, 'a' },
		{ "tsa-needed", required_argument, NULL, 'n' },
		{ "receipt", required_argument, NULL, 'r' },
		{ "entry", required_argument, NULL, 'e' },
		{ "threads", required_argument, NULL, 't' }, { "foreign", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'k':
			o->vkey_file = optarg;
			break;
		case 'p':
			o->policy_file = optarg;
			break;
		case 'a':
			if (o->n_tsa == TSA_MAX) {
				fprintf(stderr, "at most %d authorities\n", TSA_MAX);
				return EXIT_USAGE + 1;
			}
			o->tsa_file[o->n_tsa++] = optarg;
			break;
		case 'n':
			o->tsa_needed = parse_count(optarg, TSA_MAX);
			if (o->tsa_needed == 0) {
				fputs("--tsa-needed takes a number from 1 on\n", stderr);
				return EXIT_USAGE + 1;
			}
			break;
		case 'r':
			o->receipt_file = optarg;
			break;
		case 'e':
			o->entry_file = optarg;
			break;
		case 't':
			o->threads = parse_count(optarg, US_VERIFY_THREADS_MAX);
			if (o->threads == 0) {
				fprintf(stderr, "--threads takes a number from 1 to %d\n",
				    US_VERIFY_THREADS_MAX);
				return EXIT_USAGE + 1;
			}
			break;
		case 'f':
			o->foreign = 1;
			break;
		case 'j':
			o->json = 1;
			break;
		case 'h':
			printf("%s%s", usage, help);
			return 1;
		case 'V':
			printf("underseal-verify %s\n", US_VERSION);
			return 1;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE + 1;
		}
	}
	if (!go_together(o, argc - optind))
		return EXIT_USAGE + 1;
	o->dir = argv[optind];
	return 0;
}

/* Reads what the options name. Not 0: usage. */
static int
read_input(const struct us_program_options *o, struct us_verify_options *verify,
    struct us_buf *vkey, struct us_tlog_policy **policy, struct us_authority *authorities[TSA_MAX])
{
	if (o->vkey_file != NULL) {
		if (us_program_input_vkey(o->vkey_file, vkey) != US_OK)
			return EXIT_USAGE;
		verify->vkey = us_buf_cstr(vkey);
	} else if (o->policy_file == NULL) {
		fputs("note: no --vkey was given. The log is checked with the key that lies in "
		      "it:\n"
		      "this shows that it agrees with itself, not whose log it is.\n",
		    stderr);
	}
	if (o->policy_file != NULL && us_program_input_policy(o->policy_file, policy) != US_OK)
		return EXIT_USAGE;
	verify->policy = *policy;
	for (; verify->n_authorities < o->n_tsa; verify->n_authorities++)
		if (us_program_input_authority(o->tsa_file[verify->n_authorities],
			&authorities[verify->n_authorities]) != US_OK)
			return EXIT_USAGE;
	verify->authorities = authorities;
	verify->stamps_needed = o->tsa_needed;
	return 0;
}

static int
verify_receipt(const struct us_program_options *o, const struct us_verify_options *verify,
    struct us_verify_report *report)
{
	struct us_buf receipt, entry;
	int err;

	us_buf_init(&receipt, US_RECEIPT_MAX);
	us_buf_init(&entry, US_ENTRY_MAX);
	err = us_program_input_read(o->receipt_file, "the receipt", &receipt);
	if (err == US_OK && o->entry_file != NULL)
		err = us_program_input_read(o->entry_file, "the entry", &entry);
	if (err == US_OK)
		err = us_entry_receipt_verify(report,
		    (struct us_bytes){ receipt.data, receipt.len },
		    (struct us_bytes){ o->entry_file == NULL ? NULL : entry.data, entry.len },
		    verify);
	us_buf_free(&receipt);
	us_buf_free(&entry);
	return err;
}

int
main(int argc, char **argv)
{
	struct us_verify_options verify = { 0 };
	struct us_verify_report report;
	struct us_program_options o = { .threads = us_verify_processors() };
	struct us_authority *authorities[TSA_MAX];
	struct us_tlog_policy *policy = NULL;
	struct us_buf vkey;
	uint64_t shown = 0;
	int err, status = parse_options(&o, argc, argv);

	if (status != 0)
		return status - 1;
	us_log_init("underseal-verify", US_LOG_INFO);
	us_buf_init(&vkey, VKEY_FILE_MAX);
	status = read_input(&o, &verify, &vkey, &policy, authorities);
	if (isatty(STDERR_FILENO)) {
		verify.on_progress = progress;
		verify.arg = &shown;
	}
	verify.threads = o.threads;
	verify.foreign = o.foreign;
	if (status == 0) {
		err = o.receipt_file != NULL ? verify_receipt(&o, &verify, &report) :
					       us_export_verify(&report, o.dir, &verify);
		if (err == US_OK)
			err = o.json ? us_verdict_json(stdout, &report, policy) :
				       us_verdict_text(stdout, &report, policy);
		if (err != US_OK)
			us_log_err(err, "verification could not be finished");
		status = err == US_OK ? us_verdict_exit(report.verdict) : EXIT_OTHER;
	}
	while (verify.n_authorities > 0)
		us_authority_free(authorities[--verify.n_authorities]);
	us_tlog_policy_free(policy);
	us_buf_free(&vkey);
	return status;
}
