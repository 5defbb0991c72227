#include "daemon/vault/state/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/cobblestone.h"
#include "daemon/vault/state/rooms.h"

#define CONTEXT "underseal/act-at-rest/1"
#define CONTEXT_SIZE (sizeof CONTEXT - 1 + 32 + 8)

/* A release or withdrawal of a batch. */
struct us_vault_batch_change {
	uint32_t collection;
	uint32_t slot;
	uint64_t sequence;
	enum us_act_type type;
};

struct us_vault_state {
	enum us_vault_phase phase;
	char why_refusing[160];
	int is_frozen, is_leaving;
	uint8_t vault_id[32];
	struct us_key *state_key, *cursor_key;
	struct us_registry *registry;
	uint64_t *act_entries; /* by sequence */
	size_t n_act_entries;
	struct us_vault_batch_change *changes;
	size_t n_changes;
	uint64_t newest;
};

int
us_vault_state_new(struct us_vault_state **out, int is_frozen)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return US_ERR_NOMEM;
	(*out)->is_frozen = is_frozen != 0;
	return US_OK;
}

static void
wipe_keys(struct us_vault_state *s)
{
	us_key_free(s->state_key);
	us_key_free(s->cursor_key);
	s->state_key = s->cursor_key = NULL;
}

void
us_vault_state_free(struct us_vault_state *s)
{
	if (s == NULL)
		return;
	wipe_keys(s);
	us_registry_free(s->registry);
	free(s->act_entries);
	free(s->changes);
	free(s);
}

/* --- phase ------------------------------------------------------------------------------------ */

enum us_vault_phase
us_vault_phase(const struct us_vault_state *s)
{
	return s->phase;
}

int
us_vault_is_open(const struct us_vault_state *s)
{
	return s->phase == US_VAULT_OPEN;
}

void
us_vault_state_enter(struct us_vault_state *s, enum us_vault_phase phase)
{
	s->phase = phase;
}

void
us_vault_state_refuse(struct us_vault_state *s, const char *why)
{
	s->phase = US_VAULT_REFUSING;
	(void)strncpy(s->why_refusing, why, sizeof s->why_refusing - 1);
}

const char *
us_vault_why_refusing(const struct us_vault_state *s)
{
	return s->why_refusing;
}

void
us_vault_state_leave(struct us_vault_state *s)
{
	wipe_keys(s);
	s->phase = US_VAULT_SEALED;
	s->is_leaving = 1;
}

int
us_vault_is_leaving(const struct us_vault_state *s)
{
	return s->is_leaving;
}

int
us_vault_is_frozen(const struct us_vault_state *s)
{
	return s->is_frozen;
}

/* --- keys ------------------------------------------------------------------------------------- */

int
us_vault_state_take_keys(struct us_vault_state *s, const uint8_t vault_id[32],
    const uint8_t *state_key, const uint8_t *cursor_key)
{
	int err = US_OK;

	if (s->state_key == NULL)
		err = us_key_new(&s->state_key);
	if (err == US_OK && s->cursor_key == NULL)
		err = us_key_new(&s->cursor_key);
	if (err != US_OK)
		return err;
	memcpy(s->vault_id, vault_id, sizeof s->vault_id);
	memcpy(s->state_key->b, state_key, US_KEY_SIZE);
	memcpy(s->cursor_key->b, cursor_key, US_KEY_SIZE);
	return US_OK;
}

const uint8_t *
us_vault_id(const struct us_vault_state *s)
{
	return s->vault_id;
}

const struct us_key *
us_vault_cursor_key(const struct us_vault_state *s)
{
	return s->cursor_key;
}

static struct us_bytes
act_context(const struct us_vault_state *s, uint64_t sequence, uint8_t out[CONTEXT_SIZE])
{
	const size_t label = sizeof CONTEXT - 1;

	memcpy(out, CONTEXT, label);
	memcpy(out + label, s->vault_id, 32);
	us_store_u64(out + label + 32, sequence);
	return (struct us_bytes){ out, CONTEXT_SIZE };
}

int
us_vault_act_seal(const struct us_vault_state *s, uint64_t sequence, struct us_bytes committed,
    struct us_buf *out)
{
	uint8_t context[CONTEXT_SIZE];

	return us_cobblestone_seal_to(s->state_key, act_context(s, sequence, context), committed,
	    out);
}

int
us_vault_act_open(const struct us_vault_state *s, uint64_t sequence, struct us_bytes sealed,
    struct us_buf *out)
{
	uint8_t context[CONTEXT_SIZE];

	return us_cobblestone_open_to(s->state_key, act_context(s, sequence, context), sealed, out);
}

/* --- the registry ----------------------------------------------------------------------------- */

struct us_registry *
us_vault_registry(const struct us_vault_state *s)
{
	return s->registry;
}

void
us_vault_state_set_registry(struct us_vault_state *s, struct us_registry *reg)
{
	s->registry = reg;
}

int
us_vault_note_entry(struct us_vault_state *s, uint64_t sequence, uint64_t entry)
{
	if (sequence >= s->n_act_entries) {
		size_t n = sequence < 512 ? 1024 : (size_t)sequence * 2;
		uint64_t *more = realloc(s->act_entries, n * sizeof *more);

		if (more == NULL)
			return US_ERR_NOMEM;
		memset(more + s->n_act_entries, 0xff, (n - s->n_act_entries) * sizeof *more);
		s->act_entries = more;
		s->n_act_entries = n;
	}
	s->act_entries[sequence] = entry;
	if (entry != NO_ENTRY && entry > s->newest)
		s->newest = entry;
	return US_OK;
}

static int
note_change(struct us_vault_state *s, uint64_t sequence, const struct us_signed_act *act)
{
	struct us_vault_batch_change *more = realloc(s->changes, (s->n_changes + 1) * sizeof *more);
	struct us_reader in;

	if (more == NULL)
		return US_ERR_NOMEM;
	s->changes = more;
	more += s->n_changes++;
	us_reader_init(&in, act->payload.p, act->payload.n);
	more->collection = us_take_u32(&in);
	more->slot = us_take_u32(&in);
	more->sequence = sequence;
	more->type = act->type;
	return US_OK;
}

int
us_vault_note_act(struct us_vault_state *s, uint64_t sequence, uint64_t entry,
    struct us_bytes committed)
{
	struct us_committed_act act;
	struct us_signed_act envelope;
	int err = us_committed_act_decode(&act, &envelope, committed.p, committed.n);

	if (err == US_OK &&
	    (envelope.type == US_ACT_BATCH_RELEASE || envelope.type == US_ACT_BATCH_WITHDRAW))
		err = note_change(s, sequence, &envelope);
	return err != US_OK ? err : us_vault_note_entry(s, sequence, entry);
}

uint64_t
us_vault_entry_of(const struct us_vault_state *s, uint64_t sequence)
{
	return sequence < s->n_act_entries ? s->act_entries[sequence] : NO_ENTRY;
}

uint64_t
us_vault_newest(const struct us_vault_state *s)
{
	return s->newest;
}

uint64_t
us_vault_entry_of_change(const struct us_vault_state *s, uint32_t collection, uint32_t slot,
    enum us_act_type type)
{
	for (size_t i = s->n_changes; i-- > 0;) {
		const struct us_vault_batch_change *c = &s->changes[i];

		if (c->type == type && c->slot == slot && c->collection == collection)
			return us_vault_entry_of(s, c->sequence);
	}
	return NO_ENTRY;
}
