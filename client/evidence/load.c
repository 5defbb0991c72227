/* Loading produced logs: parts of whole lines, compressed, over a few connections at once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "evidence/batch/defect.h"
#include "client/core/commands.h"
#include "client/core/progress.h"
#include "client/core/client.h"
#include "client/core/http.h"
#include "client/evidence/receipt.h"
#include "client/evidence/receipt_file.h"
#include "client/evidence/source.h"
#include "base/base64.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/time.h"
#include "case/limits.h"

#define PART_WANT (1024u * 1024u)
#define UPLOADERS 3
#define TRIES 20
#define TICKET_TEXT_MAX 256
#define RENEW_NS (5 * 60 * US_NS_PER_SECOND)
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

struct us_client_part {
	uint32_t number;
	uint64_t first_line;
	uint8_t digest[32];
	struct us_buf data;            /* compressed */
	uint64_t source_at;            /* bytes of the file read when it was made */
	struct us_receipt_part *lines; /* for the receipt, or NULL */
};

/* lock guards everything below it. The reader fills slot while full is 0; an uploader takes it. */
struct us_client_load {
	struct us_client *client; /* between opening and end used under the lock alone */
	char id[64];
	char ticket[TICKET_TEXT_MAX];
	int64_t ticket_expires_ns;
	int skip_defects;
	int want_map; /* somebody wants the receipt's map */
	FILE *file;   /* of --receipt, under its temporary name; or NULL */
	uint32_t file_number;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct us_client_part slot;
	int full, no_more, failed;
	uint64_t records, accepted, duplicates, refused;
	uint64_t shown_defects;
	uint64_t uploaded_at;
	struct us_sent_parts sent; /* the reader's alone */
	struct us_receipt receipt;
	int status;
	int came_to_nothing; /* nothing was admitted and nothing was there */
};

/* --- the ticket ------------------------------------------------------------------------------- */

static int
take_ticket(struct us_client_load *load, const cJSON *answer)
{
	const char *ticket = us_json_text(answer, "ticket"),
		   *expires = us_json_text(answer, "ticket_expires");

	if (*ticket == '\0' || strlen(ticket) >= sizeof load->ticket ||
	    strspn(ticket, BASE64) != strlen(ticket) || /* it becomes a header */
	    us_time_parse(expires, strlen(expires), &load->ticket_expires_ns) != US_OK)
		return US_ERR_FORMAT;
	(void)snprintf(load->ticket, sizeof load->ticket, "%s", ticket);
	return US_OK;
}

/* Under the lock: another one, which the order is asked about again. An exit status; what is wrong
 * has been said. */
static int
renew_ticket(struct us_client_load *load)
{
	cJSON *answer = NULL;
	char path[128];
	int status;

	(void)snprintf(path, sizeof path, "/v1/loads/%s/ticket", load->id);
	status = us_client_post(load->client, path, cJSON_CreateObject(), &answer);
	if (status == US_EXIT_DONE && take_ticket(load, answer) != US_OK) {
		us_say("the vault gave no ticket for the load");
		status = US_EXIT_OTHER;
	}
	cJSON_Delete(answer);
	return status;
}

/* The ticket to send, renewed before it ends, or if it is the one that has just been refused as
 * expired. US_ERR_STATE: there is none any more, and the load has failed with the status that says
 * why. */
static int
ticket_now(struct us_client_load *load, const char *refused, char out[TICKET_TEXT_MAX])
{
	int status = US_EXIT_DONE;

	(void)pthread_mutex_lock(&load->lock);
	if (us_time_now_ns() > load->ticket_expires_ns - RENEW_NS ||
	    strcmp(refused, load->ticket) == 0)
		status = renew_ticket(load);
	if (status != US_EXIT_DONE && !load->failed) {
		load->failed = 1;
		load->status = status;
	}
	(void)snprintf(out, TICKET_TEXT_MAX, "%s", load->ticket);
	(void)pthread_mutex_unlock(&load->lock);
	return status == US_EXIT_DONE ? US_OK : US_ERR_STATE;
}

/* --- parts ------------------------------------------------------------------------------------ */

static void
show_defects(struct us_client_load *load, const cJSON *answer)
{
	const cJSON *defects = cJSON_GetObjectItemCaseSensitive(answer, "defects"), *d;
	unsigned defect;

	cJSON_ArrayForEach(d, defects) {
		if (load->shown_defects++ == 20)
			us_say("… more: the receipt has them all");
		if (load->shown_defects > 20)
			return;
		defect = us_defect_of(us_json_text(d, "code"));
		us_say("line %.0f: %s%s%s", us_json_number(d, "line", 0), us_json_text(d, "code"),
		    defect == US_DEFECT__COUNT ? "" : ": ",
		    defect == US_DEFECT__COUNT ? "" : us_defect_text(defect));
	}
}

