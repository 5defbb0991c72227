#include "log/opened.h"

#include <string.h>

#include "base/err.h"
#include "crypto/crypto.h"

/* What nothing is known of. */
static void
shut(struct us_opened *e)
{
	us_entry_disclosure_free(&e->disclosure);
	us_entry_query_free(&e->query);
	us_entry_access_init(&e->access);
	e->access.kind = (enum us_kind)0; /* none */
	us_entry_disclosure_init(&e->disclosure);
	us_entry_query_init(&e->query);
	us_buf_reset(&e->plain);
	e->open = 0;
}

void
us_opened_init(struct us_opened *e)
{
	memset(e, 0, sizeof *e);
	us_buf_init(&e->plain, US_ENTRY_MAX);
	shut(e);
}

void
us_opened_free(struct us_opened *e)
{
	shut(e);
	us_buf_free(&e->plain);
}

int
us_opened_begin(struct us_opened *e, struct us_bytes entry)
{
	size_t room = 0;
	int err;

	shut(e);
	err = us_entry_decode(&e->view, entry.p, entry.n);
	if (err != US_OK)
		return err;
	/* for all of them at once, so that none moves what is open */
	for (size_t i = 0; i < US_BOXES; i++)
		room += e->view.boxes[i].ciphertext.n;
	return us_buf_reserve(&e->plain, room, NULL);
}

int
us_opened_next(struct us_opened *e, enum us_box box, const struct us_key *key)
{
	struct us_bytes content;
	uint8_t *room;
	int err = us_opened_has(e, box) ?
	    US_ERR_STATE :
	    us_buf_extend(&e->plain, e->view.boxes[box].ciphertext.n, &room);

	if (err == US_OK)
		err = us_entry_open_next(&e->view, box, key, room, &content);
	if (err != US_OK)
		return err;
	e->open |= 1u << box;
	if (content.n == 0)
		return US_OK;
	switch (box) {
	case US_BOX_ACCESS:
		return us_entry_access_decode(&e->access, content.p, content.n);
	case US_BOX_DISCLOSURE:
		return us_entry_disclosure_decode(&e->disclosure, content.p, content.n);
	case US_BOX_QUERY:
		return us_entry_query_decode(&e->query, content.p, content.n);
	case US_BOXES:
		break;
	}
	return US_ERR_ARG;
}

int
us_opened_box(struct us_opened *e, enum us_box box, const struct us_key *key)
{
	const int err = us_opened_next(e, box, key), forgotten = us_gcm_forget();

	return err != US_OK ? err : forgotten;
}

int
us_opened_boxes(struct us_opened *e, const struct us_export_keys *keys)
{
	int err = US_OK, forgotten;

	if (keys == NULL)
		return US_OK;
	for (unsigned box = 0; err == US_OK && box < US_BOXES; box++)
		if (keys->present[box])
			err = us_opened_next(e, (enum us_box)box, &keys->keys[box]);
	forgotten = us_gcm_forget();
	return err != US_OK ? err : forgotten;
}
