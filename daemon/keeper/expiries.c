#include "daemon/keeper/expiries.h"

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "crypto/cert.h"
#include "daemon/keeper/internal.h"
#include "daemon/keeper/life.h"

#define LINES_MAX 20u

/* A start, and an opening, say all that is to be said; other days these. */
static int
is_due(int64_t to_ns, int64_t now_ns, int all)
{
	const int64_t days = us_cert_days_left(to_ns, now_ns);

	return days <= 7 || days == 30 || days == US_CERT_TELL_DAYS ||
	    (all && days < US_CERT_TELL_DAYS);
}

static void
tell(const char *whose, int64_t to_ns, int64_t now_ns, const char *remedy)
{
	char text[US_CERT_END_SIZE];

	us_log(US_LOG_WARNING, "the certificate of %s %s%s", whose,
	    us_cert_end_text(to_ns, now_ns, text), remedy);
}

static void
tell_own(struct us_bytes der, const char *whose, int64_t now_ns, int all)
{
	struct us_cert_info info;

	if (us_cert_parse(der, &info) == US_OK && is_due(info.validity.to_ns, now_ns, all))
		tell(whose, info.validity.to_ns, now_ns, "");
}

/* 1 if the person has no credential that is good for longer than this one. */
static int
is_their_last(const struct us_keeper *k, const struct us_credential *c)
{
	for (size_t i = 0; i < us_registry_credentials(k->registry); i++) {
		const struct us_credential *other = us_registry_credential(k->registry, i);

		if (other->person == c->person && !other->revoked && other->approved &&
		    other->to_ns > c->to_ns)
			return 0;
	}
	return 1;
}

static void
tell_people(const struct us_keeper *k, int64_t now_ns, int all)
{
	size_t n = 0;

	for (size_t i = 0; i < us_registry_credentials(k->registry); i++) {
		const struct us_credential *c = us_registry_credential(k->registry, i);
		const struct us_person *p = us_registry_person(k->registry, c->person);

		if (p == NULL || p->status != US_PERSON_ACTIVE || c->revoked || !c->approved ||
		    !is_due(c->to_ns, now_ns, all) || !is_their_last(k, c))
			continue;
		if (n++ < LINES_MAX)
			tell(p->name, c->to_ns, now_ns,
			    "; another one: underseal credential request, then credential issue");
	}
	if (n > LINES_MAX)
		us_log(US_LOG_WARNING, "%zu more certificates end soon: underseal credential list",
		    n - LINES_MAX);
}

void
us_expiries_tick(const struct us_keeper *k, struct us_expiries *e)
{
	const int64_t now = us_time_now_ns(), day = now / US_NS_PER_DAY + 1;
	const int open = us_keeper_state(k) == US_KEEPER_OPEN;

	if (day != e->day) {
		tell_own((struct us_bytes){ k->boot.tls_certificate.data,
			     k->boot.tls_certificate.len },
		    "the server", now, e->day == 0);
		tell_own((struct us_bytes){ k->conf.ca.data, k->conf.ca.len }, "the vault's CA",
		    now, e->day == 0);
	}
	if (open && (day != e->day || !e->was_open))
		tell_people(k, now, !e->was_open);
	e->day = day;
	e->was_open = open;
}