/* Under the lock: what the vault said of a part, whose lines it takes. */
static void
take_answer(struct us_client_load *load, const struct us_reply *reply, struct us_client_part *part)
{
	cJSON *answer = reply->body.len == 0 ?
	    NULL :
	    cJSON_ParseWithLength((const char *)reply->body.data, reply->body.len);

	load->records += (uint64_t)us_json_number(answer, "records", 0);
	load->accepted += (uint64_t)us_json_number(answer, "accepted", 0);
	load->duplicates += (uint64_t)us_json_number(answer, "duplicates", 0);
	load->refused += (uint64_t)us_json_number(answer, "refused", 0);
	if (part->source_at > load->uploaded_at)
		load->uploaded_at = part->source_at;
	show_defects(load, answer);
	if (part->lines != NULL && reply->status / 100 == 2)
		us_receipt_add(&load->receipt, part->lines, answer);
	else
		us_receipt_part_free(part->lines);
	part->lines = NULL;
	if (reply->status / 100 != 2 && !load->failed) {
		load->failed = 1;
		if (reply->status == 422) {
			us_say("stopped: the file has defects, and nothing of the open batch is "
			       "admitted (--on-defect skip admits the rest)");
			load->status = US_EXIT_OTHER;
		} else
			load->status = us_client_problem(load->client, reply);
	}
	cJSON_Delete(answer);
}

/* A part that another one's failure has left waiting would be answered only when the load ends. */
static int
has_failed(void *ctx)
{
	struct us_client_load *load = ctx;
	int failed;

	(void)pthread_mutex_lock(&load->lock);
	failed = load->failed;
	(void)pthread_mutex_unlock(&load->lock);
	return failed;
}

static int
upload(struct us_client_load *load, struct us_http *http, const struct us_client_part *part,
    struct us_reply *reply)
{
	char path[256], line[64], digest[96], hex[65], ticket[TICKET_TEXT_MAX],
	    shown[32 + TICKET_TEXT_MAX];
	const char *headers[] = { line, digest, shown, "Content-Encoding: zstd", NULL };
	struct us_client_request request = { .method = "POST",
		.path = path,
		.headers = headers,
		.content_type = "application/octet-stream",
		.body = { part->data.data, part->data.len },
		.give_up = has_failed,
		.ctx = load };
	struct timespec pause = { 0, 50 * 1000 * 1000 };
	int err = ticket_now(load, "", ticket), renewed = 0;

	us_hex_encode(part->digest, 32, hex);
	hex[64] = '\0';
	(void)snprintf(path, sizeof path, "/v1/loads/%s/parts/%u%s", load->id, part->number,
	    load->skip_defects ? "?skip=1" : "");
	(void)snprintf(line, sizeof line, "Underseal-First-Line: %llu",
	    (unsigned long long)part->first_line);
	(void)snprintf(digest, sizeof digest, "Underseal-Digest: %s", hex);
	for (int i = 0; i < TRIES && err == US_OK; i++) {
		(void)snprintf(shown, sizeof shown, "Underseal-Ticket: %s", ticket);
		err = us_http_exchange(http, &request, reply);
		if (err == US_OK && reply->status == 401 && !renewed++) {
			err = ticket_now(load, ticket, ticket);
			continue;
		}
		if (err != US_OK || reply->status != 503)
			break;
		(void)nanosleep(&pause, NULL);
		if (pause.tv_nsec < 400 * 1000 * 1000)
			pause.tv_nsec *= 2;
	}
	return err;
}

static void *
uploader(void *arg)
{
	struct us_client_load *load = arg;
	struct us_http *http = us_http_new(&load->client->profile);
	struct us_reply reply;
	struct us_client_part part;
	int err;

	us_reply_init(&reply);
	(void)pthread_mutex_lock(&load->lock);
	for (;;) {
		while (!load->full && !load->no_more && !load->failed)
			(void)pthread_cond_wait(&load->changed, &load->lock);
		if (load->failed || !load->full || http == NULL)
			break;
		part = load->slot;
		load->full = 0;
		(void)pthread_cond_broadcast(&load->changed);
		(void)pthread_mutex_unlock(&load->lock);
		err = upload(load, http, &part, &reply);
		us_buf_free(&part.data);
		(void)pthread_mutex_lock(&load->lock);
		if (err == US_OK)
			take_answer(load, &reply, &part);
		else
			load->failed = 1;
		us_receipt_part_free(part.lines);
		(void)pthread_cond_broadcast(&load->changed);
	}
	if (http == NULL)
		load->failed = 1;
	(void)pthread_cond_broadcast(&load->changed);
	(void)pthread_mutex_unlock(&load->lock);
	us_reply_free(&reply);
	us_http_free(http);
	return NULL;
}

