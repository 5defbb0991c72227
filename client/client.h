/*
 * What every command of the client shares: options, the profile, requests in a signed session, and
 * how results and refusals are shown. One command, one process, one thread.
 */
#ifndef US_CLIENT_CLIENT_H
#define US_CLIENT_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "crypto/cert.h"
#include "registry/act.h"

/* Exit status that scripts rely on. */
enum us_exit {
	US_EXIT_DONE = 0,
	US_EXIT_OTHER = 1,
	US_EXIT_USAGE = 2,
	US_EXIT_REFUSED = 3,
	US_EXIT_VAULT_SEALED = 4,
	US_EXIT_UNVERIFIED = 5,
	US_EXIT_INCOMPLETE = 6,
	US_EXIT_PENDING = 7,
};

#define US_REPLY_MAX (256u * 1024u * 1024u) /* of a reply that is gathered in memory */

/* ---- options ---- */

/* One option of a command. argument NULL: a flag. */
struct us_option {
	const char *name;     /* without "--" */
	const char *argument; /* as shown in the synopsis, or NULL */
	const char *help;
};

#define US_OPTIONS_MAX 24
#define US_VALUES_MAX 64

/* A command line after parsing: options by position in the command's table, repeated ones keep
 * every value; operands in order. */
struct us_args {
	const struct us_option *table;
	size_t n_options;
	const char *value[US_OPTIONS_MAX][US_VALUES_MAX]; /* a flag's value is "" */
	size_t n_values[US_OPTIONS_MAX];
	char **operand;
	size_t n_operands;
};

/* First value, or NULL. name must be in the command's table. */
const char *us_arg(const struct us_args *args, const char *name);
int us_flag(const struct us_args *args, const char *name);
/* The i-th value of a repeated option, NULL behind the last. */
const char *us_arg_nth(const struct us_args *args, const char *name, size_t i);
/* The number an option holds, or fallback; a usage error ends the program if it is not within
 * min..max. */
int64_t us_arg_number(const struct us_args *args, const char *name, int64_t fallback, int64_t min,
    int64_t max);

/* ---- commands ---- */

struct us_client;

struct us_command {
	const char *name;     /* "person add" */
	const char *synopsis; /* behind the name: "NAME --party P..." */
	const char *summary;  /* one line */
	const char *example;  /* one line, a whole command */
	const struct us_option *options;
	size_t n_options;
	size_t min_operands, max_operands;
	int (*run)(struct us_client *client, const struct us_args *args); /* returns enum us_exit */
};

/* Each file of commands has one of these tables, ended by a name of NULL; overview.c lists them. */
extern const struct us_command us_commands_vault[];  /* status, unseal, seal, share */
extern const struct us_command us_commands_people[]; /* person, credential */
extern const struct us_command us_commands_docket[];
extern const struct us_command us_commands_collection[]; /* collection, batch */
extern const struct us_command us_commands_load[];
extern const struct us_command us_commands_search[];
extern const struct us_command us_commands_read[];
extern const struct us_command us_commands_copy[];
/* order check, test, list, show, diff, suspend; matter */
extern const struct us_command us_commands_order[];
extern const struct us_command us_commands_order_propose[]; /* order propose, sign, withdraw */
extern const struct us_command us_commands_order_ask[];     /* order explain, who */
/* acknowledge, order acknowledgements */
extern const struct us_command us_commands_acknowledge[];
/* clearance, challenge, relabel, clawback */
extern const struct us_command us_commands_withhold[];
extern const struct us_command us_commands_freeze[]; /* freeze, unfreeze */
extern const struct us_command us_commands_approval[];
extern const struct us_command us_commands_document[];
extern const struct us_command us_commands_audit[]; /* audit list, report, checkpoint */
extern const struct us_command us_commands_audit_export[];
extern const struct us_command us_commands_audit_verify[]; /* audit verify */
extern const struct us_command us_commands_certify[];
extern const struct us_command us_commands_disclose[];
extern const struct us_command us_commands_timestamp[];

/* ---- the profile ---- */

/*
 * A directory that nobody else can read (0700), with
 *   profile.conf     server=HOST:PORT, vault=HEX (the vault id), vkey=LOG KEY, person=NAME,
 *                    purpose=TEXT
 *   key.pem          PKCS#8, encrypted by default
 *   certificate.pem  the person's certificate,   ca.pem  the vault's CA
 *   checkpoint       the last checkpoint of this vault's log that was verified
 *   handovers        how the log was handed over to the key that stands in profile.conf
 *                    (client/succession.h)
 *   checkpoint.N     the last one by the log's N-th key, which is no longer its
 *   batches          manifest roots that were verified against the log (client/proofs.h)
 */
struct us_profile {
	char *directory;
	char *server;
	char *person;
	char *purpose; /* or NULL */
	char *vkey;
	uint8_t vault_id[32];
	uint8_t credential[32];    /* fingerprint of certificate */
	struct us_buf certificate; /* DER */
	struct us_buf ca;          /* DER */
	struct us_pkey *key;
};

/* Opens the profile named by --profile or UNDERSEAL_PROFILE; asks for the passphrase if the key has
 * one (or takes it from the file that UNDERSEAL_PASSPHRASE_FILE names). Ends the program with a
 * message if it can't. */
void us_profile_open(struct us_profile *profile, const char *directory);
/* The same without the private key: for commands that stay offline. */
void us_profile_open_public(struct us_profile *profile, const char *directory);
void us_profile_close(struct us_profile *profile);
/* Writes a file of the profile: temporary file, sync, rename; mode 0600. US_ERR_IO. */
int us_profile_write(const char *directory, const char *name, const void *p, size_t n);
/* Replaces the line "vkey=" of profile.conf, and profile->vkey. US_ERR_FORMAT (there is none),
 * US_ERR_IO, US_ERR_NOMEM. */
