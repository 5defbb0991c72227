#include "client/core/recalls.h"

#include <string.h>

#include "client/core/show.h"

static void
print_member(FILE *to, const cJSON *object, const char *name)
{
	const char *text = us_json_text(object, name);

	us_print_text(to, text, strlen(text), 0);
}

static void
print_numbers(FILE *to, const cJSON *bates)
{
	const cJSON *number;

	cJSON_ArrayForEach(number, bates) {
		const char *text = cJSON_IsString(number) ? number->valuestring : "";

		fputs(number != bates->child ? ", " : "", to);
		us_print_text(to, text, strlen(text), 0);
	}
}

static void
print_recall(FILE *to, const cJSON *r)
{
	const double copy = us_json_number(r, "copy", 0);
	const int is_clawback = strcmp(us_json_text(r, "why"), "clawed-back") == 0;

	fprintf(to, "  copy %.0f, to ", copy);
	print_member(to, r, "recipient");
	fprintf(to, ": %.0f record%s of ", us_json_number(r, "records", 0),
	    us_json_number(r, "records", 0) > 1 ? "s" : "");
	print_member(to, r, "collection");
	fputs(is_clawback ? " clawed back (" : " withdrawn (batch ", to);
	print_member(to, r, "by");
	fputs(*us_json_text(r, "since") == '\0' ? ")" : ") since ", to);
	print_member(to, r, "since");
	fputs(":\n    ", to);
	print_numbers(to, cJSON_GetObjectItemCaseSensitive(r, "bates"));
	fputs("\n    by when: ", to);
	if (*us_json_text(r, "due") == '\0')
		fputs("no term is set, so at once", to);
	else
		print_member(to, r, "due");
	fprintf(to, "\n    type next: underseal copy return %.0f --destroyed", copy);
	fputs(" (without --destroyed: given back)\n", to);
}

void
us_recalls_print(FILE *to, const cJSON *answer)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "recalls"), *r;
	const int shown = cJSON_GetArraySize(list);
	const double all = us_json_number(answer, "recalled", 0);

	if (shown == 0)
		return;
	fputs("What was taken back is still in copies: give them back or destroy them, and say "
	      "so.\n",
	    to);
	cJSON_ArrayForEach(r, list)
		print_recall(to, r);
	if (all > shown)
		fprintf(to, "  and %.0f more, which come when these are done\n", all - shown);
}