static int
compress_part(struct us_client_part *part, const struct us_buf *raw)
{
	size_t bound = ZSTD_compressBound(raw->len), n;
	uint8_t *to;
	int err = us_sha256(raw->data, raw->len, part->digest);

	us_buf_init(&part->data, bound);
	if (err == US_OK)
		err = us_buf_extend(&part->data, bound, &to);
	if (err != US_OK)
		return err;
	n = ZSTD_compress(to, bound, raw->data, raw->len, 1);
	if (ZSTD_isError(n))
		return US_ERR_INTERNAL;
	part->data.len = n;
	return US_OK;
}

/* Hands a part to an uploader; returns 0 if the load has failed. */
static int
hand_over(struct us_client_load *load, struct us_client_part *part, struct us_progress *progress)
{
	int go_on;

	(void)pthread_mutex_lock(&load->lock);
	while (load->full && !load->failed) {
		struct timespec until;

		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		(void)pthread_cond_timedwait(&load->changed, &load->lock, &until);
		us_progress_at(progress, load->uploaded_at, load->records);
	}
	go_on = !load->failed;
	if (go_on) {
		load->slot = *part;
		load->full = 1;
		(void)pthread_cond_broadcast(&load->changed);
	} else {
		us_buf_free(&part->data);
		us_receipt_part_free(part->lines);
	}
	us_progress_at(progress, load->uploaded_at, load->records);
	(void)pthread_mutex_unlock(&load->lock);
	return go_on;
}

/* Reads one file and hands out its parts. */
static int
send_file(struct us_client_load *load, const char *path, uint32_t *number,
    struct us_progress *progress)
{
	struct us_source *source;
	struct us_buf raw;
	int err = us_source_open(&source, path);

	if (err != US_OK) {
		us_say("cannot read %s: %s", path, us_strerror(err));
		return err;
	}
	us_buf_init(&raw, US_PART_RAW_MAX);
	us_progress_start(progress, "records", us_source_size(source));
	load->uploaded_at = 0;
	for (;;) {
		struct us_client_part part = { .number = *number };

		err = us_source_part(source, PART_WANT, US_PART_RAW_MAX, &raw, &part.first_line);
		if (err == US_ERR_LIMIT)
			us_say("%s, line %llu is longer than %u bytes", path,
			    (unsigned long long)part.first_line, US_PART_RAW_MAX);
		else if (err != US_OK)
			us_say("%s: the file is damaged or cannot be read near line %llu: %s", path,
			    (unsigned long long)part.first_line, us_strerror(err));
		if (err != US_OK || raw.len == 0)
			break;
		part.source_at = us_source_at(source);
		err = compress_part(&part, &raw);
		if (err == US_OK)
			err = us_sent_parts_add(&load->sent, part.digest);
		if (err == US_OK && load->want_map)
			err = us_receipt_part_new(&part.lines, part.number, load->file_number,
			    part.first_line, (struct us_bytes){ raw.data, raw.len });
		if (err != US_OK) {
			us_buf_free(&part.data);
			break;
		}
		if (!hand_over(load, &part, progress)) {
			err = US_ERR_STATE;
			break;
		}
		++*number;
	}
	us_buf_free(&raw);
	us_source_close(source);
	return err;
}

static int
open_load(struct us_client *client, const struct us_args *args, struct us_client_load *load)
{
	const char *purpose = us_client_purpose(client, args), *on = us_arg(args, "on-defect");
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	struct us_buf path;
	int status;

	if (on != NULL && strcmp(on, "skip") != 0 && strcmp(on, "stop") != 0)
		us_usage_error("--on-defect takes stop or skip");
	load->skip_defects = on != NULL && strcmp(on, "skip") == 0;
	(void)cJSON_AddBoolToObject(body, "dry_run", us_flag(args, "dry-run"));
	(void)cJSON_AddBoolToObject(body, "hold", us_flag(args, "hold"));
	(void)cJSON_AddStringToObject(body, "on_defect", load->skip_defects ? "skip" : "stop");
	if (purpose != NULL)
		(void)cJSON_AddStringToObject(body, "purpose", purpose);
	us_buf_init(&path, 1024);
	if (us_buf_putf(&path, "/v1/collections/") != US_OK ||
	    us_put_escaped(&path, args->operand[0]) != US_OK ||
	    us_buf_putf(&path, "/loads") != US_OK || us_buf_cstr(&path) == NULL)
		us_usage_error("the collection's name is too long");
	status = us_client_post(client, us_buf_cstr(&path), body, &answer);
	us_buf_free(&path);
	if (status == US_EXIT_DONE)
		(void)snprintf(load->id, sizeof load->id, "%.0f",
		    us_json_number(answer, "load", 0));
	if (status == US_EXIT_DONE &&
	    (strcmp(load->id, "0") == 0 || take_ticket(load, answer) != US_OK)) {
		us_say("the vault gave no load id, or no ticket for it");
		status = US_EXIT_OTHER;
	}
	cJSON_Delete(answer);
	return status;
}

