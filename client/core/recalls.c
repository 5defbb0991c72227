#include "client/core/recalls.h"

#include <string.h>

#include "client/core/out.h"
#include "client/core/show.h"

static void
print_member(FILE *to, const cJSON *object, const char *name)
{
	const char *text = us_json_text(object, name);

	us_print_to(to, "%s", text);
}

static void
print_numbers(FILE *to, const cJSON *bates)
{
	const cJSON *number;

	cJSON_ArrayForEach(number, bates) {
		const char *text = cJSON_IsString(number) ? number->valuestring : "";

		us_print_to(to, "%s", number != bates->child ? ", " : "");
		us_print_to(to, "%s", text);
	}
}

static void
print_recall(FILE *to, const cJSON *r)
{
	const double copy = us_json_number(r, "copy", 0);
	const int is_clawback = strcmp(us_json_text(r, "why"), "clawed-back") == 0;

	us_print_to(to, "  copy %.0f, to ", copy);
	print_member(to, r, "recipient");
	us_print_to(to, ": %.0f record%s of ", us_json_number(r, "records", 0),
	    us_json_number(r, "records", 0) > 1 ? "s" : "");
	print_member(to, r, "collection");
	us_print_to(to, "%s", is_clawback ? " clawed back (" : " withdrawn (batch ");
	print_member(to, r, "by");
	us_print_to(to, "%s", *us_json_text(r, "since") == '\0' ? ")" : ") since ");
	print_member(to, r, "since");
	us_print_to(to, ":\n    ");
	print_numbers(to, cJSON_GetObjectItemCaseSensitive(r, "bates"));
	us_print_to(to, "\n    by when: ");
	if (*us_json_text(r, "due") == '\0')
		us_print_to(to, "no term is set, so at once");
	else
		print_member(to, r, "due");
	us_print_to(to, "\n    type next: underseal copy return %.0f --destroyed", copy);
	us_print_to(to, " (without --destroyed: given back)\n");
}

void
us_recalls_print(FILE *to, const cJSON *answer)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "recalls"), *r;
	const int shown = cJSON_GetArraySize(list);
	const double all = us_json_number(answer, "recalled", 0);

	if (shown == 0)
		return;
	us_print_to(to,
	    "What was taken back is still in copies: give them back or destroy them, and say "
	    "so.\n");
	cJSON_ArrayForEach(r, list)
		print_recall(to, r);
	if (all > shown)
		us_print_to(to, "  and %.0f more, which come when these are done\n", all - shown);
}