int us_profile_set_vkey(struct us_profile *profile, const char *vkey);
/* Reads a file of at most max bytes (out is reset first). US_ERR_NOT_FOUND, US_ERR_LIMIT,
 * US_ERR_IO. */
int us_profile_read(const char *directory, const char *name, size_t max, struct us_buf *out);
/* Reads a whole file, "-" for standard input. The same errors. */
int us_file_read(const char *path, size_t max, struct us_buf *out);

/* ---- the client ---- */

struct us_client {
	const char *profile_directory;
	int json;
	int has_profile;
	struct us_profile profile; /* opened by the first us_client_profile() */
	struct us_http *http;
	int told_waiting; /* what waits in the docket has been said */
};

/* The profile, opened on first use. */
struct us_profile *us_client_profile(struct us_client *client);
/* --purpose, else the profile's default, else NULL. */
const char *us_client_purpose(struct us_client *client, const struct us_args *args);

/* ---- requests ---- */

struct us_client_request {
	const char *method;         /* "GET" */
	const char *path;           /* "/v1/status" with its query, percent-encoded */
	struct us_bytes body;       /* empty: none */
	const char *content_type;   /* NULL: application/json */
	const char *const *headers; /* further ones, NULL-terminated; or NULL */
	/* If set, a body of a 2xx reply goes here as it comes instead of into reply->body. An error
	 * ends the transfer and is returned by us_client_request. */
	int (*sink)(void *ctx, const uint8_t *p, size_t n);
	void *ctx;
	/* If set, asked about once a second while waiting: not 0 gives the request up
	 * (US_ERR_CLOSED). */
	int (*give_up)(void *ctx);
	int no_session; /* the request needs none: do not open one on 401 */
};

struct us_reply {
	long status;
	int64_t entry;      /* log index, -1 if none */
	int retry_after;    /* seconds that the vault wants to be left alone, 0 if it did not say */
	struct us_buf body; /* 2xx without sink, and all else */
};

void us_reply_init(struct us_reply *reply);
void us_reply_free(struct us_reply *reply);
/* Performs the request; opens or renews the session when the vault asks for it. What the vault puts
 * off of its log (429 or 503, with a Retry-After of a few seconds) is asked for again when it says,
 * for a minute at most. US_OK whatever the status; US_ERR_CLOSED if the vault cannot be reached
 * (the message has been printed). reply is reset first. */
int us_client_request(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply);
/* Performs it and, unless the status is 2xx, explains the problem on stderr. Returns the exit
 * status: DONE for 2xx, PENDING for 202. */
int us_client_do(struct us_client *client, const struct us_client_request *request,
    struct us_reply *reply);
/* The exit status that a problem document stands for; prints it for people (or as it is, with
 * --json). */
int us_client_problem(struct us_client *client, const struct us_reply *reply);
/* us_client_do for GET with the JSON parsed into *out (the caller frees it); a malformed answer is
 * OTHER. A list is fetched whole, page after page. */
int us_client_get(struct us_client *client, const char *path, cJSON **out);
/* us_client_get of a list that one thing was asked of by name: *out is that thing ("items" taken
 * off). OTHER, with a message, if there is none. */
int us_client_get_one(struct us_client *client, const char *path, const char *what, cJSON **out);
/* POST of a JSON document that is consumed; *out may be NULL. */
int us_client_post(struct us_client *client, const char *path, cJSON *document, cJSON **out);
/* Signs an act of this type with this payload and posts it; *out as above. */
int
us_client_act(struct us_client *client, const char *path, const struct us_act *act, cJSON **out);
/* The body of such a request: str32 signed act ‖ str16 signature. Errors as us_act_encode,
 * us_pkey_sign. */
int
us_act_sign_body(const struct us_profile *profile, const struct us_act *act, struct us_buf *body);
/* Appends text percent-encoded for one path segment or query value. */
int us_put_escaped(struct us_buf *b, const char *text);

/* ---- showing ---- */

_Noreturn void us_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void
us_give_up(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void us_say(const char *format, ...) __attribute__((format(printf, 1, 2))); /* stderr, a line */
/* Evidence and other untrusted text on a terminal: control and bidirectional-override characters do
 * not pass (shown as U+FFFD); newline and tab do if lines is not 0. */
void us_print_text(FILE *to, const void *text, size_t n, int lines);
/* Text member of a JSON object, "" if there is none. */
const char *us_json_text(const cJSON *object, const char *name);
double us_json_number(const cJSON *object, const char *name, double fallback);
/* What the vault remarks on an answer ("notes"), a line each on stderr. */
void us_say_notes(const cJSON *answer);
/* The document on stdout: as one line of JSON with --json, else through show. Frees document. */
int us_show(struct us_client *client, cJSON *document, void (*show)(const cJSON *document));
/* A table: n columns of names; rows from a JSON array of objects with members of these names. */
void us_print_table(const cJSON *rows, const char *const *columns, size_t n);
/* Asks on the terminal without echo; the answer is wiped by the caller. US_ERR_IO if there is no
 * terminal. */
int us_ask_secret(const char *prompt, struct us_buf *answer);

/* Progress on stderr, if it is a terminal or UNDERSEAL_PROGRESS=1, and only from the first second
 * on. */
struct us_progress {
	const char *what; /* "records" */
	uint64_t total;   /* of units, 0 if not known */
	int64_t started_ns;
	int64_t shown_ns;
};
void us_progress_start(struct us_progress *progress, const char *what, uint64_t total);
/* done units of total (bytes read, say) and how many things that was. */
void us_progress_at(struct us_progress *progress, uint64_t done, uint64_t things);
void us_progress_end(struct us_progress *progress);

#endif
