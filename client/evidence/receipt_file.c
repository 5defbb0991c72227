#include "client/evidence/receipt_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/core/file.h"
#include "base/err.h"

static void
show_receipt(const cJSON *r)
{
	const cJSON *batches = cJSON_GetObjectItemCaseSensitive(r, "batches"), *b;

	us_print("%.0f records: %.0f admitted, %.0f were there already, %.0f refused\n",
	    us_json_number(r, "received", 0), us_json_number(r, "admitted", 0),
	    us_json_number(r, "duplicates", 0), us_json_number(r, "refused", 0));
	cJSON_ArrayForEach(b, batches)
		us_print("batch %s: %s to %s, manifest root %s, log entry %.0f\n",
		    us_json_text(b, "batch"), us_json_text(b, "first"), us_json_text(b, "last"),
		    us_json_text(b, "manifest_root"), us_json_number(b, "entry", -1));
}

/* The name that a receipt has until it is whole. */
static void
receipt_name(const struct us_args *args, char *name, size_t size)
{
	if ((size_t)snprintf(name, size, "%s.part", us_arg(args, "receipt")) >= size)
		us_usage_error("the receipt's name is too long");
}

FILE *
us_receipt_file_open(const struct us_args *args)
{
	FILE *file;
	char name[4096];

	if (us_arg(args, "receipt") == NULL)
		return NULL;
	if (access(us_arg(args, "receipt"), F_OK) == 0)
		us_usage_error("%s is there already", us_arg(args, "receipt"));
	receipt_name(args, name, sizeof name);
	file = us_file_over(name);
	if (file == NULL)
		us_give_up(US_EXIT_OTHER, "cannot write %s", name);
	return file;
}

void
us_receipt_file_close(const struct us_args *args, FILE *file, int status)
{
	char name[4096];

	if (file == NULL)
		return;
	receipt_name(args, name, sizeof name);
	(void)fclose(file);
	if (status != US_EXIT_DONE && status != US_EXIT_INCOMPLETE)
		(void)unlink(name);
	else if (rename(name, us_arg(args, "receipt")) != 0)
		us_say("the receipt is in %s: it cannot be renamed", name);
}

void
us_receipt_say_nothing_came(const struct us_args *args, const cJSON *given)
{
	const double refused = us_json_number(given, "refused", 0);

	if (us_json_number(given, "received", 0) < 1)
		us_say("nothing was loaded: there is no record in %s; see whether that is the file "
		       "you "
		       "meant",
		    args->n_operands == 2 ? args->operand[1] : "these files");
	else
		us_say("nothing was loaded: %s refused; correct what the lines above name%s, and "
		       "load "
		       "again",
		    refused == 1 ? "the only record was" : "all records were",
		    us_arg(args, "receipt") != NULL ? " (the receipt names every one)" :
						      " (--receipt FILE names every one)");
}

int
us_receipt_put(const struct us_client *client, const struct us_args *args, FILE *file,
    struct us_receipt *receipt, const cJSON *given)
{
	FILE *to[] = { file, client->json ? stdout : NULL };
	int err = US_OK;

	for (size_t i = 0; i < 2 && (err == US_OK || err == US_ERR_INCOMPLETE); i++)
		if (to[i] != NULL)
			err = us_receipt_write(receipt, given, args->operand + 1,
			    args->n_operands - 1, to[i]);
	if (!client->json)
		show_receipt(given);
	if (err == US_ERR_INCOMPLETE) {
		us_say("all is admitted, but which record has which number cannot be said: an "
		       "answer was lost on "
		       "its way; the records themselves show it");
		return US_EXIT_INCOMPLETE;
	}
	if (err != US_OK)
		us_say("cannot write the receipt: %s", us_strerror(err));
	return err == US_OK && fflush(stdout) == 0 ? US_EXIT_DONE : US_EXIT_OTHER;
}
