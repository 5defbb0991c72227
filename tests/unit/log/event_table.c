/*
 * event_table: prints, a line each and tabs between, the rows of log/event.h ("summary", kind,
 * actions, decision, bytes) and the numbers of case/action.h ("number", set, number, name). For
 * tests/independent/test_event_table.py.
 */
#include <stdio.h>
#include <string.h>

#include "log/event.h"
#include "base/array.h"

enum type {
#define X(type, text) TYPE_##type,
	US_EVENT_TYPES(X)
#undef X
};

struct field {
	enum type type;
	const char *name;
};

struct row {
	int kind, decision, actions[US_EVENT_ACTIONS];
	struct field fields[8]; /* ended by a name of NULL */
};

#define FIELD(type, member, field) { TYPE_##type, #field },
#define X(name, member, kind, decision, ...) \
	{ kind, decision, { __VA_ARGS__ }, { US_EVENT_FIELDS_##member(FIELD){ 0, NULL } } },
static const struct row rows[] = { US_EVENT_LIST(X) };
#undef X

static const char *
any(int number, const char *(*name)(unsigned))
{
	return number == US_EVENT_ANY ? "any" : name((unsigned)number);
}

static void
print_field(const struct field *f)
{
	/* the name takes the place of %s, if there is one */
#define X(type, text) text,
	static const char *const texts[] = { US_EVENT_TYPES(X) };
#undef X
	const char *text = texts[f->type], *at = strstr(text, "%s");

	if (at == NULL)
		(void)printf("%s", text);
	else
		(void)printf("%.*s%s%s", (int)(at - text), text, f->name, at + 2);
}

static void
print_numbers(const char *set, const char *(*name)(unsigned))
{
	for (unsigned i = 0; i < 256; i++)
		if (name(i) != NULL)
			(void)printf("number\t%s\t%u\t%s\n", set, i, name(i));
}

int
main(void)
{
	for (size_t i = 0; i < US_COUNT(rows); i++) {
		const struct row *r = &rows[i];

		(void)printf("summary\t%s\t", any(r->kind, us_kind_name));
		for (size_t a = 0; a < US_EVENT_ACTIONS && r->actions[a] != US_ACTION_NONE; a++)
			(void)printf("%s%s", a == 0 ? "" : ", ",
			    any(r->actions[a], us_action_name));
		(void)printf("\t%s\t", any(r->decision, us_decision_name));
		for (const struct field *f = r->fields; f->name != NULL; f++) {
			(void)printf("%s", f == r->fields ? "" : " ‖ ");
			print_field(f);
		}
		(void)printf("\n");
	}
	print_numbers("class", us_entry_class_name);
	print_numbers("kind", us_kind_name);
	print_numbers("action", us_action_name);
	print_numbers("decision", us_decision_name);
	return 0;
}
