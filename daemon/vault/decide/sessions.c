#include "daemon/vault/decide/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define SESSIONS_MAX 65536u

/* Open addressing by credential; person 0: empty. */
struct us_vault_sessions {
	struct us_vault_session *at;
	size_t n, mask;
};

int
us_vault_sessions_new(struct us_vault_sessions **out)
{
	*out = calloc(1, sizeof **out);
	return *out == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_vault_sessions_free(struct us_vault_sessions *t)
{
	if (t == NULL)
		return;
	free(t->at);
	free(t);
}

static struct us_vault_session *
session_place(const struct us_vault_sessions *t, const uint8_t credential[32])
{
	size_t i = us_load_u64(credential) & t->mask;

	while (t->at[i].person != 0 && memcmp(t->at[i].credential, credential, 32) != 0)
		i = (i + 1) & t->mask;
	return &t->at[i];
}

static void
session_grow(struct us_vault_sessions *t)
{
	struct us_vault_session *old = t->at;
	size_t n = old == NULL ? 0 : t->mask + 1, i;
	size_t more = n == 0 ? 256 : n * 2;
	struct us_vault_session *fresh = calloc(more, sizeof *fresh);

	if (fresh == NULL)
		return;
	t->at = fresh;
	t->mask = more - 1;
	for (i = 0; i < n; i++)
		if (old[i].person != 0)
			*session_place(t, old[i].credential) = old[i];
	free(old);
}

void
us_vault_session_put(struct us_vault_sessions *t, const struct us_vault_session *s)
{
	struct us_vault_session *place;

	if (t->at == NULL || (t->n + 1) * 2 > t->mask + 1)
		session_grow(t);
	if (t->at == NULL || t->n >= SESSIONS_MAX || t->n + 1 > t->mask)
		return;
	place = session_place(t, s->credential);
	if (place->person == 0)
		t->n++;
	*place = *s;
}

const struct us_vault_session *
us_vault_session_get(const struct us_vault_sessions *t, const uint8_t credential[32])
{
	const struct us_vault_session *s;

	if (t->at == NULL)
		return NULL;
	s = session_place(t, credential);
	return s->person == 0 ? NULL : s;
}