static int
end_load(struct us_client *client, const struct us_args *args, struct us_client_load *load)
{
	struct us_reply reply;
	char path[256];
	struct us_client_request request = { .method = "DELETE", .path = path };
	cJSON *receipt = NULL;
	int status;

	if (load->failed) {
		(void)snprintf(path, sizeof path, "/v1/loads/%s", load->id);
		us_reply_init(&reply);
		(void)us_client_request(client, &request, &reply);
		us_reply_free(&reply);
		us_say("the load has ended early: what it had admitted stays, what was in its open "
		       "batch is not admitted; once the cause is mended, the same command goes on "
		       "where it ended");
		return load->status;
	}
	(void)snprintf(path, sizeof path, "/v1/loads/%s/finish", load->id);
	status = us_client_post(client, path, cJSON_CreateObject(), &receipt);
	if (status == US_EXIT_DONE)
		status = us_receipt_verify(client, args->operand[0], receipt, &load->sent,
		    load->accepted);
	if (status == US_EXIT_DONE)
		status = us_receipt_put(client, args, load->file, &load->receipt, receipt);
	load->came_to_nothing = us_json_number(receipt, "admitted", 0) < 1 &&
	    us_json_number(receipt, "duplicates", 0) < 1;
	if (status == US_EXIT_DONE && load->came_to_nothing)
		us_receipt_say_nothing_came(args, receipt);
	cJSON_Delete(receipt);
	return status;
}

static int
run_load(struct us_client *client, const struct us_args *args)
{
	struct us_client_load load = { .client = client, .status = US_EXIT_OTHER };
	pthread_t threads[UPLOADERS];
	const char *format = us_arg(args, "format");
	struct us_progress progress;
	uint32_t number = 0;
	int status, err = US_OK;

	if (format != NULL && strcmp(format, "native") != 0)
		us_usage_error("format '%s' is not known; there is: native", format);
	(void)us_client_profile(client);
	load.file = us_receipt_file_open(args);
	load.want_map = client->json || load.file != NULL;
	status = open_load(client, args, &load);
	if (status != US_EXIT_DONE) {
		us_receipt_file_close(args, load.file, status);
		return status;
	}
	(void)pthread_mutex_init(&load.lock, NULL);
	(void)pthread_cond_init(&load.changed, NULL);
	for (size_t i = 0; i < UPLOADERS; i++)
		if (pthread_create(&threads[i], NULL, uploader, &load) != 0)
			us_give_up(US_EXIT_OTHER, "cannot start a thread");
	us_progress_start(&progress, "records", 0);
	for (size_t i = 1; i < args->n_operands && err == US_OK; i++) {
		load.file_number = (uint32_t)i - 1;
		err = send_file(&load, args->operand[i], &number, &progress);
	}
	(void)pthread_mutex_lock(&load.lock);
	if (err != US_OK)
		load.failed = 1;
	load.no_more = 1;
	(void)pthread_cond_broadcast(&load.changed);
	(void)pthread_mutex_unlock(&load.lock);
	for (size_t i = 0; i < UPLOADERS; i++)
		(void)pthread_join(threads[i], NULL);
	us_progress_end(&progress);
	if (load.full) {
		us_buf_free(&load.slot.data);
		us_receipt_part_free(load.slot.lines);
	}
	status = end_load(client, args, &load);
	us_receipt_file_close(args, load.file,
	    status); /* one of nothing too: it names what was refused */
	if (status == US_EXIT_DONE && load.came_to_nothing)
		status = US_EXIT_OTHER;
	us_receipt_free(&load.receipt);
	us_sent_parts_free(&load.sent);
	(void)pthread_cond_destroy(&load.changed);
	(void)pthread_mutex_destroy(&load.lock);
	return status;
}

static const struct us_option options[] = {
	{ "format", "F", "native (the only one so far)" },
	{ "dry-run", NULL, "checks everything and admits nothing" },
	{ "on-defect", "stop|skip",
	    "whether a defect refuses its batch (stop) or its record (skip)" },
	{ "hold", NULL, "admits for the producer's eyes until 'batch release'" },
	{ "purpose", "TEXT", "why, if the order asks for it" },
	{ "receipt", "FILE",
	    "writes the receipt there: each record's id, Bates number and SHA-256, and what was "
	    "refused" },
};

const struct us_command us_commands_load[] = {
	{ "load", "COLLECTION FILE...",
	    "loads produced logs (.jsonl, also .gz and .zst); repeating it admits nothing twice",
	    "underseal load logs production-01.jsonl.zst", options, 6, 2, 1000, run_load },
	{ 0 },
};
