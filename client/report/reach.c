#include "client/report/reach.h"

#include <string.h>

#include "base/err.h"
#include "base/number.h"

#define UNNAMED "person "

int
us_reach_add(struct us_report_reach_looks *out, enum us_log_look look, uint32_t a, uint64_t first,
    uint64_t last)
{
	if (out->n == US_REACH_LOOKS)
		return 0;
	out->look[out->n++] = (struct us_log_look_for){ look, a, first, last };
	return 1;
}

int
us_reach_person(const struct us_names *names, const char *person, struct us_report_reach_looks *out)
{
	const size_t before = out->n;
	uint64_t number;

	for (size_t i = 0; i < names->n_people; i++)
		if (strcmp(names->people[i].name, person) == 0 &&
		    !us_reach_add(out, US_LOOK_PERSON, 0, names->people[i].id, names->people[i].id))
			return 0;
	/* who has no name */
	if (strncmp(person, UNNAMED, sizeof UNNAMED - 1) == 0 &&
	    us_number_digits(person + sizeof UNNAMED - 1, strlen(person + sizeof UNNAMED - 1),
		UINT32_MAX, &number) == US_OK &&
	    !us_reach_add(out, US_LOOK_PERSON, 0, number, number))
		return 0;
	return out->n > before;
}

static int
add_party(const char *party, struct us_report_reach_looks *out)
{
	const uint64_t number = us_log_look_text(us_bytes_of(party));

	return us_reach_add(out, US_LOOK_PARTY, 0, number, number);
}

int
us_report_reach(const struct us_report_kind *kind, const struct us_report_ask *ask,
    const struct us_trail *names, struct us_report_reach_looks *out)
{
	struct us_report_records records;

	out->n = 0;
	(void)us_reach_add(out, US_LOOK_CONTEXT, 0, 0, 0);
	switch (kind->reach) {
	case US_REACH_ALL:
		return 0;
	case US_REACH_DENIED:
		return us_reach_add(out, US_LOOK_DENIED, 0, 0, 0);
	case US_REACH_RECORD:
		return ask->record != NULL &&
		    us_report_records_known(names, ask->record, strlen(ask->record), &records) &&
		    us_reach_add(out, US_LOOK_RECORD, records.collection, records.first,
			records.last);
	case US_REACH_WHO:
		/* who is asked for and is not there gets the answer of the whole log */
		return ask->person != NULL ? us_reach_person(&names->names, ask->person, out) :
		    ask->party != NULL     ? add_party(ask->party, out) :
					     0;
	}
	return 0;
}
