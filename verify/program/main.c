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

#include "common/base64.h"
#include "common/err.h"
#include "common/json_out.h"
#include "common/log.h"
#include "common/timefmt.h"
#include "verify/verify.h"

#define EXIT_OTHER 1
#define EXIT_USAGE 2
#define VKEY_FILE_MAX 1024

static const char usage[] =
    "usage: underseal-verify DIR [--vkey FILE] [--threads N] [--foreign] [--json]\n"
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
    "  --threads N  how many at once; default: as many as there are processors\n"
    "  --foreign    entries are another program's: only hashes and the tree are checked\n"
    "  --json       print one JSON document\n"
    "\n"
    "Verdicts and exit status:\n"
    "  OK 0            everything agrees\n"
    "  TAMPERED 5      something was changed; the first bad index is named where there is one\n"
    "  INCOMPLETE 6    files are missing or cut short\n"
    "  UNVERIFIABLE 6  nothing can be said: no checkpoint, no key, or the disk failed\n"
    "  2 usage, 1 anything else\n"
    "\n"
    "Example: underseal-verify export --vkey log.vkey\n";

struct options {
	const char *dir;
	const char *vkey_file;
	unsigned threads;
	int foreign;
	int json;
};

static int
read_vkey(const char *path, char *out, size_t cap)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	size_t n;

	if (f == NULL)
		return US_ERR_IO;
	n = fread(out, 1, cap - 1, f);
	if (f != stdin)
		(void)fclose(f);
	out[n] = '\0';
	return n > 0 && n < cap - 1 ? US_OK : US_ERR_FORMAT;
}

static void
put_json(struct us_json *j, const struct us_verify_report *r)
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
	if (r->checkpoint.origin[0] != '\0') {
		us_json_kv_cstr(j, "origin", r->checkpoint.origin);
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
	if (r->entries > 0 && r->last_ns > 0) {
		us_json_kv_time(j, "first", r->first_ns);
		us_json_kv_time(j, "last", r->last_ns);
	}
	us_json_close(j);
}

static int
print_json(const struct us_verify_report *r)
{
	struct us_buf out;
	struct us_json j;
	int err;

	us_buf_init(&out, 65536);
	us_json_begin(&j, &out);
	put_json(&j, r);
	err = us_json_end(&j);
	if (err == US_OK && (fwrite(out.data, 1, out.len, stdout) != out.len ||
	    putchar('\n') == EOF || fflush(stdout) != 0))
		err = US_ERR_IO;
	us_buf_free(&out);
	return err;
}

static int
print_text(const struct us_verify_report *r)
{
	char origin[4 * US_NOTE_NAME_MAX + 1], root[US_BASE64_SIZE(US_HASH_LEN) + 1];
	char detail[2 * sizeof(r->detail)];
	char first[US_TIME_TEXT_SIZE], last[US_TIME_TEXT_SIZE];

	if (r->verdict == US_VERDICT_TAMPERED && r->index != US_ENTRY_NONE)
		printf("TAMPERED at index %" PRIu64 "\n", r->index);
	else if (r->verdict == US_VERDICT_INCOMPLETE && r->index != US_ENTRY_NONE)
		printf("INCOMPLETE at index %" PRIu64 "\n", r->index);
	else
		printf("%s\n", us_verdict_name(r->verdict));
	printf("  %s\n", us_printable(detail, sizeof(detail), r->detail, strlen(r->detail)));
	if (r->checkpoint.origin[0] != '\0') {
		us_base64_encode(r->checkpoint.root.b, US_HASH_LEN, root);
		printf("  log     %s\n", us_printable(origin, sizeof(origin),
		    r->checkpoint.origin, strlen(r->checkpoint.origin)));
		printf("  size    %" PRIu64 "\n  root    %s\n", r->checkpoint.size, root);
	}
	if (r->entries > 0 && r->last_ns > 0)
		printf("  from    %s\n  to      %s\n", us_time_format(r->first_ns, first),
		    us_time_format(r->last_ns, last));
	if (r->acts > 0)
		printf("  acts    %" PRIu64 ", each the one that its entry commits to\n", r->acts);
	if (r->opened[0] + r->opened[1] + r->opened[2] > 0)
		printf("  opened  %" PRIu64 " access, %" PRIu64 " disclosure, %" PRIu64 " query\n",
		    r->opened[US_BOX_ACCESS], r->opened[US_BOX_DISCLOSURE],
		    r->opened[US_BOX_QUERY]);
	if (r->withheld > 0)
		printf("  withheld: the access boxes of %" PRIu64 " entries. Rules between entries were not\n"
		    "  applied to those, nor where those could bear on others.\n", r->withheld);
	return fflush(stdout) == 0 ? US_OK : US_ERR_IO;
}

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
parse_threads(const char *text)
{
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && n <= US_VERIFY_THREADS_MAX ? (unsigned)n : 0;
}

/* 0 to go on, else the exit status plus one. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "vkey", required_argument, NULL, 'k' },
		{ "threads", required_argument, NULL, 't' },
		{ "foreign", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'k':
			o->vkey_file = optarg;
			break;
		case 't':
			o->threads = parse_threads(optarg);
			if (o->threads == 0) {
				fprintf(stderr, "--threads takes a number from 1 to %d\n", US_VERIFY_THREADS_MAX);
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
	if (argc - optind != 1) {
		fputs(usage, stderr);
		return EXIT_USAGE + 1;
	}
	o->dir = argv[optind];
	return 0;
}

int
main(int argc, char **argv)
{
	struct us_verify_options verify = { 0 };
	struct us_verify_report report;
	struct options o = { .threads = us_verify_processors() };
	char vkey[VKEY_FILE_MAX];
	uint64_t shown = 0;
	int err, status = parse_options(&o, argc, argv);

	if (status != 0)
		return status - 1;
	us_log_init("underseal-verify", US_LOG_INFO);
	if (o.vkey_file != NULL) {
		err = read_vkey(o.vkey_file, vkey, sizeof(vkey));
		if (err != US_OK) {
			us_log_err(err, "the key file cannot be read");
			return EXIT_USAGE;
		}
		verify.vkey = vkey;
	} else {
		fputs("note: no --vkey was given. The log is checked with the key that lies in it:\n"
		    "this shows that it agrees with itself, not whose log it is.\n", stderr);
	}
	if (isatty(STDERR_FILENO)) {
		verify.on_progress = progress;
		verify.arg = &shown;
	}
	verify.threads = o.threads;
	verify.foreign = o.foreign;
	err = us_export_verify(&report, o.dir, &verify);
	if (err == US_OK)
		err = o.json ? print_json(&report) : print_text(&report);
	if (err != US_OK) {
		us_log_err(err, "verification could not be finished");
		return EXIT_OTHER;
	}
	return us_verdict_exit(report.verdict);
}
