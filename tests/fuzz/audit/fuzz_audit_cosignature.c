/* Checkpoints with cosignatures: the input is the note, an empty line "#", and lines that are to be
 * merged into it. What is merged must open as a whole, and merge into itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log/cosignature.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS 3

static void
check(int ok)
{
	if (!ok)
		abort();
}

/* Keys of seeds 1 (the log), 7 and 8: made once. */
static void
make_keys(struct us_note_key keys[KEYS])
{
	static const char *const names[KEYS] = { "log.example.org/underseal/00",
		"witness.example.org/w1", "witness.example.org/w2" };
	static const uint8_t bytes[KEYS] = { 1, 7, 8 };

	for (size_t i = 0; i < KEYS; i++) {
		struct us_note_signer *s;
		struct us_key seed;

		memset(&seed, bytes[i], sizeof seed);
		check(us_note_signer_new(&s, names[i],
			  i == 0 ? US_NOTE_ED25519 : US_NOTE_COSIGNATURE, &seed) == US_OK);
		keys[i] = *us_note_signer_key(s);
		us_note_signer_free(s);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct us_note_key keys[KEYS];
	static int made;
	const uint8_t *border = memmem(data, size, "#\n", 2);
	struct us_bytes note = { data, border == NULL ? size : (size_t)(border - data) };
	struct us_bytes lines = { data + note.n, 0 };
	struct us_cosigned who, again;
	struct us_note opened;
	struct us_buf out, second;

	if (!made)
		make_keys(keys);
	made = 1;
	if (border != NULL)
		lines = (struct us_bytes){ border + 2, size - note.n - 2 };
	us_buf_init(&out, 2 * size + 64);
	us_buf_init(&second, 2 * size + 64);
	if (us_cosigned_merge(&out, &who, &keys[0], keys + 1, KEYS - 1, note, lines) == US_OK) {
		check(us_note_open(&opened, out.data, out.len, keys, KEYS) == US_OK);
		check(opened.n_sigs == who.n + 1 && opened.n_unknown == 0);
		check(us_cosigned_merge(&second, &again, &keys[0], keys + 1, KEYS - 1,
			  (struct us_bytes){ out.data, out.len },
			  (struct us_bytes){ NULL, 0 }) == US_OK);
		check(memcmp(&again, &who, sizeof who) == 0);
		check(second.len == out.len && memcmp(second.data, out.data, out.len) == 0);
	}
	us_buf_free(&out);
	us_buf_free(&second);
	return 0;
}
